//! The horizontal map: an analytic, orthogonal tripolar grid. Cells of equal longitude width on a
//! Mercator grid up to a joining latitude, and a bipolar cap above it whose two poles lie on land.
//! Pure mathematics on half-indices; it knows nothing of halos, land or files.
//!
//! After Murray (1996), "Explicit generation of orthogonal grids for ocean models", J. Comput. Phys.
//! 126, 251–273, §3: in the polar stereographic plane, scaled so that the joining parallel is the unit
//! circle, the cap's lines are the two families of circles of a bipolar coordinate system with its
//! poles at ±1. Those are the level lines of w = u + iψ in z = tanh(w/2), so they are orthogonal, and
//! ψ = π/2 is the joining parallel, ψ = 0 the straight line between the poles: the north fold. On the
//! joining parallel z = exp(iθ) gives u = ln cot(θ/2), so that a column keeps its longitude θ, and
//!
//! ```text
//! z = (cos θ + i sin θ sin ψ) / (1 + |sin θ| cos ψ).
//! ```
//!
//! All the cap's rows meet at its poles, where the cells beside them are triangles.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// Where the Mercator part ends and the cap's poles are, degrees north.
pub(crate) const JOIN_LATITUDE: f64 = 66.0;
/// The cap's first pole, in Siberia, degrees east; the other is opposite, in Canada (107° W).
/// Column 0 starts here, as in ORCA.
pub(crate) const POLE_LONGITUDE: f64 = 73.0;
/// Southern edge: the "e" of eORCA, which reaches under the Antarctic ice shelves.
pub(crate) const SOUTH_LATITUDE: f64 = -85.0;

/// The map of a grid of `nx × ny` cells (no halo).
#[derive(Debug, Clone)]
pub(crate) struct Tripolar {
    nx: usize,
    ny: usize,
    /// Rows are evenly spaced in a northward coordinate s from 0 at the southern edge to this at the
    /// fold; in it, cells as long as they are wide have the length 2π/nx.
    length: f64,
    /// South of this latitude (radians, positive) rows keep their meridional size.
    even_from: f64,
}

impl Tripolar {
    /// The rows are as tall as they are wide from the joining latitude down to a southern latitude
    /// that makes `ny` rows end at 85° S; south of it they keep their height (eORCA025: 58° S). When
    /// there are too few or too many rows for any such latitude, all are stretched alike.
    pub(crate) fn new(nx: usize, ny: usize) -> Self {
        let wanted = ny as f64 * 2.0 * PI / nx as f64;
        let (mut low, mut high) = (0.0, -SOUTH_LATITUDE.to_radians());
        // The length grows with the latitude: halve until the bits run out.
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if total_length(middle) < wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        let even_from = 0.5 * (low + high);
        Self {
            nx,
            ny,
            length: total_length(even_from),
            even_from,
        }
    }

    /// Latitude and longitude (degrees; longitude in [-180, 180)) of a point in half-indices:
    /// `2j + 1, 2i + 1` is the centre of cell `(j, i)`, `2j, 2i` its south-western corner.
    pub(crate) fn point(&self, j2: usize, i2: usize) -> (f64, f64) {
        // Both halves of the globe are computed from the same θ in [0, π], so that they mirror
        // each other, and corners at the fold coincide, to the last bit.
        let i2 = i2 % (2 * self.nx);
        let (i2, side) = if i2 > self.nx {
            (2 * self.nx - i2, -1.0)
        } else {
            (i2, 1.0)
        };
        let theta = PI * (i2 as f64 / self.nx as f64);
        let from_fold = self.length * (2 * self.ny - j2) as f64 / (2 * self.ny) as f64;
        let (latitude, longitude) = if from_fold > FRAC_PI_2 {
            (self.mercator_latitude(self.length - from_fold), theta)
        } else {
            cap(theta, from_fold)
        };
        (
            latitude.to_degrees(),
            wrap(POLE_LONGITUDE + side * longitude.to_degrees()),
        )
    }

    fn mercator_latitude(&self, s: f64) -> f64 {
        let south = -SOUTH_LATITUDE.to_radians();
        let even = (south - self.even_from) / self.even_from.cos();
        if s < even {
            s * self.even_from.cos() - south
        } else {
            let y = s - even - mercator(self.even_from);
            2.0 * y.exp().atan() - FRAC_PI_2
        }
    }
}

/// The cap, radians: z of the module's heading, back from the stereographic plane.
fn cap(theta: f64, psi: f64) -> (f64, f64) {
    // Exactly 0 at the far pole, so that all rows meet it in the same point.
    let (sin, cos) = if theta < PI {
        theta.sin_cos()
    } else {
        (0.0, -1.0)
    };
    let scale = 1.0 + sin * psi.cos();
    let (re, im) = (cos / scale, sin * psi.sin() / scale);
    let joining_radius = (FRAC_PI_4 - 0.5 * JOIN_LATITUDE.to_radians()).tan();
    let latitude = FRAC_PI_2 - 2.0 * (re.hypot(im) * joining_radius).atan();
    (latitude, im.atan2(re))
}

/// The Mercator ordinate of a latitude in radians.
fn mercator(latitude: f64) -> f64 {
    (FRAC_PI_4 + 0.5 * latitude).tan().ln()
}

/// Length of the northward coordinate when rows keep their height south of `even_from` (radians).
fn total_length(even_from: f64) -> f64 {
    let south = -SOUTH_LATITUDE.to_radians();
    FRAC_PI_2
        + mercator(JOIN_LATITUDE.to_radians())
        + mercator(even_from)
        + (south - even_from) / even_from.cos()
}

fn wrap(degrees: f64) -> f64 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use super::*;

    type Vector = [f64; 3];

    fn vector((latitude, longitude): (f64, f64)) -> Vector {
        let (sin, cos) = latitude.to_radians().sin_cos();
        let (east, west) = longitude.to_radians().sin_cos();
        [cos * west, cos * east, sin]
    }

    fn minus(a: Vector, b: Vector) -> Vector {
        [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
    }

    fn dot(a: Vector, b: Vector) -> f64 {
        a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    }

    fn cross(a: Vector, b: Vector) -> Vector {
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    }

    const SIZES: [(usize, usize); 4] = [(1440, 1206), (360, 331), (40, 30), (36, 90)];

    #[test]
    fn lines_cross_at_right_angles() {
        // The angle between chords is right only in the limit of small cells: take a fine grid, and
        // leave out the cells that touch the cap's poles, where the map is singular.
        let map = Tripolar::new(5760, 4824);
        for j in (0..4824).step_by(67) {
            for i in (5..5760).step_by(31) {
                let far_from_poles = i % 2880 > 60 && i % 2880 < 2820;
                let centre = |dj: usize, di: usize| vector(map.point(2 * j + dj, 2 * i + di));
                let (a, b) = (
                    minus(centre(1, 2), centre(1, 0)),
                    minus(centre(2, 1), centre(0, 1)),
                );
                let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
                let tolerance = if far_from_poles { 1e-3 } else { 2e-2 };
                assert!(cosine.abs() < tolerance, "({j}, {i}): {cosine}");
            }
        }
    }

    #[test]
    fn eorca025_cells_are_as_long_as_wide_at_mid_latitudes() {
        let map = Tripolar::new(1440, 1206);
        for j in (320..840).step_by(40) {
            let corner = |dj: usize, di: usize| vector(map.point(2 * (j + dj), 2 * (100 + di)));
            let wide = minus(corner(0, 1), corner(0, 0));
            let tall = minus(corner(1, 0), corner(0, 0));
            let ratio = (dot(tall, tall) / dot(wide, wide)).sqrt();
            assert!((ratio - 1.0).abs() < 0.01, "row {j}: {ratio}");
        }
    }

    #[test]
    fn the_poles_are_in_siberia_and_canada_and_the_grid_ends_at_85_south() {
        for (nx, ny) in SIZES {
            let map = Tripolar::new(nx, ny);
            let near = |a: (f64, f64), b: (f64, f64)| {
                assert!(
                    (a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9,
                    "{a:?} {b:?}"
                );
            };
            near(map.point(2 * ny, 0), (66.0, 73.0));
            near(map.point(2 * ny, nx), (66.0, -107.0));
            assert!((map.point(0, 7).0 + 85.0).abs() < 1e-9);
            assert!((map.point(2 * ny, nx / 2).0 - 90.0).abs() < 1e-5);
        }
    }

    #[test]
    fn the_fold_joins_mirrored_columns() {
        for (nx, ny) in SIZES {
            let map = Tripolar::new(nx, ny);
            for i2 in 0..=2 * nx {
                assert_eq!(map.point(2 * ny, i2), map.point(2 * ny, 2 * nx - i2));
                let (a, b) = (
                    map.point(2 * ny - 1, i2),
                    map.point(2 * ny - 1, 2 * nx - i2),
                );
                assert_eq!(a.0, b.0, "latitudes beside the fold");
                let mirrored = wrap(2.0 * POLE_LONGITUDE - b.1);
                assert!((wrap(a.1 - mirrored)).abs() < 1e-9, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn corners_enclose_centres() {
        for (nx, ny) in SIZES {
            let map = Tripolar::new(nx, ny);
            for j in (0..ny).step_by(ny / 30) {
                for i in (0..nx).step_by(nx / 36) {
                    let at_pole = [0, nx / 2 - 1, nx / 2, nx - 1].contains(&i);
                    // Great circles between the corners of coarse, flat cells at a pole of the cap
                    // bulge more than the cells are high.
                    if at_pole && nx < 100 {
                        continue;
                    }
                    let at = |dj: usize, di: usize| vector(map.point(2 * j + dj, 2 * i + di));
                    let ring = [at(0, 0), at(0, 2), at(2, 2), at(2, 0)];
                    for side in 0..4 {
                        let (from, to) = (ring[side], ring[(side + 1) % 4]);
                        // Cells at a pole are triangles in the cap: one side has no length.
                        if from == to {
                            assert!(at_pole && j >= ny / 2, "{nx}x{ny} ({j}, {i})");
                            continue;
                        }
                        // Counter-clockwise seen from outside: the centre is left of every side.
                        let left = dot(cross(from, to), at(1, 1));
                        assert!(left > 0.0, "{nx}x{ny} ({j}, {i}) side {side}: {left}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_point_is_nan_and_longitudes_are_in_range() {
        for (nx, ny) in SIZES {
            let map = Tripolar::new(nx, ny);
            for j2 in (0..=2 * ny).step_by(3).chain([2 * ny]) {
                for i2 in 0..=2 * nx {
                    let (latitude, longitude) = map.point(j2, i2);
                    assert!((-85.001..=90.0).contains(&latitude));
                    assert!((-180.0..180.0).contains(&longitude));
                }
            }
        }
    }
}
