//! Places on the unit sphere.
//!
//! Key type: [`Point`].

/// A place, or the way from one to another.
pub(super) type Point = [f64; 3];

/// The place of these degrees.
pub(super) fn point(longitude: f64, latitude: f64) -> Point {
    let ((sin_x, cos_x), (sin_y, cos_y)) = (
        longitude.to_radians().sin_cos(),
        latitude.to_radians().sin_cos(),
    );
    [cos_y * cos_x, cos_y * sin_x, sin_y]
}

/// The way to `to` through the sphere.
pub(super) fn minus(to: Point, from: Point) -> Point {
    [to[0] - from[0], to[1] - from[1], to[2] - from[2]]
}

/// The cross product, as large as the area that both span.
pub(super) fn times(one: Point, other: Point) -> Point {
    let part = |i: usize, j: usize| one[i] * other[j] - one[j] * other[i];
    [part(1, 2), part(2, 0), part(0, 1)]
}

/// How long it is.
pub(super) fn size(way: Point) -> f64 {
    way.iter().map(|part| part * part).sum::<f64>().sqrt()
}
