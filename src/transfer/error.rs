//! What stops a rank; each error names store, array and chunk.

use std::borrow::Cow;

use msm_zarr::ZarrError;
use serde::{Deserialize, Serialize};

use crate::source::SourceError;
use crate::store::StoreError;

/// What stopped a rank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum TransferError {
    #[error("variable '{array}', chunks from {chunk:?}: {cause}")]
    Source {
        array: String,
        chunk: Vec<u64>,
        cause: SourceError,
    },
    #[error("variable '{array}', chunk {chunk:?}: {cause}")]
    Store {
        array: String,
        chunk: Vec<u64>,
        cause: StoreError,
    },
    #[error(
        "variable '{array}', chunk {chunk:?}: {key} did not read back as it was written, in {tries} tries: {cause}; the server or the network changes data: do not use it before this is understood"
    )]
    Verify {
        array: String,
        chunk: Vec<u64>,
        key: String,
        tries: u32,
        cause: String,
    },
    #[error(
        "{source_name}: static variable '{array}' differs from {other} at {position:?}: {found} here, {expected} there; {advice}; nothing was written"
    )]
    Differs {
        source_name: String,
        array: String,
        other: String,
        position: Vec<u64>,
        found: String,
        expected: String,
        advice: Cow<'static, str>,
        /// The first is named, whichever was found first: by store, array and unit of the plan.
        order: [usize; 3],
    },
    #[error("stopped, because another rank failed")]
    Stopped,
}

impl TransferError {
    /// Is it only that another rank, or another object, failed?
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped)
    }

    /// Keeps the first error that says what happened; of differences, the first in their order.
    pub(super) fn keep_first(first: &mut Option<Self>, error: Self) {
        let is_first = match (first.as_ref(), &error) {
            (None | Some(Self::Stopped), _) => true,
            (Some(Self::Differs { order: kept, .. }), Self::Differs { order, .. }) => order < kept,
            // That one stopped the comparison, and what has not been compared may come before.
            (Some(Self::Differs { .. }), error) => !error.is_stopped(),
            _ => false,
        };
        if is_first {
            *first = Some(error);
        }
    }

    /// Is it a difference that was found, which keeps nobody from looking for one before it?
    pub(super) fn is_difference(&self) -> bool {
        matches!(self, Self::Differs { .. })
    }

    /// The same, of the object `key` if it is one that cannot be decoded.
    pub(super) fn in_object(self, key: &str) -> Self {
        match self {
            Self::Store {
                array,
                chunk,
                cause: StoreError::Zarr(ZarrError::Damaged { cause, .. }),
            } => Self::Store {
                array,
                chunk,
                cause: ZarrError::Damaged {
                    key: key.to_owned(),
                    cause,
                }
                .into(),
            },
            other => other,
        }
    }
}
