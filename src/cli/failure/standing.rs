//! Where the stores stand after a command that was to write them failed.
//!
//! Key type: [`Standing`]. An error tells most of it: whether what failed is undone, and what was committed before; events tell the rest.

use std::fmt;

use msm_model::{are, counted};

use crate::cli::args::Command;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::witness::Witness;
use crate::error::Error;
use crate::store::StoreError;
use crate::verbs::copy::CopyError;
use crate::verbs::delete::DeleteError;
use crate::verbs::rechunk::RechunkError;
use crate::verbs::recover::RecoverError;
use crate::verbs::rollback::RollbackError;
use crate::verbs::send::{SendError, SendReach, ShareError};
use crate::verbs::shared::error::WritingError;

/// Where the stores stand. What is worse comes later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As before the command.
    Unchanged,
    /// As was asked for: only what was to tell of it is lost.
    Done,
    /// As before, but for what dead jobs had left.
    Healed,
    /// The same, but for consolidated metadata.
    Consolidated,
    /// `recover` has done what it could.
    Recovered,
    /// Transactions of a send, or parts of a shared archive, are committed.
    Committed {
        committed: u64,
        /// Of so many, if that is known.
        of: Option<u64>,
        /// The last step that they reach.
        up_to: Option<String>,
        is_shared: bool,
        rest: Rest,
    },
    /// Readers see what they saw, and the journal stays open.
    Open,
    /// What was made to replace stores is beside them.
    Beside,
    /// Stores are deleted, and what replaces them is not in its place.
    Replacing,
    /// The copies are whole, and what was copied is to go still.
    Copied,
    /// What was asked for is done, but not all that was to go is gone.
    Untidy,
    /// Part of a delete is done.
    Deleting { left: u64, all: u64 },
    /// Something is begun, and stands in journals.
    Unfinished,
    /// Nobody knows.
    Unknown,
}

/// What there is behind what is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// What was there before.
    AsBefore,
    /// A journal that `--resume` goes on with.
    Open,
    /// A journal that whoever comes next heals.
    Unfinished,
    /// Parts of a shared archive, out of readers' sight, which any of its jobs goes on with.
    Waiting,
}

impl Standing {
    /// After `error` of `command`, of which this was heard; `None` if it writes no stores.
    pub(in crate::cli) fn after(
        command: &Command,
        error: &CliError,
        witness: &Witness,
    ) -> Option<Self> {
        if !command.writes() {
            return None;
        }
        let library = match error {
            CliError::Library(error) => Some(error),
            CliError::ReportLost { .. } | CliError::DocumentLost { .. } => {
                return Some(Self::Done);
            }
            _ => None,
        };
        if let Some(told) = library.and_then(told_by) {
            return Some(told);
        }
        let is_server = library.is_some_and(|error| match error {
            // What a server guarantees is found out before anything is changed.
            Error::Store(StoreError::Probe { .. } | StoreError::Unproven { .. }) => false,
            error => matches!(
                error,
                Error::Store(_) | Error::Lease(_) | Error::OnRank { .. }
            ),
        });
        Some(match command {
            Command::Recover(_)
                if matches!(library, Some(Error::Recover(_) | Error::Several(_)))
                    || !witness.truncated.is_empty() =>
            {
                Self::Recovered
            }
            Command::Rechunk(_) if witness.committed > 0 => Self::Beside,
            // Of a group, or of the metadata, the error does not say how far it came.
            Command::Delete(_) if is_server && witness.is_deleting => Self::Unknown,
            Command::Send(args) if is_server && args.files.consolidate => Self::Unknown,
            Command::Update(args) if is_server && args.files.consolidate => Self::Unknown,
            _ if witness.committed > 0 => Self::Committed {
                committed: witness.committed,
                of: None,
                up_to: None,
                is_shared: false,
                rest: Rest::AsBefore,
            },
            _ if !witness.healed.is_empty() => Self::Healed,
            _ if witness.consolidated => Self::Consolidated,
            _ => Self::Unchanged,
        })
    }

    /// What documents call it.
    pub(in crate::cli) fn name(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Healed => "healed",
            Self::Consolidated => "consolidated",
            Self::Recovered => "recovered",
            Self::Committed { .. } => "partly_committed",
            Self::Open => "open",
            Self::Beside => "made_beside",
            Self::Replacing => "being_replaced",
            Self::Copied => "copied",
            Self::Untidy => "untidy",
            Self::Deleting { .. } => "partly_deleted",
            Self::Unfinished => "unfinished",
            Self::Done => "done",
            Self::Unknown => "unknown",
        }
    }

    /// The worse the greater.
    fn rank(&self) -> usize {
        match self {
            Self::Unchanged | Self::Done => 0,
            Self::Healed => 1,
            Self::Consolidated => 2,
            Self::Recovered => 3,
            Self::Committed { .. } => 4,
            Self::Open => 5,
            Self::Beside => 6,
            Self::Replacing => 7,
            Self::Copied => 8,
            Self::Untidy => 9,
            Self::Deleting { .. } => 10,
            Self::Unfinished => 11,
            Self::Unknown => 12,
        }
    }
}

/// What `error` tells of stores; `None` if they are as they were as far as it knows.
fn told_by(error: &Error) -> Option<Standing> {
    match error {
        Error::RolledBack { .. } => None,
        Error::OnRank { cause, .. } | Error::Share(ShareError::Part { cause, .. }) => {
            told_by(cause)
        }
        Error::Several(all) => {
            let all = all.clone().into_iter();
            let told = all.filter_map(|problem| told_by(&problem));
            told.max_by_key(Standing::rank)
        }
        Error::SendCutShort {
            cause,
            transactions,
            reach,
            ..
        } => {
            let (committed, of, up_to) = match reach {
                Some(SendReach {
                    committed,
                    of,
                    up_to,
                }) => (*committed, Some(*of), up_to.clone()),
                None => (*transactions, None, None),
            };
            Some(Standing::Committed {
                committed,
                of,
                up_to,
                is_shared: false,
                rest: rest(cause),
            })
        }
        Error::Share(ShareError::Unfinished {
            cause,
            committed,
            of,
            edge,
            ..
        }) => Some(Standing::Committed {
            committed: *committed as u64,
            of: Some(*of as u64),
            up_to: edge.clone(),
            is_shared: true,
            rest: match (rest(cause), &**cause) {
                (rest, Error::Share(ShareError::Abandoned | ShareError::Ending)) => rest,
                (Rest::AsBefore, _) => Rest::Waiting,
                (rest, _) => rest,
            },
        }),
        Error::DeleteCutShort { left, all, .. } => Some(Standing::Deleting {
            left: *left,
            all: *all,
        }),
        Error::Send(SendError::LeftOpen) => Some(Standing::Open),
        Error::Rechunk(RechunkError::Stopped { .. }) => Some(Standing::Beside),
        Error::Rechunk(RechunkError::NotSwitched { .. }) => Some(Standing::Replacing),
        Error::Copy(
            CopyError::NotAllGone(_)
            | CopyError::ChangedSince { .. }
            | CopyError::StillThere { .. },
        ) => Some(Standing::Copied),
        Error::Delete(DeleteError::GroupIncomplete(_))
        | Error::Recover(RecoverError::Orphans { .. }) => Some(Standing::Untidy),
        Error::NotRolledBack { .. }
        // What stays may have to be moved still, and a store that comes after it to be written.
        | Error::Writing(WritingError::NotHealed { .. } | WritingError::NotAllGone(_))
        | Error::Send(SendError::Consolidating { .. } | SendError::Untidy { .. })
        | Error::Copy(CopyError::NotEnded(_))
        | Error::Rechunk(RechunkError::NotAllGone(_))
        | Error::Rollback(RollbackError::NotUndone { .. }) => Some(Standing::Unfinished),
        other => (Exit::from(other) == Exit::LeaseLost).then_some(Standing::Unfinished),
    }
}

/// What there is behind what is committed, after `cause`.
fn rest(cause: &Error) -> Rest {
    match told_by(cause) {
        Some(Standing::Committed { rest, .. }) => rest,
        Some(Standing::Open) => Rest::Open,
        Some(_) => Rest::Unfinished,
        None => Rest::AsBefore,
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchanged => "the stores are unchanged",
            Self::Healed => {
                "this command changed nothing in the stores, but what dead jobs had left there is brought to its end"
            }
            Self::Consolidated => "the stores are unchanged, but for consolidated metadata that they got",
            Self::Recovered => "all stores but those named above are recovered",
            Self::Committed {
                committed,
                of,
                up_to,
                is_shared,
                rest,
            } => return committed_shown(f, *committed, *of, up_to.as_deref(), *is_shared, *rest),
            Self::Open => "readers see the stores as they were, and the journal stays open",
            Self::Beside => {
                "the stores are as they were, and what was made lies whole in the folder being-rechunked"
            }
            Self::Replacing => {
                "what replaces the stores lies whole in the folder being-rechunked for as long as it is not in its place"
            }
            Self::Copied => "the copies are whole, and what was copied is not, or not all, removed",
            Self::Untidy => "the stores are as asked for, but not all that was to go is gone",
            Self::Deleting { left, all } => {
                let (of, are) = (counted(all, "objects"), are(left));
                return write!(f, "{left} of {of} {are} left to delete");
            }
            Self::Unfinished => {
                "what has not ended stands in the journal, and the next command that writes there, or recover, brings it to its end"
            }
            Self::Done => "the stores are as asked for",
            Self::Unknown => "status says where the stores stand",
        })
    }
}

/// `3 of 5 transactions are committed, up to 1978-12-31, and what comes after them is as it was`
fn committed_shown(
    f: &mut fmt::Formatter<'_>,
    committed: u64,
    of: Option<u64>,
    up_to: Option<&str>,
    is_shared: bool,
    rest: Rest,
) -> fmt::Result {
    write!(f, "{committed} ")?;
    if let Some(of) = of {
        write!(f, "of {of} ")?;
    }
    let what = if is_shared { "part" } else { "transaction" };
    // Of so many there are several, of which one may be committed.
    let (ending, verb) = match (committed, of) {
        (1, None | Some(1)) => ("", "is"),
        (1, Some(_)) => ("s", "is"),
        _ => ("s", "are"),
    };
    write!(f, "{what}{ending} {verb} committed")?;
    if let Some(step) = up_to {
        write!(f, ", up to {}", step.trim_end_matches(" 00:00:00"))?;
    }
    f.write_str(match rest {
        Rest::AsBefore => ", and the rest is as it was",
        Rest::Open => ", and the journal of the next stays open",
        Rest::Unfinished => {
            ", and what has not ended stands in the journal: the next command that writes there, or recover, brings it to its end"
        }
        Rest::Waiting => {
            ", and the archive stays shared out: parts that are put wait, and any of its jobs goes on"
        }
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::args::{CommandLine, Invocation, parse};
    use crate::commit::{CleanupError, LeaseError};
    use crate::transfer::TransferError;

    fn command(line: &str) -> Command {
        match parse(line.split(' ').map(OsString::from)) {
            CommandLine::Command(Invocation(command, ..)) => *command,
            _ => panic!("{line}"),
        }
    }

    fn send() -> Command {
        command("msm_os send -f a.nc -b x")
    }

    fn stopped() -> Error {
        TransferError::Stopped.into()
    }

    fn rolled_back(cause: Error) -> Error {
        let cause = Box::new(cause);
        Error::RolledBack { cause }
    }

    fn said(command: &Command, error: Error, witness: &Witness) -> String {
        let standing = Standing::after(command, &error.into(), witness);
        standing.map_or_else(String::new, |standing| standing.to_string())
    }

    #[test]
    fn stores_are_unchanged_only_where_it_is_so() {
        let none = &Witness::default();
        let unchanged = "the stores are unchanged";
        assert_eq!(said(&send(), stopped(), none), unchanged);
        assert_eq!(said(&send(), rolled_back(stopped()), none), unchanged);
        let left = CleanupError::default();
        let not_rolled_back = Error::NotRolledBack {
            cause: Box::new(stopped()),
            left,
        };
        let lost: Error = LeaseError::Lost {
            store: "a.zarr".to_owned(),
            cause: "late".to_owned(),
        }
        .into();
        for error in [not_rolled_back.clone(), lost.clone()] {
            assert!(said(&send(), error, none).starts_with("what has not ended"));
        }
        // What is undone, is.
        assert_eq!(said(&send(), rolled_back(lost), none), unchanged);
        let both = Error::together([stopped(), not_rolled_back]).unwrap_err();
        assert!(said(&send(), both, none).starts_with("what has not ended"));
        let healed = Witness {
            consolidated: true,
            ..Witness::default()
        };
        assert_ne!(said(&send(), stopped(), &healed), unchanged);
        let committed = Witness {
            committed: 2,
            ..Witness::default()
        };
        let partly = said(&send(), stopped(), &committed);
        assert_eq!(
            partly,
            "2 transactions are committed, and the rest is as it was"
        );
        let rechunk = command("msm_os rechunk -b x -p T1m --replace");
        assert!(said(&rechunk, stopped(), &committed).contains("being-rechunked"));
        // A group's documents may be changed already.
        let missing: Error = StoreError::Missing {
            place: "s3://x".to_owned(),
            key: "a".to_owned(),
        }
        .into();
        let delete = command("msm_os delete -b x -v tos --yes");
        assert_eq!(said(&delete, missing.clone(), none), unchanged);
        let begun = Witness {
            is_deleting: true,
            ..Witness::default()
        };
        assert_ne!(said(&delete, missing.clone(), &begun), unchanged);
        for reads in ["verify -b x", "list -b x", "delete -b x -v tos --dry-run"] {
            assert_eq!(
                said(&command(&format!("msm_os {reads}")), missing.clone(), none),
                ""
            );
        }
    }

    #[test]
    fn what_was_committed_before_is_told() {
        let cut_short = |cause: Error| Error::SendCutShort {
            cause: Box::new(cause),
            transactions: 2,
            appended: 24,
            replaced: 0,
            reach: Some(SendReach {
                committed: 3,
                of: 5,
                up_to: Some("1978-12-31 00:00:00".to_owned()),
            }),
        };
        let none = &Witness::default();
        assert_eq!(
            said(&send(), cut_short(rolled_back(stopped())), none),
            "3 of 5 transactions are committed, up to 1978-12-31, and the rest is as it was"
        );
        let open = said(&send(), cut_short(SendError::LeftOpen.into()), none);
        assert!(open.ends_with("the journal of the next stays open"));
        let shared = ShareError::Unfinished {
            cause: Box::new(stopped()),
            put: 1,
            waiting: 0,
            committed: 4,
            of: 9,
            edge: None,
        };
        assert_eq!(
            said(&send(), shared.into(), none),
            "4 of 9 parts are committed, and the archive stays shared out: parts that are put wait, and any of its jobs goes on"
        );
        // What is left of the transaction before is one of these.
        let left = CleanupError::default();
        let lost = LeaseError::Lost {
            store: "a.zarr".to_owned(),
            cause: "late".to_owned(),
        };
        for cause in [SendError::Untidy { left }.into(), lost.into()] {
            let said = said(&send(), cut_short(cause), none);
            assert!(said.starts_with("3 of 5 transactions are committed"));
            assert!(said.contains("what has not ended stands in the journal"));
        }
    }

    #[test]
    fn what_is_done_is_said_to_be_though_nobody_could_be_told() {
        let one = Witness {
            committed: 1,
            ..Witness::default()
        };
        let lost = CliError::ReportLost {
            path: "r.json".into(),
            cause: "full".to_owned(),
        };
        assert_eq!(Standing::after(&send(), &lost, &one), Some(Standing::Done));
        assert_eq!(
            said(&send(), stopped(), &one),
            "1 transaction is committed, and the rest is as it was"
        );
    }

    #[test]
    fn a_delete_that_may_not_even_probe_changed_nothing() {
        let probe = StoreError::Probe {
            place: "s3://x".to_owned(),
            key: "a".to_owned(),
            cause: "read-only".to_owned(),
        };
        let begun = Witness {
            is_deleting: true,
            ..Witness::default()
        };
        let delete = command("msm_os delete -b x -v tos --yes");
        assert_eq!(
            said(&delete, probe.into(), &begun),
            "the stores are unchanged"
        );
    }
}
