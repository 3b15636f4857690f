//! This rank's share of the objects: which there are, and what is taken out of each.
//!
//! Key types: [`Found`], what is taken out of an object; [`Finds`], all of a rank.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use msm_model::Hyperslab;
use msm_reproject::{TargetGrid, Weights};
use serde::{Deserialize, Serialize};

use super::array::StoredValues;
use super::footprint::Footprint;
use super::look::Look;
use crate::error::Error;
use crate::source::Block;
use crate::transfer::{BlockSink, ReadMeans};

/// What was taken out of an object.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Found {
    /// Values that are there: of which field, at which pixel.
    Values(Vec<(u32, u32, f64)>),
    /// Of which field, of which row of pixels, the sum of values by their areas, and the sum of these.
    Sums(Vec<(u32, u32, f64, f64)>),
}

/// What a rank has found: of which look, in which of its objects.
pub(super) type Finds = Vec<(usize, usize, Found)>;

/// Pixels and the cells that they show, in the order of the pixels.
type Shown = Vec<(u32, u32)>;

/// An object that is read.
struct Target<'a> {
    look: usize,
    number: usize,
    array: &'a StoredValues,
    slab: Hyperslab,
    task: Arc<Task>,
    shown: Arc<Shown>,
}

/// What is taken out of the objects of a look.
struct Task {
    array: StoredValues,
    /// The fields: the index along each leading dimension.
    fields: Vec<Vec<u64>>,
    target: TargetGrid,
    columns: usize,
    takes_means: bool,
}

/// Reads those objects of all `looks` that are this `rank`'s, of `size` ranks, and takes out of them what pictures need.
///
/// # Errors
/// If an object cannot be read or decoded.
pub(super) async fn read(
    looks: &[Look],
    footprints: &[Arc<Footprint>],
    columns: &[usize],
    (rank, size): (usize, usize),
    means: &ReadMeans,
) -> Result<Finds, Error> {
    let mut all = Vec::new();
    for (index, look) in looks.iter().enumerate() {
        let footprint = &footprints[look.grid];
        all.extend(targets(index, look, footprint, columns[look.grid]));
    }
    let mine = all.into_iter().enumerate();
    let mine = mine.filter(|(place, _)| place % size == rank);
    let reads = mine.map(|(_, target)| async move { read_object(target, means).await });
    stream::iter(reads)
        .buffer_unordered(means.bucket.most_at_once())
        .try_collect()
        .await
}

/// How many objects all ranks read together.
pub(super) fn objects(finds: &[Finds]) -> u64 {
    finds.iter().map(Vec::len).sum::<usize>() as u64
}

/// The objects of a look that hold anything which is shown.
fn targets<'a>(
    index: usize,
    look: &'a Look,
    footprint: &Footprint,
    columns: usize,
) -> Vec<Target<'a>> {
    let chunk = &look.array.chunk;
    let rank = chunk.len();
    let plane = [chunk[rank - 2], chunk[rank - 1]].map(|n| n.max(1));
    let mut shown: BTreeMap<[u64; 2], Shown> = BTreeMap::new();
    for (pixel, &cell) in (0u32..).zip(&footprint.cells) {
        if cell != Weights::NONE {
            let (y, x) = (cell as usize / columns, cell as usize % columns);
            let place = [y as u64 / plane[0], x as u64 / plane[1]];
            shown.entry(place).or_default().push((pixel, cell));
        }
    }
    let shown: Vec<([u64; 2], Arc<Shown>)> =
        shown.into_iter().map(|(k, v)| (k, Arc::new(v))).collect();
    let field = |slot: &u64| {
        let mut field = look.leading.clone();
        if let Some(varies) = look.varies {
            field[varies] = *slot;
        }
        field
    };
    let task = Arc::new(Task {
        array: look.array.clone(),
        fields: look.slots.iter().map(field).collect(),
        target: footprint.target,
        columns,
        takes_means: look.takes_means,
    });
    let place = |field: &Vec<u64>| -> Vec<u64> {
        let along = field.iter().zip(chunk);
        along.map(|(index, size)| index / (*size).max(1)).collect()
    };
    let mut places: Vec<Vec<u64>> = task.fields.iter().map(place).collect();
    places.sort_unstable();
    places.dedup();
    let mut all = Vec::new();
    for leading in &places {
        for (horizontal, shown) in &shown {
            let place = [&leading[..], &horizontal[..]].concat();
            all.push(Target {
                look: index,
                number: all.len(),
                array: &look.array,
                slab: slab(&look.array, &place),
                task: Arc::clone(&task),
                shown: Arc::clone(shown),
            });
        }
    }
    all
}

/// What the object at `place` of the chunk grid holds of the array.
fn slab(array: &StoredValues, place: &[u64]) -> Hyperslab {
    let along = place.iter().zip(&array.chunk).zip(&array.shape);
    let (start, count) = along
        .map(|((place, size), length)| {
            let start = place * size;
            (start, (*size).min(length - start))
        })
        .unzip();
    Hyperslab { start, count }
}

async fn read_object(
    target: Target<'_>,
    means: &ReadMeans,
) -> Result<(usize, usize, Found), Error> {
    let taken = Arc::new(Mutex::new(None));
    let (into, task, shown) = (
        Arc::clone(&taken),
        Arc::clone(&target.task),
        Arc::clone(&target.shown),
    );
    let sink: BlockSink = Arc::new(move |block: Block<'_>| {
        let found = task.take(&block, &shown);
        *into.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    });
    let field = target.array.field()?;
    field.read(&target.slab, means, &sink).await?;
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
    let nothing = || Found::Values(Vec::new());
    Ok((target.look, target.number, taken.unwrap_or_else(nothing)))
}

impl Task {
    /// What `block`, an object's values, has of the pixels that are `shown` from it.
    fn take(&self, block: &Block<'_>, shown: &Shown) -> Found {
        let (start, count) = (&block.slab.start, &block.slab.count);
        let rank = start.len();
        let (mut values, mut sums) = (Vec::new(), Vec::new());
        for (slot, field) in (0u32..).zip(&self.fields) {
            let mut plane = 0;
            let mut is_here = true;
            for (d, index) in field.iter().enumerate() {
                is_here &= (start[d]..start[d] + count[d]).contains(index);
                plane = plane * count[d] + index.saturating_sub(start[d]);
            }
            if !is_here {
                continue;
            }
            let value = |cell: u32| {
                let (y, x) = (cell as usize / self.columns, cell as usize % self.columns);
                let row = plane * count[rank - 2] + (y as u64 - start[rank - 2]);
                let index = row * count[rank - 1] + (x as u64 - start[rank - 1]);
                self.array
                    .value(block.values, usize::try_from(index).unwrap_or(usize::MAX))
            };
            let there = shown.iter().map(|&(pixel, cell)| (pixel, value(cell)));
            let there = there.filter(|(_, value)| value.is_finite());
            if self.takes_means {
                sums.extend(self.sums(slot, there));
            } else {
                values.extend(there.map(|(pixel, value)| (slot, pixel, value)));
            }
        }
        if self.takes_means {
            Found::Sums(sums)
        } else {
            Found::Values(values)
        }
    }

    /// The sums of each row of pixels of a field, whose values come in the order of their pixels.
    fn sums(
        &self,
        slot: u32,
        values: impl Iterator<Item = (u32, f64)>,
    ) -> Vec<(u32, u32, f64, f64)> {
        let mut all: Vec<(u32, u32, f64, f64)> = Vec::new();
        let columns = u32::try_from(self.target.nx).unwrap_or(u32::MAX).max(1);
        for (pixel, value) in values {
            let row = pixel / columns;
            let area = self.target.latitude(row as usize).to_radians().cos();
            match all.last_mut() {
                Some((_, last, sum, areas)) if *last == row => {
                    *sum += value * area;
                    *areas += area;
                }
                _ => all.push((slot, row, value * area, area)),
            }
        }
        all
    }
}
