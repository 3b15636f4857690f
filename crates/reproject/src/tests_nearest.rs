//! The nearest cell, held against a search of all cells, and the cells that ORCA files have twice.

use proptest::prelude::*;

use super::nearest::{in_degrees, on_sphere};
use super::source::SourceGrid;
use super::sphere::{chord, vector};
use super::target::TargetGrid;
use super::weights::Weights;

fn cells(weights: Weights) -> Vec<usize> {
    let Weights::One(cells) = weights else {
        panic!("one cell each");
    };
    cells.into_iter().map(|cell| cell as usize).collect()
}

fn whole(source: &SourceGrid, target: &TargetGrid) -> Vec<usize> {
    cells(on_sphere(source, target, 0..target.ny))
}

/// Distance on the sphere, and in degrees, of a target's cell from a source's.
fn distances(source: &SourceGrid, target: &TargetGrid, at: usize, cell: usize) -> [f64; 2] {
    let (x, y) = (
        target.longitude(at % target.nx),
        target.latitude(at / target.nx),
    );
    let (lon, lat) = (source.longitude[cell], source.latitude[cell]);
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
    let (lon, lat) = (0..ny * nx)
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
    let (lon, lat) = both.into_iter().unzip();
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
                let place = |cell: usize| vector(grid.longitude[cell], grid.latitude[cell]);
                assert!(chord(place(cell), place(original)) < 2e-6, "{case:?}");
            }
        }
    }
}

#[test]
fn a_row_of_cells_at_the_pole_repeats_nothing() {
    let (lon, lat) = (0..13 * 24)
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
        let (lon, lat) = (0..target.len())
            .map(|at| (target.longitude(at % 36) + shift, target.latitude(at / 36)))
            .unzip();
        let source = SourceGrid::new(18, 36, lon, lat, None).unwrap();
        let each: Vec<usize> = (0..target.len()).collect();
        assert_eq!(whole(&source, &target), each);
        assert_eq!(cells(in_degrees(&source, &target, 0..18)), each);
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
    assert_eq!(cells(in_degrees(&source, &target, 0..1)), [2]);
}

#[test]
fn of_equally_near_cells_the_first_is_taken() {
    let lon = (0..8).map(|i| 45.0 * f64::from(7 - i)).collect();
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
    assert_eq!(cells(in_degrees(&source, &between, 0..1)), [5]);
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
    let flat = cells(in_degrees(&source, &target, 0..36));
    assert!(flat.iter().any(|&cell| !source.counts(cell)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_cell_is_nearer(by in 0.0..180.0, about in -180.0..180.0, nx in 3usize..25, ny in 2usize..20, east in 1.0..360.0) {
        let source = turned(ny, nx, by, about);
        let target = TargetGrid { nx: 17, ny: 13, west: -180.0, south: -90.0, east: (-180.0 + east), north: 90.0 };
        let near = [whole(&source, &target), cells(in_degrees(&source, &target, 0..13))];
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
        let (lon, lat) = points.iter().map(|&(lon, lat, is)| (lon, hole(lat, is))).unzip();
        let source = SourceGrid::new(1, points.len(), lon, lat, None).unwrap();
        let target = TargetGrid::global(9, 7);
        let near = [whole(&source, &target), cells(in_degrees(&source, &target, 0..7))];
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
        let mut parts = cells(on_sphere(&source, &target, 0..cut));
        parts.extend(cells(on_sphere(&source, &target, cut..30)));
        prop_assert_eq!(&parts, &all);
        let positive = source.longitude.iter().map(|lon| lon.rem_euclid(360.0)).collect();
        let moved = SourceGrid::new(source.ny, source.nx, positive, source.latitude.clone(), None).unwrap();
        prop_assert_eq!(whole(&moved, &target), all);
    }
}
