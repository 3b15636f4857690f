//! Chunk records by the million: packed, by array and store, the place of each object as its number among those of the array.
//!
//! Key types: [`ChunkRecords`], those of one rank; [`RecordBatch`], some of them; [`PackedContent`], what one says.

use std::collections::HashMap;
use std::sync::Arc;

use msm_plan::{ObjectGrid, Plan};
use serde::{Deserialize, Serialize};

use super::record::{ChunkRecord, Content, Proof};

/// Records of one batch, at most.
const BATCH: usize = 16 << 10;
/// High bits of a number of bytes that are kept beside the low ones: no object has more than 2^46.
const HIGH: u32 = 14;

/// What one rank says of the objects that it wrote.
#[derive(Debug, Default)]
pub(crate) struct ChunkRecords {
    /// Of each of the plan's arrays.
    grids: Arc<Vec<ObjectGrid>>,
    batches: Vec<RecordBatch>,
    /// By array and store, the batch that is not full.
    open: HashMap<(usize, usize), usize>,
}

/// Records of objects of one array in one store.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecordBatch {
    /// Which of the plan's arrays.
    pub array: usize,
    /// Which of the plan's stores.
    pub store: usize,
    /// Each with the number of its object.
    pub records: Vec<(u32, PackedContent)>,
    /// The places of objects that the plan does not have.
    pub unplanned: Vec<Vec<u64>>,
}

/// What an object holds, and what it replaces, in as few bytes as that takes; or nothing is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackedContent {
    bytes: u32,
    replaced: u32,
    values_crc32c: u32,
    stored_crc32c: u32,
    /// The high bits of both numbers of bytes, and below them what kind of content it is; 0 if it is not known.
    rest: u32,
}

impl PackedContent {
    /// Of an object that holds `content`, in the place of one of so many bytes.
    #[must_use]
    pub(crate) fn new(content: Content, replaced: u64) -> Self {
        let most = (1 << (u32::BITS + HIGH)) - 1;
        let (kind, bytes, values_crc32c, stored_crc32c) = match content {
            Content::Empty => (1, 0, 0, 0),
            Content::Stored {
                bytes,
                values_crc32c,
                stored_crc32c,
                proof,
            } => {
                let kind = match proof {
                    Proof::ReadBack => 2,
                    Proof::Etag => 3,
                    Proof::Unproven => 4,
                    Proof::Server => 5,
                };
                (kind, bytes.min(most), values_crc32c, stored_crc32c)
            }
        };
        let replaced = replaced.min(most);
        let high = |bytes: u64| (bytes >> u32::BITS) as u32;
        Self {
            bytes: bytes as u32,
            replaced: replaced as u32,
            values_crc32c,
            stored_crc32c,
            rest: (high(bytes) << HIGH | high(replaced)) << (u32::BITS - 2 * HIGH) | kind,
        }
    }

    /// What the object holds; `None` if that is not known.
    #[must_use]
    pub(crate) fn content(self) -> Option<Content> {
        let proof = match self.rest & ((1 << (u32::BITS - 2 * HIGH)) - 1) {
            1 => return Some(Content::Empty),
            2 => Proof::ReadBack,
            3 => Proof::Etag,
            4 => Proof::Unproven,
            5 => Proof::Server,
            _ => return None,
        };
        let high = u64::from(self.rest >> (u32::BITS - HIGH));
        Some(Content::Stored {
            bytes: high << u32::BITS | u64::from(self.bytes),
            values_crc32c: self.values_crc32c,
            stored_crc32c: self.stored_crc32c,
            proof,
        })
    }

    /// Bytes that the object it replaces was stored in; 0 if it replaces none.
    #[must_use]
    pub(crate) fn replaced(self) -> u64 {
        let high = u64::from(self.rest >> (u32::BITS - 2 * HIGH)) & ((1 << HIGH) - 1);
        high << u32::BITS | u64::from(self.replaced)
    }
}

impl ChunkRecords {
    /// None yet, of objects of these `grids`: those of the plan's arrays.
    #[must_use]
    pub(crate) fn new(grids: &Arc<Vec<ObjectGrid>>) -> Self {
        Self {
            grids: Arc::clone(grids),
            ..Self::default()
        }
    }

    /// The grids of the objects of `plan`, by array.
    #[must_use]
    pub(crate) fn grids(plan: &Plan) -> Arc<Vec<ObjectGrid>> {
        let arrays = 0..plan.arrays.len();
        Arc::new(arrays.map(|array| plan.units.grid(array)).collect())
    }

    pub(crate) fn add(&mut self, record: ChunkRecord) {
        let ChunkRecord {
            array,
            store,
            chunk,
            content,
            replaced,
        } = record;
        let batches = &mut self.batches;
        let at = *self.open.entry((array, store)).or_insert_with(|| {
            batches.push(RecordBatch {
                array,
                store,
                records: Vec::new(),
                unplanned: Vec::new(),
            });
            batches.len() - 1
        });
        let batch = &mut batches[at];
        let number = self.grids.get(array).and_then(|grid| grid.number(&chunk));
        match number.and_then(|number| u32::try_from(number).ok()) {
            Some(number) => {
                let packed = PackedContent::new(content, replaced);
                batch.records.push((number, packed));
            }
            None => batch.unplanned.push(chunk),
        }
        if batch.records.len() == BATCH {
            batch.records.shrink_to_fit();
            self.open.remove(&(array, store));
        }
    }

    /// Adds what `others` has.
    pub(crate) fn extend(&mut self, others: Self) {
        self.open.clear();
        self.batches.extend(others.batches);
    }

    /// In how many batches they are.
    #[must_use]
    pub(crate) fn batches(&self) -> usize {
        self.batches.len()
    }

    /// Takes one of the batches out; `None` if there is none left.
    pub(crate) fn take(&mut self) -> Option<RecordBatch> {
        self.open.clear();
        self.batches.pop()
    }

    /// How many are of objects of the plan's store `store`.
    #[must_use]
    pub(crate) fn count(&self, store: usize) -> usize {
        let batches = self.batches.iter().filter(|batch| batch.store == store);
        batches.map(|batch| batch.records.len()).sum()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ChunkRecord> {
        self.batches.iter().flat_map(|batch| self.told(batch))
    }

    /// Those of objects of the plan's store `store`.
    pub(crate) fn of_store(&self, store: usize) -> impl Iterator<Item = ChunkRecord> {
        let batches = self.batches.iter();
        let batches = batches.filter(move |batch| batch.store == store);
        batches.flat_map(|batch| self.told(batch))
    }

    fn told<'a>(&'a self, batch: &'a RecordBatch) -> impl Iterator<Item = ChunkRecord> + 'a {
        batch.records.iter().filter_map(|(number, packed)| {
            let mut chunk = Vec::new();
            self.grids[batch.array].place(u64::from(*number), &mut chunk);
            Some(ChunkRecord {
                array: batch.array,
                store: batch.store,
                chunk,
                content: packed.content()?,
                replaced: packed.replaced(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_what_it_was(
            bytes in 0u64..1 << 46, replaced in 0u64..1 << 46, crcs: [u32; 2], kind in 0usize..5,
        ) {
            let proofs = [Proof::ReadBack, Proof::Etag, Proof::Unproven, Proof::Server];
            let content = proofs.get(kind).map_or(Content::Empty, |&proof| Content::Stored {
                bytes,
                values_crc32c: crcs[0],
                stored_crc32c: crcs[1],
                proof,
            });
            let packed = PackedContent::new(content, replaced);
            prop_assert_eq!((packed.content(), packed.replaced()), (Some(content), replaced));
        }
    }

    #[test]
    fn a_record_is_small_and_none_is_none() {
        assert!(size_of::<(u32, PackedContent)>() <= 24);
        assert_eq!(PackedContent::default().content(), None);
    }
}
