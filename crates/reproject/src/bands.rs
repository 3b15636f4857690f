//! Bands of target rows, computed in parallel; and where ranges of longitude and latitude lie in the target.
//!
//! Key type: [`WeightEntry`], one weight before it goes to the table.

use std::ops::Range;

use rayon::prelude::*;

use super::sparse::{SLAB, SparseBuilder};
use super::target::TargetGrid;
use super::weights::Weights;

/// Rows of a band at most: not too few, since a source cell is looked at once for each band that it touches; nor too many,
/// since bands are shared out over the threads.
const BAND: usize = 16;
/// Ranges are widened by this many degrees, more than the arc sine of a z close to 1 is wrong by.
const ROUNDING: f64 = 1e-6;

/// What a source cell gives to a target cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct WeightEntry {
    /// The target cell, counted from the band's first.
    pub(super) target: u32,
    /// The source cell.
    pub(super) cell: u32,
    pub(super) weight: f64,
}

/// The table of `rows` from the entries of each band of rows. Entries of one target cell keep their order; those of the
/// same source cell, if they follow each other, are added up.
pub(super) fn table(
    target: &TargetGrid,
    rows: Range<usize>,
    entries: impl Fn(Range<usize>) -> Vec<WeightEntry> + Sync,
) -> Weights {
    let parts = bands(target, rows)
        .into_par_iter()
        .map(|band| packed(band.len() * target.nx, &entries(band)));
    Weights::join(parts.collect())
}

/// The bands of `rows`, each a slab of the table if rows are not too long. They begin at the same rows however `rows` are
/// cut; the last and first may be parts of one.
pub(super) fn bands(target: &TargetGrid, rows: Range<usize>) -> Vec<Range<usize>> {
    let high = (SLAB / target.nx.max(1)).clamp(1, BAND);
    (rows.start / high..rows.end.div_ceil(high))
        .map(|band| rows.start.max(band * high)..rows.end.min((band + 1) * high))
        .collect()
}

/// The table of `len` target cells.
fn packed(len: usize, entries: &[WeightEntry]) -> Weights {
    let mut ends = vec![0_u32; len + 1];
    for entry in entries {
        ends[entry.target as usize + 1] += 1;
    }
    for at in 0..len {
        ends[at + 1] += ends[at];
    }
    // `ends[t]` goes from the start of row t to its end while the row is filled.
    let mut ordered = vec![(0_u32, 0.0_f64); entries.len()];
    for entry in entries {
        let end = &mut ends[entry.target as usize];
        ordered[*end as usize] = (entry.cell, entry.weight);
        *end += 1;
    }
    let mut builder = SparseBuilder::default();
    let (mut begin, mut row) = (0, Vec::new());
    for &end in &ends[..len] {
        let of_row = &ordered[begin..end as usize];
        row.clear();
        row.extend(of_row.chunk_by(|a, b| a.0 == b.0).map(|same| {
            let weight: f64 = same.iter().map(|(_, weight)| weight).sum();
            (same[0].0, weight as f32)
        }));
        builder.push(&row);
        begin = end as usize;
    }
    Weights::of_entries(builder)
}

/// Heights z = sin φ of the parallels that bound `rows`, southern first.
pub(super) fn heights(target: &TargetGrid, rows: &Range<usize>) -> [f64; 2] {
    [rows.end, rows.start].map(|row| target.parallel(row).to_radians().sin())
}

/// Where the heights z = sin φ lie, in rows from the target's northern edge: northern first.
pub(super) fn in_rows(target: &TargetGrid, [low, high]: [f64; 2]) -> [f64; 2] {
    let row = target.ny as f64 / (target.north - target.south);
    let place = |z: f64| target.north - z.clamp(-1.0, 1.0).asin().to_degrees();
    [
        row * (place(high) - ROUNDING),
        row * (place(low) + ROUNDING),
    ]
}

/// Where the longitudes lie, in columns from the target's western edge: once for each turn of the globe in which they
/// meet the target, with the degrees by which it is shifted there.
pub(super) fn in_columns(
    target: &TargetGrid,
    [west, east]: [f64; 2],
) -> impl Iterator<Item = (f64, [f64; 2])> {
    let column = target.nx as f64 / (target.east - target.west);
    let first = ((west - ROUNDING - target.east) / 360.0).ceil() as i64;
    let last = ((east + ROUNDING - target.west) / 360.0).floor() as i64;
    let target_west = target.west;
    (first..=last).map(move |turn| {
        let shift = 360.0 * turn as f64;
        let place = |longitude: f64| column * (longitude - shift - target_west);
        (shift, [place(west - ROUNDING), place(east + ROUNDING)])
    })
}

/// The cells of `within` that a range touches.
pub(super) fn touched([low, high]: [f64; 2], within: &Range<usize>) -> Range<usize> {
    limited(low.floor(), high.ceil(), within)
}

/// The cells of `within` whose middle lies in a range.
pub(super) fn centred([low, high]: [f64; 2], within: &Range<usize>) -> Range<usize> {
    limited((low - 0.5).ceil(), (high - 0.5).floor() + 1.0, within)
}

/// From `low` to before `high`, as far as it lies in `within`.
fn limited(low: f64, high: f64, within: &Range<usize>) -> Range<usize> {
    // Casts of numbers below zero give zero.
    let start = (low as usize).max(within.start);
    start..(high as usize).min(within.end).max(start)
}
