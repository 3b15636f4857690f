//! The line between where there are values and where there are none.

use std::fmt::Write;

use crate::raster::Raster;

/// The path along the edges of pixels that part values from missing ones; a run of edges is one piece.
pub(crate) fn coast(raster: &Raster<'_>) -> String {
    let [width, height] = raster.size();
    let wet: Vec<bool> = raster.pixels().map(|value| !value.is_nan()).collect();
    let is_wet = |x: usize, y: usize| wet[y * width + x];
    let mut path = String::new();
    for y in 1..height {
        for (x, length) in runs(width, |x| is_wet(x, y) != is_wet(x, y - 1)) {
            let _ = write!(path, "M{x} {y}h{length}");
        }
    }
    for x in 1..width {
        for (y, length) in runs(height, |y| is_wet(x, y) != is_wet(x - 1, y)) {
            let _ = write!(path, "M{x} {y}v{length}");
        }
    }
    path
}

/// Where runs of places with the property begin, and how long they are.
fn runs(count: usize, has: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize)> = Vec::new();
    for place in (0..count).filter(|place| has(*place)) {
        match all.last_mut() {
            Some((begin, length)) if *begin + *length == place => *length += 1,
            _ => all.push((place, 1)),
        }
    }
    all
}
