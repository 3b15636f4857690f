//! Which part of the world cells lie in.
//!
//! Key function: [`frame_of`].

use msm_chart::Frame;

/// Degrees of longitude without a cell from which on a grid does not go round the earth.
const GAP: usize = 30;

/// The box of whole degrees that has all these centres, degrees east and north; all of the globe if they go round it. `None` if there
/// are none.
pub(super) fn frame_of(centres: impl Iterator<Item = (f64, f64)>) -> Option<Frame> {
    let mut has_cells = [false; 360];
    let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
    for (longitude, latitude) in centres.filter(|(x, y)| x.is_finite() && y.abs() <= 90.0) {
        has_cells[(longitude.rem_euclid(360.0) as usize).min(359)] = true;
        south = south.min(latitude);
        north = north.max(latitude);
    }
    if south > north {
        return None;
    }
    let (begin, length) = longest_gap(&has_cells);
    let rows = (south.floor(), north.ceil().max(south.floor() + 1.0));
    if length < GAP {
        let is_global = north - south > 120.0;
        let (south, north) = if is_global { (-90.0, 90.0) } else { rows };
        return Some(Frame {
            south,
            north,
            ..Frame::GLOBE
        });
    }
    let west = ((begin + length + 180) % 360) as f64 - 180.0;
    Some(Frame {
        west,
        south: rows.0,
        east: west + (360 - length) as f64,
        north: rows.1,
    })
}

/// Where on the circle the longest run of degrees without cells begins, and how long it is.
fn longest_gap(has_cells: &[bool; 360]) -> (usize, usize) {
    let runs = (0..360).map(|begin| {
        let run = (0..360)
            .take_while(|i| !has_cells[(begin + i) % 360])
            .count();
        (begin, run)
    });
    let longest = runs.max_by_key(|(_, run)| *run);
    longest.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(longitudes: std::ops::Range<i32>, latitudes: std::ops::Range<i32>) -> [f64; 4] {
        let all = longitudes.flat_map(|x| latitudes.clone().map(move |y| (x, y)));
        let frame = frame_of(all.map(|(x, y)| (f64::from(x) + 0.5, f64::from(y) + 0.5))).unwrap();
        [frame.west, frame.south, frame.east, frame.north]
    }

    #[test]
    fn a_frame_has_all_cells_and_little_else() {
        assert_eq!(of(-180..180, -80..90), [-180.0, -90.0, 180.0, 90.0]);
        assert_eq!(of(73..433, -80..90), [-180.0, -90.0, 180.0, 90.0]);
        assert_eq!(of(-20..13, 40..65), [-20.0, 40.0, 13.0, 65.0]);
        // Across the date line, and across Greenwich from the other side.
        assert_eq!(of(170..200, -10..10), [170.0, -10.0, 200.0, 10.0]);
        assert_eq!(of(350..365, 0..5), [-10.0, 0.0, 5.0, 5.0]);
        // A channel around the earth.
        assert_eq!(of(0..360, -70..-40), [-180.0, -70.0, 180.0, -40.0]);
        assert_eq!(frame_of(std::iter::once((f64::NAN, 0.0))), None);
    }
}
