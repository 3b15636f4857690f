//! The bar that tells which colour stands for which value.
//!
//! Key type: [`ColourBar`].

use crate::axis::{number, ticks};
use crate::caption::Caption;
use crate::colours::{ColourScale, INFINITE, MISSING};
use crate::svg::{Anchor, Svg};
use crate::text::{fitting, width_of};

/// Pixels from its upper edge to the end of what is written below.
pub(crate) const HEIGHT: f64 = 46.0;

const THICK: f64 = 12.0;
const TIP: f64 = 12.0;
const SIZE: f64 = 11.0;

/// Pixels between two labels at least.
const APART: f64 = 8.0;

/// What is drawn.
pub(crate) struct ColourBar<'a> {
    pub(crate) scale: &'a ColourScale,
    pub(crate) caption: &'a Caption,
    /// How many values are infinite.
    pub(crate) infinite: u64,
}

impl ColourBar<'_> {
    /// Draws it at the origin, `width` pixels wide. It ends in points where values go beyond it.
    pub(crate) fn draw(&self, svg: &mut Svg, width: f64) {
        let scale = self.scale;
        let (from, to) = (TIP, width - TIP);
        let steps = 128;
        let step = (to - from) / f64::from(steps);
        for i in 0..steps {
            let colour = scale.at((f64::from(i) + 0.5) / f64::from(steps));
            // A little wider, so that no seam shows between them.
            let wide = step + if i + 1 < steps { 0.5 } else { 0.0 };
            svg.rectangle([from + f64::from(i) * step, 0.0, wide, THICK], colour);
        }
        let middle = THICK / 2.0;
        for (goes_beyond, end, tip, part) in [
            (scale.goes_below, from, from - TIP, 0.0),
            (scale.goes_above, to, to + TIP, 1.0),
        ] {
            if goes_beyond {
                let path = format!("M{end} 0L{tip} {middle}L{end} {THICK}z");
                svg.shape(&path, scale.at(part));
            }
        }
        svg.frame([from, 0.0, to - from, THICK]);
        for (part, label) in labels(scale, to - from) {
            let x = from + part * (to - from);
            svg.line([x, THICK], [x, THICK + 4.0]);
            svg.text([x, THICK + 15.0], SIZE, Anchor::Middle, &label);
        }
        self.key(svg, from, to);
    }

    /// Units, and the colours of what is no number.
    fn key(&self, svg: &mut Svg, from: f64, mut to: f64) {
        let below = THICK + 31.0;
        let infinite = (self.infinite > 0).then(|| format!("{} infinite", self.infinite));
        let kinds = [(Some("no value".to_owned()), MISSING), (infinite, INFINITE)];
        for (name, colour) in kinds {
            let Some(name) = name else { continue };
            svg.text([to, below], SIZE, Anchor::End, &name);
            to -= width_of(&name, SIZE) + 15.0;
            svg.rectangle([to, below - 9.0, 10.0, 10.0], colour);
            to -= APART;
        }
        let units = fitting(&self.caption.units_alone(), to - from, SIZE);
        svg.text([from, below], SIZE, Anchor::Start, &units);
    }
}

/// What is written below a bar of so many pixels, and where, as parts of it: round numbers, three at least if they have room, else two,
/// and its ends if no two round ones lie on it.
fn labels(scale: &ColourScale, length: f64) -> Vec<(f64, String)> {
    let wanted = ((length / 90.0) as usize).max(3);
    // Halves, for the difference of two huge numbers may be none.
    let halves = scale.high / 2.0 - scale.low / 2.0;
    let part = |value: f64| (value / 2.0 - scale.low / 2.0) / halves;
    let round = |count: usize| -> Vec<(f64, String)> {
        let ticks = ticks(scale.low, scale.high, count).into_iter();
        ticks.map(|(value, label)| (part(value), label)).collect()
    };
    for least in [3, 2] {
        let more = (wanted..4 * wanted).chain((1..wanted).rev()).map(round);
        let found = { more }.find(|labels| labels.len() >= least && have_room(labels, length));
        if let Some(found) = found {
            return found;
        }
    }
    vec![(0.0, number(scale.low)), (1.0, number(scale.high))]
}

fn have_room(labels: &[(f64, String)], length: f64) -> bool {
    labels.windows(2).all(|pair| {
        let [(left, one), (right, other)] = pair else {
            return true;
        };
        let wide = f64::midpoint(width_of(one, SIZE), width_of(other, SIZE));
        (right - left) * length >= wide + APART
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_has_two_labels_that_do_not_meet() {
        let mut seed = 1_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut bars = vec![(-1e308, 1e308), (0.0, 5e-324), (0.1, 0.1 + 1e-16)];
        for _ in 0..500 {
            let middle = (random() - 0.5) * 10_f64.powf(random() * 12.0 - 4.0);
            bars.push((middle, middle + 10_f64.powf(random() * 12.0 - 6.0)));
        }
        let (mut of_two, mut all) = (0, 0);
        for (low, high) in bars {
            for width in [200.0, 360.0, 540.0, 1080.0] {
                let scale = ColourScale {
                    low,
                    high,
                    ..ColourScale::of([0.0, 1.0].into_iter())
                };
                if low >= high {
                    continue;
                }
                let found = labels(&scale, width - 2.0 * TIP);
                assert!(
                    found.len() >= 2 && found.len() < 20,
                    "{low} {high} {found:?}"
                );
                assert!(
                    have_room(&found, width - 2.0 * TIP),
                    "{low} {high} {found:?}"
                );
                let is_within = |part: &f64| (-1e-6..=1.0 + 1e-6).contains(part);
                assert!(
                    found.iter().all(|(part, _)| is_within(part)),
                    "{low} {high} {found:?}"
                );
                if width >= 360.0 {
                    all += 1;
                    of_two += usize::from(found.len() == 2);
                }
            }
        }
        // Three labels, but where numbers are long.
        assert!(of_two * 10 < all, "{of_two} of {all}");
    }
}
