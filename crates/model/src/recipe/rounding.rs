//! Rounding floats to fewer bits of their mantissa: the "bitround" of NCO, CDO and numcodecs.

/// `value` with so many bits of its mantissa kept: the nearest such float, and of two the one whose last bit is 0. The bits of a
/// float are ordered as the floats are, so a mantissa that is full adds one to the exponent.
pub(super) fn rounded_single(value: f32, keep: u32) -> f32 {
    let left_out = (f32::MANTISSA_DIGITS - 1).saturating_sub(keep);
    if left_out == 0 {
        return value;
    }
    let bits = value.to_bits();
    let half = (1u32 << (left_out - 1)) - 1 + ((bits >> left_out) & 1);
    f32::from_bits(bits.wrapping_add(half) >> left_out << left_out)
}

/// The same of a double.
pub(super) fn rounded_double(value: f64, keep: u32) -> f64 {
    let left_out = (f64::MANTISSA_DIGITS - 1).saturating_sub(keep);
    if left_out == 0 {
        return value;
    }
    let bits = value.to_bits();
    let half = (1u64 << (left_out - 1)) - 1 + ((bits >> left_out) & 1);
    f64::from_bits(bits.wrapping_add(half) >> left_out << left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// To the nearest multiple of the last bit that is kept, in exact arithmetic: a double holds all of it.
    fn reference(value: f32, keep: u32) -> f32 {
        if value == 0.0 || keep >= 23 {
            return value;
        }
        let wide = f64::from(value.abs());
        let exponent = (value.abs().to_bits() >> 23).max(1) as i32 - 127;
        let unit = 2f64.powi(exponent - keep as i32);
        let rounded = (wide / unit).round_ties_even() * unit;
        (rounded as f32).copysign(value)
    }

    proptest! {
        #[test]
        fn bits_are_rounded_as_the_reference_does(bits in any::<u32>(), keep in 1..=23u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            let rounded = rounded_single(value, keep);
            prop_assert_eq!(rounded.to_bits(), reference(value, keep).to_bits());
            // Once more changes nothing.
            if rounded.is_finite() {
                prop_assert_eq!(rounded_single(rounded, keep).to_bits(), rounded.to_bits());
            }
        }

        #[test]
        fn doubles_are_rounded_as_singles_are(bits in any::<u32>(), keep in 1..=23u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_normal());
            let (single, double) = (rounded_single(value, keep), rounded_double(value.into(), keep));
            prop_assert!(single.is_infinite() || f64::from(single) == double);
        }
    }
}
