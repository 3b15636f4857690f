//! Why stores are not verified.

use msm_model::counted;
use serde::{Deserialize, Serialize};

use crate::transfer::TransferError;

/// What `verify` cannot do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum VerifyError {
    #[error(
        "store '{store}' lacks {count} of the files' {}: {shown}",
        counted(total, "steps")
    )]
    StepsMissing {
        store: String,
        count: usize,
        total: usize,
        shown: String,
    },
    /// Values could not be read; nothing was to be written.
    #[error(transparent)]
    Reading(TransferError),
}
