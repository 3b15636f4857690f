//! Why files are not sent.

use std::path::PathBuf;

use msm_model::counted;
use serde::{Deserialize, Serialize};

use crate::commit::CleanupError;
use crate::store::StoreError;

/// What a send or an update finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum SendError {
    #[error("{}: {cause}", path.display())]
    File {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("encoding a plan: {cause}")]
    Encoding { cause: String },
    #[error(
        "'{key}' is no store, and holds {}, '{first}' among them: move them away, or choose another place with \
         --store; nothing was written",
        counted(objects, "objects")
    )]
    Foreign {
        key: String,
        objects: usize,
        first: String,
    },
    #[error("store '{store}': consolidating: {cause}")]
    Consolidating { store: String, cause: CleanupError },
    #[error(
        "the ledger of the transaction before must be tidy before another can follow; the same command again tidies it first, and goes on:\n  {left}"
    )]
    Untidy { left: CleanupError },
    #[error("writing the ledger: {0}")]
    Ledger(StoreError),
    #[error("stopped by a signal")]
    Stopped,
    #[error("stopped by a signal; the journal stays open: the same command with --resume goes on")]
    LeftOpen,
}
