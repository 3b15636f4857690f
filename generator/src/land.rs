//! Analytic bathymetry: continents as ellipses on the sphere with wavy coasts, a shelf and a slope
//! around them, hills on the abyssal plain. The same for every grid and seed, so that grids of
//! different resolution show the same world; both poles of the grid's cap lie inland.

use crate::waves::{Point, Waves, dot, unit_vector};

/// Ellipses that make up the land: longitude and latitude of the centre, half-axes toward east and
/// north in degrees of arc, and the turn of the axes counter-clockwise in degrees.
#[rustfmt::skip]
const ELLIPSES: [[f64; 5]; 56] = [
    // North and Central America, Greenland
    [-100.0, 46.0, 17.0, 9.0, 0.0], [-108.0, 61.0, 14.0, 8.5, 0.0], [-72.0, 52.0, 8.0, 8.5, 0.0],
    [-150.0, 65.0, 8.0, 4.5, 0.0], [-84.0, 36.0, 7.0, 6.0, 40.0], [-104.0, 29.0, 12.0, 7.0, -45.0],
    [-91.0, 16.0, 7.0, 2.5, -25.0], [-82.0, 9.0, 5.0, 1.5, -25.0], [-41.0, 72.0, 6.0, 11.0, 0.0],
    [-85.0, 78.0, 5.0, 4.0, 0.0], [-108.0, 71.0, 6.0, 3.5, 0.0], [-72.0, 68.0, 5.0, 3.0, -40.0],
    [-122.0, 50.0, 5.0, 10.0, 20.0],
    // South America
    [-58.0, -9.0, 16.0, 12.0, 0.0], [-65.0, -27.0, 8.0, 14.0, 0.0], [-70.0, -46.0, 3.0, 9.0, 0.0],
    [-72.0, 4.0, 6.0, 7.0, 0.0],
    // Africa, Arabia
    [2.0, 20.0, 17.0, 14.0, 0.0], [26.0, 14.0, 12.0, 16.0, 0.0], [23.0, -12.0, 11.0, 21.0, 0.0],
    [42.0, 6.0, 6.0, 5.0, 30.0], [47.0, -19.0, 2.0, 6.0, -15.0], [46.0, 23.0, 8.0, 8.0, 0.0],
    // Europe and Asia
    [-4.0, 40.0, 4.5, 3.5, 0.0], [14.0, 48.5, 14.0, 5.0, 0.0], [17.0, 63.0, 4.0, 8.0, -25.0],
    [-2.5, 54.0, 2.0, 4.0, 0.0], [-19.0, 65.0, 2.5, 1.5, 0.0], [45.0, 57.0, 17.0, 10.0, 0.0],
    [72.0, 60.0, 16.0, 11.0, 0.0], [105.0, 61.0, 19.0, 11.5, 0.0], [143.0, 66.0, 14.0, 6.0, 0.0],
    [165.0, 66.0, 9.0, 4.0, 0.0], [160.0, 57.0, 2.0, 5.0, -25.0], [85.0, 45.0, 25.0, 10.0, 0.0],
    [107.0, 33.0, 14.0, 11.0, 0.0], [125.0, 46.0, 12.0, 7.0, 0.0], [58.0, 34.0, 16.0, 7.0, 0.0],
    [34.0, 39.0, 7.0, 2.5, 0.0], [79.0, 27.0, 9.0, 9.0, 0.0], [78.0, 14.0, 2.8, 6.0, 0.0],
    [102.0, 17.0, 5.0, 8.0, 0.0], [102.0, 4.0, 1.6, 5.0, 30.0], [101.0, -1.0, 1.8, 8.0, 42.0],
    [114.0, 1.0, 4.0, 4.5, 0.0], [138.0, 37.0, 1.8, 8.0, -40.0], [122.0, 13.0, 2.0, 6.0, 15.0],
    // Oceania
    [134.0, -25.0, 16.0, 10.0, 0.0], [146.0, -33.0, 5.0, 6.0, 0.0], [140.0, -5.0, 8.0, 2.5, -15.0],
    [172.0, -42.0, 1.8, 6.5, -40.0],
    // Antarctica
    [90.0, -82.0, 15.0, 17.0, 0.0], [0.0, -82.0, 10.0, 10.0, 0.0], [160.0, -82.0, 8.0, 10.0, 0.0],
    [-110.0, -83.0, 12.0, 7.5, 0.0], [-64.0, -70.0, 2.5, 7.0, 20.0],
];

/// Depth is never above this; the last L75 level ends below it.
const DEEPEST: f64 = 5_880.0;
/// Sea is at least this deep, metres.
const SHALLOWEST: f64 = 12.0;

/// Land and sea floor of the whole globe.
pub(crate) struct Bathymetry {
    continents: Vec<Ellipse>,
    coast: Waves,
    hills: Waves,
}

struct Ellipse {
    centre: Point,
    /// unit vectors along the two half-axes, divided by their lengths in degrees
    axes: [Point; 2],
    shorter: f64,
    /// the cosine of an angle outside which the ellipse matters to no coast or slope
    reach: f64,
}

impl Bathymetry {
    pub(crate) fn new() -> Self {
        Self {
            continents: ELLIPSES.iter().map(Ellipse::new).collect(),
            coast: Waves::new(Waves::key("coast", 0), 16, 4_000.0, 500.0, 0.8, 0.0),
            hills: Waves::new(Waves::key("hills", 0), 12, 6_000.0, 300.0, 0.5, 0.0),
        }
    }

    /// Depth of the sea floor in metres, 0 on land.
    pub(crate) fn depth(&self, point: Point) -> f64 {
        let coast = 1.3 * self.coast.at(point, 0.0).0;
        let offshore = self
            .continents
            .iter()
            .filter_map(|e| e.offshore(point))
            .fold(FAR, f64::min)
            + coast;
        if offshore <= 0.0 {
            return 0.0;
        }
        let shelf = 150.0 * (offshore / 1.5).min(1.0);
        let slope = smooth_step((offshore - 0.8) / 5.0) * 3_900.0;
        let plain = 700.0 * (1.0 - (-offshore / 12.0).exp());
        let hills = self.hills.at(point, 0.0).0 * 550.0 * smooth_step(offshore / 6.0);
        (shelf + slope + plain + hills).clamp(SHALLOWEST, DEEPEST)
    }
}

/// Degrees from the coast beyond which it makes no difference how far.
const FAR: f64 = 25.0;

impl Ellipse {
    fn new(&[longitude, latitude, east, north, turn]: &[f64; 5]) -> Self {
        let centre = unit_vector(latitude, longitude);
        let toward_east = unit_vector(0.0, longitude + 90.0);
        let toward_north = unit_vector(latitude + 90.0, longitude);
        let (sin, cos) = turn.to_radians().sin_cos();
        let axis = |a: f64, b: f64, length: f64| {
            [0, 1, 2].map(|n| (a * toward_east[n] + b * toward_north[n]) / length)
        };
        Self {
            centre,
            axes: [axis(cos, sin, east), axis(-sin, cos, north)],
            shorter: east.min(north),
            reach: (east.max(north) + FAR).to_radians().cos(),
        }
    }

    /// Degrees from the point to the ellipse along the line from its centre; negative inside; nothing
    /// when it is far.
    fn offshore(&self, point: Point) -> Option<f64> {
        let cosine = dot(self.centre, point);
        if cosine < self.reach {
            return None;
        }
        let angle = cosine.clamp(-1.0, 1.0).acos();
        if angle < 1e-9 {
            return Some(-self.shorter);
        }
        // Azimuthal equidistant coordinates in units of the half-axes.
        let stretch = angle.to_degrees() / angle.sin();
        let radius = dot(self.axes[0], point).hypot(dot(self.axes[1], point)) * stretch;
        Some(angle.to_degrees() * (1.0 - 1.0 / radius))
    }
}

/// 0 below 0, 1 above 1, smooth between.
fn smooth_step(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_places_are_land_or_deep_sea() {
        let world = Bathymetry::new();
        let depth = |latitude, longitude| world.depth(unit_vector(latitude, longitude));
        for (latitude, longitude) in [(66.0, 73.0), (66.0, -107.0), (-84.0, 90.0), (20.0, 10.0)] {
            assert_eq!(depth(latitude, longitude), 0.0, "{latitude} {longitude}");
        }
        for (latitude, longitude) in [(30.0, -45.0), (0.0, -150.0), (-40.0, 80.0), (-55.0, -120.0)]
        {
            assert!(
                depth(latitude, longitude) > 2_500.0,
                "{latitude} {longitude}"
            );
        }
    }
}
