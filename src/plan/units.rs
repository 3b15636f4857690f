//! Work units: boxes of whole objects, shaped so that each stored chunk of the source is read once where memory
//! allows.
//!
//! Key types: [`WorkUnit`], [`Object`].

use serde::{Deserialize, Serialize};

use super::target::{Plan, TargetArray};
use crate::source::Hyperslab;

/// Bytes of bookkeeping an object costs while it is in flight.
const OBJECT_OVERHEAD: u64 = 64 << 10;

/// Whole objects that are produced from one read of the source; exactly one rank owns it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkUnit {
    /// Which of [`Plan::arrays`].
    pub array: usize,
    /// The objects, as a box of the array's chunk grid.
    pub chunks: Hyperslab,
    /// For a comparison: which of [`Plan::files`] is compared.
    pub file: usize,
    /// The rank that does it.
    pub owner: usize,
}

/// One object of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its place in the chunk grid.
    pub chunk: Vec<u64>,
    /// What it holds in the array's index space; it can reach beyond the array's edges.
    pub slab: Hyperslab,
}

impl WorkUnit {
    /// Decoded bytes of its objects, in one store.
    #[must_use]
    pub fn bytes(&self, plan: &Plan) -> u64 {
        self.chunks.len() * plan.arrays[self.array].object_bytes()
    }

    /// Bytes it holds at its peak: for each object the encoded bytes, what is read back, and that decoded again; or,
    /// before that, the decoded values beside those of the object that they extend.
    #[must_use]
    pub fn memory(&self, plan: &Plan) -> u64 {
        3 * self.bytes(plan) + self.chunks.len() * OBJECT_OVERHEAD
    }

    /// Its objects, in row-major order.
    #[must_use]
    pub fn objects(&self, array: &TargetArray) -> Vec<Object> {
        let mut chunks = vec![Vec::new()];
        for (&start, &count) in self.chunks.start.iter().zip(&self.chunks.count) {
            chunks = chunks
                .into_iter()
                .flat_map(|prefix: Vec<u64>| {
                    (start..start + count).map(move |i| prefix.iter().copied().chain([i]).collect())
                })
                .collect();
        }
        let object = |chunk: Vec<u64>| Object {
            slab: Hyperslab {
                start: chunk
                    .iter()
                    .zip(&array.chunk)
                    .map(|(i, length)| i * length)
                    .collect(),
                count: array.chunk.clone(),
            },
            chunk,
        };
        chunks.into_iter().map(object).collect()
    }

    /// What it writes in the array's index space: its objects within the array's edges, from the first new step on.
    #[must_use]
    pub fn region(&self, array: &TargetArray) -> Hyperslab {
        let mut region = Hyperslab {
            start: Vec::new(),
            count: Vec::new(),
        };
        for d in 0..array.shape.len() {
            let first_new = array.append.filter(|a| a.axis == d).map_or(0, |a| a.old);
            let start = (self.chunks.start[d] * array.chunk[d]).max(first_new);
            let end = ((self.chunks.start[d] + self.chunks.count[d]) * array.chunk[d])
                .min(array.shape[d]);
            region.start.push(start);
            region.count.push(end.saturating_sub(start));
        }
        region
    }
}

/// The units that cover what is to be written of `array`, the array of index `index`: every object from the first new
/// step on, in exactly one unit.
///
/// A unit is grown from one object, innermost dimension first, until its edges meet those of the `stored` chunks, as
/// long as it stays within `cap` decoded bytes.
pub(super) fn units(
    array: &TargetArray,
    index: usize,
    stored: Option<&[u64]>,
    cap: u64,
) -> Vec<WorkUnit> {
    if array.shape.contains(&0) {
        return Vec::new();
    }
    let rank = array.shape.len();
    let grid: Vec<(u64, u64)> = (0..rank)
        .map(|d| {
            let old = array.append.filter(|a| a.axis == d).map_or(0, |a| a.old);
            (
                old / array.chunk[d],
                array.shape[d].div_ceil(array.chunk[d]),
            )
        })
        .collect();
    let mut group = vec![1; rank];
    let mut bytes = array.object_bytes();
    for d in (0..rank).rev() {
        let wanted = stored.map_or(1, |stored| {
            if array.append.is_some_and(|a| a.axis == d) {
                stored[d].div_ceil(array.chunk[d])
            } else {
                least_common_multiple(stored[d], array.chunk[d]) / array.chunk[d]
            }
        });
        let (first, end) = grid[d];
        group[d] = wanted.min(end - first).min(cap / bytes.max(1)).max(1);
        bytes = bytes.saturating_mul(group[d]);
    }
    let mut units = vec![WorkUnit {
        array: index,
        chunks: Hyperslab {
            start: Vec::new(),
            count: Vec::new(),
        },
        file: 0,
        owner: 0,
    }];
    for d in 0..rank {
        let (first, end) = grid[d];
        let step = group[d];
        units = units
            .into_iter()
            .flat_map(|unit| {
                (0..(end - first).div_ceil(step)).map(move |i| {
                    let mut unit = unit.clone();
                    let start = first + i * step;
                    unit.chunks.start.push(start);
                    unit.chunks.count.push(step.min(end - start));
                    unit
                })
            })
            .collect();
    }
    units
}

fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x).saturating_mul(b)
}
