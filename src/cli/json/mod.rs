//! The documents that `--json` prints, each as a view of what the library reports. Their members are a promise to programs: docs/json.md, and a
//! schema each in docs/schemas.
//!
//! Key types: [`Outcome`]; [`StoreUrl`]; a document each in a file of its own.

mod copy;
mod delete;
mod doctor;
mod error;
mod page;
mod quicklook;
mod rechunk;
mod recover;
mod rollback;
mod send;
mod status;
mod verify;

use serde::{Deserialize, Serialize};

pub(super) use copy::CopyDocument;
pub(super) use delete::DeleteDocument;
pub(super) use doctor::{DOCTOR, DoctorDocument};
pub(super) use error::ErrorDocument;
pub(super) use page::PageDocument;
pub(super) use quicklook::QuicklookDocument;
pub(super) use rechunk::RechunkDocument;
pub(super) use recover::{RecoverDocument, RecoverForecastDocument};
pub(super) use rollback::{RollbackDocument, RollbackForecastDocument};
pub(super) use send::SendDocument;
pub(super) use status::StatusDocument;
pub(super) use verify::{FaultView, Verified, VerifyDocument};

use crate::events::{Event, TransactionIdentity};
use crate::store::Place;
use crate::verbs::delete::Tally;

/// What came of a command that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// What was asked for.
    Done,
    /// Nothing, for all was as asked for.
    NothingToDo,
    /// Nothing, for whoever was asked did not want it.
    Declined,
}

impl Outcome {
    pub(super) fn of(is_nothing: bool) -> Self {
        if is_nothing {
            Self::NothingToDo
        } else {
            Self::Done
        }
    }
}

/// A store, or what else has a key, and where others find it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoreUrl {
    pub(super) store: String,
    pub(super) url: String,
}

impl StoreUrl {
    pub(super) fn new(place: &Place, key: &str) -> Self {
        Self {
            store: key.to_owned(),
            url: url(place, key),
        }
    }
}

/// Where others find the object or store `key`: `s3://bucket/key`, as Python's readers write it, or the URL of a directory.
pub(super) fn url(place: &Place, key: &str) -> String {
    match place {
        Place::S3 { bucket } => format!("s3://{bucket}/{key}"),
        Place::Directory(path) => {
            let path = path.join(key);
            url::Url::from_file_path(&path).map_or_else(
                // Only of a path that is not absolute, which no place has.
                |()| format!("file://{}", path.display()),
                |url| url.to_string(),
            )
        }
    }
}

/// Objects, and their bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Amount {
    objects: u64,
    bytes: u64,
}

impl From<Tally> for Amount {
    fn from(Tally { objects, bytes }: Tally) -> Self {
        Self { objects, bytes }
    }
}

/// A transaction that had not ended.
#[derive(Debug, Serialize)]
pub(super) struct TransactionView {
    id: String,
    command: String,
    holder: String,
}

impl From<&TransactionIdentity> for TransactionView {
    fn from(identity: &TransactionIdentity) -> Self {
        let TransactionIdentity {
            id,
            command,
            holder,
        } = identity.clone();
        Self {
            id,
            command,
            holder,
        }
    }
}

/// Is what this event tells in the command's document? Lines on the rest go to standard error.
pub(super) fn has_in_document(event: &Event) -> bool {
    matches!(
        event,
        Event::Fault(_)
            | Event::Verified { .. }
            | Event::Unrecorded { .. }
            | Event::Unsettled { .. }
            | Event::Dangling { .. }
            | Event::UnderWay { .. }
            | Event::Uncommitted { .. }
            | Event::Examining { .. }
            | Event::Finding(_)
            | Event::Removed
            | Event::Undone { .. }
            | Event::Truncated(_)
            | Event::Removing { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_that_the_place_was_given_by() {
        let bucket: Place = "eorca025".parse().unwrap();
        assert_eq!(url(&bucket, "T1y/tos.zarr"), "s3://eorca025/T1y/tos.zarr");
        let directory: Place = "file:///data/my%20ocean".parse().unwrap();
        let found = url(&directory, "T1y/tos.zarr");
        assert_eq!(found, "file:///data/my%20ocean/T1y/tos.zarr");
        assert_eq!(
            found.parse::<Place>().unwrap(),
            Place::Directory("/data/my ocean/T1y/tos.zarr".into())
        );
    }
}
