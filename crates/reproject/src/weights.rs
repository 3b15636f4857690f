//! Which values of the source make a value of the target.
//!
//! Key type: [`Weights`].

use serde::{Deserialize, Serialize};

/// A sparse table: a row for each target cell, in the target's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Weights {
    /// One source cell each, of weight one; [`Weights::NONE`] where there is none.
    One(Vec<u32>),
    /// Any number each: row `r` has the entries `starts[r]..starts[r + 1]`.
    Many {
        /// Where each row begins, and the number of entries.
        starts: Vec<u32>,
        /// Source cells.
        cells: Vec<u32>,
        /// Their weights: of a whole row they add up to 1, or to the part of the target cell that the source grid covers;
        /// more than 1 where the source overlaps itself.
        weights: Vec<f32>,
    },
}

impl Weights {
    /// No source cell.
    pub const NONE: u32 = u32::MAX;

    /// Number of target cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::One(cells) => cells.len(),
            Self::Many { starts, .. } => starts.len().saturating_sub(1),
        }
    }

    /// Has it no row?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Has no target cell a source cell?
    #[must_use]
    pub fn finds_nothing(&self) -> bool {
        match self {
            Self::One(cells) => cells.iter().all(|&cell| cell == Self::NONE),
            Self::Many { cells, .. } => cells.is_empty(),
        }
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let words = match self {
            Self::One(cells) => cells.len(),
            Self::Many { starts, cells, .. } => starts.len() + 2 * cells.len(),
        };
        4 * words as u64
    }

    /// The rows of `parts`, which are all of one kind, one after the other; `None` if there are no parts.
    #[must_use]
    pub fn join(parts: Vec<Self>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let mut all = parts.next()?;
        for part in parts {
            match (&mut all, part) {
                (Self::One(all), Self::One(part)) => all.extend(part),
                (
                    Self::Many {
                        starts,
                        cells,
                        weights,
                    },
                    Self::Many {
                        starts: more_starts,
                        cells: more_cells,
                        weights: more_weights,
                    },
                ) => {
                    let base = cells.len() as u32;
                    starts.extend(more_starts.iter().skip(1).map(|start| base + start));
                    cells.extend(more_cells);
                    weights.extend(more_weights);
                }
                _ => return None,
            }
        }
        Some(all)
    }
}
