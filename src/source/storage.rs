//! Where the values of a variable lie in a file, and in which form.
//!
//! Key types: [`StoredValues`], [`ValueStorage`].

use hdf5_reader::messages::filter_pipeline::FilterDescription;

/// Where the values of a variable lie.
pub(super) struct StoredValues {
    /// Bytes of a value.
    pub size: usize,
    /// Are they in the other byte order than they travel in?
    pub is_big_endian: bool,
    /// The sizes of the variable's dimensions, as in the file.
    pub shape: Vec<u64>,
    pub place: ValueStorage,
}

/// How values lie in a file.
pub(super) enum ValueStorage {
    /// One behind the other from `begin` on, row-major; where there is a `stride`, from one index of the first dimension to
    /// the next it is so many bytes.
    Run { begin: u64, stride: Option<u64> },
    /// In the metadata.
    Inline(Vec<u8>),
    /// In stored chunks.
    Chunks(StoredChunks),
    /// Nowhere: each is this one.
    Fill(Vec<u8>),
    /// Such that only the NetCDF library can read them.
    Library {
        why: String,
        /// Where there is a value that a filter must be undone for.
        filtered: Option<Vec<u64>>,
    },
}

impl ValueStorage {
    /// One that only the NetCDF library can read.
    pub(super) fn library(why: impl Into<String>) -> Self {
        Self::Library {
            why: why.into(),
            filtered: None,
        }
    }
}

/// The stored chunks of a variable: how they are decoded, and where in the file those lie that were written.
pub(super) struct StoredChunks {
    /// Indices of one along each dimension.
    pub shape: Vec<u64>,
    /// Bytes of one when it is decoded.
    pub bytes: usize,
    /// In the order in which they were applied.
    pub filters: Vec<FilterDescription>,
    /// The value of chunks that were never written.
    pub fill: Vec<u8>,
    /// Those that were, in order.
    index: Vec<(Vec<u64>, StoredChunk)>,
}

/// Where a stored chunk lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredChunk {
    /// Byte offset in the file.
    pub address: u64,
    /// Bytes there.
    pub size: usize,
    /// Bit i set: filter i was not applied to this chunk.
    pub skipped_filters: u32,
}

impl StoredChunks {
    /// Chunks of this shape, each with the index at which it begins.
    pub(super) fn new(
        shape: Vec<u64>,
        bytes: usize,
        filters: Vec<FilterDescription>,
        fill: Vec<u8>,
        mut index: Vec<(Vec<u64>, StoredChunk)>,
    ) -> Self {
        index.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Self {
            shape,
            bytes,
            filters,
            fill,
            index,
        }
    }

    /// Those that were written: the index at which each begins, and its bytes.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (&[u64], u64)> {
        self.index
            .iter()
            .map(|(at, chunk)| (&at[..], chunk.size as u64))
    }

    /// The chunk that begins at `origin`, if it was ever written.
    pub(super) fn at(&self, origin: &[u64]) -> Option<StoredChunk> {
        let found = self.index.binary_search_by(|(at, _)| at[..].cmp(origin));
        found.ok().map(|place| self.index[place].1)
    }
}

/// The product of `lengths` and `size`; `None` if it is more than an index can be.
pub(super) fn bytes_of(lengths: &[u64], size: usize) -> Option<usize> {
    lengths.iter().try_fold(size, |bytes, &length| {
        bytes.checked_mul(usize::try_from(length).ok()?)
    })
}
