//! Any number of entries for each target cell, packed: beside a weight an entry takes next to nothing.
//!
//! Key types: [`SparseSlab`], the entries of some consecutive target cells; [`SparseBuilder`].
//!
//! The source cells of a target cell lie beside each other, and a step further on than those of the target cell before it.
//! So few ways are enough from the source cells of one to those of the next: each target cell has the number of its.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Target cells of a slab at most: they cannot have more ways than numbers of 16 bits can count.
pub(super) const SLAB: usize = 1 << 16;
/// After so many target cells it is noted where things are.
const MARKED: usize = 64;

/// The entries of some consecutive target cells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SparseSlab {
    /// Of each target cell the number of its way.
    numbers: Vec<u16>,
    ways: Vec<Way>,
    /// Source cells less the first of the same target cell, of all ways.
    offsets: Vec<u32>,
    /// Of each target cell whose number is a multiple of [`MARKED`] the first entry, and the first source cell of the
    /// target cell before.
    marks: Vec<[u32; 2]>,
    weights: Vec<f32>,
}

/// How the source cells of a target cell lie.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Way {
    /// How far the first is beyond the first of the target cell before; sums of cells and offsets wrap.
    ahead: u32,
    /// Which of the offsets are its.
    start: u32,
    end: u32,
}

impl Way {
    fn offsets(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The entries of a target cell.
#[derive(Clone, Copy)]
pub(super) struct SparseRow<'a> {
    first: u32,
    offsets: &'a [u32],
    weights: &'a [f32],
}

impl<'a> SparseRow<'a> {
    /// Source cells and their weights.
    pub(super) fn entries(self) -> impl Iterator<Item = (u32, f32)> + 'a {
        let cells = self
            .offsets
            .iter()
            .map(move |&o| self.first.wrapping_add(o));
        cells.zip(self.weights.iter().copied())
    }
}

impl SparseSlab {
    /// Number of target cells.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Has no target cell an entry?
    pub(super) fn has_no_entry(&self) -> bool {
        self.weights.is_empty()
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.numbers[..])
            + size_of_val(&self.ways[..])
            + size_of_val(&self.offsets[..])
            + size_of_val(&self.marks[..])
            + size_of_val(&self.weights[..])
    }

    /// The target cells from number `first` on.
    pub(super) fn rows(&self, first: usize) -> impl Iterator<Item = SparseRow<'_>> {
        let marked = first / MARKED;
        let [mut entry, mut cell] = self.marks.get(marked).copied().unwrap_or_default();
        let rows = self.numbers[marked * MARKED..].iter().map(move |&number| {
            let way = self.ways[usize::from(number)];
            let offsets = &self.offsets[way.offsets()];
            cell = cell.wrapping_add(way.ahead);
            let begin = entry as usize;
            entry += way.end - way.start;
            SparseRow {
                first: cell,
                offsets,
                weights: &self.weights[begin..entry as usize],
            }
        });
        rows.skip(first % MARKED)
    }
}

/// Packs the entries of consecutive target cells.
#[derive(Default)]
pub(super) struct SparseBuilder {
    full: Vec<SparseSlab>,
    slab: SlabBuilder,
}

impl SparseBuilder {
    /// The next target cell has these source cells and weights.
    pub(super) fn push(&mut self, entries: &[(u32, f32)]) {
        if self.slab.numbers.len() == SLAB {
            self.full.push(std::mem::take(&mut self.slab).build());
        }
        self.slab.push(entries);
    }

    /// All of them.
    pub(super) fn build(mut self) -> Vec<SparseSlab> {
        if !self.slab.numbers.is_empty() {
            self.full.push(self.slab.build());
        }
        self.full
    }
}

#[derive(Default)]
struct SlabBuilder {
    numbers: Vec<u16>,
    ways: Vec<Way>,
    offsets: Vec<u32>,
    marks: Vec<[u32; 2]>,
    weights: Vec<f32>,
    /// The first source cell of the last target cell.
    cell: u32,
    /// The numbers of the ways.
    known: HashMap<(u32, Vec<u32>), u16>,
    /// Two ways used lately: most often one of them is next.
    recent: [u16; 2],
}

impl SlabBuilder {
    fn push(&mut self, entries: &[(u32, f32)]) {
        if self.numbers.len().is_multiple_of(MARKED) {
            self.marks.push([self.weights.len() as u32, self.cell]);
        }
        // A target cell without entries stays where it is.
        let first = entries.first().map_or(self.cell, |entry| entry.0);
        let ahead = first.wrapping_sub(self.cell);
        let number = self.number(ahead, first, entries);
        self.numbers.push(number);
        self.weights.extend(entries.iter().map(|entry| entry.1));
        self.cell = first;
    }

    fn number(&mut self, ahead: u32, first: u32, entries: &[(u32, f32)]) -> u16 {
        let offsets = || entries.iter().map(|entry| entry.0.wrapping_sub(first));
        for number in self.recent {
            let Some(way) = self.ways.get(usize::from(number)) else {
                continue;
            };
            let same =
                way.ahead == ahead && offsets().eq(self.offsets[way.offsets()].iter().copied());
            if same {
                return number;
            }
        }
        let next = self.ways.len() as u16;
        let number = *self
            .known
            .entry((ahead, offsets().collect()))
            .or_insert(next);
        if number == next {
            let start = self.offsets.len() as u32;
            self.offsets.extend(offsets());
            let end = self.offsets.len() as u32;
            self.ways.push(Way { ahead, start, end });
        }
        self.recent = [number, self.recent[0]];
        number
    }

    fn build(mut self) -> SparseSlab {
        self.numbers.shrink_to_fit();
        self.ways.shrink_to_fit();
        self.offsets.shrink_to_fit();
        self.marks.shrink_to_fit();
        self.weights.shrink_to_fit();
        SparseSlab {
            numbers: self.numbers,
            ways: self.ways,
            offsets: self.offsets,
            marks: self.marks,
            weights: self.weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_come_back_from_any_target_cell_on(
            rows in prop::collection::vec(prop::collection::vec((any::<u32>(), 0f32..1.0), 0..5), 0..300),
            repeated in 1_usize..4, from in 0.0..1.0,
        ) {
            let rows: Vec<_> = rows.into_iter().flat_map(|row| vec![row; repeated]).collect();
            let mut builder = SparseBuilder::default();
            for row in &rows {
                builder.push(row);
            }
            let slabs = builder.build();
            prop_assert_eq!(slabs.len(), rows.len().min(1));
            for slab in slabs {
                let first = (from * rows.len() as f64) as usize;
                let back: Vec<Vec<_>> = slab.rows(first).map(|row| row.entries().collect()).collect();
                prop_assert_eq!(&back[..], &rows[first..]);
            }
        }
    }

    #[test]
    fn as_many_ways_as_target_cells_fit() {
        let mut builder = SparseBuilder::default();
        let entry = |at: usize| [((at as u32).wrapping_mul(at as u32), at as f32)];
        for at in 0..SLAB + 2 {
            builder.push(&entry(at));
        }
        let slabs = builder.build();
        let lens: Vec<usize> = slabs.iter().map(SparseSlab::len).collect();
        assert_eq!(lens, [SLAB, 2]);
        let rows = slabs.iter().flat_map(|slab| slab.rows(0));
        for (at, row) in rows.enumerate() {
            assert!(row.entries().eq(entry(at)), "{at}");
        }
    }
}
