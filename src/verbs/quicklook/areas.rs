//! Which cells lie in a picture, and how large each is: numbers under a picture are of these, whatever its pixels are.
//!
//! Key function: [`areas`].

use msm_chart::Frame;
use rayon::prelude::*;

use super::sphere::{Point, minus, point, size, times};

/// For each cell of `[y, x]` its area, as a part of the square of the earth's radius: zero for one whose centre does not lie in `frame`.
/// `centre` is the longitude and the latitude of a row and a column, or none of what is no cell of its own.
pub(super) fn areas(
    [ny, nx]: [usize; 2],
    frame: &Frame,
    centre: impl Fn(usize, usize) -> Option<(f64, f64)> + Sync,
) -> Vec<f32> {
    let row = |y: Option<usize>| -> Vec<Option<Point>> {
        let of_row = |y| (0..nx).map(move |x| (y, x));
        let cells = y.filter(|y| *y < ny).into_iter().flat_map(of_row);
        let cells = cells.map(|(y, x)| centre(y, x).map(|(x, y)| point(x, y)));
        let points: Vec<_> = cells.collect();
        if points.is_empty() {
            vec![None; nx]
        } else {
            points
        }
    };
    let of_row = |y: usize| {
        let is_in: Vec<bool> = { 0..nx }
            .map(|x| centre(y, x).is_some_and(|place| has(frame, place)))
            .collect();
        if !is_in.contains(&true) {
            return vec![0.0; nx];
        }
        let (above, points, below) = (row(y.checked_sub(1)), row(Some(y)), row(Some(y + 1)));
        let area = |x: usize| {
            let (Some(at), true) = (points[x], is_in[x]) else {
                return 0.0;
            };
            let before = x.checked_sub(1).and_then(|before| points[before]);
            let after = points.get(x + 1).copied().flatten();
            let along = spacing(before, at, after);
            let across = spacing(above[x], at, below[x]);
            let area = match (along, across) {
                (Some(along), Some(across)) => size(times(along, across)),
                (Some(one), None) | (None, Some(one)) => size(one),
                (None, None) => 1.0,
            };
            // At a pole it may be none; the cell is there all the same.
            (area as f32).max(f32::MIN_POSITIVE)
        };
        (0..nx).map(area).collect()
    };
    (0..ny).into_par_iter().flat_map_iter(of_row).collect()
}

/// Does the place lie there?
fn has(frame: &Frame, (longitude, latitude): (f64, f64)) -> bool {
    (longitude - frame.west).rem_euclid(360.0) <= frame.east - frame.west
        && (frame.south..=frame.north).contains(&latitude)
}

/// From the middle between a cell and the one before it to that between it and the one after.
fn spacing(before: Option<Point>, at: Point, after: Option<Point>) -> Option<Point> {
    match (before, after) {
        (Some(before), Some(after)) => Some(minus(after, before).map(|way| way / 2.0)),
        (Some(before), None) => Some(minus(at, before)),
        (None, Some(after)) => Some(minus(after, at)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regular(degrees: f64, frame: &Frame) -> Vec<f32> {
        let [ny, nx] = [180.0, 360.0].map(|all| (all / degrees) as usize);
        areas([ny, nx], frame, |y, x| {
            let place = |n: usize| (n as f64 + 0.5) * degrees;
            Some((place(x), place(y) - 90.0))
        })
    }

    #[test]
    fn they_are_those_of_the_sphere() {
        let sum = |frame: &Frame| {
            regular(1.0, frame)
                .iter()
                .map(|area| f64::from(*area))
                .sum::<f64>()
        };
        let whole = sum(&Frame::GLOBE);
        assert!(
            (whole / (4.0 * std::f64::consts::PI) - 1.0).abs() < 1e-3,
            "{whole}"
        );
        // From 30 degrees on, half of a hemisphere; across Greenwich, a quarter of that.
        let cap = Frame {
            west: -45.0,
            south: 30.0,
            east: 45.0,
            north: 90.0,
        };
        assert!(
            (sum(&cap) / whole * 16.0 - 1.0).abs() < 1e-3,
            "{}",
            sum(&cap) / whole
        );
    }

    #[test]
    fn each_cell_in_the_frame_counts_and_no_other() {
        let frame = Frame {
            west: 170.0,
            south: -90.0,
            east: 190.0,
            north: -80.0,
        };
        // At the pole, beside a hole, and alone.
        let centres = [
            Some((175.0, -90.0)),
            Some((-175.0, -85.0)),
            None,
            Some((0.0, -85.0)),
        ];
        let found = areas([1, 4], &frame, |_, x| centres[x]);
        assert!(found[0] > 0.0 && found[1] > 0.0, "{found:?}");
        assert_eq!(found[2..], [0.0, 0.0]);
        assert_eq!(areas([1, 1], &frame, |_, _| Some((180.0, -85.0))), [1.0]);
    }
}
