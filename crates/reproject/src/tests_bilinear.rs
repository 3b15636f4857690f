//! Bilinear weights on grids whose values are known.

use proptest::prelude::*;

use super::quads::Quads;
use super::source::SourceGrid;
use super::target::TargetGrid;
use super::test_grids::{
    North, grid, linear_error, place, rotated, row, sum, tripolar, unrotated_latitude,
};
use super::weights::Weights;

fn weights(source: &SourceGrid, target: &TargetGrid) -> Weights {
    super::bilinear::weights(source, target, 0..target.ny)
}

const DIRECTION: [f64; 3] = [0.3, -0.8, 0.5];

/// Root of the mean square error of a function linear in x, y and z, where there are weights.
fn mean_error(source: &SourceGrid, target: &TargetGrid) -> f64 {
    let weights = weights(source, target);
    let squares: Vec<f64> = (0..target.len())
        .filter_map(|at| linear_error(source, target, &weights, at, DIRECTION))
        .map(|error| error * error)
        .collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

#[test]
fn a_tripolar_grid_has_no_gap_at_seam_fold_and_pole() {
    let target = TargetGrid::global(97, 180);
    for (nx, north) in [24, 60]
        .into_iter()
        .flat_map(|nx| [North::Fold, North::Halo, North::Pivot].map(|north| (nx, north)))
    {
        let source = tripolar(nx, north);
        let weights = weights(&source, &target);
        let south = source.latitude.at(0);
        for at in 0..target.len() {
            let (longitude, latitude) = place(&target, at);
            let what = format!("{nx} columns, {north:?}, at {longitude} {latitude}");
            // Great circles between cells of the first row lie south of it by less than 2 degrees.
            if latitude > south {
                assert!((sum(&weights, at) - 1.0).abs() < 1e-6, "{what}");
                let error = linear_error(&source, &target, &weights, at, DIRECTION).unwrap();
                assert!(error < 0.6 / f64::from(nx as u32), "{what}: {error}");
            } else if latitude < south - 2.0 {
                assert!(row(&weights, at).is_empty(), "{what}");
            }
            for (cell, _) in row(&weights, at) {
                assert!(source.counts(cell), "{what}: repeats are not used");
            }
        }
    }
}

#[test]
fn a_halo_changes_no_value() {
    let target = TargetGrid::global(72, 36);
    let (plain, halo) = (tripolar(32, North::Fold), tripolar(32, North::Halo));
    let (a, b) = (weights(&plain, &target), weights(&halo, &target));
    let value = |source: &SourceGrid, weights: &Weights, at: usize| -> f64 {
        let entries = row(weights, at);
        entries
            .iter()
            .map(|&(cell, weight)| weight * source.longitude.at(cell).to_radians().sin())
            .sum()
    };
    for at in 0..target.len() {
        let (a, b) = (value(&plain, &a, at), value(&halo, &b, at));
        assert!((a - b).abs() < 1e-6, "{at}: {a} {b}");
    }
}

#[test]
fn a_linear_function_is_reproduced_to_second_order() {
    let target = TargetGrid::global(71, 37);
    for (coarse, fine) in [
        (rotated(20, 40, [12.0, 50.0]), rotated(40, 80, [12.0, 50.0])),
        (tripolar(40, North::Fold), tripolar(80, North::Fold)),
    ] {
        let ratio = mean_error(&coarse, &target) / mean_error(&fine, &target);
        assert!((3.5..4.6).contains(&ratio), "{ratio}");
    }
}

#[test]
fn a_point_in_a_quad_gets_that_quad() {
    // 10 degrees, centres at 5, 15, …: the date line lies between the last and the first column.
    let source = rotated(18, 36, [-180.0, 0.0]);
    let target = TargetGrid::global(90, 61);
    let weights = weights(&source, &target);
    for at in 0..target.len() {
        let (longitude, latitude) = place(&target, at);
        // Great-circle sides bulge.
        let y = (latitude + 85.0) / 10.0;
        if !(0.0..17.0).contains(&y) || (y - y.round()).abs() < 0.1 {
            continue;
        }
        let (j, x) = (
            y.floor() as usize,
            (longitude + 175.0).rem_euclid(360.0) / 10.0,
        );
        let (i, next) = (x.floor() as usize, (x.floor() as usize + 1) % 36);
        let mut expected = [
            j * 36 + i,
            j * 36 + next,
            (j + 1) * 36 + i,
            (j + 1) * 36 + next,
        ];
        expected.sort_unstable();
        let cells: Vec<usize> = row(&weights, at).iter().map(|entry| entry.0).collect();
        assert_eq!(cells, expected, "{longitude} {latitude}");
    }
}

#[test]
fn a_target_on_a_cell_gets_its_value() {
    let source = rotated(18, 36, [-180.0, 0.0]);
    let target = TargetGrid::global(36, 18);
    let weights = weights(&source, &target);
    for at in 0..target.len() {
        let (j, i) = (17 - at / 36, at % 36);
        assert_eq!(row(&weights, at), [(j * 36 + i, 1.0)]);
    }
}

#[test]
fn a_regional_grid_is_not_closed() {
    // 20 × 10 degrees across the date line.
    let source = grid(
        10,
        20,
        |j, i| (j, i),
        |j2, i2| (170.0 + 0.5 * i2 as f64, 60.0 + 0.5 * j2 as f64),
    );
    let quads = Quads::new(&source);
    let count = (0..quads.len())
        .filter(|&k| quads.cells(k).is_some())
        .count();
    assert_eq!(count, 9 * 19);
    let covered = |target: TargetGrid| -> Vec<(f64, Vec<(usize, f64)>)> {
        let weights = weights(&source, &target);
        let mut rows: Vec<_> = (0..target.len())
            .filter(|&at| !row(&weights, at).is_empty())
            .map(|at| (place(&target, at).0.rem_euclid(360.0), row(&weights, at)))
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows
    };
    let globe = TargetGrid::global(400, 200);
    let shifted = TargetGrid {
        west: 0.0,
        east: 360.0,
        ..globe
    };
    let narrow = TargetGrid {
        nx: 40,
        west: 162.0,
        east: 198.0,
        ..globe
    };
    let rows = covered(globe);
    assert!(rows.len() > 200 && rows.len() < 400, "{}", rows.len());
    for other in [covered(shifted), covered(narrow)] {
        assert_eq!(other.len(), rows.len());
        for (a, b) in rows.iter().zip(&other) {
            assert!((a.0 - b.0).abs() < 1e-9);
            for (a, b) in a.1.iter().zip(&b.1) {
                assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-6, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn quads_leave_out_holes() {
    let whole = rotated(6, 8, [0.0, 0.0]);
    let cells = 0..whole.latitude.len();
    let mut latitude: Vec<f64> = cells.map(|cell| whole.latitude.at(cell)).collect();
    latitude[2 * 8 + 3] = f64::NAN;
    let source = SourceGrid::new(6, 8, whole.longitude.clone(), latitude, None).unwrap();
    let count = |source: &SourceGrid| {
        let quads = Quads::new(source);
        (0..quads.len())
            .filter(|&k| quads.cells(k).is_some())
            .count()
    };
    assert_eq!(count(&whole), count(&source) + 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rotated_grids_are_covered(
        ny in 12_usize..30, nx in 24_usize..60, z in -180.0..180.0, x in 1.0..179.0, cut in 1_usize..17,
    ) {
        let source = rotated(ny, nx, [z, x]);
        let target = TargetGrid::global(33, 18);
        let weights = weights(&source, &target);
        for at in 0..target.len() {
            let (longitude, latitude) = place(&target, at);
            // Its north pole is closed as a fold; around its south pole there are no cells.
            if unrotated_latitude(longitude, latitude, x) > -90.0 + 90.0 / ny as f64 {
                prop_assert!((sum(&weights, at) - 1.0).abs() < 1e-6);
                let error = linear_error(&source, &target, &weights, at, DIRECTION).unwrap();
                let spacing = (180.0 / ny as f64).max(360.0 / nx as f64).to_radians();
                prop_assert!(error < 0.3 * spacing * spacing, "{} {}", error, spacing);
            }
        }
        let parts = [0..cut, cut..18].map(|rows| super::bilinear::weights(&source, &target, rows));
        prop_assert_eq!(Weights::join(parts.to_vec()), weights);
    }
}
