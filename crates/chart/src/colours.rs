//! Which colour a value has.
//!
//! Key types: [`ColourScale`]; [`Colours`], its two kinds.

use colorous::{Color, Gradient, RED_BLUE, VIRIDIS};

/// The colour of where there is no value.
pub const MISSING: [u8; 3] = [0xb4, 0xb4, 0xb4];

/// The colour of values that are infinite, which no scale has.
pub const INFINITE: [u8; 3] = [0xff, 0x2f, 0xd0];

/// The part of all values that lies below the lower limit of a scale, and above its upper one.
const BEYOND: f64 = 0.02;

/// Values straddle zero if those on its lesser side reach so far, as a part of how far those on the other do. Temperatures of −2 to 30
/// degrees do not.
const STRADDLES: f64 = 0.1;

/// A colour map in which equal steps look equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Viridis: from dark blue to yellow.
    Sequential,
    /// From blue over white, which is zero, to red.
    Diverging,
}

/// Colours of values between two limits; what lies beyond has the colour of the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourScale {
    /// Which colours.
    pub colours: Colours,
    /// The lower limit.
    pub low: f64,
    /// The upper limit, greater than the lower one.
    pub high: f64,
    /// Are there values below the lower limit?
    pub goes_below: bool,
    /// Are there values above the upper one?
    pub goes_above: bool,
}

impl ColourScale {
    /// For these values, of which those that are not finite count for nothing: limits are what all but two in a hundred lie above, or
    /// below. Where they straddle zero, it is in the middle.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let (Some(&least), Some(&greatest)) = (values.first(), values.last()) else {
            return Self::between(Colours::Sequential, 0.0, 1.0, [0.0, 1.0]);
        };
        let at = |part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
        let (low, high) = (at(BEYOND), at(1.0 - BEYOND));
        let reach = low.abs().max(high.abs());
        if low < 0.0 && high > 0.0 && low.abs().min(high.abs()) >= STRADDLES * reach {
            return Self::between(Colours::Diverging, -reach, reach, [least, greatest]);
        }
        // Of values that are nearly all the same one, any that are not shall be seen.
        let (low, high) = if low < high {
            (low, high)
        } else {
            (least, greatest)
        };
        // And where all are, the scale needs some width all the same.
        let wide = if low < high {
            0.0
        } else {
            (low.abs() * 1e-3).max(f64::MIN_POSITIVE)
        };
        let wide = if low == 0.0 && wide > 0.0 { 1.0 } else { wide };
        Self::between(
            Colours::Sequential,
            low - wide,
            high + wide,
            [least, greatest],
        )
    }

    fn between(colours: Colours, low: f64, high: f64, [least, greatest]: [f64; 2]) -> Self {
        Self {
            colours,
            low,
            high,
            goes_below: least < low,
            goes_above: greatest > high,
        }
    }

    /// The colour of `value`; [`MISSING`] for NaN.
    #[must_use]
    pub fn colour(&self, value: f64) -> [u8; 3] {
        if value.is_nan() {
            return MISSING;
        }
        if value.is_infinite() {
            return INFINITE;
        }
        // Halves, for the difference of two huge numbers may be none.
        let part = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        self.at(part)
    }

    /// The colour at a part of the way from the lower to the upper limit.
    pub(crate) fn at(&self, part: f64) -> [u8; 3] {
        let (gradient, part): (Gradient, f64) = match self.colours {
            Colours::Sequential => (VIRIDIS, part),
            Colours::Diverging => (RED_BLUE, 1.0 - part),
        };
        let Color { r, g, b } = gradient.eval_continuous(part);
        [r, g, b]
    }
}
