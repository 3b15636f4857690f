//! Grids that the tests of this room project from and to.

use super::corners::Corners;
use super::source::SourceGrid;
use super::sphere::{Vector, dot, vector};
use super::target::TargetGrid;
use super::weights::{WeightSlab, Weights};

/// The grid whose centres and corners are `point(2j + 1, 2i + 1)` and the four around it, in half-indices.
pub(super) fn grid(
    ny: usize,
    nx: usize,
    core: impl Fn(usize, usize) -> (usize, usize),
    point: impl Fn(usize, usize) -> (f64, f64),
) -> SourceGrid {
    let mut centres = Vec::new();
    let mut corners = Vec::new();
    for j in 0..ny {
        for i in 0..nx {
            let (j, i) = core(j, i);
            centres.push(point(2 * j + 1, 2 * i + 1));
            for (dj, di) in [(0, 0), (0, 2), (2, 2), (2, 0)] {
                corners.push(point(2 * j + dj, 2 * i + di));
            }
        }
    }
    let (longitude, latitude): (Vec<f64>, Vec<f64>) = centres.into_iter().unzip();
    let (lon, lat): (Vec<f64>, Vec<f64>) = corners.into_iter().unzip();
    let corners = Corners::new(lon, lat);
    SourceGrid::new(ny, nx, longitude, latitude, Some(corners)).unwrap()
}

/// A regular grid of the whole globe, turned about two axes by these degrees.
pub(super) fn rotated(ny: usize, nx: usize, [about_z, about_x]: [f64; 2]) -> SourceGrid {
    let same = |j, i| (j, i);
    grid(ny, nx, same, |j2, i2| {
        let latitude = 90.0 * (j2 as f64 / ny as f64 - 1.0);
        let longitude = 180.0 * i2 as f64 / nx as f64 + about_z;
        if about_x == 0.0 {
            return (longitude, latitude);
        }
        let [x, y, z] = vector(longitude, latitude);
        let (sin, cos) = about_x.to_radians().sin_cos();
        degrees([x, cos * y - sin * z, sin * y + cos * z])
    })
}

/// Latitude in the unturned grid of [`rotated`].
pub(super) fn unrotated_latitude(longitude: f64, latitude: f64, about_x: f64) -> f64 {
    let [_, y, z] = vector(longitude, latitude);
    let (sin, cos) = about_x.to_radians().sin_cos();
    (cos * z - sin * y).asin().to_degrees()
}

fn degrees([x, y, z]: Vector) -> (f64, f64) {
    (y.atan2(x).to_degrees(), z.atan2(x.hypot(y)).to_degrees())
}

/// How a tripolar grid ends in the north.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum North {
    /// With the row along the fold: F-pivot.
    Fold,
    /// With that row once more, and the column of the other side at either end.
    Halo,
    /// With the row whose centres lie on the fold, one half of which repeats the other: T-pivot.
    Pivot,
}

/// A tripolar grid from 80° S, `nx` columns by `nx / 2 + nx / 4` rows and the halo, whose cap from 60° N has its poles at
/// 80° E and 100° W (Murray 1996, §3).
pub(super) fn tripolar(nx: usize, north: North) -> SourceGrid {
    let (south, cap) = (nx / 2, nx / 4);
    let ny = south + cap;
    let point = |j2: usize, i2: usize| {
        let degrees = 180.0 * (i2 % (2 * nx)) as f64 / nx as f64;
        if j2 <= 2 * south {
            return (degrees + 80.0, 70.0 * j2 as f64 / south as f64 - 80.0);
        }
        let psi = 45.0 * (2 * ny - j2) as f64 / cap as f64;
        let (sin_psi, cos_psi) = psi.to_radians().sin_cos();
        let (sin, cos) = degrees.to_radians().sin_cos();
        let scale = 15f64.to_radians().tan() / (1.0 + sin.abs() * cos_psi);
        let (x, y) = (scale * cos, scale * sin * sin_psi);
        let latitude = 90.0 - 2.0 * x.hypot(y).atan().to_degrees();
        (y.atan2(x).to_degrees() + 80.0, latitude)
    };
    match north {
        North::Fold => grid(ny, nx, |j, i| (j, i), point),
        North::Halo => {
            let core = |j: usize, i: usize| {
                let i = (i + nx - 1) % nx;
                if j == ny {
                    (ny - 1, nx - 1 - i)
                } else {
                    (j, i)
                }
            };
            grid(ny + 1, nx + 2, core, point)
        }
        North::Pivot => grid(
            ny,
            nx,
            |j, i| (j, i),
            |j2, i2| {
                let (j2, i2) = (j2 + 1, i2 + 2 * nx - 1);
                if j2 > 2 * ny {
                    point(4 * ny - j2, 4 * nx - i2)
                } else {
                    point(j2, i2)
                }
            },
        ),
    }
}

/// The source cells and weights of target cell `row`.
pub(super) fn row(weights: &Weights, row: usize) -> Vec<(usize, f64)> {
    let slab = weights.from(row).next();
    let Some((WeightSlab::Many(sparse), first)) = slab else {
        panic!("one weight each");
    };
    let entries = sparse.rows(first).next().unwrap().entries();
    entries
        .map(|(cell, weight)| (cell as usize, f64::from(weight)))
        .collect()
}

/// Sum of the weights of target cell `at`.
pub(super) fn sum(weights: &Weights, at: usize) -> f64 {
    row(weights, at).iter().map(|(_, weight)| weight).sum()
}

/// Longitude and latitude of a target cell.
pub(super) fn place(target: &TargetGrid, at: usize) -> (f64, f64) {
    (
        target.longitude(at % target.nx),
        target.latitude(at / target.nx),
    )
}

/// Error of the function `direction · x`, linear in space, as the weights have it; `None` where there are none.
pub(super) fn linear_error(
    source: &SourceGrid,
    target: &TargetGrid,
    weights: &Weights,
    at: usize,
    direction: Vector,
) -> Option<f64> {
    let entries = row(weights, at);
    let value: f64 = entries
        .iter()
        .map(|&(cell, weight)| {
            let point = vector(source.longitude.at(cell), source.latitude.at(cell));
            weight * dot(direction, point)
        })
        .sum();
    let (longitude, latitude) = place(target, at);
    let exact = dot(direction, vector(longitude, latitude));
    (!entries.is_empty()).then_some((value - exact).abs())
}
