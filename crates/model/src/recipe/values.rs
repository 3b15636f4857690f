//! What becomes of values by a recipe: converted to other units, then quantised.
//!
//! Key types: [`ValueChange`]; [`ValueFault`], a value that cannot be changed so.

use serde::{Deserialize, Serialize};

use super::rounding::{rounded_double, rounded_single};
use super::{ArrayRecipe, LinearConversion};
use crate::dtype::{DType, Number};
use crate::variable::Variable;

/// What becomes of an array's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueChange {
    dtype: DType,
    conversion: Option<LinearConversion>,
    keep_bits: Option<u32>,
    /// Those that stay as they are, beside what is no number.
    missing: Vec<Number>,
}

/// A value that cannot be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueFault {
    /// Its index.
    pub index: usize,
    /// The value.
    pub value: Number,
    /// Why.
    pub problem: String,
}

impl ValueChange {
    /// What becomes of the values of `variable`, which is as the recipe has made it; `None` if they stay as they are.
    #[must_use]
    pub fn new(variable: &Variable, array: &ArrayRecipe, dtype: DType) -> Option<Self> {
        if array.conversion.is_none() && array.keep_bits.is_none() {
            return None;
        }
        Some(Self {
            dtype,
            conversion: array.conversion,
            keep_bits: array.keep_bits,
            missing: variable.missing_values(dtype),
        })
    }

    /// Changes `values`, little-endian.
    ///
    /// # Errors
    /// The first value that cannot be changed; then some are changed, and some are not.
    pub fn apply(&self, values: &mut [u8]) -> Result<(), ValueFault> {
        match self.dtype {
            DType::F32 => self.apply_to(values, f32::from_le_bytes, f32::to_le_bytes, Self::single),
            DType::F64 => self.apply_to(values, f64::from_le_bytes, f64::to_le_bytes, Self::double),
            _ => self.apply_to_whole(values),
        }
    }

    fn apply_to<const N: usize, T: Copy + PartialEq + Into<f64>>(
        &self,
        values: &mut [u8],
        read: fn([u8; N]) -> T,
        write: fn(T) -> [u8; N],
        change: fn(&Self, T, &[f64]) -> Result<T, String>,
    ) -> Result<(), ValueFault> {
        let missing: Vec<f64> = self.missing.iter().map(|n| n.as_f64()).collect();
        let (chunks, _) = values.as_chunks_mut::<N>();
        for (index, bytes) in chunks.iter_mut().enumerate() {
            let value = read(*bytes);
            let wide: f64 = value.into();
            if !wide.is_finite() || missing.contains(&wide) {
                continue;
            }
            let new = change(self, value, &missing).map_err(|problem| ValueFault {
                index,
                value: Number::Float(wide),
                problem,
            })?;
            *bytes = write(new);
        }
        Ok(())
    }

    fn single(&self, value: f32, missing: &[f64]) -> Result<f32, String> {
        let mut new = value;
        if let Some(conversion) = &self.conversion {
            let exact = conversion.of(value.into());
            new = exact as f32;
            let is_same = match conversion.offset.as_f64() {
                // What got too small even for a double has lost bits, too.
                0.0 => f64::from(new) / conversion.factor.as_f64() == f64::from(value),
                _ => f64::from(new) == exact,
            };
            self.check(new.into(), is_same, exact, missing)?;
        }
        let rounded = self.keep_bits.map_or(new, |bits| rounded_single(new, bits));
        Ok(if stays(rounded.into(), missing) {
            new
        } else {
            rounded
        })
    }

    fn double(&self, value: f64, missing: &[f64]) -> Result<f64, String> {
        let mut new = value;
        if let Some(conversion) = &self.conversion {
            new = conversion.of(value);
            // What got too small has lost bits.
            let is_same = new / conversion.factor.as_f64() == value;
            self.check(new, is_same, new, missing)?;
        }
        let rounded = self.keep_bits.map_or(new, |bits| rounded_double(new, bits));
        Ok(if stays(rounded, missing) {
            new
        } else {
            rounded
        })
    }

    /// Checks the converted value `new`, which may be another than `meant`.
    fn check(&self, new: f64, is_same: bool, meant: f64, missing: &[f64]) -> Result<(), String> {
        if !new.is_finite() {
            return Err(format!("becomes {meant}, more than {} holds", self.dtype));
        }
        let must_be_same = self
            .conversion
            .is_some_and(|conversion| !conversion.inexact);
        if must_be_same && !is_same {
            return Err(format!(
                "becomes {meant}, which {} does not hold exactly; inexact = true rounds it",
                self.dtype
            ));
        }
        if missing.contains(&new) {
            return Err(format!("becomes {new}, which stands for missing data"));
        }
        Ok(())
    }

    fn apply_to_whole(&self, values: &mut [u8]) -> Result<(), ValueFault> {
        let Some(conversion) = &self.conversion else {
            return Ok(());
        };
        let numbers: Vec<Number> = self.dtype.numbers(values).collect();
        let chunks = values.chunks_exact_mut(self.dtype.size());
        for (index, (bytes, value)) in chunks.zip(numbers).enumerate() {
            if self.missing.contains(&value) {
                continue;
            }
            let fault = |problem: String| ValueFault {
                index,
                value,
                problem,
            };
            let new = conversion.of_whole(value);
            let held = new.and_then(|new| Some((new, self.dtype.bytes_of(new)?)));
            let Some((new, held)) = held else {
                let problem = format!("becomes more than {} holds", self.dtype);
                return Err(fault(problem));
            };
            if self
                .missing
                .iter()
                .any(|m| self.dtype.bytes_of(*m).as_ref() == Some(&held))
            {
                let problem = format!("becomes {new}, which stands for missing data");
                return Err(fault(problem));
            }
            bytes.copy_from_slice(&held);
        }
        Ok(())
    }
}

/// Is a quantised value one that says something else than the value did?
fn stays(rounded: f64, missing: &[f64]) -> bool {
    !rounded.is_finite() || missing.contains(&rounded)
}

impl LinearConversion {
    pub(super) fn of(&self, value: f64) -> f64 {
        let scaled = value * self.factor.as_f64();
        match self.offset.as_f64() {
            // A zero keeps its sign.
            0.0 => scaled,
            offset => scaled + offset,
        }
    }

    /// The same of a whole number; `None` if it is beyond all types.
    pub(super) fn of_whole(&self, value: Number) -> Option<Number> {
        let [value, factor, offset] = [value, self.factor, self.offset].map(whole);
        let new = value?.checked_mul(factor?)?.checked_add(offset?)?;
        let signed = i64::try_from(new).ok().map(Number::Int);
        signed.or_else(|| u64::try_from(new).ok().map(Number::UInt))
    }
}

fn whole(number: Number) -> Option<i128> {
    match number {
        Number::Int(value) => Some(value.into()),
        Number::UInt(value) => Some(value.into()),
        Number::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => {
            Some(i128::from(value as i64))
        }
        Number::Float(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change(
        dtype: DType,
        conversion: Option<(f64, f64, bool)>,
        keep_bits: Option<u32>,
    ) -> ValueChange {
        ValueChange {
            dtype,
            conversion: conversion.map(|(factor, offset, inexact)| LinearConversion {
                factor: Number::Float(factor),
                offset: Number::Float(offset),
                inexact,
            }),
            keep_bits,
            missing: vec![Number::Float(f64::from(1e20f32)), Number::Float(f64::NAN)],
        }
    }

    fn singles(change: &ValueChange, values: &[f32]) -> Result<Vec<f32>, ValueFault> {
        let mut bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        change.apply(&mut bytes)?;
        let (chunks, _) = bytes.as_chunks();
        Ok(chunks.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    #[test]
    fn what_stays_as_it_is() {
        let both = change(DType::F32, Some((1.0, -273.15, true)), Some(3));
        let kept = singles(&both, &[1e20, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]).unwrap();
        assert!(kept[0] == 1e20 && kept[1].is_nan());
        assert_eq!(kept[2..], [f32::INFINITY, f32::NEG_INFINITY]);
        // What would be infinite, or missing.
        let bits = change(DType::F32, None, Some(1));
        assert_eq!(singles(&bits, &[f32::MAX, 1.3]).unwrap(), [f32::MAX, 1.5]);
        let masked = ValueChange {
            missing: vec![Number::Float(1.5)],
            ..bits
        };
        assert_eq!(singles(&masked, &[1.3, 1.5, 2.9]).unwrap(), [1.3, 1.5, 3.0]);
    }

    #[test]
    fn what_cannot_be_converted_is_named() {
        let kelvin = change(DType::F32, Some((1.0, -273.15, true)), None);
        let degrees = singles(&kelvin, &[300.0]).unwrap();
        assert_eq!(degrees, [(300.0f64 - 273.15) as f32]);
        for (factor, inexact, value, index, word) in [
            (2.0, false, f32::MAX, 1, "more than float32"),
            (0.5, false, f32::from_bits(1), 1, "exactly"),
            (1e-3, true, 1e23f32, 1, "missing"),
        ] {
            let change = change(DType::F32, Some((factor, 0.0, inexact)), None);
            let change = if word == "missing" {
                ValueChange {
                    missing: vec![
                        Number::Float(f64::from((1e23f64 * 1e-3) as f32)),
                        Number::Float(f64::from((f64::from(1e23f32) * 1e-3) as f32)),
                    ],
                    ..change
                }
            } else {
                change
            };
            let fault = singles(&change, &[1.0, value]).unwrap_err();
            assert_eq!(fault.index, index);
            assert!(fault.problem.contains(word), "{fault:?}");
        }
        let small = change(DType::F64, Some((0.5, 0.0, false)), None);
        let mut bytes = 5e-324f64.to_le_bytes();
        assert!(
            small
                .apply(&mut bytes)
                .unwrap_err()
                .problem
                .contains("exactly")
        );
        let mut zero = 0f64.to_le_bytes();
        small.apply(&mut zero).unwrap();
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let thousand = ValueChange {
            missing: vec![Number::Int(-1), Number::Int(7000)],
            ..change(DType::I16, Some((1000.0, 0.0, false)), None)
        };
        let apply = |value: i16| {
            let mut bytes = value.to_le_bytes();
            thousand
                .apply(&mut bytes)
                .map(|()| i16::from_le_bytes(bytes))
        };
        assert_eq!((apply(-1), apply(-32)), (Ok(-1), Ok(-32_000)));
        assert!(apply(33).unwrap_err().problem.contains("more than int16"));
        assert!(apply(7).unwrap_err().problem.contains("missing"));
    }

    proptest! {
        #[test]
        fn powers_of_two_lose_nothing(bits in any::<u32>(), power in -20..20i32, is_negative in any::<bool>()) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite() && value != 1e20);
            let factor = 2f64.powi(power) * if is_negative { -1.0 } else { 1.0 };
            let there = change(DType::F32, Some((factor, 0.0, false)), None);
            let back = change(DType::F32, Some((1.0 / factor, 0.0, false)), None);
            prop_assert!(there.conversion.unwrap().is_exact());
            if let Ok(once) = singles(&there, &[value]) {
                prop_assert_eq!(singles(&back, &once).unwrap()[0].to_bits(), value.to_bits());
            }
        }
    }
}
