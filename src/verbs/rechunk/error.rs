//! Why stores are not rechunked.

use serde::{Deserialize, Serialize};

use crate::commit::CleanupError;
use crate::error::Error;

/// What a rechunk finds. Where stores go, it finds as a copy does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum RechunkError {
    #[error(
        "store '{store}': '{to}' is there already, and is not what would be made; give another place, or delete that first; nothing was changed"
    )]
    Taken { store: String, to: String },
    #[error(
        "store '{store}' is a hierarchy with the groups {groups}, which are not rechunked; nothing was written"
    )]
    Hierarchy { store: String, groups: String },
    #[error(
        "store '{store}': another program has changed it while it was read; try again when that has ended"
    )]
    Changed { store: String },
    #[error(
        "store '{store}': its root document does not tell of all that is in it, which would be lost ({object}: {what}); let the program that wrote \
         it consolidate its metadata, remove what does not belong to it, or rechunk it to another place with --to; nothing was written"
    )]
    Untold {
        store: String,
        object: String,
        what: String,
    },
    #[error(
        "stopped; what was made is whole in the folder '{folder}' of the bucket, and the stores are as they were; the same command again goes on"
    )]
    Stopped { folder: String },
    #[error(
        "what was made is whole in the folder '{folder}' of the bucket for as long as it is not in its place, and the stores that it replaces are \
         gone; the same command again goes on: {cause}"
    )]
    NotSwitched { folder: String, cause: Box<Error> },
    #[error("what was to go could not all be removed; the same command again goes on:\n  {0}")]
    NotAllGone(CleanupError),
}
