//! This rank's share of the objects: which there are, and what is taken out of each.
//!
//! Key types: [`Found`], what is taken out of an object; [`Unread`], why nothing is; [`Finds`], all of a rank.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use msm_model::Hyperslab;
use msm_reproject::Weights;
use serde::{Deserialize, Serialize};

use super::array::StoredValues;
use super::footprint::Footprint;
use super::is_of_group;
use super::look::{Look, PixelUse};
use super::tally::Tally;
use crate::error::Error;
use crate::source::Block;
use crate::transfer::{BlockSink, ReadMeans, StoredField};

/// What was taken out of an object.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Found {
    /// Of which field, what the values of the cells in the picture come to.
    pub(super) tallies: Vec<(u32, Tally)>,
    /// Values that are there: of which field, at which pixel.
    pub(super) values: Vec<(u32, u32, f64)>,
    /// Of which field, of which row of pixels, the sum of values by their areas, and the sum of these.
    pub(super) sums: Vec<(u32, u32, f64, f64)>,
}

/// An object that cannot be read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Unread {
    /// The fields that it holds a part of.
    pub(super) slots: Vec<u32>,
    pub(super) cause: Error,
}

/// What a rank has found: of which look, in which of its objects.
pub(super) type Finds = Vec<(usize, usize, Result<Found, Unread>)>;

/// Pixels and the cells that they show, in the order of the pixels.
type Shown = Vec<(u32, u32)>;

/// An object that is read.
struct Target<'a> {
    look: usize,
    number: usize,
    array: &'a Arc<StoredField>,
    slab: Hyperslab,
    task: Arc<Task>,
    shown: Arc<Shown>,
}

/// What is taken out of the objects of a look.
pub(super) struct Task {
    array: StoredValues,
    /// The fields: the index along each leading dimension.
    fields: Vec<Vec<u64>>,
    footprint: Arc<Footprint>,
    columns: usize,
    pixels: PixelUse,
}

/// Reads those objects of all `looks` that are this `rank`'s, of `size` ranks, and takes out of them what pictures need. What has no
/// footprint is left out.
///
/// # Errors
/// If the server does not give an object, for a reason that is not the object's own.
pub(super) async fn read(
    looks: &[Look],
    footprints: &[Option<Arc<Footprint>>],
    columns: &[usize],
    (rank, size): (usize, usize),
    means: &ReadMeans,
) -> Result<Finds, Error> {
    let mut all = Vec::new();
    let fields = looks.iter().map(|look| look.array.field());
    let fields: Vec<Arc<StoredField>> = fields.collect::<Result<_, _>>()?;
    for (index, (look, field)) in looks.iter().zip(&fields).enumerate() {
        if let Some(footprint) = &footprints[look.grid] {
            all.extend(targets((index, look), field, footprint, columns[look.grid]));
        }
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
    (index, look): (usize, &Look),
    array: &'a Arc<StoredField>,
    footprint: &Arc<Footprint>,
    columns: usize,
) -> Vec<Target<'a>> {
    let chunk = &look.array.chunk;
    let rank = chunk.len();
    let plane = [chunk[rank - 2], chunk[rank - 1]].map(|n| n.max(1));
    let mut shown: BTreeMap<[u64; 2], Shown> = BTreeMap::new();
    let place = |cell: usize| {
        let (y, x) = (cell / columns, cell % columns);
        [y as u64 / plane[0], x as u64 / plane[1]]
    };
    let cells = footprint.areas.iter().enumerate();
    for (cell, _) in cells.filter(|(_, area)| **area > 0.0) {
        shown.entry(place(cell)).or_default();
    }
    if look.pixels != PixelUse::None {
        for (pixel, &cell) in (0u32..).zip(&footprint.cells) {
            if cell != Weights::NONE {
                let shown = shown.entry(place(cell as usize)).or_default();
                shown.push((pixel, cell));
            }
        }
    }
    let shown: Vec<([u64; 2], Arc<Shown>)> =
        shown.into_iter().map(|(k, v)| (k, Arc::new(v))).collect();
    let task = Arc::new(Task::new(look, footprint, columns));
    let mut all = Vec::new();
    for leading in &look.leading_places() {
        for (horizontal, shown) in &shown {
            let place = [&leading[..], &horizontal[..]].concat();
            all.push(Target {
                look: index,
                number: all.len(),
                array,
                slab: look.array.slab(&place),
                task: Arc::clone(&task),
                shown: Arc::clone(shown),
            });
        }
    }
    all
}

async fn read_object(
    target: Target<'_>,
    means: &ReadMeans,
) -> Result<(usize, usize, Result<Found, Unread>), Error> {
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
    let found = match target.array.read(&target.slab, means, &sink).await {
        Ok(_) => {
            let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(taken.unwrap_or_default())
        }
        Err(cause) => {
            let cause = Error::from(cause);
            if !is_of_group(&cause) {
                return Err(cause);
            }
            let here = target.task.planes(&target.slab);
            Err(Unread {
                slots: here.map(|(slot, _)| slot).collect(),
                cause,
            })
        }
    };
    Ok((target.look, target.number, found))
}

impl Task {
    /// That of `look`, of which `footprint` has so many `columns` of cells.
    pub(super) fn new(look: &Look, footprint: &Arc<Footprint>, columns: usize) -> Self {
        Self {
            array: look.array.clone(),
            fields: look.fields(),
            footprint: Arc::clone(footprint),
            columns,
            pixels: look.pixels,
        }
    }

    /// What is taken out of `block`, any object's values; `None` if it has nothing of the fields.
    pub(super) fn see(&self, block: &Block<'_>) -> Option<Found> {
        self.planes(block.slab).next()?;
        let [rows, columns] = self.plane(block.slab);
        let is_here = |cell: u32| {
            let cell = cell as usize;
            rows.contains(&(cell / self.columns)) && columns.contains(&(cell % self.columns))
        };
        let cells = (0u32..).zip(self.footprint.cells.iter().copied());
        let shown = cells.filter(|(_, cell)| *cell != Weights::NONE && is_here(*cell));
        Some(self.take(block, &shown.collect()))
    }

    /// The rows and columns of cells of which `slab` has values; objects at the edges reach beyond them.
    fn plane(&self, slab: &Hyperslab) -> [Range<usize>; 2] {
        let rows = self.footprint.areas.len() / self.columns.max(1);
        let along = |back: usize, length: usize| {
            let d = slab.start.len() - back;
            let index = |n| usize::try_from(n).unwrap_or(usize::MAX).min(length);
            index(slab.start[d])..index(slab.start[d] + slab.count[d])
        };
        [along(2, rows), along(1, self.columns)]
    }

    /// The fields of which `slab` has a part, and which of its planes that is.
    fn planes(&self, slab: &Hyperslab) -> impl Iterator<Item = (u32, u64)> {
        let (start, count) = (&slab.start, &slab.count);
        (0u32..).zip(&self.fields).filter_map(move |(slot, field)| {
            let mut plane = 0;
            for (d, index) in field.iter().enumerate() {
                if !(start[d]..start[d] + count[d]).contains(index) {
                    return None;
                }
                plane = plane * count[d] + (index - start[d]);
            }
            Some((slot, plane))
        })
    }

    /// What `block`, an object's values, has of the cells in the picture, and of the pixels that are `shown` from it.
    fn take(&self, block: &Block<'_>, shown: &Shown) -> Found {
        let (start, count) = (&block.slab.start, &block.slab.count);
        let rank = start.len();
        let mut found = Found::default();
        for (slot, plane) in self.planes(block.slab) {
            let value = |y: usize, x: usize| {
                let row = plane * count[rank - 2] + (y as u64 - start[rank - 2]);
                let index = row * count[rank - 1] + (x as u64 - start[rank - 1]);
                self.array
                    .value(block.values, usize::try_from(index).unwrap_or(usize::MAX))
            };
            let tally = self.tally(block.slab, value);
            if !tally.is_empty() {
                found.tallies.push((slot, tally));
            }
            let there = shown.iter().map(|&(pixel, cell)| {
                let (y, x) = (cell as usize / self.columns, cell as usize % self.columns);
                (pixel, value(y, x))
            });
            match self.pixels {
                PixelUse::Values => {
                    let there = there.filter(|(_, value)| !value.is_nan());
                    let there = there.map(|(pixel, value)| (slot, pixel, value));
                    found.values.extend(there);
                }
                PixelUse::RowMeans => {
                    let there = there.filter(|(_, value)| value.is_finite());
                    found.sums.extend(self.sums(slot, there));
                }
                PixelUse::None => {}
            }
        }
        found
    }

    /// What the values of those cells of `slab` come to that lie in the picture.
    fn tally(&self, slab: &Hyperslab, value: impl Fn(usize, usize) -> f64) -> Tally {
        let mut tally = Tally::default();
        let [rows, columns] = self.plane(slab);
        for y in rows {
            for x in columns.clone() {
                let area = self.footprint.areas[y * self.columns + x];
                if area > 0.0 {
                    tally.count(value(y, x), f64::from(area));
                }
            }
        }
        tally
    }

    /// The sums of each row of pixels of a field, whose values come in the order of their pixels.
    fn sums(
        &self,
        slot: u32,
        values: impl Iterator<Item = (u32, f64)>,
    ) -> Vec<(u32, u32, f64, f64)> {
        let mut all: Vec<(u32, u32, f64, f64)> = Vec::new();
        let target = &self.footprint.target;
        let columns = u32::try_from(target.nx).unwrap_or(u32::MAX).max(1);
        for (pixel, value) in values {
            let row = pixel / columns;
            let area = target.latitude(row as usize).to_radians().cos();
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
