//! The bar that tells which colour stands for which value.

use crate::axis::ticks;
use crate::caption::Caption;
use crate::colours::{ColourScale, MISSING};
use crate::svg::{Anchor, Svg};

/// Pixels from its upper edge to the end of what is written below.
pub(crate) const HEIGHT: f64 = 46.0;

const THICK: f64 = 12.0;
const TIP: f64 = 12.0;
const SIZE: f64 = 11.0;

/// Draws the bar of `scale`, `width` pixels wide, at `y`. It ends in points where values go beyond it.
pub(crate) fn colour_bar(
    svg: &mut Svg,
    scale: &ColourScale,
    caption: &Caption,
    width: f64,
    y: f64,
) {
    let (from, to) = (TIP, width - TIP);
    let steps = 128;
    let step = (to - from) / f64::from(steps);
    for i in 0..steps {
        let colour = scale.at((f64::from(i) + 0.5) / f64::from(steps));
        // A little wider, so that no seam shows between them.
        let wide = step + if i + 1 < steps { 0.5 } else { 0.0 };
        svg.rectangle([from + f64::from(i) * step, y, wide, THICK], colour);
    }
    let middle = y + THICK / 2.0;
    let bottom = y + THICK;
    if scale.goes_below {
        svg.shape(
            &format!("M{from} {y}L{} {middle}L{from} {bottom}z", from - TIP),
            scale.at(0.0),
        );
    }
    if scale.goes_above {
        svg.shape(
            &format!("M{to} {y}L{} {middle}L{to} {bottom}z", to + TIP),
            scale.at(1.0),
        );
    }
    svg.frame([from, y, to - from, THICK]);
    for (value, label) in ticks(scale.low, scale.high, (width / 90.0) as usize) {
        let x = from + (value - scale.low) / (scale.high - scale.low) * (to - from);
        svg.line([x, bottom], [x, bottom + 4.0]);
        svg.text([x, bottom + 15.0], SIZE, Anchor::Middle, &label);
    }
    let below = bottom + 31.0;
    svg.text([from, below], SIZE, Anchor::Start, &caption.units);
    svg.text([to, below], SIZE, Anchor::End, "no value");
    svg.rectangle([to - 68.0, below - 9.0, 10.0, 10.0], MISSING);
}
