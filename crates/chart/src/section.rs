//! A section: values by depth and latitude, the surface above.
//!
//! Key type: [`Section`].

use crate::axis;
use crate::caption::Caption;
use crate::colours::ColourScale;
use crate::panel::{Axis, Panel};
use crate::png::PngError;
use crate::raster::{Raster, Shown, nearest};
use crate::statistics::Statistics;
use crate::svg::Svg;

/// Values by depth and latitude.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// What it shows.
    pub caption: Caption,
    /// Southern and northern edge, degrees north.
    pub latitude_range: [f64; 2],
    /// Latitudes of the columns' centres, degrees north.
    pub latitudes: Vec<f64>,
    /// Depths of the rows, in metres or whatever `depth_units` says, growing downwards; they need not be even.
    pub depths: Vec<f64>,
    /// Units of the depths.
    pub depth_units: String,
    /// `[depth, latitude]`; not finite where there is none.
    pub values: Vec<f64>,
    /// How many values are infinite and so in no mean.
    pub infinite: u64,
    /// Their colours.
    pub scale: ColourScale,
}

impl Section {
    /// Range of the values, and their mean by area of the section.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        let rows = self.values.chunks(self.latitudes.len().max(1));
        let thickness = self.edges();
        let rows = rows.zip(thickness.windows(2).map(|edges| edges[1] - edges[0]));
        Statistics::of(rows.flat_map(|(row, thick)| row.iter().map(move |value| (*value, thick))))
    }

    /// Where levels end: half-way between their depths, the first at the surface.
    fn edges(&self) -> Vec<f64> {
        let depths = &self.depths;
        let first = depths.first().copied().unwrap_or(0.0).min(0.0);
        let mut edges = vec![first];
        edges.extend(
            depths
                .windows(2)
                .map(|pair| f64::midpoint(pair[0], pair[1])),
        );
        let before = edges.last().copied().unwrap_or(first);
        let last = depths.last().copied().unwrap_or(1.0);
        // The deepest level reaches as far below its depth as above it.
        let below = if last > before { last - before } else { 1.0 };
        edges.push(last + below);
        edges
    }

    fn horizontal(&self) -> Axis {
        let [from, to] = self.latitude_range;
        Axis {
            from,
            to,
            name: "latitude",
        }
    }

    fn vertical(&self) -> Axis {
        let edges = self.edges();
        Axis {
            from: edges[0],
            to: edges[edges.len() - 1],
            name: "depth",
        }
    }

    fn rows(&self, height: usize) -> Shown {
        let edges = self.edges();
        let row = |depth: f64| {
            let below = edges.partition_point(|edge| *edge <= depth);
            below.checked_sub(1).filter(|row| *row < self.depths.len())
        };
        self.vertical()
            .centres(height)
            .into_iter()
            .map(row)
            .collect()
    }

    pub(crate) fn panel(&self, width: usize) -> Panel<'_> {
        let [width, height] = Self::pixels(width);
        let away = |a: f64, b: f64| (a - b).abs();
        let [south, north] = self.latitude_range;
        let y = self.vertical();
        let mut depths = axis::ticks(y.from, y.to, (height / 60).max(2));
        if let Some((_, label)) = depths.last_mut() {
            *label = format!("{label} {}", self.depth_units);
        }
        Panel {
            caption: &self.caption,
            infinite: self.infinite,
            scale: &self.scale,
            raster: Raster {
                columns: nearest(&self.horizontal().centres(width), &self.latitudes, away),
                rows: self.rows(height),
                values: &self.values,
                width: self.latitudes.len(),
            },
            x_ticks: axis::latitudes(south, north, (width / 90).max(1)),
            y_ticks: depths,
            x: self.horizontal(),
            y,
        }
    }

    /// The size of its plot if that is so wide.
    pub(crate) fn pixels(width: usize) -> [usize; 2] {
        [width, width / 2]
    }

    pub(crate) fn draw(&self, svg: &mut Svg, width: usize) -> Result<(), PngError> {
        self.panel(width).draw(svg, |_| ())
    }
}
