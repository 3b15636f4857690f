//! Bilinear weights between the four cell centres around a point.
//!
//! Quads are spread over the target, not searched for; [`between`] then solves for the place within one.

use std::ops::Range;

use super::bands::{WeightEntry, centred, heights, in_columns, in_rows, table};
use super::blocks::Blocks;
use super::plane::{Plane, between};
use super::quads::Quads;
use super::ring::Ring;
use super::source::SourceGrid;
use super::sphere::{Vector, cross, dot, minus};
use super::target::TargetGrid;
use super::weights::Weights;

/// Smaller weights are left out.
const LEAST: f64 = 1e-7;

/// The weights of the target's `rows`: of the cells at the corners of the quad of neighbouring centres that contains the
/// point, its sides being great circles; of the first of two quads, if it is on a side. None outside all quads.
///
/// Where parts of a grid overlap (ORCA2 has its Mediterranean Sea moved aside, and quads that stretch from there to the
/// rest), a quad of less than half the size comes before larger ones.
pub(super) fn weights(source: &SourceGrid, target: &TargetGrid, rows: Range<usize>) -> Weights {
    let quads = Quads::new(source);
    let blocks = Blocks::new(quads.len(), |k| quads.ring(k));
    let meridians: Vec<_> = (0..target.nx)
        .map(|i| target.longitude(i).to_radians().sin_cos())
        .collect();
    table(target, rows, |band| {
        entries(&quads, &blocks, target, &meridians, &band)
    })
}

/// The weights of a band of rows. `meridians` are sine and cosine of the columns' longitudes.
fn entries(
    quads: &Quads,
    blocks: &Blocks,
    target: &TargetGrid,
    meridians: &[(f64, f64)],
    band: &Range<usize>,
) -> Vec<WeightEntry> {
    let nx = target.nx;
    let parallels: Vec<_> = band
        .clone()
        .map(|j| target.latitude(j).to_radians().sin_cos())
        .collect();
    let mut found: Vec<Option<EnclosingQuad>> = vec![None; band.len() * nx];
    for k in blocks.touching(heights(target, band)) {
        let Some(cells) = quads.cells(k) else {
            continue;
        };
        let corners = quads.corners(cells);
        let Some(ring) = Ring::new(corners) else {
            continue;
        };
        let corners = corners.map(|corner| corner.point);
        let size = size(corners);
        for j in centred(in_rows(target, ring.heights), band) {
            for (_, places) in in_columns(target, ring.longitudes) {
                for i in centred(places, &(0..nx)) {
                    let found = &mut found[(j - band.start) * nx + i];
                    if found.is_some_and(|other| 2.0 * size >= other.size) {
                        continue;
                    }
                    let plane = Plane::new(parallels[j - band.start], meridians[i]);
                    if let Some(weights) = plane.project(corners).and_then(between) {
                        *found = Some(EnclosingQuad {
                            size,
                            cells,
                            weights,
                        });
                    }
                }
            }
        }
    }
    let mut entries = Vec::with_capacity(4 * found.len());
    for (at, found) in found.into_iter().enumerate() {
        if let Some(found) = found {
            push(&mut entries, at, &found);
        }
    }
    entries
}

/// The quad that contains a point.
#[derive(Clone, Copy)]
struct EnclosingQuad {
    /// As of [`size`].
    size: f64,
    cells: [usize; 4],
    weights: [f64; 4],
}

/// About twice a quad's area, squared radii: of the flat one with the same diagonals.
fn size([a, b, c, d]: [Vector; 4]) -> f64 {
    let across = cross(minus(c, a), minus(d, b));
    dot(across, across).sqrt()
}

/// Adds the weights of one point: by ascending cells, without the least, and so that they add up to 1.
fn push(entries: &mut Vec<WeightEntry>, at: usize, found: &EnclosingQuad) {
    let mut pairs = [0, 1, 2, 3].map(|corner| (found.cells[corner], found.weights[corner]));
    pairs.sort_unstable_by_key(|pair| pair.0);
    let kept = || pairs.iter().filter(|pair| pair.1 >= LEAST);
    let sum: f64 = kept().map(|pair| pair.1).sum();
    entries.extend(kept().map(|&(cell, weight)| WeightEntry {
        target: at as u32,
        cell: cell as u32,
        weight: weight / sum,
    }));
}
