//! Values as pixels with two axes, a colour bar and what is said of them: what a map and a section have in common.
//!
//! Key types: [`Panel`]; [`Axis`].

use crate::caption::Caption;
use crate::colour_bar::{self, ColourBar};
use crate::colours::ColourScale;
use crate::png::PngError;
use crate::raster::Raster;
use crate::svg::{Anchor, Svg};
use crate::text::{fitting, width_of};

/// Pixels left of the plot.
pub(crate) const LEFT: f64 = 56.0;
/// Pixels right of it.
pub(crate) const RIGHT: f64 = 20.0;
/// Pixels above it.
pub(crate) const TOP: f64 = 48.0;
/// Pixels below it, for the labels of its axis.
pub(crate) const BELOW: f64 = 34.0;

/// Pixels that headings and the colour bar have at least, however narrow the plot is.
const NARROWEST: f64 = 250.0;

/// Sizes of letters.
pub(crate) const LABEL: f64 = 11.0;
const TITLE: f64 = 15.0;
const DETAIL: f64 = 12.0;
/// The least size of a detail, which is made smaller before it is cut.
const SMALLEST: f64 = 8.0;

/// An axis that is even: what its ends stand for, from the left or from above.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) name: &'static str,
}

impl Axis {
    /// What the middle of each of `count` pixels stands for.
    pub(crate) fn centres(&self, count: usize) -> Vec<f64> {
        let of_pixel = (self.to - self.from) / count as f64;
        let centre = |i| self.from + (i as f64 + 0.5) * of_pixel;
        (0..count).map(centre).collect()
    }

    /// Which of `length` pixels from its beginning `value` is at.
    pub(crate) fn place(&self, value: f64, length: f64) -> f64 {
        (value - self.from) / (self.to - self.from) * length
    }
}

/// Values with their axes.
pub(crate) struct Panel<'a> {
    pub(crate) caption: &'a Caption,
    pub(crate) raster: Raster<'a>,
    pub(crate) scale: &'a ColourScale,
    /// How many values are infinite.
    pub(crate) infinite: u64,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) x_ticks: Vec<(f64, String)>,
    pub(crate) y_ticks: Vec<(f64, String)>,
}

/// Pixels of everything around a plot of that size, and of the plot.
pub(crate) fn outer([width, height]: [usize; 2]) -> [f64; 2] {
    let below = TOP + BELOW + colour_bar::HEIGHT;
    let width = (width as f64).max(NARROWEST);
    [width + LEFT + RIGHT, height as f64 + below]
}

impl Panel<'_> {
    /// Draws it at the origin. What `over` draws lies on the values.
    ///
    /// # Errors
    /// If it is too large.
    pub(crate) fn draw(&self, svg: &mut Svg, over: impl FnOnce(&mut Svg)) -> Result<(), PngError> {
        let size = self.raster.size();
        let [width, height] = size.map(|n| n as f64);
        heading(svg, self.caption, width);
        svg.open(LEFT, TOP, "plot");
        svg.image(size, &self.raster.address(self.scale)?);
        over(svg);
        svg.frame([0.0, 0.0, width, height]);
        horizontal_labels(svg, &self.x, &self.x_ticks, [width, height]);
        vertical_labels(svg, &self.y, &self.y_ticks, height);
        svg.close();
        svg.open(LEFT, TOP + height + BELOW, "scale");
        let bar = ColourBar {
            scale: self.scale,
            caption: self.caption,
            infinite: self.infinite,
        };
        bar.draw(svg, width.max(NARROWEST));
        svg.close();
        Ok(())
    }
}

/// Title and detail of a chart whose plot is so wide.
pub(crate) fn heading(svg: &mut Svg, caption: &Caption, width: f64) {
    let width = width.max(NARROWEST);
    let title = fitting(&caption.title, width, TITLE);
    svg.text([LEFT, 20.0], TITLE, Anchor::Start, &title);
    let size = DETAIL * width / width_of(&caption.detail, DETAIL).max(1.0);
    let size = size.clamp(SMALLEST, DETAIL);
    let detail = fitting(&caption.detail, width, size);
    svg.text([LEFT, 38.0], size, Anchor::Start, &detail);
}

/// Ticks below a plot of that size, and those of their labels that have room.
pub(crate) fn horizontal_labels(
    svg: &mut Svg,
    axis: &Axis,
    ticks: &[(f64, String)],
    [width, height]: [f64; 2],
) {
    let mut end = f64::NEG_INFINITY;
    for (value, label) in ticks {
        let x = axis.place(*value, width);
        svg.line([x, height], [x, height + 4.0]);
        // None beyond what is around the plot.
        let half = width_of(label, LABEL) / 2.0;
        let (most, least) = (width + RIGHT - half, half - LEFT);
        let x = x.min(most).max(least);
        if x - half > end {
            svg.text([x, height + 16.0], LABEL, Anchor::Middle, label);
            end = x + half;
        }
    }
}

/// Ticks and labels left of a plot of that height.
pub(crate) fn vertical_labels(svg: &mut Svg, axis: &Axis, ticks: &[(f64, String)], height: f64) {
    for (value, label) in ticks {
        let y = axis.place(*value, height);
        svg.line([-4.0, y], [0.0, y]);
        svg.text([-7.0, y + 4.0], LABEL, Anchor::End, label);
    }
}
