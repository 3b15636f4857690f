//! What "near" means: on the sphere, or in flat degrees.
//!
//! Key types: [`Space`], with [`Sphere`] and [`Degrees`]; [`Ball`], what some points lie in.

use super::sphere::{Vector, chord, dot, vector, wrapped};

/// Balls are larger than their points need by this, radians or degrees: more than any rounding.
const ROUNDING: f64 = 1e-7;

/// Where points lie and how far from each other.
pub(super) trait Space<const K: usize>: Send + Sync {
    /// Distances that differ by less are equal: what rounding makes of points that lie symmetrically.
    const TIE: f64;

    fn point(longitude: f64, latitude: f64) -> [f64; K];

    /// The middle of some points, from their sum and number.
    fn middle(sum: [f64; K], count: usize) -> [f64; K];

    /// How far points are from each other, in the measure of radii.
    fn apart(a: &[f64; K], b: &[f64; K]) -> f64;

    /// What [`Self::least`] needs to know of a radius.
    fn reach(radius: f64) -> [f64; 2];

    /// No point of the ball has less than this squared distance from `point`.
    fn least(ball: &Ball<K>, point: &[f64; K]) -> f64;
}

/// A part of the space that contains some points.
#[derive(Clone, Copy)]
pub(super) struct Ball<const K: usize> {
    centre: [f64; K],
    radius: f64,
    reach: [f64; 2],
}

impl<const K: usize> Ball<K> {
    /// Around points; `None` if there are none.
    pub(super) fn around<S: Space<K>>(
        points: impl Iterator<Item = [f64; K]> + Clone,
    ) -> Option<Self> {
        Self::with_radius::<S>(points.map(|point| (point, 0.0)))
    }

    /// Around balls; `None` if there are none.
    pub(super) fn around_all<'a, S: Space<K>>(
        balls: impl Iterator<Item = &'a Self> + Clone,
    ) -> Option<Self> {
        Self::with_radius::<S>(balls.map(|ball| (ball.centre, ball.radius)))
    }

    fn with_radius<S: Space<K>>(
        parts: impl Iterator<Item = ([f64; K], f64)> + Clone,
    ) -> Option<Self> {
        let (mut sum, mut count) = ([0.0; K], 0);
        for (centre, _) in parts.clone() {
            for (sum, x) in sum.iter_mut().zip(centre) {
                *sum += x;
            }
            count += 1;
        }
        if count == 0 {
            return None;
        }
        let centre = S::middle(sum, count);
        let reached = parts.map(|(part, radius)| S::apart(&centre, &part) + radius);
        let radius = reached.fold(0.0, f64::max) + ROUNDING;
        Some(Self {
            centre,
            radius,
            reach: S::reach(radius),
        })
    }
}

/// The square of the straight distance.
pub(super) fn square<const K: usize>(a: &[f64; K], b: &[f64; K]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The unit sphere; distances are chords, which order points as great circles do. Radii are angles, since a ball that
/// is a cap of the sphere is the tightest from wherever it is seen.
pub(super) struct Sphere;

impl Space<3> for Sphere {
    const TIE: f64 = 4e-15;

    fn point(longitude: f64, latitude: f64) -> Vector {
        // Wrapped first, so that 190 and -170 degrees east are equal to the bit.
        vector(wrapped(longitude), latitude)
    }

    fn middle(sum: Vector, _: usize) -> Vector {
        let length = dot(sum, sum).sqrt();
        if length > 1e-3 {
            sum.map(|x| x / length)
        } else {
            // From points all around, which no cap holds that is not the sphere.
            [0.0, 0.0, 1.0]
        }
    }

    fn apart(a: &Vector, b: &Vector) -> f64 {
        2.0 * (chord(*a, *b) / 2.0).min(1.0).asin()
    }

    fn reach(radius: f64) -> [f64; 2] {
        // Cosine and sine.
        let (sin, cos) = radius.min(std::f64::consts::PI).sin_cos();
        [cos, sin]
    }

    fn least(ball: &Ball<3>, point: &Vector) -> f64 {
        let [cos_radius, sin_radius] = ball.reach;
        let cos = dot(ball.centre, *point);
        if cos >= cos_radius {
            return 0.0;
        }
        // 2 − 2·cos(angle − radius), less what rounding may have added.
        let sin = ((1.0 - cos) * (1.0 + cos)).max(0.0).sqrt();
        2.0 - 2.0 * (cos * cos_radius + sin * sin_radius) - 1e-14
    }
}

/// The plane of longitude and latitude.
pub(super) struct Degrees;

impl Space<2> for Degrees {
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

    fn middle(sum: [f64; 2], count: usize) -> [f64; 2] {
        sum.map(|x| x / count as f64)
    }

    fn apart(a: &[f64; 2], b: &[f64; 2]) -> f64 {
        square(a, b).sqrt()
    }

    fn reach(radius: f64) -> [f64; 2] {
        [radius, 0.0]
    }

    fn least(ball: &Ball<2>, point: &[f64; 2]) -> f64 {
        let beyond = (square(&ball.centre, point).sqrt() - ball.radius).max(0.0);
        beyond * beyond
    }
}
