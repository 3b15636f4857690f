//! Work units: boxes of whole objects, shaped so that each stored chunk of the source is read once where memory
//! allows.
//!
//! Key types: [`WorkUnit`], [`ArrayObject`], [`UnitPart`].

use serde::{Deserialize, Serialize};

use super::target::{Derivation, Plan, Run, TargetArray};
use super::work_units::UnitLattice;
use msm_model::Hyperslab;

/// Bytes of bookkeeping that an object of a unit costs,
const OBJECT_OVERHEAD: u64 = 1 << 10;
/// and those that it costs besides while it is on its way,
const REQUEST_OVERHEAD: u64 = 64 << 10;
/// as so many of a rank are at most, however many a server bears.
const ON_THEIR_WAY: u64 = 256;

/// Whole objects that are produced from one read of the source; exactly one rank owns it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkUnit {
    /// Which of [`Plan::arrays`].
    pub array: usize,
    /// The objects, as a box of the array's chunk grid.
    pub chunks: Hyperslab,
    /// For a static array: which of [`Plan::files`] it is read from.
    pub file: usize,
    /// The rank that does it.
    pub owner: usize,
    /// The units that are reprojected from what this one reads, as indices into [`Plan::units`].
    pub followers: Vec<usize>,
    /// Is it such a one itself?
    pub follows: bool,
}

/// What one PUT writes of an array: a chunk, or a shard where it has shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayObject {
    /// Its place in the chunk grid.
    pub chunk: Vec<u64>,
    /// What it holds in the array's index space; it can reach beyond the array's edges.
    pub slab: Hyperslab,
}

/// A box of a unit that comes from one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitPart {
    /// Which of [`Plan::files`].
    pub file: usize,
    /// Where it lies in the file's variable.
    pub in_file: Hyperslab,
    /// Where it lies in the array.
    pub in_array: Hyperslab,
}

impl WorkUnit {
    /// Decoded bytes of its objects, in one store.
    #[must_use]
    pub fn bytes(&self, plan: &Plan) -> u64 {
        self.chunks.len() * plan.arrays[self.array].object_bytes()
    }

    /// Bytes it holds at its peak, with those that follow it; none if it follows one itself. For each object the encoded
    /// bytes, what is read back, and that decoded again; or, before that, the decoded values beside those of the object
    /// that they extend. And the fields that it is reprojected from, if it reads them itself.
    #[must_use]
    pub fn memory(&self, plan: &Plan) -> u64 {
        if self.follows {
            return 0;
        }
        let of_objects = |unit: &Self| {
            let count = unit.chunks.len();
            let on_their_way = count.min(ON_THEIR_WAY);
            3 * unit.bytes(plan) + count * OBJECT_OVERHEAD + on_their_way * REQUEST_OVERHEAD
        };
        let followers = self.followers.iter();
        let followers = followers.map(|&number| of_objects(&plan.units.get(number)));
        let array = &plan.arrays[self.array];
        let fields = match &array.origin.form {
            Derivation::Projected { projection, .. } => {
                let leading = array.shape.len() - 2;
                let counts = self.chunks.count.iter().zip(&array.chunk);
                let fields: u64 = counts.take(leading).map(|(n, length)| n * length).product();
                fields * plan.projections[*projection].cells.len() * array.dtype.size() as u64
            }
            Derivation::AsRead | Derivation::Made(_) | Derivation::Stored(_) => 0,
        };
        // Of two old objects that a new one is made of, one is more than that.
        let moved = if array.moves_steps() {
            array.object_bytes()
        } else {
            0
        };
        of_objects(self) + followers.sum::<u64>() + fields + moved
    }

    /// Its objects, in row-major order.
    #[must_use]
    pub fn objects(&self, array: &TargetArray) -> Vec<ArrayObject> {
        let mut chunks = vec![Vec::new()];
        for (&start, &count) in self.chunks.start.iter().zip(&self.chunks.count) {
            chunks = chunks
                .into_iter()
                .flat_map(|prefix: Vec<u64>| {
                    (start..start + count).map(move |i| prefix.iter().copied().chain([i]).collect())
                })
                .collect();
        }
        let object = |chunk: Vec<u64>| ArrayObject {
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

    /// What it reads, each part from one file, and where that lies in the array: its objects within the array's edges, as
    /// far as they are written. The parts do not overlap.
    #[must_use]
    pub fn parts(&self, array: &TargetArray) -> Vec<UnitPart> {
        let mut region = Hyperslab {
            start: Vec::new(),
            count: Vec::new(),
        };
        for d in 0..array.shape.len() {
            let start = self.chunks.start[d] * array.chunk[d];
            let end = (self.chunks.start[d] + self.chunks.count[d]) * array.chunk[d];
            region.start.push(start);
            region
                .count
                .push(end.min(array.shape[d]).saturating_sub(start));
        }
        let Some(append) = &array.append else {
            return vec![UnitPart {
                file: self.file,
                in_file: region.clone(),
                in_array: region,
            }];
        };
        let part = |run: &Run| {
            let mut in_array = region.clone();
            in_array.start[append.axis] = run.at;
            in_array.count[append.axis] = run.count;
            let in_array = in_array.intersect(&region)?;
            let mut in_file = in_array.clone();
            in_file.start[append.axis] = in_array.start[append.axis] - run.at + run.first;
            Some(UnitPart {
                file: run.file,
                in_file,
                in_array,
            })
        };
        // They are in the array's order.
        let (start, end) = (
            region.start[append.axis],
            region.start[append.axis] + region.count[append.axis],
        );
        let first = append
            .runs
            .partition_point(|run| run.at + run.count <= start);
        let runs = append.runs[first..].iter();
        runs.take_while(|run| run.at < end)
            .filter_map(part)
            .collect()
    }
}

impl TargetArray {
    /// Bytes of a decoded object on its way, with its part of the bookkeeping as if that were decoded, too.
    pub(super) fn memory_of_object(&self) -> u64 {
        self.object_bytes() + (OBJECT_OVERHEAD + REQUEST_OVERHEAD) / 3
    }

    /// So many decoded bytes of it can be in one unit that `cap` is kept with the bookkeeping.
    pub(super) fn decoded_within(&self, cap: u64) -> u64 {
        let all_on_their_way = cap < ON_THEIR_WAY * REQUEST_OVERHEAD;
        let of_one = if all_on_their_way {
            self.memory_of_object()
        } else {
            self.object_bytes() + OBJECT_OVERHEAD / 3
        };
        cap / of_one.max(1) * self.object_bytes()
    }
}

/// How many objects are to be written of `array`.
pub(super) fn objects_of(array: &TargetArray) -> u64 {
    let along = |d| spans(array, d).iter().map(|(first, end)| end - first).sum();
    let counts = (0..array.shape.len()).map(along);
    counts.fold(1, |objects: u64, count: u64| objects.saturating_mul(count))
}

/// The units that cover what is to be written of `array`, the array of index `index`: every object that holds a step of
/// its runs or moves, in exactly one unit.
///
/// A unit is grown from one object, innermost dimension first, until its edges meet those of the `stored` chunks, as
/// long as it stays within `cap` decoded bytes. The last `whole` dimensions are not divided, whatever their size.
pub(super) fn units(
    array: &TargetArray,
    index: usize,
    stored: Option<&[u64]>,
    cap: u64,
    whole: usize,
) -> Option<UnitLattice> {
    if array.shape.contains(&0) {
        return None;
    }
    let rank = array.shape.len();
    let spans: Vec<Vec<(u64, u64)>> = (0..rank).map(|d| alike(array, d)).collect();
    let mut group = vec![1; rank];
    let mut bytes = array.object_bytes();
    for d in (0..rank).rev() {
        let wanted = stored.map_or(1, |stored| {
            if array.append.as_ref().is_some_and(|a| a.axis == d) {
                stored[d].div_ceil(array.chunk[d])
            } else {
                least_common_multiple(stored[d], array.chunk[d]) / array.chunk[d]
            }
        });
        let longest = spans[d].iter().map(|(first, end)| end - first).max();
        let longest = longest.unwrap_or(0).max(1);
        group[d] = if d + whole >= rank {
            longest
        } else {
            wanted.min(longest).min(cap / bytes.max(1)).max(1)
        };
        bytes = bytes.saturating_mul(group[d]);
    }
    let sides = spans.into_iter().zip(group);
    Some(UnitLattice::new(index, array.origin.file, sides))
}

/// The runs of neighbouring chunks that are written along dimension `d`, each from its first up to its end.
fn spans(array: &TargetArray, d: usize) -> Vec<(u64, u64)> {
    let chunk = array.chunk[d];
    let Some(append) = array.append.as_ref().filter(|a| a.axis == d) else {
        return vec![(0, array.shape[d].div_ceil(chunk))];
    };
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for (at, count) in append.written() {
        let (first, end) = (at / chunk, (at + count).div_ceil(chunk));
        match spans.last_mut() {
            Some(last) if first <= last.1 => last.1 = last.1.max(end),
            _ => spans.push((first, end)),
        }
    }
    spans
}

/// The same, cut where objects that are moved as a whole meet others: no unit has both.
fn alike(array: &TargetArray, d: usize) -> Vec<(u64, u64)> {
    let spans = spans(array, d);
    let append = array.append.as_ref();
    let Some(append) = append.filter(|a| a.axis == d && a.moves_steps()) else {
        return spans;
    };
    let is_whole = |chunk| {
        let moved = append.moved_whole(chunk, array.chunk[d], array.shape[d]);
        moved.is_some()
    };
    let mut cut = Vec::new();
    for (first, end) in spans {
        let mut start = first;
        for chunk in first + 1..end {
            if is_whole(chunk) != is_whole(chunk - 1) {
                cut.push((start, chunk));
                start = chunk;
            }
        }
        cut.push((start, end));
    }
    cut
}

pub(super) fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x).saturating_mul(b)
}
