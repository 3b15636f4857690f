//! The values of a time variable in other units.
//!
//! Key type: [`TimeConversion`].

use serde::{Deserialize, Serialize};

use super::error::TimeError;
use super::units::TimeUnits;
use crate::{DType, Number};

/// From the units and type of the source to those of the store, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeConversion {
    /// What the values are in.
    pub from: TimeUnits,
    /// What they shall be in.
    pub to: TimeUnits,
    /// Their type.
    pub dtype_from: DType,
    /// The type they shall have.
    pub dtype_to: DType,
}

impl TimeConversion {
    /// Does this leave every value as it is?
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.from == self.to && self.dtype_from == self.dtype_to
    }

    /// The little-endian `values`, converted. Those that are `missing` stay as they are; if they are of bounds, those that are
    /// no time, too: nobody may have written them.
    ///
    /// # Errors
    /// If a value cannot be read, cannot be written without loss, or would become a missing one.
    pub fn convert(
        &self,
        values: &[u8],
        missing: &[Number],
        is_bounds: bool,
    ) -> Result<Vec<u8>, TimeError> {
        let size = self.dtype_from.size();
        if !values.len().is_multiple_of(size) {
            return Err(TimeError::Bytes {
                found: values.len(),
                dtype: self.dtype_from,
            });
        }
        if self.is_identity() {
            return Ok(values.to_vec());
        }
        let mut converted = Vec::with_capacity(values.len() / size * self.dtype_to.size());
        for value in self.dtype_from.numbers(values) {
            let is_missing = |fill: &Number| self.dtype_from.rounded(*fill) == Some(value);
            let stays = missing.iter().any(is_missing) || (is_bounds && self.is_no_time(value));
            converted.extend(if stays {
                self.fill(value)?
            } else {
                self.convert_one(value, missing)?
            });
        }
        Ok(converted)
    }

    fn is_no_time(&self, value: Number) -> bool {
        use TimeError::{NotFinite, OutOfRange};
        let instant = self.from.instant(value, self.dtype_from);
        matches!(instant, Err(NotFinite { .. } | OutOfRange { .. }))
    }

    fn convert_one(&self, value: Number, missing: &[Number]) -> Result<Vec<u8>, TimeError> {
        let instant = self.from.instant(value, self.dtype_from)?;
        let number = self.to.value(instant, self.dtype_to)?;
        let units = self.to;
        let becomes = |fill: &&Number| self.dtype_to.rounded(**fill) == Some(number);
        if let Some(&fill) = missing.iter().find(becomes) {
            return Err(TimeError::BecomesFill {
                instant,
                units,
                fill,
            });
        }
        self.dtype_to.bytes_of(number).ok_or(TimeError::Inexact {
            instant,
            units,
            dtype: self.dtype_to,
            nearest: number,
        })
    }

    /// A missing value, in the type of the store.
    fn fill(&self, value: Number) -> Result<Vec<u8>, TimeError> {
        let held = self.dtype_to.rounded(value);
        let held = held.filter(|held| held.as_f64() == value.as_f64() || *held == value);
        let bytes = held.and_then(|_| self.dtype_to.bytes_of(value));
        bytes.ok_or(TimeError::Fill {
            fill: value,
            dtype: self.dtype_to,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversion(from: &str, to: &str, dtype: DType) -> TimeConversion {
        TimeConversion {
            from: TimeUnits::parse(from, None).unwrap(),
            to: TimeUnits::parse(to, None).unwrap(),
            dtype_from: dtype,
            dtype_to: dtype,
        }
    }

    fn bytes(dtype: DType, values: &[f64]) -> Vec<u8> {
        let numbers = values.iter().map(|&v| dtype.bytes_of(Number::Float(v)));
        numbers.flat_map(Option::unwrap).collect()
    }

    #[test]
    fn values_move_to_the_stores_reference_and_missing_ones_stay() {
        let seconds = conversion(
            "seconds since 1900-01-01",
            "days since 1950-01-01",
            DType::F64,
        );
        let values = bytes(
            DType::F64,
            &[1_577_836_800.0, 1_577_923_200.0 + 43_200.0, 1e20],
        );
        let converted = seconds.convert(&values, &[Number::Float(1e20)], false);
        assert_eq!(converted, Ok(bytes(DType::F64, &[0.0, 1.5, 1e20])));
        let missing = bytes(DType::F64, &[f64::NAN]);
        assert_eq!(
            seconds.convert(&missing, &[Number::Float(f64::NAN)], false),
            Ok(missing.clone())
        );
        assert!(matches!(
            seconds.convert(&missing, &[], false),
            Err(TimeError::NotFinite { .. })
        ));
        // Bounds that were never written.
        let unset = bytes(DType::F64, &[1e30, 1_577_836_800.0]);
        let kept = bytes(DType::F64, &[1e30, 0.0]);
        assert_eq!(seconds.convert(&unset, &[], true), Ok(kept));
    }

    #[test]
    fn equal_units_pass_every_bit() {
        let same = conversion(
            "days since 1900-01-01",
            "day since 1900-1-1 01:00 +1",
            DType::F64,
        );
        assert!(same.is_identity());
        let values = bytes(DType::F64, &[f64::NAN, 1e300, -0.0, 1e-300]);
        assert_eq!(same.convert(&values, &[], false), Ok(values.clone()));
    }

    #[test]
    fn a_time_never_becomes_missing_nor_other() {
        let shifted = conversion("days since 1900-01-01", "days since 1900-01-02", DType::I32);
        let one = bytes(DType::I32, &[1.0]);
        let lost = shifted.convert(&one, &[Number::Int(0)], false);
        assert!(matches!(lost, Err(TimeError::BecomesFill { .. })));
        let coarse = conversion(
            "hours since 1900-01-01",
            "days since 1900-01-01",
            DType::I32,
        );
        assert!(matches!(
            coarse.convert(&one, &[], false),
            Err(TimeError::Inexact { .. })
        ));
        assert!(matches!(
            coarse.convert(&one[1..], &[], false),
            Err(TimeError::Bytes { .. })
        ));
    }

    #[test]
    fn the_type_may_change_too() {
        let mut wider = conversion(
            "days since 1900-01-01",
            "hours since 1900-01-01",
            DType::F64,
        );
        wider.dtype_to = DType::I64;
        let values = bytes(DType::F64, &[1.5, -9_999.0]);
        let converted = wider.convert(&values, &[Number::Float(-9_999.0)], false);
        assert_eq!(converted, Ok(bytes(DType::I64, &[36.0, -9_999.0])));
        let large = bytes(DType::F64, &[1e20]);
        let refused = wider.convert(&large, &[Number::Float(1e20)], false);
        assert!(matches!(refused, Err(TimeError::Fill { .. })));
    }
}
