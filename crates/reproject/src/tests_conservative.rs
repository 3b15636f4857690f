//! Conservative weights: what goes in comes out.

use std::f64::consts::{FRAC_PI_2, PI};

use proptest::prelude::*;

use super::corners::Corners;
use super::error::GridError;
use super::ring::{Corner, Ring};
use super::source::SourceGrid;
use super::target::TargetGrid;
use super::test_grids::{North, place, rotated, row, sum, tripolar};
use super::weights::Weights;

fn weights(source: &SourceGrid, target: &TargetGrid) -> Weights {
    super::conservative::weights(source, target, 0..target.ny).unwrap()
}

fn ring(corners: [(f64, f64); 4]) -> Ring {
    Ring::new(corners.map(|(lon, lat)| Corner::new(lon, lat))).unwrap()
}

/// A grid of one cell.
fn cell(corners: [(f64, f64); 4]) -> SourceGrid {
    let (longitude, latitude): (Vec<f64>, Vec<f64>) = corners.into_iter().unzip();
    let corners = Corners::new(longitude, latitude);
    SourceGrid::new(1, 1, vec![10.0], vec![20.0], Some(corners)).unwrap()
}

/// Area of target cell `at`, squared radii.
fn area(target: &TargetGrid, at: usize) -> f64 {
    let j = at / target.nx;
    let [north, south] = [j, j + 1].map(|j| target.parallel(j).to_radians().sin());
    (target.meridian(1) - target.meridian(0)).to_radians() * (north - south)
}

/// Area of each source cell, as its outline has it.
fn areas(source: &SourceGrid) -> Vec<f64> {
    let corners = source.corners.as_ref().unwrap();
    let cells = 0..source.nx * source.ny;
    cells
        .map(|cell| ring(corners.of(cell)).area().abs())
        .collect()
}

/// Area of each source cell, as it arrives in the target.
fn arrived(source: &SourceGrid, target: &TargetGrid) -> Vec<f64> {
    let weights = weights(source, target);
    let mut areas = vec![0.0; source.nx * source.ny];
    for at in 0..target.len() {
        for (cell, weight) in row(&weights, at) {
            areas[cell] += weight * area(target, at);
        }
    }
    areas
}

/// Does all of the cell with these corners arrive, in targets of several kinds and either way round?
fn check_cell(corners: [(f64, f64); 4]) -> f64 {
    let expected = ring(corners).area().abs();
    let globe = TargetGrid::global(37, 23);
    let (shifted, fine) = (
        TargetGrid {
            west: 0.0,
            east: 360.0,
            ..globe
        },
        TargetGrid::global(300, 180),
    );
    let [a, b, c, d] = corners;
    for corners in [corners, [d, c, b, a], [b, c, d, a]] {
        for target in [globe, shifted, fine] {
            let got = arrived(&cell(corners), &target)[0];
            assert!(
                (got - expected).abs() < 1e-6 * expected,
                "{corners:?}: {got} {expected}"
            );
        }
    }
    expected
}

#[test]
fn the_whole_globe_arrives() {
    let target = TargetGrid::global(50, 31);
    // With corners at the poles, and with the poles within cells.
    for source in [rotated(12, 24, [3.0, 0.0]), rotated(12, 24, [3.0, 37.0])] {
        let weights = weights(&source, &target);
        for at in 0..target.len() {
            assert!((sum(&weights, at) - 1.0).abs() < 1e-6, "{at}");
        }
        let total: f64 = arrived(&source, &target).iter().sum();
        assert!((total / (4.0 * PI) - 1.0).abs() < 1e-6, "{total}");
    }
}

#[test]
fn a_tripolar_grid_arrives_but_for_its_repeats() {
    let target = TargetGrid::global(45, 90);
    for north in [North::Fold, North::Halo, North::Pivot] {
        let source = tripolar(36, north);
        let weights = weights(&source, &target);
        let arrived = arrived(&source, &target);
        for (cell, area) in areas(&source).into_iter().enumerate() {
            let expected = if source.counts(cell) { area } else { 0.0 };
            let difference = (arrived[cell] - expected).abs();
            assert!(difference < 1e-6 * area + 1e-12, "{north:?} {cell}");
        }
        for at in 0..target.len() {
            let (longitude, latitude) = place(&target, at);
            // The T-pivot's own cell is folded upon itself: its four corners are two, without area.
            let pivot = north == North::Pivot
                && (latitude - 60.0).abs() < 5.0
                && ((longitude - 80.0).abs() < 9.0 || (longitude + 100.0).abs() < 9.0);
            if latitude > source.latitude.at(0) && !pivot {
                let sum = sum(&weights, at);
                assert!(
                    (sum - 1.0).abs() < 1e-6,
                    "{north:?} {longitude} {latitude}: {sum}"
                );
            }
        }
    }
}

#[test]
fn a_cell_around_a_pole() {
    for sign in [1.0, -1.0] {
        let at = |lon: f64, lat: f64| (lon, sign * lat);
        // Half an octahedron: four right-angled octants.
        let half = check_cell([0.0, 90.0, 180.0, 270.0].map(|lon| at(lon, 1.0)));
        assert!(half < 2.0 * PI && half > 6.0, "{half}");
        check_cell([
            at(-170.0, 80.0),
            at(-80.0, 85.0),
            at(10.0, 89.0),
            at(100.0, 70.0),
        ]);
        check_cell([
            at(10.0, 89.9),
            at(130.0, 89.95),
            at(250.0, 89.99),
            at(300.0, 89.9),
        ]);
    }
}

#[test]
fn a_cell_with_a_corner_or_a_side_at_a_pole() {
    for sign in [1.0, -1.0] {
        let at = |lon: f64, lat: f64| (lon, sign * lat);
        // An octant, whatever the longitude of its corner at the pole.
        for longitude in [0.0, 45.0, -130.0] {
            let octant = check_cell([
                at(0.0, 0.0),
                at(45.0, 0.0),
                at(90.0, 0.0),
                at(longitude, 90.0),
            ]);
            assert!((octant - FRAC_PI_2).abs() < 1e-12, "{octant}");
        }
        let octant = check_cell([
            at(170.0, 0.0),
            at(260.0, 0.0),
            at(260.0, 90.0),
            at(170.0, 90.0),
        ]);
        assert!((octant - FRAC_PI_2).abs() < 1e-12, "{octant}");
        // Three octants around the corner, an angle of 270 degrees.
        let three = check_cell([at(0.0, 0.0), at(135.0, 0.0), at(270.0, 0.0), at(7.0, 90.0)]);
        assert!((three - 3.0 * FRAC_PI_2).abs() < 1e-12, "{three}");
        // The first side leads across the pole.
        check_cell([
            at(20.0, 80.0),
            at(200.0, 85.0),
            at(170.0, 70.0),
            at(60.0, 60.0),
        ]);
    }
}

#[test]
fn a_cell_across_the_date_line_and_the_equator() {
    check_cell([(175.0, -4.0), (-178.0, -6.0), (-170.0, 5.0), (172.0, 7.0)]);
    check_cell([(535.0, -4.0), (182.0, -6.0), (-170.0, 5.0), (-188.0, 7.0)]);
    // Sides along the equator and a meridian of the target.
    check_cell([(0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0)]);
}

#[test]
fn a_cell_that_is_not_convex_is_two_triangles() {
    let [a, b, c, d] = [(0.0, 40.0), (30.0, 35.0), (8.0, 43.0), (5.0, 62.0)];
    check_cell([a, b, c, d]);
    let target = TargetGrid::global(120, 90);
    let [whole, first, second] =
        [[a, b, c, d], [a, b, c, c], [a, c, d, d]].map(|corners| weights(&cell(corners), &target));
    for at in 0..target.len() {
        let parts = sum(&first, at) + sum(&second, at);
        assert!((sum(&whole, at) - parts).abs() < 1e-6, "{at}");
    }
}

#[test]
fn a_box_gets_what_lies_in_it() {
    let source = rotated(12, 24, [3.0, 37.0]);
    for (west, south, east, north) in [
        (-20.0, 30.0, 60.0, 90.0),
        (150.0, -90.0, 230.0, -10.0),
        (-180.0, -5.0, -100.0, 5.0),
    ] {
        let target = TargetGrid {
            nx: 16,
            ny: 9,
            west,
            south,
            east,
            north,
        };
        let weights = weights(&source, &target);
        for at in 0..target.len() {
            assert!((sum(&weights, at) - 1.0).abs() < 1e-6, "{at}");
        }
    }
}

#[test]
fn without_corners_there_is_no_area() {
    let mut source = rotated(4, 8, [0.0, 0.0]);
    source.corners = None;
    let target = TargetGrid::global(8, 4);
    let refused = super::conservative::weights(&source, &target, 0..4);
    assert_eq!(refused, Err(GridError::NoCorners));
}

/// A side may begin on a meridian beyond the target's last, to within rounding.
#[test]
fn sides_beyond_the_window_are_left_out() {
    let source = rotated(6, 7, [-29.585_276_385_622_12, 90.743_799_901_922_49]);
    let target = TargetGrid::global(16, 3);
    for (got, area) in arrived(&source, &target).iter().zip(&areas(&source)) {
        assert!((got - area).abs() < 1e-6 * area, "{got} {area}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rotated_grids_keep_areas_and_integrals(
        ny in 5_usize..14, nx in 5_usize..24, z in -180.0..180.0, x in 0.5..179.5,
        tx in 3_usize..40, ty in 3_usize..30, cut in 0.0..1.0,
        field in prop::collection::vec((-5.0..30.0, any::<bool>()), 14 * 24),
    ) {
        let source = rotated(ny, nx, [z, x]);
        let target = TargetGrid::global(tx, ty);
        let weights = weights(&source, &target);
        let areas = areas(&source);
        for (got, area) in arrived(&source, &target).iter().zip(&areas) {
            prop_assert!((got - area).abs() < 1e-6 * area, "{} {}", got, area);
        }
        // The mean of each target cell over its wet parts, times the area of these, adds up to the wet integral.
        let (mut integral, mut size) = (0.0, 0.0);
        for at in 0..target.len() {
            prop_assert!((sum(&weights, at) - 1.0).abs() < 1e-6);
            let wet = row(&weights, at).into_iter().filter(|&(cell, _)| field[cell].1);
            let (total, weight) = wet.fold((0.0, 0.0), |(total, weight), (cell, w)| {
                (total + w * field[cell].0, weight + w)
            });
            if weight > 0.0 {
                integral += total / weight * (weight * area(&target, at));
                size += total.abs() * area(&target, at);
            }
        }
        let expected: f64 = areas
            .iter()
            .zip(&field)
            .filter(|(_, (_, wet))| *wet)
            .map(|(area, (value, _))| area * value)
            .sum();
        prop_assert!((integral - expected).abs() <= 1e-6 * size.max(1e-9));
        let cut = (cut * ty as f64) as usize;
        let parts = [0..cut, cut..ty].map(|rows| super::conservative::weights(&source, &target, rows).unwrap());
        prop_assert_eq!(Weights::join(parts.to_vec()), weights);
    }
}
