//! Conservative weights: the part of each target cell that a source cell covers.
//!
//! Source cells have great-circle sides, target cells lie between meridians and parallels; areas are exact on the sphere.
//! Each source cell is spread over a [`CellWindow`] of target cells.

use std::ops::Range;

use super::bands::{WeightEntry, heights, in_columns, in_rows, table, touched};
use super::blocks::Blocks;
use super::corners::Corners;
use super::error::GridError;
use super::ring::{Corner, Ring};
use super::source::SourceGrid;
use super::target::TargetGrid;
use super::weights::Weights;
use super::window::{CellWindow, GridLines};

/// Smaller parts of a target cell are left out.
const LEAST: f64 = 1e-9;

/// The weights of the target's `rows`: area common to source and target cell / area of the target cell. Of a
/// row they add up to the part of the cell that the source grid covers; to more where it overlaps itself.
///
/// # Errors
/// [`GridError::NoCorners`] if the source grid has no corners.
pub(super) fn weights(
    source: &SourceGrid,
    target: &TargetGrid,
    rows: Range<usize>,
) -> Result<Weights, GridError> {
    let corners = source.corners.as_ref().ok_or(GridError::NoCorners)?;
    let cells = |cell| ring(source, corners, cell);
    let blocks = Blocks::new(source.nx * source.ny, cells);
    let lines = GridLines::new(target);
    Ok(table(target, rows, |band| {
        let mut entries = Vec::new();
        for cell in blocks.touching(heights(target, &band)) {
            if let Some(ring) = cells(cell) {
                spread(&lines, &ring, cell, &band, &mut entries);
            }
        }
        entries
    }))
}

/// A cell's outline, if it counts.
fn ring(source: &SourceGrid, corners: &Corners, cell: usize) -> Option<Ring> {
    if !source.counts(cell) {
        return None;
    }
    let corners = corners.of(cell);
    Ring::new(corners.map(|(longitude, latitude)| Corner::new(longitude, latitude)))
}

/// Shares a source cell out over the target cells of a band of rows.
fn spread(
    lines: &GridLines,
    ring: &Ring,
    cell: usize,
    band: &Range<usize>,
    entries: &mut Vec<WeightEntry>,
) {
    let target = lines.target;
    let area = ring.area();
    let rows = touched(in_rows(target, ring.heights), band);
    if area == 0.0 || rows.is_empty() {
        return;
    }
    for (shift, places) in in_columns(target, ring.longitudes) {
        let columns = touched(places, &(0..target.nx));
        let mut window = CellWindow::new(lines, rows.clone(), columns, shift);
        window.add(ring);
        for (j, i, common) in window.areas() {
            let weight = common.copysign(common * area) / lines.area(j);
            if weight > LEAST {
                entries.push(WeightEntry {
                    target: ((j - band.start) * target.nx + i) as u32,
                    cell: cell as u32,
                    weight,
                });
            }
        }
    }
}
