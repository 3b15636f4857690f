//! Whether the same command again can help after a failure: by its exit code, and by the error where that says more.
//!
//! Key type: [`Retry`]; documented, by exit code, in `docs/exit-codes.md`.

use std::fmt;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::commit::{CleanupError, LeaseError, TransactionError};
use crate::error::Error;
use crate::store::StoreError;
use crate::transfer::TransferError;
use crate::verbs::copy::CopyError;
use crate::verbs::delete::DeleteError;
use crate::verbs::doctor::DoctorError;
use crate::verbs::quicklook::QuicklookError;
use crate::verbs::rechunk::RechunkError;
use crate::verbs::recover::RecoverError;
use crate::verbs::send::{SendError, ShareError};
use crate::verbs::shared::error::WritingError;
use crate::verbs::stores::error::StoresError;

/// Can the same command again help?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Retry {
    pub helps: Helps,
    /// What comes of it, or what has to be done or to happen first.
    pub how: Option<&'static str>,
}

/// Does it help? What demands most comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Helps {
    /// It can.
    Yes,
    /// Nobody knows.
    Unknown,
    /// When something has happened that is not the command's.
    After,
    /// Not before the command, or what it is given, is another.
    No,
}

const fn yes() -> Retry {
    let how = None;
    Retry {
        helps: Helps::Yes,
        how,
    }
}

const fn with(helps: Helps, how: &'static str) -> Retry {
    let how = Some(how);
    Retry { helps, how }
}

const fn no(how: &'static str) -> Retry {
    with(Helps::No, how)
}

const fn after(how: &'static str) -> Retry {
    with(Helps::After, how)
}

impl Retry {
    /// After `error`.
    pub(in crate::cli) fn of(error: &CliError) -> Self {
        match error {
            CliError::ForPrograms(error) => Self::of(error),
            CliError::Library(error) => of_error(error),
            CliError::ReportLost { .. } => no("all is done; only the report is missing"),
            CliError::DocumentLost { .. } => no("all is done; history and status tell of it"),
            CliError::Printing { .. } => after("when standard output takes what is printed"),
            CliError::Hurried => with(Helps::Yes, "it heals what was left first"),
            CliError::Faults {
                can_be_healed: true,
                ..
            } => after("when recover was run; what is wrong then is to be mended"),
            CliError::NoTerminal => no("give --yes or --dry-run"),
            other => Exit::from(other).into(),
        }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (says, parted) = match self.helps {
            Helps::Yes => ("trying again can help", ": "),
            Helps::No => ("trying again does not help", ": "),
            Helps::After => ("trying again can help", " "),
            Helps::Unknown => ("whether trying again helps is not known", ": "),
        };
        f.write_str(says)?;
        match self.how {
            Some(how) => write!(f, "{parted}{how}"),
            None => Ok(()),
        }
    }
}

/// Where the exit code alone does not tell.
fn of_error(error: &Error) -> Retry {
    match error {
        // All of them are in the way.
        Error::Several(all) => {
            let each = all.clone().into_iter();
            let each = each.map(|problem| of_error(&problem));
            each.max_by_key(|retry| retry.helps)
                .unwrap_or_else(|| Exit::from(error).into())
        }
        // It was not heard in time that a lease holds, and what was done is undone already.
        Error::RolledBack { cause } if Exit::from(&**cause) == Exit::LeaseLost => yes(),
        Error::OnRank { cause, .. }
        | Error::SendCutShort { cause, .. }
        | Error::RolledBack { cause } => of_error(cause),
        Error::Share(ShareError::Unfinished { cause, .. } | ShareError::Part { cause, .. }) => {
            of_error(cause)
        }
        Error::Share(ShareError::Abandoned) => {
            no("send the rest with the same command and --on-overlap skip")
        }
        Error::Share(ShareError::Ending | ShareError::Shorter { .. }) => {
            after("when recover --abandon has ended the sharing")
        }
        Error::Store(cause)
        | Error::Transfer(TransferError::Store { cause, .. })
        | Error::Writing(WritingError::Transaction {
            cause: TransactionError::Store(cause),
            ..
        }) => of_store(cause, error),
        Error::Lease(LeaseError::Store(cause)) | Error::Send(SendError::Ledger(cause)) => {
            of_store(cause, error)
        }
        Error::NotRolledBack { left, .. }
        | Error::Writing(WritingError::NotHealed { cause: left, .. })
        | Error::Send(SendError::Untidy { left } | SendError::Consolidating { cause: left, .. })
        | Error::Delete(DeleteError::Incomplete(left) | DeleteError::GroupIncomplete(left)) => {
            lacking(left).unwrap_or_else(|| Exit::from(error).into())
        }
        Error::Writing(WritingError::Locked { .. }) => no("give --lock-dir as the message says"),
        Error::Writing(WritingError::Held { .. }) => after("when that job has ended"),
        Error::Writing(WritingError::NotAllGone(_)) | Error::Copy(CopyError::NotAllGone(_)) => {
            no("run recover, which goes on with it")
        }
        Error::Copy(CopyError::ChangedSince { .. }) => {
            no("delete the copies, and move the stores when the other program has ended")
        }
        Error::Copy(CopyError::Changed { .. }) | Error::Rechunk(RechunkError::Changed { .. }) => {
            after("when the other program has ended")
        }
        Error::Copy(CopyError::NotEnded(left)) => {
            lacking(left).unwrap_or(with(Helps::Yes, "it makes the copies anew"))
        }
        Error::Copy(CopyError::StillThere { .. })
        | Error::Rechunk(
            RechunkError::Stopped { .. }
            | RechunkError::NotSwitched { .. }
            | RechunkError::NotAllGone(_),
        )
        | Error::Recover(RecoverError::Orphans { .. }) => {
            with(Helps::Yes, "the same command goes on")
        }
        Error::Stores(StoresError::BeingReplaced(_)) => {
            after("when the same rechunk --replace has put the store into its place")
        }
        Error::Send(SendError::LeftOpen) => {
            with(Helps::Yes, "the same command with --resume goes on")
        }
        Error::Quicklook(QuicklookError::Unfinished { .. })
        | Error::Writing(WritingError::Unended { .. }) => {
            after("when that has ended, or recover has healed it")
        }
        Error::Quicklook(_) => no("ask for what there is, as the message says"),
        Error::Doctor(DoctorError::LeftBehind(_)) => no("remove by hand what is left behind"),
        other => Exit::from(other).into(),
    }
}

/// What has to be so where a store refused.
const ACCESS: &str = "when the object store gives access, and has room";
/// The same where nothing could be signed any more.
const KEYS: &str = "when there are keys again: it heals what was left first";
/// What has to be another where a server does not take the request for one.
const REQUEST: &str = "check the endpoint, what stands behind its host, and the bucket's name: the server takes the request for wrong";

/// What has to be so first, where keys had ended, access was refused, or there was no room.
fn lacking(left: &CleanupError) -> Option<Retry> {
    let is_without_keys = |error: &StoreError| match error {
        StoreError::Credentials { .. } => true,
        StoreError::Denied { cause, .. } => have_ended(cause),
        _ => false,
    };
    let is_refused = |error: &StoreError| {
        matches!(error, StoreError::Denied { .. } | StoreError::Probe { .. }) || error.is_full()
    };
    if left.errors.iter().any(is_without_keys) {
        return Some(after(KEYS));
    }
    { left.errors.iter().any(is_refused) }.then_some(after(ACCESS))
}

/// After what the `store` said, which ends the program as `error` does.
fn of_store(store: &StoreError, error: &Error) -> Retry {
    match store {
        StoreError::Untrusted { .. } => no("make the connection secure, as the message says"),
        StoreError::Denied { cause, .. } | StoreError::Probe { cause, .. } => refused(cause),
        _ if store.is_full() => after(ACCESS),
        _ if store.is_taken_for_wrong() => no(REQUEST),
        _ if store.is_in_the_way() || Exit::from(store) == Exit::ForeignStore => {
            Exit::ForeignStore.into()
        }
        _ => Exit::from(error).into(),
    }
}

/// After a refusal of which the server `said` so: first its code, if it gave one.
fn refused(said: &str) -> Retry {
    match said.split(':').next().unwrap_or_default() {
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" => {
            no("give other keys: the server does not take these")
        }
        _ if have_ended(said) => {
            no("give keys that have not ended, with their session token if they have one")
        }
        "RequestTimeTooSkewed" => no("set the clock of this machine"),
        _ => Exit::AccessDenied.into(),
    }
}

/// Does the server say that keys have ended?
fn have_ended(said: &str) -> bool {
    let code = said.split(':').next().unwrap_or_default();
    ["ExpiredToken", "InvalidToken"].contains(&code)
}

impl From<Exit> for Retry {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Ok | Exit::NothingToDo => no("there is nothing to do"),
            Exit::Internal => with(
                Helps::Unknown,
                "something is wrong with this program or this machine",
            ),
            Exit::Usage => no("change the command line"),
            Exit::SourceMissing => no("name files that are there and may be read"),
            Exit::NoSourceFiles => no("name files that are there"),
            Exit::SourceBroken => no("make the file whole, or leave it out"),
            Exit::NoAppendDimension => no("name another dimension, or other files"),
            Exit::UnknownVariable => no("name variables that the files have"),
            Exit::UnsupportedVariable => no("leave it out, or change it in the files"),
            Exit::ArchiveMismatch => no("change the files, or leave some out"),
            Exit::ChunkStrategy => no("give sizes and a codec that fit, as the message says"),
            Exit::NoPrefix => no("give --prefix"),
            Exit::Memory => no("give more --memory, or other chunks"),
            Exit::DimensionConflict
            | Exit::TypeConflict
            | Exit::CoordinateConflict
            | Exit::AttributeConflict => no("change the files, or choose another place"),
            Exit::TimeConflict => no("change what is asked for, as the message says"),
            Exit::ForeignStore => no("mend or move away what lies there, or choose another place"),
            Exit::ContentsConflict => no("name other variables, or choose another place"),
            Exit::NoStore => no("name what is there, as the message says"),
            Exit::VersionConflict => no("leave --zarr-version out, or choose another place"),
            Exit::ForeignObjects => no("move these objects away"),
            Exit::Credentials => no("give credentials as the message says"),
            Exit::NoBucket => no("name another bucket, or create it"),
            Exit::AccessDenied => after(ACCESS),
            Exit::Unreachable | Exit::StoreFailed | Exit::TransferFailed | Exit::Interrupted => {
                yes()
            }
            Exit::Busy => after("when the other job has ended"),
            Exit::NothingToUndo => no("name commands that history lists as undoable"),
            Exit::NotReprojected => no("change the files, or how they are to be reprojected"),
            Exit::GridConflict => no("give the grid and the method that the store has"),
            Exit::ArrayNeeded => no("name other arrays, or leave --array out"),
            Exit::VerifyFailed => after("when it is known what changed the data"),
            Exit::RollbackIncomplete => {
                after("when what the message names is mended: it heals what was left first")
            }
            Exit::DeleteIncomplete => with(Helps::Yes, "the same command goes on"),
            Exit::LeaseLost => with(Helps::Yes, "it heals what was left"),
            Exit::StillHeld => after("at the time that the message says"),
            Exit::WhichStore => no("say which store is meant"),
            Exit::Shared => after("when these jobs have ended, or recover --abandon was run"),
            Exit::ShareConflict => no("give all jobs the same files and settings"),
            Exit::Launcher => no("start it with another launcher"),
            Exit::Taken => no("choose another place, or delete what is there"),
            Exit::Recipe => no("change the recipe, or name another one"),
            Exit::FileNotWritten => after("when there is room for it, or with a name elsewhere"),
            Exit::FaultsFound => no("mend what is wrong"),
            Exit::Panic => with(
                Helps::Unknown,
                "report the fault; the next command heals what was left",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use msm_zarr::ZarrError;

    use super::*;

    /// What the page calls it.
    fn word(helps: Helps) -> &'static str {
        match helps {
            Helps::Yes => "yes",
            Helps::Unknown => "not known",
            Helps::After => "later",
            Helps::No => "no",
        }
    }

    #[test]
    fn the_page_says_of_each_code_what_the_program_says() {
        let page = include_str!("../../../docs/exit-codes.md");
        let (_, table) = page.split_once("## Does trying again help?").unwrap();
        let rows = table.lines().filter(|line| {
            line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit())
        });
        let expected = Exit::ALL.iter().filter(|(exit, _)| *exit != Exit::Ok);
        let expected = expected.map(|(exit, _)| {
            let Retry { helps, how } = Retry::from(*exit);
            format!(
                "| {} | {} | {} |",
                exit.code(),
                word(helps),
                how.unwrap_or("")
            )
        });
        assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn what_helps_after_a_refusal_is_what_the_server_refuses() {
        let helps = |cause: &str| {
            let (place, key) = ("s3://b".to_owned(), "k".to_owned());
            let cause = cause.to_owned();
            let denied = StoreError::Denied { place, key, cause };
            Retry::of(&Error::from(denied).into()).helps
        };
        let unknown = "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist";
        for cause in [unknown, "SignatureDoesNotMatch", "ExpiredToken: ended"] {
            assert_eq!(helps(cause), Helps::No, "{cause}");
        }
        for cause in ["AccessDenied: Access Denied", "QuotaExceeded", ""] {
            assert_eq!(helps(cause), Helps::After, "{cause}");
        }
    }

    #[test]
    fn of_several_problems_what_demands_most_counts() {
        let unreachable = StoreError::Unreachable {
            place: "s3://b".to_owned(),
            cause: "refused".to_owned(),
        };
        let missing = SendError::File {
            path: "a.nc".into(),
            cause: "gone".to_owned(),
        };
        let rolled_back = Error::RolledBack {
            cause: Box::new(unreachable.clone().into()),
        };
        assert_eq!(Retry::of(&rolled_back.clone().into()), yes());
        let both = Error::together([rolled_back, missing.into()]).unwrap_err();
        assert_eq!(Exit::from(&both), Exit::Unreachable);
        assert_eq!(Retry::of(&both.into()), Exit::SourceMissing.into());
        let untrusted = StoreError::Untrusted {
            place: "s3://b".to_owned(),
            cause: "expired".to_owned(),
            advice: "renew it".into(),
        };
        assert_eq!(Exit::from(&untrusted), Exit::Unreachable);
        assert_eq!(Retry::of(&Error::from(untrusted).into()).helps, Helps::No);
    }

    fn failed(cause: &str) -> StoreError {
        StoreError::Failed {
            place: "s3://b".to_owned(),
            key: "a".to_owned(),
            action: "writing".into(),
            cause: cause.to_owned(),
        }
    }

    #[test]
    fn a_request_that_a_server_takes_for_wrong_is_wrong_again() {
        let helps = |cause: &str| Retry::of(&Error::from(failed(cause)).into()).helps;
        for cause in [
            "InvalidBucketName: The specified bucket is not valid.",
            "MethodNotAllowed",
            "Server returned non-2xx status code: 400 Bad Request: no such path",
            "Server returned non-2xx status code: 405 Method Not Allowed: ",
        ] {
            assert_eq!(helps(cause), Helps::No, "{cause}");
        }
        for cause in [
            "RequestTimeout: Your socket connection was not read from",
            "IncompleteBody: 400",
            "Server returned non-2xx status code: 503 Service Unavailable: 400 Bad Request",
        ] {
            assert_eq!(helps(cause), Helps::Yes, "{cause}");
        }
    }

    #[test]
    fn what_a_store_said_counts_whatever_was_being_done() {
        let full = failed("QuotaExceeded: no more");
        let denied = StoreError::Denied {
            place: "s3://b".to_owned(),
            key: "a".to_owned(),
            cause: "AccessDenied".to_owned(),
        };
        let left = |error: &StoreError| CleanupError::of(vec![error.clone()]).unwrap_err();
        let not_rolled_back = |error: &StoreError| Error::NotRolledBack {
            cause: Box::new(error.clone().into()),
            left: left(error),
        };
        for lacking in [&full, &denied] {
            let untidy: Error = SendError::Untidy {
                left: left(lacking),
            }
            .into();
            let plain: Error = lacking.clone().into();
            for error in [untidy, plain, not_rolled_back(lacking)] {
                assert_eq!(Retry::of(&error.clone().into()), after(ACCESS), "{error}");
            }
        }
        let ended = StoreError::Credentials {
            problem: "give-keys: ended with 1".to_owned(),
        };
        let mut both = left(&denied);
        both.errors.push(ended.clone());
        let untidy: Error = SendError::Untidy { left: both }.into();
        for error in [not_rolled_back(&ended), untidy] {
            assert_eq!(Retry::of(&error.clone().into()), after(KEYS), "{error}");
        }
        let passing = not_rolled_back(&failed("SlowDown"));
        assert_eq!(Retry::of(&passing.into()), Exit::RollbackIncomplete.into());
        let damaged = ZarrError::Damaged {
            key: "c/0".to_owned(),
            cause: "short".to_owned(),
        };
        for cause in [damaged.into(), failed("Not a directory (os error 20)")] {
            let error = Error::from(TransferError::Store {
                array: "tos".to_owned(),
                chunk: vec![0],
                cause,
            });
            assert_eq!(Exit::from(&error), Exit::TransferFailed);
            assert_eq!(Retry::of(&error.into()).helps, Helps::No);
        }
    }
}
