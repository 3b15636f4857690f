//! A map: values on a regular grid of longitudes and latitudes.
//!
//! Key types: [`Map`]; [`Frame`], the part of the world that it shows.

use crate::axis;
use crate::caption::Caption;
use crate::coast::coast;
use crate::colours::ColourScale;
use crate::panel::{Axis, Panel};
use crate::png::PngError;
use crate::raster::{Raster, nearest};
use crate::statistics::Statistics;
use crate::svg::Svg;

/// A box of longitudes and latitudes, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// The western edge.
    pub west: f64,
    /// The southern edge.
    pub south: f64,
    /// The eastern edge, greater than the western one by 360 at most.
    pub east: f64,
    /// The northern edge.
    pub north: f64,
}

impl Frame {
    /// The whole globe, from the date line to the date line.
    pub const GLOBE: Self = Self {
        west: -180.0,
        south: -90.0,
        east: 180.0,
        north: 90.0,
    };

    /// The same in words, as far as it is not the whole globe: "70°W to 20°E, 35°S to 70°N".
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        if *self == Self::GLOBE {
            return None;
        }
        let longitudes = if self.east - self.west >= 360.0 {
            "all longitudes".to_owned()
        } else {
            let [west, east] = [self.west, self.east].map(axis::longitude);
            format!("{west} to {east}")
        };
        let [south, north] = [self.south, self.north].map(axis::latitude);
        Some(format!("{longitudes}, {south} to {north}"))
    }

    /// How many pixels, `width` of them at most in a row or a column, show it: a degree is as long either way.
    #[must_use]
    pub fn pixels(&self, width: usize) -> [usize; 2] {
        let (degrees_x, degrees_y) = (self.east - self.west, self.north - self.south);
        let of_degree = width as f64 / degrees_x.max(degrees_y);
        [degrees_x, degrees_y].map(|degrees| (degrees * of_degree).round().max(1.0) as usize)
    }
}

/// Values on a regular grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// What it shows.
    pub caption: Caption,
    /// Which part of the world.
    pub frame: Frame,
    /// Longitudes of the columns' centres, degrees east, in any range.
    pub longitudes: Vec<f64>,
    /// Latitudes of the rows' centres, degrees north, from either end.
    pub latitudes: Vec<f64>,
    /// `[latitude, longitude]`; NaN where there is none.
    pub values: Vec<f64>,
    /// Range and mean of what lies in the frame, which may be more than has a pixel.
    pub statistics: Option<Statistics>,
    /// How many values in the frame are infinite.
    pub infinite: u64,
    /// Their colours.
    pub scale: ColourScale,
}

impl Map {
    fn raster(&self, width: usize) -> Raster<'_> {
        let [width, height] = self.frame.pixels(width);
        let (x, y) = (self.horizontal(), self.vertical());
        let away = |a: f64, b: f64| ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs();
        Raster {
            columns: nearest(&x.centres(width), &self.longitudes, away),
            rows: nearest(&y.centres(height), &self.latitudes, |a, b| (a - b).abs()),
            values: &self.values,
            width: self.longitudes.len(),
        }
    }

    fn horizontal(&self) -> Axis {
        Axis {
            from: self.frame.west,
            to: self.frame.east,
            name: "longitude",
        }
    }

    fn vertical(&self) -> Axis {
        Axis {
            from: self.frame.north,
            to: self.frame.south,
            name: "latitude",
        }
    }

    pub(crate) fn panel(&self, width: usize) -> Panel<'_> {
        let raster = self.raster(width);
        let [columns, rows] = raster.size();
        Panel {
            caption: &self.caption,
            infinite: self.infinite,
            scale: &self.scale,
            x_ticks: axis::longitudes(self.frame.west, self.frame.east, (columns / 90).max(1)),
            y_ticks: axis::latitudes(self.frame.south, self.frame.north, (rows / 60).max(2)),
            x: self.horizontal(),
            y: self.vertical(),
            raster,
        }
    }

    pub(crate) fn draw(&self, svg: &mut Svg, width: usize) -> Result<(), PngError> {
        let panel = self.panel(width);
        let line = coast(&panel.raster);
        panel.draw(svg, |svg| svg.path(&line, "#333333", 0.8))
    }
}
