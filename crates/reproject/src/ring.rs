//! Cells and quads as closed lines on the sphere: four corners, joined by great circles.
//!
//! Key types: [`Corner`], [`Ring`].

use super::sphere::{Arc, Vector, area_below, level, vector, wrapped};

/// A corner of a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corner {
    /// Degrees east.
    pub(super) longitude: f64,
    pub(super) point: Vector,
}

impl Corner {
    /// The corner at this longitude and latitude, degrees.
    pub(super) fn new(longitude: f64, latitude: f64) -> Self {
        Self {
            longitude,
            point: vector(longitude, latitude),
        }
    }

    /// At a pole every longitude is as good: such a corner's own says nothing.
    fn is_pole(&self) -> bool {
        // Of a latitude that differs from 90 degrees by 1e-9 at most.
        level(self.point) < 2e-11
    }
}

/// A closed line around an area that is less than a hemisphere, in the plane of unwrapped longitude and z = sin φ.
///
/// In that plane a line around a pole does not close: it ends 360 degrees from where it began. One with a corner at the
/// pole does not either: its sides there are meridians, which end at the plane's rim. Both are closed along z = ±1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    /// Corners from the first to the last, the first once more at the end if the line does not touch a pole.
    way: [Corner; 5],
    /// How many of them count.
    len: usize,
    /// z of the pole that it contains or touches, if the line is closed along there.
    pole: Option<f64>,
    /// Lowest and highest z, over the whole area.
    pub(super) heights: [f64; 2],
    /// Westernmost and easternmost longitude, degrees, unwrapped.
    pub(super) longitudes: [f64; 2],
}

impl Ring {
    /// The ring of these corners, either way round; `None` if one has no coordinates, or all lie at the poles.
    pub(super) fn new(corners: [Corner; 4]) -> Option<Self> {
        if !corners
            .iter()
            .all(|corner| corner.longitude.is_finite() && corner.point[2].is_finite())
        {
            return None;
        }
        // The line is cut open behind a corner at the pole, or within a side across it.
        let across = |k: usize| {
            let (a, b) = (corners[k], corners[(k + 1) % 4]);
            wrapped(b.longitude - a.longitude).abs() == 180.0 && !a.is_pole() && !b.is_pole()
        };
        let cut = (0..4).find(|&k| corners[k].is_pole() || across(k));
        let first = match cut {
            Some(k) => (1..=4)
                .map(|step| (k + step) % 4)
                .find(|&k| !corners[k].is_pole())?,
            None => 0,
        };
        let mut way = [corners[first]; 5];
        let mut len = 1;
        let last = if cut.is_some() { 4 } else { 5 };
        for step in 1..last {
            let corner = corners[(first + step) % 4];
            if !corner.is_pole() {
                let before = way[len - 1].longitude;
                way[len] = Corner {
                    longitude: before + wrapped(corner.longitude - before),
                    point: corner.point,
                };
                len += 1;
            }
        }
        let mut turn = way[len - 1].longitude - way[0].longitude;
        if cut.is_none() {
            // Whole turns, without the rounding of the sum.
            turn = 360.0 * (turn / 360.0).round();
            way[len - 1].longitude = way[0].longitude + turn;
        }
        let middle: f64 = corners.iter().map(|corner| corner.point[2]).sum();
        let pole = (cut.is_some() || turn != 0.0).then_some(1f64.copysign(middle));
        let mut ring = Self {
            way,
            len,
            pole,
            heights: [way[0].point[2]; 2],
            longitudes: [way[0].longitude; 2],
        };
        ring.measure();
        Some(ring)
    }

    fn measure(&mut self) {
        let [mut low, mut high] = self.heights;
        for arc in self.sides().filter_map(|[a, b]| Arc::new(a.point, b.point)) {
            let heights = arc.heights();
            (low, high) = (low.min(heights[0]), high.max(heights[1]));
        }
        if let Some(z) = self.pole {
            (low, high) = (low.min(z), high.max(z));
        }
        let [mut west, mut east] = self.longitudes;
        for corner in &self.way[..self.len] {
            (west, east) = (west.min(corner.longitude), east.max(corner.longitude));
        }
        self.heights = [low, high];
        self.longitudes = [west, east];
    }

    /// Its sides in order, but for those that lie along meridians at a pole.
    pub(super) fn sides(&self) -> impl Iterator<Item = [Corner; 2]> {
        self.way[..self.len]
            .windows(2)
            .map(|pair| [pair[0], pair[1]])
    }

    /// The way along a pole that closes it: the pole's z, and the longitudes from which and to which, degrees.
    pub(super) fn closure(&self) -> Option<(f64, [f64; 2])> {
        let ends = [self.way[self.len - 1].longitude, self.way[0].longitude];
        self.pole.map(|z| (z, ends))
    }

    /// The area within, squared radii: positive if its corners are counter-clockwise, seen from outside.
    pub(super) fn area(&self) -> f64 {
        let sides: f64 = self
            .sides()
            .map(|[a, b]| area_below(a.point, b.point))
            .sum();
        let closure = self
            .closure()
            .map_or(0.0, |(z, [from, to])| z * (to - from).to_radians());
        -(sides + closure)
    }
}
