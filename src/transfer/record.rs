//! What a rank says of an object it wrote.
//!
//! Key types: [`ChunkRecord`]; [`Verification`], how hard to look; [`Proof`], how an object was found to be right.

use serde::{Deserialize, Serialize};

/// How an object is verified after its PUT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// Read it back, decode it, and compare the crc32c of its values with that of the source's.
    #[default]
    Full,
    /// Trust an ETag that is the MD5 of what was sent; read back where it is not.
    Etag,
    /// Trust the server's answer.
    None,
}

/// One object of the transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChunkRecord {
    /// Which of the plan's arrays.
    pub array: usize,
    /// Which of the plan's stores.
    pub store: usize,
    /// Its place in the array's chunk grid.
    pub chunk: Vec<u64>,
    /// What it holds.
    pub content: Content,
    /// Bytes that the committed object it replaces was stored in; 0 if it replaces none.
    pub replaced: u64,
}

impl ChunkRecord {
    /// Has it data?
    #[must_use]
    pub(crate) fn is_stored(&self) -> bool {
        matches!(self.content, Content::Stored { .. })
    }

    /// Is it certain that the object holds what it should?
    #[must_use]
    pub(crate) fn is_sure(&self) -> bool {
        let unproven = |content| {
            matches!(
                content,
                Content::Stored {
                    proof: Proof::Unproven,
                    ..
                }
            )
        };
        !unproven(self.content)
    }
}

/// What an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Content {
    /// Only fill values: it is not stored, and made sure to be absent.
    Empty,
    /// Values.
    Stored {
        /// Bytes stored.
        bytes: u64,
        /// crc32c of the decoded values; see [`msm_zarr::ChunkCodec::checksum`].
        values_crc32c: u32,
        /// What tells the stored bytes from others; see [`crate::store::StoredDigest`].
        stored_crc32c: u32,
        /// How it was verified.
        proof: Proof,
    },
}

/// How an object was found to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Proof {
    /// It was read back and decoded to the same values.
    ReadBack,
    /// The server's ETag is the MD5 of what was sent.
    Etag,
    /// It was not verified.
    Unproven,
}
