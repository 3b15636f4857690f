//! What can be wrong with a Zarr store, as documents and objects; each error names the store, array or object.

use serde::{Deserialize, Serialize};

/// What is wrong with a Zarr store, or with a codec asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum ZarrError {
    #[error(
        "--codec {text}: {cause}; expected none, zstd:LEVEL, or blosc:COMPRESSOR:LEVEL:SHUFFLE such as blosc:lz4:5:shuffle"
    )]
    Codec { text: String, cause: String },
    #[error("store '{store}': {problem}; nothing was written")]
    Foreign { store: String, problem: String },
    #[error("array '{array}': {cause}")]
    Coding { array: String, cause: String },
    #[error(
        "object '{key}' of the store cannot be decoded ({cause}): it is damaged; put it back from a copy, or delete the \
         store and send its files again"
    )]
    Damaged { key: String, cause: String },
}

impl ZarrError {
    /// The same, of the stored object `key` if that cannot be decoded.
    #[must_use]
    pub fn in_object(self, key: &str) -> Self {
        match self {
            Self::Coding { cause, .. } => Self::Damaged {
                key: key.to_owned(),
                cause,
            },
            other => other,
        }
    }
}
