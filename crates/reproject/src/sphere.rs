//! Points on the unit sphere and the great circles between them.
//!
//! Key types: [`Vector`], [`Arc`].

/// A point as a unit vector.
pub(super) type Vector = [f64; 3];

/// The point at this longitude and latitude, degrees.
pub(super) fn vector(longitude: f64, latitude: f64) -> Vector {
    let (sin, cos) = latitude.to_radians().sin_cos();
    let (y, x) = longitude.to_radians().sin_cos();
    [cos * x, cos * y, sin]
}

/// Scalar product: for unit vectors the cosine of the angle between them.
pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Vector product: normal to both. `cross(b, a)` is `-cross(a, b)` to the bit.
pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The vector from `b` to `a`.
pub(super) fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// Length of a vector's horizontal part: of a unit vector the cosine of the latitude. (`hypot` is much slower, and guards
/// against numbers that are not met here.)
pub(super) fn level(v: Vector) -> f64 {
    (v[0] * v[0] + v[1] * v[1]).sqrt()
}

/// The straight distance through the sphere, in radii. Unlike the angle it costs no arc function, and it is exact for
/// close points.
pub(super) fn chord(a: Vector, b: Vector) -> f64 {
    let across = minus(a, b);
    dot(across, across).sqrt()
}

/// How far `b` lies east of `a`, radians from −π to π.
pub(super) fn eastward(a: Vector, b: Vector) -> f64 {
    (a[0] * b[1] - a[1] * b[0]).atan2(a[0] * b[0] + a[1] * b[1])
}

/// `degrees` less whole turns: from −180 to 180.
pub(super) fn wrapped(degrees: f64) -> f64 {
    degrees - 360.0 * (degrees / 360.0).round()
}

/// The shorter great circle from one point to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arc {
    from: Vector,
    to: Vector,
    /// Normal of its plane, of length 1.
    normal: Vector,
    /// Length of the normal's horizontal part: sine of the highest latitude of the whole circle.
    top: f64,
}

impl Arc {
    /// `None` if the points are equal or opposite.
    pub(super) fn new(from: Vector, to: Vector) -> Option<Self> {
        let normal = cross(from, to);
        let length = dot(normal, normal).sqrt();
        if length == 0.0 {
            return None;
        }
        let normal = normal.map(|component| component / length);
        Some(Self {
            from,
            to,
            normal,
            top: level(normal),
        })
    }

    /// The part of it between two of its points.
    pub(super) fn part(&self, from: Vector, to: Vector) -> Self {
        Self { from, to, ..*self }
    }

    /// The point between its ends where it is furthest north or south, if it is not an end.
    pub(super) fn summit(&self) -> Option<Vector> {
        let (a, b) = (self.from, self.to);
        let along = dot(a, b);
        // How z changes on the way inward from either end.
        let inward = [b[2] - along * a[2], a[2] - along * b[2]];
        let sign = if inward[0] > 0.0 && inward[1] > 0.0 {
            1.0
        } else if inward[0] < 0.0 && inward[1] < 0.0 {
            -1.0
        } else {
            return None;
        };
        if self.top == 0.0 {
            return None;
        }
        let n = self.normal;
        let scale = -sign * n[2] / self.top;
        Some([scale * n[0], scale * n[1], sign * self.top])
    }

    /// Lowest and highest z of its points.
    pub(super) fn heights(&self) -> [f64; 2] {
        let [a, b] = [self.from[2], self.to[2]];
        let summit = self.summit().map_or(a, |point| point[2]);
        [a.min(b).min(summit), a.max(b).max(summit)]
    }

    /// Where its circle crosses the half-plane of the meridian with this cosine and sine of the longitude. It must not
    /// lie along a meridian itself.
    pub(super) fn at_meridian(&self, [cos, sin]: [f64; 2]) -> Vector {
        let n = self.normal;
        let slope = -(n[0] * cos + n[1] * sin) * n[2].signum();
        let level = n[2].abs();
        let length = (slope * slope + level * level).sqrt();
        [cos * level / length, sin * level / length, slope / length]
    }

    /// Where its circle crosses the parallel of height `z`, on the same side of its summit as the arc, which must not
    /// contain the summit but as an end.
    pub(super) fn at_parallel(&self, z: f64) -> Vector {
        let n = self.normal;
        let [mx, my] = [n[0] / self.top, n[1] / self.top];
        let side = (self.from[1] + self.to[1]) * mx - (self.from[0] + self.to[0]) * my;
        let along = -n[2] * z / self.top;
        let across = (1.0 - z * z - along * along).max(0.0).sqrt().copysign(side);
        [along * mx - across * my, along * my + across * mx, z]
    }
}

/// ∫ sin φ dλ along the great circle from `a` to `b`: the area between it and the equator, in squared radii.
///
/// 2·atan2(sin((φ₁+φ₂)/2)·sin(Δλ/2), cos((φ₁−φ₂)/2)·cos(Δλ/2)), with the tangents of half the angles from the vectors.
pub(super) fn area_below(a: Vector, b: Vector) -> f64 {
    let [ha, hb] = [level(a), level(b)];
    // Tangent of half the latitude.
    let [ta, tb] = [a[2] / (1.0 + ha), b[2] / (1.0 + hb)];
    // Sine and 1 + cosine of the difference of longitudes, times ha·hb.
    let sin = a[0] * b[1] - a[1] * b[0];
    let cos = ha * hb + a[0] * b[0] + a[1] * b[1];
    2.0 * (sin * (ta + tb)).atan2(cos * (1.0 + ta * tb))
}
