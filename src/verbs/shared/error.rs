//! What is in the way of every verb that writes.

use std::fmt;
use std::path::PathBuf;

use msm_model::counted;
use serde::{Deserialize, Serialize};

use crate::commit::{CleanupError, TransactionError};
use crate::events::TransactionIdentity;

/// Why stores are not written, or not as they were to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum WritingError {
    #[error(
        "store '{store}': {transaction} has not ended, or still runs: only the locks in {} tell; give --lock-dir {}",
        lock_dir.display(),
        lock_dir.display()
    )]
    Locked {
        store: String,
        transaction: TransactionIdentity,
        #[serde(with = "msm_model::names::one")]
        lock_dir: PathBuf,
    },
    #[error(
        "store '{store}': {transaction} has not ended: wait until it has if it still runs, or let recover heal it, as every command that writes there does \
         first; only then can be told what would be done; nothing was written"
    )]
    Unended {
        store: String,
        transaction: TransactionIdentity,
    },
    #[error(
        "store '{store}' is held by another job: {holder}; wait until it has ended; only then can be told what would be done; nothing was written"
    )]
    Held { store: String, holder: String },
    #[error(
        "store '{store}': an archive of {} is being sent into it by jobs with --share (begun by {by}); wait until \
         they have ended, see how far they are with status, or end it with recover --abandon; nothing was done",
        counted(parts, "parts")
    )]
    Shared {
        store: String,
        by: String,
        parts: usize,
    },
    #[error(
        "store '{store}': {transaction} has not ended, and healing it failed; recover goes on with it:\n  {cause}"
    )]
    NotHealed {
        store: String,
        transaction: TransactionIdentity,
        cause: CleanupError,
    },
    #[error("{step}: {cause}")]
    Transaction {
        step: TransactionStep,
        cause: TransactionError,
    },
    #[error(
        "readers see the store without what was to go, but not all of it is gone; recover goes on with it:\n  {0}"
    )]
    NotAllGone(CleanupError),
}

/// What a transaction was at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum TransactionStep {
    Opening,
    Keeping,
    Committing,
}

impl fmt::Display for TransactionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opening => "opening the transaction",
            Self::Keeping => "keeping what goes",
            Self::Committing => "committing",
        })
    }
}
