//! The nearest cell of the source for each cell of the target, on the sphere or in flat degrees.
//!
//! Key type: [`Space`], what "near" means. The target is searched in bands of rows, each with a k-d tree of the source cells
//! around its latitudes: little memory at a time, and no cell of the result depends on how the bands are cut.

use std::ops::Range;

use kiddo::{ImmutableKdTree, SquaredEuclidean};
use rayon::prelude::*;

use super::source::SourceGrid;
use super::sphere::{Vector, vector, wrapped};
use super::target::TargetGrid;
use super::weights::Weights;

/// For each cell of the target's `rows` the nearest cell on the sphere, of those that count; of equally near ones the
/// first.
pub(super) fn on_sphere(source: &SourceGrid, target: &TargetGrid, rows: Range<usize>) -> Weights {
    let counting = |&cell: &u32| source.counts(cell as usize);
    Search::<Sphere, 3>::new(source, target, counting).weights(rows)
}

/// For each cell of the target's `rows` the cell nearest in degrees of longitude and latitude, taken as a plane that ends at
/// the date line; of equally near ones the first. Cells that repeat others take part.
///
/// This is what `iris.analysis.cartography.project` does, and so the Python tool.
pub(super) fn in_degrees(source: &SourceGrid, target: &TargetGrid, rows: Range<usize>) -> Weights {
    let placed = |&cell: &u32| source.own(cell as usize).is_some();
    Search::<Degrees, 2>::new(source, target, placed).weights(rows)
}

/// Degrees of latitude: more than any rounding of [`Space::reach`].
const ROUNDING: f64 = 1e-6;

/// Where points lie and how far from each other.
trait Space<const K: usize>: Sync {
    /// The size of the whole: of n cells one has about an n-th of its square.
    const EXTENT: f64;
    /// Distances that differ by less are equal: what rounding makes of points that lie symmetrically.
    const TIE: f64;

    fn point(longitude: f64, latitude: f64) -> [f64; K];

    /// By how many degrees of latitude two points of this distance differ at most.
    fn reach(distance: f64) -> f64;
}

/// The unit sphere; distances are chords, which order points as great circles do.
struct Sphere;

impl Space<3> for Sphere {
    /// √(4π).
    const EXTENT: f64 = 3.544_907_701_811_032;
    const TIE: f64 = 4e-15;

    fn point(longitude: f64, latitude: f64) -> Vector {
        // Wrapped first, so that 190 and -170 degrees east are equal to the bit.
        vector(wrapped(longitude), latitude)
    }

    fn reach(distance: f64) -> f64 {
        2.0 * (distance / 2.0).min(1.0).asin().to_degrees()
    }
}

/// The plane of longitude and latitude.
struct Degrees;

impl Space<2> for Degrees {
    /// √(360·180).
    const EXTENT: f64 = 254.558_441_227_157_1;
    const TIE: f64 = 1e-12;

    fn point(longitude: f64, latitude: f64) -> [f64; 2] {
        // As cartopy does it: both 180 and -180 stay.
        let longitude = if longitude.abs() > 180.0 {
            (longitude + 180.0).rem_euclid(360.0) - 180.0
        } else {
            longitude
        };
        [longitude, latitude]
    }

    fn reach(distance: f64) -> f64 {
        distance
    }
}

/// A target and the cells that it is searched in.
struct Search<'a, S: Space<K>, const K: usize> {
    source: &'a SourceGrid,
    target: &'a TargetGrid,
    /// The cells that take part, from south to north.
    cells: Vec<u32>,
    /// Degrees of latitude around a band within which nearly all of its nearest cells lie.
    margin: f64,
    space: std::marker::PhantomData<S>,
}

impl<'a, S: Space<K>, const K: usize> Search<'a, S, K> {
    fn new(
        source: &'a SourceGrid,
        target: &'a TargetGrid,
        takes_part: impl Fn(&u32) -> bool,
    ) -> Self {
        let mut cells: Vec<u32> = (0..source.latitude.len() as u32)
            .filter(takes_part)
            .collect();
        // Stable, as rows of the model lie from south to north for the most part.
        cells.par_sort_by(|&a, &b| {
            source.latitude[a as usize].total_cmp(&source.latitude[b as usize])
        });
        let spacing = S::EXTENT / (cells.len().max(1) as f64).sqrt();
        Self {
            source,
            target,
            cells,
            margin: 2.0 * S::reach(spacing),
            space: std::marker::PhantomData,
        }
    }

    fn weights(&self, rows: Range<usize>) -> Weights {
        let row_height = (self.target.north - self.target.south) / self.target.ny as f64;
        // High enough that the margins are the smaller part, low enough to keep all threads at work.
        let high = (6.0 * self.margin / row_height).ceil() as usize;
        let fair = rows.len().div_ceil(4 * rayon::current_num_threads());
        let step = high.min(fair).max(1);
        let starts: Vec<usize> = rows.clone().step_by(step).collect();
        let bands: Vec<Vec<u32>> = starts
            .into_par_iter()
            .map(|start| self.band(start..rows.end.min(start + step)))
            .collect();
        Weights::One(bands.concat())
    }

    /// The nearest cells of a few rows of the target.
    fn band(&self, rows: Range<usize>) -> Vec<u32> {
        let first = rows.start * self.target.nx;
        let mut nearest = vec![Weights::NONE; rows.len() * self.target.nx];
        let mut open: Vec<usize> = (first..rows.end * self.target.nx).collect();
        let mut margin = self.margin;
        while let (Some(&north), Some(&south)) = (open.first(), open.last()) {
            let latitude = |at: usize| self.target.latitude(at / self.target.nx);
            let around = self.between(latitude(south) - margin, latitude(north) + margin);
            let Some(tree) = self.tree(around) else {
                margin *= 4.0;
                continue;
            };
            let mut far: f64 = 0.0;
            open.retain(|&at| {
                let longitude = self.target.longitude(at % self.target.nx);
                let (cell, distance) =
                    find(&tree, around, &S::point(longitude, latitude(at)), S::TIE);
                let reach = S::reach(distance + S::TIE) + ROUNDING;
                if reach <= margin || around.len() == self.cells.len() {
                    nearest[at - first] = cell;
                    return false;
                }
                far = far.max(reach);
                true
            });
            // What was found bounds how far the nearest can be.
            margin = far;
        }
        nearest
    }

    /// The cells between two latitudes.
    fn between(&self, south: f64, north: f64) -> &[u32] {
        let below = |bound: f64| {
            self.cells
                .partition_point(|&cell| self.source.latitude[cell as usize] < bound)
        };
        &self.cells[below(south)..below(north)]
    }

    /// A tree of these cells, whose items are indices into them; `None` if there are none.
    fn tree(&self, cells: &[u32]) -> Option<ImmutableKdTree<f64, K>> {
        if cells.is_empty() {
            return None;
        }
        let points: Vec<[f64; K]> = cells
            .iter()
            .map(|&cell| cell as usize)
            .map(|cell| S::point(self.source.longitude[cell], self.source.latitude[cell]))
            .collect();
        // An error says that there are no points.
        ImmutableKdTree::new_from_slice(&points).ok()
    }
}

/// The nearest of the cells of a tree and its distance; of those at most `tie` further the first.
fn find<const K: usize>(
    tree: &ImmutableKdTree<f64, K>,
    cells: &[u32],
    point: &[f64; K],
    tie: f64,
) -> (u32, f64) {
    let query = tree.query(point);
    let nearest = query.nearest_one::<SquaredEuclidean<f64>>().execute();
    let distance = nearest.distance.sqrt();
    let radius = distance + tie;
    let as_near = tree
        .query(point)
        .within::<SquaredEuclidean<f64>>(radius * radius)
        .unsorted()
        .execute();
    let first = as_near
        .into_iter()
        .map(|near| cells[near.item as usize])
        .min();
    (first.unwrap_or(cells[nearest.item as usize]), distance)
}
