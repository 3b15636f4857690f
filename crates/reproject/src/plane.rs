//! The place of a point within a quad, solved in the plane that touches the sphere there.
//!
//! Key types: [`Plane`], [`PlanePoint`].

use super::sphere::{Vector, dot};

/// A point this close to a side, in radii (6 µm), lies on it.
const ON_SIDE: f64 = 1e-12;

/// The plane that touches the sphere in a point, which is its origin. Seen from the middle of the sphere (the gnomonic
/// projection), great circles are straight lines in it.
pub(super) struct Plane {
    origin: Vector,
    east: Vector,
    north: Vector,
}

impl Plane {
    /// Of the point with this sine and cosine of the latitude and of the longitude.
    pub(super) fn new((sin_lat, cos_lat): (f64, f64), (sin_lon, cos_lon): (f64, f64)) -> Self {
        Self {
            origin: [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
            east: [-sin_lon, cos_lon, 0.0],
            north: [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
        }
    }

    /// The corners in the plane; `None` if one is a quarter of the globe away, or more.
    pub(super) fn project(&self, corners: [Vector; 4]) -> Option<[PlanePoint; 4]> {
        let scales = corners.map(|corner| dot(corner, self.origin));
        scales.iter().all(|&scale| scale > 1e-3).then(|| {
            [0, 1, 2, 3].map(|k| {
                let corner = corners[k];
                [
                    dot(corner, self.east) / scales[k],
                    dot(corner, self.north) / scales[k],
                ]
            })
        })
    }
}

/// East and north of the origin, in radii of the sphere.
pub(super) type PlanePoint = [f64; 2];

fn turn(a: PlanePoint, b: PlanePoint) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

fn difference(a: PlanePoint, b: PlanePoint) -> PlanePoint {
    [a[0] - b[0], a[1] - b[1]]
}

/// The weights of a quad's corners at the origin; `None` if that lies outside, or the quad has no area.
pub(super) fn between(corners: [PlanePoint; 4]) -> Option<[f64; 4]> {
    if !contains_origin(corners) {
        return None;
    }
    inverse(corners).or_else(|| in_triangle(corners))
}

/// Is the origin within the quad or on one of its sides? Of two quads that share a side, no point falls between.
fn contains_origin(corners: [PlanePoint; 4]) -> bool {
    let mut within = false;
    for k in 0..4 {
        let (a, b) = (corners[k], corners[(k + 1) % 4]);
        let area = turn(a, b);
        // Sides that cross the axis to the east: an odd number from within.
        if (a[1] > 0.0) != (b[1] > 0.0) && (area > 0.0) == (b[1] > 0.0) {
            within = !within;
        }
        let side = difference(b, a);
        let length = (side[0] * side[0] + side[1] * side[1]).sqrt();
        let along = -(a[0] * side[0] + a[1] * side[1]);
        let reach = ON_SIDE * length;
        let on_line = length > ON_SIDE && area.abs() <= reach;
        if on_line && along >= -reach && along <= length * length + reach {
            return true;
        }
    }
    within
}

/// The weights from the inverse of the bilinear map (s, t) → a + s·ab + t·ad + s·t·twist, the corners being a, b, c, d;
/// `None` if no s and t from 0 to 1 lead to the origin, as may be in quads that are not convex.
fn inverse(corners: [PlanePoint; 4]) -> Option<[f64; 4]> {
    let a = corners[0];
    let (ab, ad) = (difference(corners[1], a), difference(corners[3], a));
    let twist = difference(difference(corners[2], corners[1]), ad);
    // (ab + t·twist) × (−a − t·ad) = 0, a quadratic equation for t.
    let (two, one, zero) = (turn(ad, twist), turn(ad, ab) + turn(a, twist), turn(a, ab));
    let root = (one * one - 4.0 * two * zero).max(0.0).sqrt();
    // Without taking the difference of numbers that may be almost equal.
    let larger = -0.5 * (one + root.copysign(one));
    let solutions = [zero / larger, larger / two];
    solutions.into_iter().find_map(|t| {
        let along = [ab[0] + t * twist[0], ab[1] + t * twist[1]];
        let rest = [-a[0] - t * ad[0], -a[1] - t * ad[1]];
        let length = along[0] * along[0] + along[1] * along[1];
        let s = (along[0] * rest[0] + along[1] * rest[1]) / length;
        // NaN, of 0/0 or ∞, is in no range.
        let inside = [s, t].iter().all(|x| (-1e-6..=1.0 + 1e-6).contains(x));
        let (s, t) = (s.clamp(0.0, 1.0), t.clamp(0.0, 1.0));
        inside.then_some([(1.0 - s) * (1.0 - t), s * (1.0 - t), s * t, (1.0 - s) * t])
    })
}

/// The weights from the triangle of three of the corners that contains the origin best; `None` if all lie on a line.
fn in_triangle(corners: [PlanePoint; 4]) -> Option<[f64; 4]> {
    let triangles = (0..4).filter_map(|without| {
        let [a, b, c] = [1, 2, 3].map(|step| (without + step) % 4);
        let areas = [(b, c), (c, a), (a, b)].map(|(from, to)| turn(corners[from], corners[to]));
        let whole: f64 = areas.iter().sum();
        let shares = areas.map(|area| area / whole);
        let least = shares[0].min(shares[1]).min(shares[2]);
        let mut weights = [0.0; 4];
        for (corner, share) in [a, b, c].into_iter().zip(shares) {
            weights[corner] = share.max(0.0);
        }
        least.is_finite().then_some((least, weights))
    });
    let (_, weights) = triangles.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let sum: f64 = weights.iter().sum();
    Some(weights.map(|weight| weight / sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place that the weights say.
    fn mean(corners: [PlanePoint; 4], weights: [f64; 4]) -> PlanePoint {
        [0, 1].map(|axis| (0..4).map(|k| corners[k][axis] * weights[k]).sum())
    }

    fn check(corners: [PlanePoint; 4]) -> [f64; 4] {
        let weights = between(corners).unwrap();
        let place = mean(corners, weights);
        assert!(
            place[0].abs() < 1e-12 && place[1].abs() < 1e-12,
            "{place:?}"
        );
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(weights.iter().all(|&weight| weight >= 0.0), "{weights:?}");
        weights
    }

    #[test]
    fn the_middle_of_a_square_has_quarters() {
        let square = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        for weight in check(square) {
            assert!((weight - 0.25).abs() < 1e-15);
        }
        let [a, b, c, d] = square;
        check([d, c, b, a]);
        check([[-1.0, -0.5], [3.0, -1.0], [1.0, 1.5], [-2.0, 0.3]]);
    }

    #[test]
    fn a_corner_has_all_and_a_side_two() {
        let weights = check([[0.0, 0.0], [1.0, 0.1], [1.3, 1.0], [0.1, 0.8]]);
        assert!((weights[0] - 1.0).abs() < 1e-12, "{weights:?}");
        let weights = check([[-1.0, 0.0], [3.0, 0.0], [2.0, 1.0], [0.1, 0.8]]);
        assert!((weights[0] - 0.75).abs() < 1e-12 && (weights[1] - 0.25).abs() < 1e-12);
    }

    #[test]
    fn outside_there_is_none() {
        assert!(between([[1.0, -1.0], [2.0, -1.0], [2.0, 1.0], [1.0, 1.0]]).is_none());
        // In the notch of a quad that is not convex; and one without area.
        assert!(between([[-2.0, -1.0], [2.0, -1.0], [-0.7, -0.3], [-1.0, 2.0]]).is_none());
        assert!(between([[-1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]]).is_none());
    }

    #[test]
    fn triangles_and_quads_that_are_not_convex() {
        let [a, b, c] = [[-1.0, -1.0], [2.0, -1.0], [0.5, 3.0]];
        for corners in [[a, a, b, c], [a, b, b, c], [a, b, c, c], [a, b, c, a]] {
            check(corners);
        }
        check([[-2.0, -1.0], [2.0, -1.0], [0.3, 0.5], [0.0, 2.0]]);
    }
}
