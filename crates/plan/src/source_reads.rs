//! What a plan reads of the source files, and how often their stored chunks are inflated for it.
//!
//! Key type: [`SourceReads`].

use std::collections::{BTreeMap, BTreeSet};

use msm_model::{Archive, Catalogue, Hyperslab};
use serde::{Deserialize, Serialize};

use super::target::{Derivation, Plan, TargetArray};

/// What is read of source files, in bytes of decoded values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReads {
    /// The values that are wanted.
    pub wanted: u64,
    /// The stored chunks that they lie in, each once; of what is stored without chunks, the values themselves.
    pub stored: u64,
    /// The same, as often as they are inflated.
    pub inflated: u64,
}

impl SourceReads {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            wanted: self.wanted + other.wanted,
            stored: self.stored + other.stored,
            inflated: self.inflated + other.inflated,
        }
    }

    /// How often a stored chunk is inflated, on the average; 1 where nothing is read.
    #[must_use]
    pub fn factor(&self) -> f64 {
        if self.stored == 0 {
            return 1.0;
        }
        self.inflated as f64 / self.stored as f64
    }
}

/// Where a dimension's stored chunks are read, as runs of their indices.
type ChunkRuns = BTreeSet<(u64, u64)>;

/// What is read for each of the plan's arrays. Those that are reprojected from what another one reads read nothing.
#[must_use]
pub fn source_reads(plan: &Plan, archive: &Archive) -> Vec<SourceReads> {
    let mut reads = vec![SourceReads::default(); plan.arrays.len()];
    // By array and file, the stored chunks that are read along each dimension: units are boxes of one grid.
    let mut touched: BTreeMap<(usize, usize), Vec<ChunkRuns>> = BTreeMap::new();
    for unit in plan.units.iter().filter(|unit| !unit.follows) {
        let array = &plan.arrays[unit.array];
        for part in unit.parts(array) {
            let Some(read) = in_file(plan, array, &part.in_file) else {
                continue;
            };
            let of_array = &mut reads[unit.array];
            let size = array.dtype.size() as u64;
            of_array.wanted += read.len() * size;
            let Some(chunk) = stored_chunk(archive, array, part.file) else {
                of_array.inflated += read.len() * size;
                of_array.stored += read.len() * size;
                continue;
            };
            let runs = chunk_runs(&read, &chunk);
            let count: u64 = runs.iter().map(|(first, end)| end - first).product();
            of_array.inflated += count * chunk.iter().product::<u64>() * size;
            let key = (unit.array, part.file);
            let all = touched
                .entry(key)
                .or_insert_with(|| vec![ChunkRuns::new(); runs.len()]);
            for (all, run) in all.iter_mut().zip(runs) {
                all.insert(run);
            }
        }
    }
    for ((index, file), runs) in touched {
        let array = &plan.arrays[index];
        if let Some(chunk) = stored_chunk(archive, array, file) {
            let count: u64 = runs.iter().map(distinct).product();
            let bytes = chunk.iter().product::<u64>() * array.dtype.size() as u64;
            reads[index].stored += count * bytes;
        }
    }
    reads
}

/// What is read of a file's variable for this box of the array; `None` if nothing is.
pub(super) fn in_file(plan: &Plan, array: &TargetArray, slab: &Hyperslab) -> Option<Hyperslab> {
    match &array.origin.form {
        Derivation::AsRead => Some(slab.clone()),
        Derivation::Made(_) | Derivation::Stored(_) => None,
        Derivation::Projected { projection, .. } => {
            // Whole fields of the model's grid.
            let cells = &plan.projections[*projection].cells;
            let mut read = slab.clone();
            let plane = read.count.len().checked_sub(2)?;
            for (d, length) in [(plane, cells.ny), (plane + 1, cells.nx)] {
                (read.start[d], read.count[d]) = (0, length as u64);
            }
            Some(read)
        }
    }
}

/// The shape of the chunks that the file stores of what `array` is read from; `None` if there are none, or they are of other
/// dimensions.
fn stored_chunk(archive: &Archive, array: &TargetArray, file: usize) -> Option<Vec<u64>> {
    let catalogue: &Catalogue = &archive.files.get(file)?.catalogue;
    let mut variables = catalogue.variables.iter();
    let found = variables.find(|v| catalogue.name_in_file(&v.name) == array.origin.variable)?;
    let chunk = found.stored_chunks.as_ref()?;
    (chunk.len() == array.shape.len() && chunk.iter().all(|&length| length > 0))
        .then(|| chunk.clone())
}

/// The stored chunks that the box meets, along each dimension from the first up to the end.
fn chunk_runs(slab: &Hyperslab, chunk: &[u64]) -> Vec<(u64, u64)> {
    let sides = slab.start.iter().zip(&slab.count).zip(chunk);
    sides
        .map(|((&start, &count), &length)| (start / length, (start + count).div_ceil(length)))
        .collect()
}

/// How many chunks the runs have, each counted once.
fn distinct(runs: &ChunkRuns) -> u64 {
    let (mut count, mut reached) = (0, 0);
    for &(first, end) in runs {
        count += end.saturating_sub(first.max(reached));
        reached = reached.max(end);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_overlap_count_once() {
        let runs = ChunkRuns::from([(0, 2), (1, 3), (5, 6), (5, 7)]);
        assert_eq!(distinct(&runs), 5);
        assert_eq!(distinct(&ChunkRuns::new()), 0);
    }

    #[test]
    fn a_box_meets_the_chunks_that_it_cuts() {
        let slab = Hyperslab {
            start: vec![3, 0],
            count: vec![2, 10],
        };
        assert_eq!(chunk_runs(&slab, &[4, 5]), [(0, 2), (0, 2)]);
    }
}
