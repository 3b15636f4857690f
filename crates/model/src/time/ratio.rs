//! Floats and ratios of integers, each way without a rounding that IEEE 754 would not do: [`nearest_ticks`] from a
//! float, [`rounded`] to one.

/// The integers nearest to `value` × `scale` / `divisor`, the nearest first; `None` where they are beyond 2^100.
///
/// `value` must be finite; `scale` and `divisor` positive.
pub(super) fn nearest_ticks(value: f64, scale: i64, divisor: i64) -> Option<[i128; 2]> {
    let (mantissa, exponent) = parts(value);
    let product = u128::from(mantissa) * u128::from(scale.unsigned_abs());
    let divisor = u128::from(divisor.unsigned_abs());
    let (numerator, denominator) = if exponent >= 0 {
        if product > 0 && exponent.unsigned_abs() >= product.leading_zeros() {
            return None;
        }
        (product << exponent, divisor)
    } else if exponent.unsigned_abs() < divisor.leading_zeros() {
        (product, divisor << exponent.unsigned_abs())
    } else {
        // The product is below 2^116, what divides it above 2^127: nothing but zero is near.
        (0, 1)
    };
    let (floor, rest) = (numerator / denominator, numerator % denominator);
    let floor = i128::try_from(floor).ok().filter(|&f| f < 1 << 100)?;
    let near = if rest > denominator - rest {
        [floor + 1, floor]
    } else {
        [floor, floor + 1]
    };
    Some(near.map(|tick| if value < 0.0 { -tick } else { tick }))
}

/// The float64 nearest to `numerator` / `denominator`, or the float32 where `single`; ties go to the even one.
///
/// `denominator` must be positive.
pub(super) fn rounded(numerator: i128, denominator: i64, single: bool) -> f64 {
    let magnitude = numerator.unsigned_abs();
    if magnitude == 0 {
        return 0.0;
    }
    let denominator = u128::from(denominator.unsigned_abs());
    // One bit is left free, for 2^128 is beyond float32. The quotient still has more than 62 bits, so the last one
    // may say that something follows it: that is all that rounding to 24 or 53 bits needs to know.
    let shift = magnitude.leading_zeros().saturating_sub(1);
    let shifted = magnitude << shift;
    let quotient = (shifted / denominator) | u128::from(!shifted.is_multiple_of(denominator));
    let nearest = if single {
        f64::from(quotient as f32)
    } else {
        quotient as f64
    };
    let scaled = nearest / (1_u128 << shift) as f64;
    if numerator < 0 { -scaled } else { scaled }
}

/// The mantissa and exponent of the magnitude of `value`.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 {
        (fraction, -1_074)
    } else {
        (fraction | 1 << 52, exponent - 1_075)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_float_is_its_own_ratio(value in any::<f32>().prop_filter("in range", |v| v.abs() < 1e20 && (*v == 0.0 || v.abs() > 1e-10))) {
            let value = f64::from(value);
            // Of 2^60 ticks a unit, every float32 here is a whole number but for the smallest.
            if let Some([tick, _]) = nearest_ticks(value, 1 << 60, 1)
                && value.abs() > 1e-6
            {
                prop_assert_eq!(rounded(tick, 1 << 60, true), value);
                prop_assert_eq!(rounded(tick, 1 << 60, false), value);
            }
        }

        #[test]
        fn integers_round_as_the_language_rounds_them(n in any::<i64>(), d in 1..=(1_i64 << 53), m in -(1_i64 << 53)..=(1_i64 << 53)) {
            prop_assert_eq!(rounded(n.into(), 1, false), n as f64);
            prop_assert_eq!(rounded(n.into(), 1, true), f64::from(n as f32));
            // Both are exact as floats, so IEEE 754 division is correctly rounded.
            prop_assert_eq!(rounded(m.into(), d, false), m as f64 / d as f64);
        }

        #[test]
        fn any_float_has_ticks_or_is_too_large(bits in any::<u64>(), scale in 1..i64::MAX / 256, divisor in 1..=1_000_000_000_i64) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                nearest_ticks(value, scale, divisor);
            }
        }
    }
}
