//! What is to be written, and where: the plan and its parts.

use std::path::PathBuf;

use super::units::WorkUnit;
use crate::source::DType;
use serde::{Deserialize, Serialize};

/// Everything a rank needs to do its part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The archive's files in order, each with the index of its first step in the archive and its number of steps.
    pub files: Vec<(PathBuf, u64, u64)>,
    /// The stores to create or extend.
    pub stores: Vec<TargetStore>,
    /// The arrays to write or to compare.
    pub arrays: Vec<TargetArray>,
    /// The work, each unit with its owner.
    pub units: Vec<WorkUnit>,
    /// Bytes a rank may hold at a time, without the reader's scratch.
    pub in_flight: u64,
    /// Bytes each rank holds at its peak, scratch included.
    pub peak_memory: u64,
}

/// A store that the transaction creates or extends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetStore {
    /// Its key in the bucket, e.g. `T1y/thetao.zarr`.
    pub key: String,
    /// Its root document before the transaction; `None` when it is created.
    pub old_root: Option<String>,
    /// Its root document after the transaction.
    pub new_root: String,
    /// Steps that the transaction adds.
    pub new_steps: u64,
}

/// One Zarr array to write or to compare, in each store that holds it alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetArray {
    /// Its name, in the source and in the store.
    pub name: String,
    /// The stores that hold it, as indices into [`Plan::stores`].
    pub stores: Vec<usize>,
    /// Its Zarr document, with the shape it has after the transaction.
    pub document: String,
    /// The type of its values; of text, as wide as the archive and the store need.
    pub dtype: DType,
    /// The fill value's bytes, little-endian.
    pub fill: Vec<u8>,
    /// Its shape after the transaction.
    pub shape: Vec<u64>,
    /// Its chunk shape: what one object holds.
    pub chunk: Vec<u64>,
    /// How it grows; `None` for a static array.
    pub append: Option<Append>,
    /// When its units run.
    pub phase: Phase,
}

/// How an array grows along the append dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    /// Which of its dimensions grows.
    pub axis: usize,
    /// Steps in the store before the transaction: archive step 0 becomes step `old` of the array.
    pub old: u64,
}

/// The phases of a transaction, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    /// Static arrays are compared with the store's, or with the first file's; nothing is written.
    Compare,
    /// Data are written, out of readers' sight.
    Transfer,
    /// The small arrays along the append dimension are written by rank 0, just before the documents.
    Commit,
}

/// What a rank may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes.
    pub memory: u64,
    /// Threads that decode and encode.
    pub threads: u64,
}

impl Plan {
    /// Units of `phase` that `rank` owns.
    pub fn units_of(&self, rank: usize, phase: Phase) -> impl Iterator<Item = usize> + '_ {
        let mine = move |u: &WorkUnit| u.owner == rank && self.arrays[u.array].phase == phase;
        (0..self.units.len()).filter(move |&i| mine(&self.units[i]))
    }

    /// Objects that the units of `phase` write or compare, over all stores.
    #[must_use]
    pub fn objects(&self, phase: Phase) -> u64 {
        let units = self
            .units
            .iter()
            .filter(|u| self.arrays[u.array].phase == phase);
        units
            .map(|u| u.chunks.len() * self.arrays[u.array].stores.len() as u64)
            .sum()
    }

    /// Decoded bytes that the units of `phase` write or compare, over all stores.
    #[must_use]
    pub fn bytes(&self, phase: Phase) -> u64 {
        let units = self
            .units
            .iter()
            .filter(|u| self.arrays[u.array].phase == phase);
        units
            .map(|u| u.bytes(self) * self.arrays[u.array].stores.len() as u64)
            .sum()
    }
}

impl TargetArray {
    /// Bytes of one decoded object.
    #[must_use]
    pub fn object_bytes(&self) -> u64 {
        self.chunk.iter().product::<u64>() * self.dtype.size() as u64
    }
}
