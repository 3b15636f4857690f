//! Which cells or quads may touch a band of latitudes, without looking at each for every band.
//!
//! Key type: [`Blocks`].

use rayon::prelude::*;

use super::ring::Ring;

/// Consecutive cells or quads, which lie close together.
const BLOCK: usize = 64;

/// The heights (z = sin φ) between which each block of consecutive rings lies.
pub(super) struct Blocks {
    len: usize,
    heights: Vec<[f64; 2]>,
}

impl Blocks {
    /// Of the rings 0 to `len`, some of which may be missing.
    pub(super) fn new(len: usize, ring: impl Fn(usize) -> Option<Ring> + Sync) -> Self {
        let heights = (0..len.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let members = block * BLOCK..((block + 1) * BLOCK).min(len);
                members
                    .filter_map(&ring)
                    .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], ring| {
                        [low.min(ring.heights[0]), high.max(ring.heights[1])]
                    })
            })
            .collect();
        Self { len, heights }
    }

    /// The numbers of all rings that may have a point between two heights, ascending.
    pub(super) fn touching(&self, [low, high]: [f64; 2]) -> impl Iterator<Item = usize> {
        self.heights
            .iter()
            .enumerate()
            .filter(move |(_, heights)| heights[0] <= high && heights[1] >= low)
            .flat_map(|(block, _)| block * BLOCK..((block + 1) * BLOCK).min(self.len))
    }
}
