//! The nearest cell, held against a search of all cells, and the cells that ORCA files have twice.

use proptest::prelude::*;

use super::nearest::{band_of, halves, in_degrees, on_sphere};
use super::source::SourceGrid;
use super::space::{Degrees, Space, Sphere, square};
use super::sphere::{chord, vector};
use super::target::TargetGrid;
use super::tiles::{Search, Tiles};
use super::weights::Weights;

fn cells(weights: &Weights) -> Vec<usize> {
    // Each target has one.
    let cells = weights
        .entries()
        .enumerate()
        .map(|(at, (row, cell, weight))| {
            assert!(at == row && weight == 1.0);
            cell as usize
        });
    cells.collect()
}

fn whole(source: &SourceGrid, target: &TargetGrid) -> Vec<usize> {
    cells(&on_sphere(source, target, 0..target.ny))
}

/// Distance on the sphere, and in degrees, of a target's cell from a source's.
fn distances(source: &SourceGrid, target: &TargetGrid, at: usize, cell: usize) -> [f64; 2] {
    let (x, y) = (
        target.longitude(at % target.nx),
        target.latitude(at / target.nx),
    );
    let (lon, lat) = (source.longitude.at(cell), source.latitude.at(cell));
    let wrapped = if lon.abs() > 180.0 {
        (lon + 180.0).rem_euclid(360.0) - 180.0
    } else {
        lon
    };
    [
        chord(vector(x, y), vector(lon, lat)),
        (wrapped - x).hypot(lat - y),
    ]
}

/// A regular grid turned so that its pole lies elsewhere.
fn turned(ny: usize, nx: usize, by: f64, about: f64) -> SourceGrid {
    let (sin, cos) = by.to_radians().sin_cos();
    let (lon, lat): (Vec<f64>, Vec<f64>) = (0..ny * nx)
        .map(|cell| {
            let lat = -90.0 + ((cell / nx) as f64 + 0.5) * 180.0 / ny as f64;
            let [x, y, z] = vector((cell % nx) as f64 * 360.0 / nx as f64, lat);
            let (x, z) = (cos * x - sin * z, sin * x + cos * z);
            (
                y.atan2(x).to_degrees() + about,
                z.clamp(-1.0, 1.0).asin().to_degrees(),
            )
        })
        .unzip();
    SourceGrid::new(ny, nx, lon, lat, None).unwrap()
}

/// A grid of `nx` own columns whose rows from 60° N are ellipses that close on a segment across the pole: on row `ny - 1`
/// with the pivot on a cell if `pivot` (T), between that row and one more if not (F). `halo` repeats columns at both sides,
/// `beyond` the row beyond the fold.
fn tripolar(ny: usize, nx: usize, pivot: bool, halo: bool, beyond: bool) -> SourceGrid {
    let place = |j: usize, i: usize| {
        let along = (i as f64 + if pivot { 0.0 } else { 0.5 }) * std::f64::consts::TAU / nx as f64;
        let top = ny as f64 - if pivot { 1.0 } else { 0.5 };
        let cap = ny as f64 / 2.0;
        let up = (j as f64 - cap).max(0.0) / (top - cap);
        let rim = 15f64.to_radians().tan();
        let (x, y) = (
            rim * (1.0 - 0.3 * up) * along.cos(),
            rim * (1.0 - up) * along.sin(),
        );
        if (j as f64) < cap {
            (along.to_degrees() + 73.0, -75.0 + 135.0 * j as f64 / cap)
        } else {
            let lat = 90.0 - 2.0 * x.hypot(y).atan().to_degrees();
            // Single precision, as XIOS writes them.
            (
                f64::from((y.atan2(x).to_degrees() + 73.0) as f32),
                f64::from(lat as f32),
            )
        }
    };
    let rows = ny + usize::from(beyond);
    let columns: Vec<usize> = if halo {
        (0..nx + 2).map(|i| (i + nx - 1) % nx).collect()
    } else {
        (0..nx).collect()
    };
    let mut both = Vec::new();
    for j in 0..rows {
        for &i in &columns {
            both.push(match (j < ny, pivot) {
                (true, _) => place(j, i),
                (false, true) => place(ny - 2, (nx - i) % nx),
                (false, false) => place(ny - 1, nx - 1 - i),
            });
        }
    }
    let (lon, lat): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
    SourceGrid::new(rows, columns.len(), lon, lat, None).unwrap()
}

#[test]
fn halo_columns_and_rows_beyond_the_fold_are_repeats() {
    let (ny, nx) = (30, 40);
    // Own cells: half of the pivot row coincides with the other but for its two ends.
    let t = ny * nx - (nx / 2 - 1);
    let f = ny * nx;
    for (pivot, own) in [(true, t), (false, f)] {
        for (halo, beyond) in [(false, false), (true, false), (false, true), (true, true)] {
            let grid = tripolar(ny, nx, pivot, halo, beyond);
            let case = (pivot, halo, beyond);
            let count = (0..grid.ny * grid.nx)
                .filter(|&cell| grid.counts(cell))
                .count();
            assert_eq!(count, own, "{case:?}");
            assert_eq!(grid.repeated, grid.ny * grid.nx - own, "{case:?}");
            for cell in 0..grid.ny * grid.nx {
                let original = grid.own(cell).unwrap();
                assert!(grid.counts(original), "{case:?}");
                let place = |cell: usize| vector(grid.longitude.at(cell), grid.latitude.at(cell));
                assert!(chord(place(cell), place(original)) < 2e-6, "{case:?}");
            }
        }
    }
}

#[test]
fn a_row_of_cells_at_the_pole_repeats_nothing() {
    let (lon, lat): (Vec<f64>, Vec<f64>) = (0..13 * 24)
        .map(|cell| {
            (
                15.0 * f64::from(cell % 24),
                -90.0 + 15.0 * f64::from(cell / 24),
            )
        })
        .unzip();
    assert_eq!(SourceGrid::new(13, 24, lon, lat, None).unwrap().repeated, 0);
}

#[test]
fn a_target_at_the_centre_of_a_cell_takes_it_even_at_seam_and_poles() {
    let target = TargetGrid::global(36, 18);
    for shift in [0.0, 360.0, -360.0] {
        let (lon, lat): (Vec<f64>, Vec<f64>) = (0..target.len())
            .map(|at| (target.longitude(at % 36) + shift, target.latitude(at / 36)))
            .unzip();
        let source = SourceGrid::new(18, 36, lon, lat, None).unwrap();
        let each: Vec<usize> = (0..target.len()).collect();
        assert_eq!(whole(&source, &target), each);
        assert_eq!(cells(&in_degrees(&source, &target, 0..18)), each);
    }
}

#[test]
fn the_date_line_ends_the_plane_but_not_the_sphere() {
    let source = SourceGrid::new(1, 3, vec![179.5, 170.0, -160.0], vec![0.0; 3], None).unwrap();
    let target = TargetGrid {
        nx: 1,
        ny: 1,
        west: -180.0,
        south: -1.0,
        east: -178.0,
        north: 1.0,
    };
    assert_eq!(whole(&source, &target), [0]);
    assert_eq!(cells(&in_degrees(&source, &target, 0..1)), [2]);
}

#[test]
fn of_equally_near_cells_the_first_is_taken() {
    let lon: Vec<f64> = (0..8).map(|i| 45.0 * f64::from(7 - i)).collect();
    let source = SourceGrid::new(1, 8, lon, vec![70.0; 8], None).unwrap();
    // At the pole all are as near; between two columns, two.
    let pole = TargetGrid {
        nx: 5,
        ny: 1,
        west: 0.0,
        south: 90.0,
        east: 360.0,
        north: 90.0,
    };
    assert_eq!(whole(&source, &pole), [0; 5]);
    let between = TargetGrid {
        nx: 1,
        ny: 1,
        west: 45.0,
        south: 69.0,
        east: 90.0,
        north: 71.0,
    };
    assert_eq!(whole(&source, &between), [5]);
    assert_eq!(cells(&in_degrees(&source, &between, 0..1)), [5]);
}

#[test]
fn repeats_take_part_in_degrees_only() {
    let source = tripolar(30, 40, false, true, true);
    let target = TargetGrid::global(72, 36);
    assert!(
        whole(&source, &target)
            .iter()
            .all(|&cell| source.counts(cell))
    );
    let flat = cells(&in_degrees(&source, &target, 0..36));
    assert!(flat.iter().any(|&cell| !source.counts(cell)));
}

/// Where all cells that take part lie.
fn points<S: Space<K>, const K: usize>(
    source: &SourceGrid,
    takes_part: impl Fn(usize) -> bool,
) -> Vec<([f64; K], usize)> {
    let cells = (0..source.nx * source.ny).filter(|&cell| takes_part(cell));
    let place = |cell| S::point(source.longitude.at(cell), source.latitude.at(cell));
    cells.map(|cell| (place(cell), cell)).collect()
}

/// The cell that trying all gives: of those at most a tie further than the nearest the first.
fn of_all<S: Space<K>, const K: usize>(
    points: &[([f64; K], usize)],
    (longitude, latitude): (f64, f64),
) -> usize {
    let point = S::point(longitude, latitude);
    let squares: Vec<f64> = points
        .iter()
        .map(|(other, _)| square(other, &point))
        .collect();
    let radius = squares.iter().copied().fold(f64::INFINITY, f64::min).sqrt() + S::TIE;
    let first = squares.iter().position(|&square| square <= radius * radius);
    points[first.unwrap()].1
}

/// So many degrees of a box around a place, as a model's grid turned by some degrees, with some of its cells missing.
fn region(
    [ny, nx]: [usize; 2],
    [longitude, latitude]: [f64; 2],
    width: f64,
    turned: f64,
    missing: &[bool],
) -> SourceGrid {
    let (sin, cos) = turned.to_radians().sin_cos();
    let step = width / nx.max(ny) as f64;
    let (lon, lat): (Vec<f64>, Vec<f64>) = (0..ny * nx)
        .map(|cell| {
            let x = ((cell % nx) as f64 - nx as f64 / 2.0) * step;
            let y = ((cell / nx) as f64 - ny as f64 / 2.0) * step;
            let place = latitude + sin * x + cos * y;
            if missing[cell % missing.len()] || place.abs() > 90.0 {
                return (f64::NAN, f64::NAN);
            }
            (longitude + cos * x - sin * y, place)
        })
        .unzip();
    SourceGrid::new(ny, nx, lon, lat, None).unwrap()
}

/// Cells whose distance is computed, of a search of the whole target, for each of its cells.
fn tried<S: Space<K>, const K: usize>(tiles: &[Tiles<'_, S, K>], target: &TargetGrid) -> f64 {
    let mut search = Search::new(tiles);
    band_of(&mut search, target, 0..target.ny);
    search.tried as f64 / target.len() as f64
}

fn sphere(source: &SourceGrid) -> Tiles<'_, Sphere, 3> {
    Tiles::new(source, SourceGrid::counts)
}

#[test]
fn far_targets_are_found_without_trying_all_cells() {
    let target = TargetGrid::global(72, 36);
    // The North Sea, and a box across the date line: 500 × 500 cells each.
    for (place, turned) in [([3.0, 56.0], 0.0), ([179.0, -20.0], 35.0)] {
        let source = region([500, 500], place, 12.0, turned, &[false]);
        let counts = [
            tried(&[sphere(&source)], &target),
            tried(&halves(&source), &target),
        ];
        assert!(counts.iter().all(|&count| count < 1500.0), "{counts:?}");
    }
    // And close ones, of the whole globe.
    let target = TargetGrid::global(720, 360);
    let source = turned(300, 600, 24.0, 73.0);
    let count = tried(&[sphere(&source)], &target).max(tried(&halves(&source), &target));
    assert!(count < 250.0, "{count}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn far_targets_get_what_trying_all_gives(
        ny in 1_usize..40, nx in 2_usize..40, longitude in -180.0..180.0, latitude in -60.0..60.0,
        width in 0.1..60.0, turned in -90.0..90.0, missing in prop::collection::vec(prop::bool::weighted(0.2), 1..50),
    ) {
        prop_assume!(!missing.iter().all(|&missing| missing) && !missing[0]);
        let source = region([ny, nx], [longitude, latitude], width, turned, &missing);
        let target = TargetGrid::global(23, 13);
        let near = whole(&source, &target).into_iter().zip(cells(&in_degrees(&source, &target, 0..13)));
        let counting = points::<Sphere, 3>(&source, |cell| source.counts(cell));
        let placed = points::<Degrees, 2>(&source, |cell| source.own(cell).is_some());
        for (at, (on_sphere, in_degrees)) in near.enumerate() {
            let place = (target.longitude(at % 23), target.latitude(at / 23));
            prop_assert_eq!(on_sphere, of_all::<Sphere, 3>(&counting, place));
            prop_assert_eq!(in_degrees, of_all::<Degrees, 2>(&placed, place));
        }
    }

    #[test]
    fn no_cell_is_nearer(by in 0.0..180.0, about in -180.0..180.0, nx in 3usize..25, ny in 2usize..20, east in 1.0..360.0) {
        let source = turned(ny, nx, by, about);
        let target = TargetGrid { nx: 17, ny: 13, west: -180.0, south: -90.0, east: (-180.0 + east), north: 90.0 };
        let near = [whole(&source, &target), cells(&in_degrees(&source, &target, 0..13))];
        for at in 0..target.len() {
            for (space, near) in near.iter().enumerate() {
                let taken = distances(&source, &target, at, near[at])[space];
                for cell in 0..nx * ny {
                    let other = distances(&source, &target, at, cell)[space];
                    prop_assert!(taken < other + 1e-11, "{at} {cell}: {taken} {other}");
                }
            }
        }
    }

    #[test]
    fn scattered_cells_and_holes(points in prop::collection::vec((-180.0..180.0, -90.0..90.0, any::<bool>()), 2..60)) {
        prop_assume!(points.iter().any(|point| !point.2));
        let hole = |value: f64, is: bool| if is { f64::NAN } else { value };
        let (lon, lat): (Vec<f64>, Vec<f64>) = points.iter().map(|&(lon, lat, is)| (lon, hole(lat, is))).unzip();
        let source = SourceGrid::new(1, points.len(), lon, lat, None).unwrap();
        let target = TargetGrid::global(9, 7);
        let near = [whole(&source, &target), cells(&in_degrees(&source, &target, 0..7))];
        for at in 0..target.len() {
            for (space, near) in near.iter().enumerate() {
                prop_assert!(source.own(near[at]).is_some());
                let taken = distances(&source, &target, at, near[at])[space];
                for cell in (0..points.len()).filter(|&cell| source.own(cell).is_some()) {
                    prop_assert!(taken < distances(&source, &target, at, cell)[space] + 1e-11);
                }
            }
        }
    }

    #[test]
    fn neither_the_cut_nor_the_range_of_longitudes_matters(cut in 0usize..30, halo: bool, pivot: bool) {
        let source = tripolar(30, 40, pivot, halo, true);
        let target = TargetGrid::global(40, 30);
        let all = whole(&source, &target);
        let mut parts = cells(&on_sphere(&source, &target, 0..cut));
        parts.extend(cells(&on_sphere(&source, &target, cut..30)));
        prop_assert_eq!(&parts, &all);
        let cells = 0..source.longitude.len();
        let positive: Vec<f64> = cells.map(|cell| source.longitude.at(cell).rem_euclid(360.0)).collect();
        let moved = SourceGrid::new(source.ny, source.nx, positive, source.latitude.clone(), None).unwrap();
        prop_assert_eq!(whole(&moved, &target), all);
    }
}
