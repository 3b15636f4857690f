//! What a rank says of an object it wrote.
//!
//! Key types: [`ChunkRecord`]; [`Verification`], how hard to look; [`Proof`], how an object was found to be right.

use serde::{Deserialize, Serialize};

/// How an object is verified after its PUT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// Read it back, and compare its bytes with what was sent, by their crc32c; decode it where they differ.
    #[default]
    Full,
    /// Trust an ETag that is the MD5 of what was sent; read back where it is not.
    Etag,
    /// Let the server compare what it stores with the crc32c that is sent along; it must be known to do so.
    Server,
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
        !self.content.is_proven(Proof::Unproven)
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

impl Content {
    /// Is it stored, and was it found to be right so?
    #[must_use]
    pub(crate) fn is_proven(self, by: Proof) -> bool {
        matches!(self, Self::Stored { proof, .. } if proof == by)
    }

    /// The same, found to be right so.
    #[must_use]
    pub(crate) fn proven(self, by: Proof) -> Self {
        match self {
            Self::Empty => self,
            Self::Stored {
                bytes,
                values_crc32c,
                stored_crc32c,
                ..
            } => Self::Stored {
                bytes,
                values_crc32c,
                stored_crc32c,
                proof: by,
            },
        }
    }
}

/// How an object was found to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Proof {
    /// It was read back, and is what was sent.
    ReadBack,
    /// The server's ETag is the MD5 of what was sent.
    Etag,
    /// It was not verified.
    Unproven,
    /// The server took it with a crc32c of what was sent, and was found to refuse what has another.
    Server,
}
