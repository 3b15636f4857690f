//! The nearest cell of the source for each cell of the target, on the sphere or in flat degrees.
//!
//! No cell of the result depends on how the rows are cut: a search is exact, from wherever it begins.

use std::ops::Range;

use rayon::prelude::*;

use super::bands::bands;
use super::source::SourceGrid;
use super::space::{Degrees, Space, Sphere};
use super::target::TargetGrid;
use super::tiles::{Search, Tiles};
use super::weights::Weights;

/// For each cell of the target's `rows` the nearest cell on the sphere, of those that count; of equally near ones the
/// first.
pub(super) fn on_sphere(source: &SourceGrid, target: &TargetGrid, rows: Range<usize>) -> Weights {
    weights(
        &[Tiles::<Sphere, 3>::new(source, SourceGrid::counts)],
        target,
        rows,
    )
}

/// For each cell of the target's `rows` the cell nearest in degrees of longitude and latitude, taken as a plane that ends at
/// the date line; of equally near ones the first. Cells that repeat others take part.
///
/// This is what `iris.analysis.cartography.project` does, and so the Python tool.
pub(super) fn in_degrees(source: &SourceGrid, target: &TargetGrid, rows: Range<usize>) -> Weights {
    weights(&halves(source), target, rows)
}

/// The cells west and east of 0 degrees: a tile across the date line would be as wide as the plane.
pub(super) fn halves(source: &SourceGrid) -> [Tiles<'_, Degrees, 2>; 2] {
    fn is_west(source: &SourceGrid, cell: usize) -> bool {
        Degrees::point(source.longitude.at(cell), 0.0)[0] < 0.0
    }
    [
        Tiles::new(source, |source, cell| {
            source.own(cell).is_some() && is_west(source, cell)
        }),
        Tiles::new(source, |source, cell| {
            source.own(cell).is_some() && !is_west(source, cell)
        }),
    ]
}

fn weights<S: Space<K>, const K: usize>(
    tiles: &[Tiles<'_, S, K>],
    target: &TargetGrid,
    rows: Range<usize>,
) -> Weights {
    let slabs = bands(target, rows).into_par_iter().map_init(
        || Search::new(tiles),
        |search, band| band_of(search, target, band),
    );
    Weights::of_single_cells(slabs.collect())
}

/// The nearest cells of a few rows of the target.
pub(super) fn band_of<S: Space<K>, const K: usize>(
    search: &mut Search<'_, S, K>,
    target: &TargetGrid,
    band: Range<usize>,
) -> Vec<u32> {
    let mut nearest: Vec<u32> = Vec::with_capacity(band.len() * target.nx);
    for j in band {
        let above = nearest.len().checked_sub(target.nx);
        let mut guess = above.map(|first| nearest[first]);
        for i in 0..target.nx {
            let point = S::point(target.longitude(i), target.latitude(j));
            let found = search.nearest(&point, guess);
            nearest.push(found.unwrap_or(Weights::NONE));
            guess = found;
        }
    }
    nearest
}
