//! Which values of the source make a value of the target.
//!
//! Key type: [`Weights`].

use serde::{Deserialize, Serialize};

use super::sparse::{SparseBuilder, SparseSlab};

/// A sparse table: a row for each target cell, in the target's order. It is in slabs of consecutive target cells, so that
/// tables are joined, and go from rank to rank, without a copy of the whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Weights {
    slabs: Vec<WeightSlab>,
    /// The number of target cells up to the end of each slab.
    ends: Vec<usize>,
}

/// The weights of some target cells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum WeightSlab {
    /// One source cell each, of weight one; [`Weights::NONE`] where there is none.
    One(Vec<u32>),
    /// Any number each. Of a target cell they add up to 1, or to the part of it that the source grid covers; to more than 1
    /// where the source overlaps itself.
    Many(SparseSlab),
}

impl WeightSlab {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(cells) => cells.len(),
            Self::Many(sparse) => sparse.len(),
        }
    }
}

impl Weights {
    /// No source cell.
    pub const NONE: u32 = u32::MAX;

    /// Of one source cell each.
    pub(super) fn of_single_cells(slabs: Vec<Vec<u32>>) -> Self {
        slabs.into_iter().map(WeightSlab::One).collect()
    }

    /// Of these entries for each target cell.
    pub(super) fn of_entries(entries: SparseBuilder) -> Self {
        entries.build().into_iter().map(WeightSlab::Many).collect()
    }

    /// Number of target cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Has it no row?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Has no target cell a source cell?
    #[must_use]
    pub fn finds_nothing(&self) -> bool {
        self.slabs.iter().all(|slab| match slab {
            WeightSlab::One(cells) => cells.iter().all(|&cell| cell == Self::NONE),
            WeightSlab::Many(sparse) => sparse.has_no_entry(),
        })
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let bytes = self.slabs.iter().map(|slab| match slab {
            WeightSlab::One(cells) => size_of_val(&cells[..]),
            WeightSlab::Many(sparse) => sparse.bytes(),
        });
        bytes.sum::<usize>() as u64
    }

    /// The entries in order: target cell, source cell, weight.
    pub fn entries(&self) -> impl Iterator<Item = (usize, u32, f32)> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        self.slabs.iter().zip(begins).flat_map(|(slab, begin)| {
            let (one, many) = match slab {
                WeightSlab::One(cells) => (Some(cells), None),
                WeightSlab::Many(sparse) => (None, Some(sparse)),
            };
            let one = one.into_iter().flatten().enumerate();
            let one = one.filter(|(_, cell)| **cell != Self::NONE);
            let many = many.into_iter().flat_map(|sparse| sparse.rows(0));
            let many = many.enumerate().flat_map(move |(row, of_row)| {
                let of_row = of_row.entries();
                of_row.map(move |(cell, weight)| (begin + row, cell, weight))
            });
            one.map(move |(row, &cell)| (begin + row, cell, 1.0))
                .chain(many)
        })
    }

    /// The slab that has target cell `first`, and the number that this has there; and all slabs that follow.
    pub(super) fn from(&self, first: usize) -> impl Iterator<Item = (&WeightSlab, usize)> {
        let index = self.ends.partition_point(|&end| end <= first);
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let firsts = std::iter::once(first - begin).chain(std::iter::repeat(0));
        self.slabs[index..].iter().zip(firsts)
    }

    /// The rows of `parts`, one after the other.
    #[must_use]
    pub fn join(parts: Vec<Self>) -> Self {
        parts.into_iter().flat_map(|part| part.slabs).collect()
    }

    /// The rows of `part` follow.
    pub fn append(&mut self, part: Self) {
        self.extend(part.slabs);
    }

    /// Takes the first slabs away: of about so many `bytes` together, one at least; none if there are none.
    #[must_use]
    pub fn take(&mut self, bytes: u64) -> Self {
        let (mut taken, mut size) = (Self::default(), 0);
        let mut slabs = std::mem::take(self).slabs.into_iter();
        while size < bytes {
            let Some(slab) = slabs.next() else { break };
            taken.extend([slab]);
            size = taken.bytes();
        }
        *self = slabs.collect();
        taken
    }
}

impl Extend<WeightSlab> for Weights {
    fn extend<I: IntoIterator<Item = WeightSlab>>(&mut self, slabs: I) {
        for slab in slabs {
            self.ends.push(self.len() + slab.len());
            self.slabs.push(slab);
        }
    }
}

impl FromIterator<WeightSlab> for Weights {
    fn from_iter<I: IntoIterator<Item = WeightSlab>>(slabs: I) -> Self {
        let mut all = Self::default();
        all.extend(slabs);
        all
    }
}

/// Tables are equal if their rows are, however they are cut.
impl PartialEq for Weights {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.entries().eq(other.entries())
    }
}
