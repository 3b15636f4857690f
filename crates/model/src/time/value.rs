//! Numbers of a time axis to moments and back: [`TimeUnits::instant`] and [`TimeUnits::value`].
//!
//! A float can seldom hold a time exactly: 0.1 days are no finite binary fraction. So a float is read as the time a
//! person would have meant: at the coarsest of s, ms, µs and ns of which some whole number is that very float.

use super::error::TimeError;
use super::instant::Instant;
use super::ratio::{nearest_ticks, rounded};
use super::units::TimeUnits;
use crate::{DType, Number};

/// Nanoseconds of a tick, coarsest first.
const RESOLUTIONS: [i64; 4] = [1_000_000_000, 1_000_000, 1_000, 1];

impl TimeUnits {
    /// The moment that `value`, stored as `dtype`, means.
    ///
    /// # Errors
    /// If it is NaN or infinite, out of range, or a float finer than a nanosecond.
    pub fn instant(&self, value: Number, dtype: DType) -> Result<Instant, TimeError> {
        let out_of_range = || TimeError::OutOfRange {
            value,
            units: *self,
        };
        let whole = |units: i128| units * i128::from(self.length());
        let since = match value {
            Number::Int(units) => whole(units.into()),
            Number::UInt(units) => whole(units.into()),
            Number::Float(float) if float.is_finite() => {
                // Far beyond the million years that `Instant` allows.
                if float.abs() * self.length() as f64 > 1e29 {
                    return Err(out_of_range());
                }
                self.since(float, dtype).ok_or(TimeError::TooFine {
                    value,
                    units: *self,
                    dtype,
                })?
            }
            Number::Float(_) => {
                return Err(TimeError::NotFinite {
                    value,
                    units: *self,
                });
            }
        };
        Instant::new(self.calendar(), self.reference().ns() + since).ok_or_else(out_of_range)
    }

    /// Nanoseconds since the reference that a float means.
    fn since(&self, float: f64, dtype: DType) -> Option<i128> {
        let single = dtype == DType::F32;
        RESOLUTIONS.iter().find_map(|&tick| {
            nearest_ticks(float, self.length(), tick)?
                .map(|ticks| ticks * i128::from(tick))
                .into_iter()
                .find(|&since| rounded(since, self.length(), single) == float)
        })
    }

    /// The number that means `instant` in these units, as `dtype` can hold it.
    ///
    /// # Errors
    /// If no number does: reading the nearest one back would give another moment. Also if the calendars differ in
    /// more than name; see [`Instant::in_calendar`].
    pub fn value(&self, instant: Instant, dtype: DType) -> Result<Number, TimeError> {
        let instant = instant.in_calendar(self.calendar())?;
        let since = instant.ns() - self.reference().ns();
        let inexact = |nearest| TimeError::Inexact {
            instant,
            units: *self,
            dtype,
            nearest,
        };
        if dtype.is_float() {
            let float = rounded(since, self.length(), dtype == DType::F32);
            let value = Number::Float(float);
            return match self.instant(value, dtype) {
                Ok(read) if read == instant => Ok(value),
                _ => Err(inexact(value)),
            };
        }
        let length = i128::from(self.length());
        let whole = (since + length / 2).div_euclid(length);
        let value = integer(whole, dtype).ok_or(TimeError::DoesNotFit {
            instant,
            units: *self,
            dtype,
            needed: whole,
        })?;
        if whole * length == since {
            Ok(value)
        } else {
            Err(inexact(value))
        }
    }
}

/// `whole` as a number that `dtype` can hold.
fn integer(whole: i128, dtype: DType) -> Option<Number> {
    let unsigned = matches!(dtype, DType::U8 | DType::U16 | DType::U32 | DType::U64);
    let number = if unsigned {
        Number::UInt(u64::try_from(whole).ok()?)
    } else {
        Number::Int(i64::try_from(whole).ok()?)
    };
    dtype.bytes_of(number).map(|_| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(units: &str, value: f64, dtype: DType) -> String {
        let units = TimeUnits::parse(units, Some("noleap")).unwrap();
        match units.instant(Number::Float(value), dtype) {
            Ok(instant) => {
                assert_eq!(units.value(instant, dtype), Ok(Number::Float(value)));
                instant.to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_float_is_read_as_what_was_meant() {
        let days = "days since 1900-01-01";
        assert_eq!(read(days, 0.1, DType::F64), "1900-01-01 02:24:00");
        assert_eq!(
            read(days, f64::from(0.1_f32), DType::F32),
            "1900-01-01 02:24:00"
        );
        assert_eq!(read(days, 1.0 / 3.0, DType::F64), "1900-01-01 08:00:00");
        assert_eq!(read(days, -1.0 / 3.0, DType::F64), "1899-12-31 16:00:00");
        assert_eq!(
            read("hours since 1900-01-01", 0.001, DType::F64),
            "1900-01-01 00:00:03.6"
        );
        assert_eq!(
            read("seconds since 1900-01-01", 1e-9, DType::F64),
            "1900-01-01 00:00:00.000000001"
        );
        assert_eq!(
            read("ns since 1900-01-01", 1_500.0, DType::F64),
            "1900-01-01 00:00:00.0000015"
        );
        // A float64 of days has 2^-29 s here, and the second is the coarsest within it.
        assert_eq!(read(days, 27_774.5, DType::F64), "1976-02-04 12:00:00");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let seconds = "seconds since 1900-01-01";
        assert!(read(seconds, 1e-10, DType::F64).contains("finer than a nanosecond"));
        assert!(read(seconds, f64::MIN_POSITIVE / 4.0, DType::F64).contains("finer"));
        assert!(read(seconds, f64::NAN, DType::F64).contains("no time"));
        assert!(read(seconds, f64::INFINITY, DType::F32).contains("no time"));
        assert!(read(seconds, 1e20, DType::F64).contains("million years"));
        assert!(read(seconds, f64::MAX, DType::F64).contains("million years"));
    }

    #[test]
    fn an_integer_is_exact_or_refused() {
        let days = TimeUnits::parse("days since 1900-01-01", None).unwrap();
        let hours = TimeUnits::parse("hours since 1900-01-01", None).unwrap();
        let noon = hours.instant(Number::Int(36), DType::I32).unwrap();
        assert_eq!(hours.value(noon, DType::U8), Ok(Number::UInt(36)));
        assert_eq!(days.value(noon, DType::F32), Ok(Number::Float(1.5)));
        let lost = days.value(noon, DType::I64).unwrap_err().to_string();
        assert!(
            lost.contains("1900-01-02 12:00:00") && lost.contains("days since 1900-01-01"),
            "{lost}"
        );
        let before = hours.instant(Number::Int(-1), DType::I32).unwrap();
        assert!(matches!(
            hours.value(before, DType::U64),
            Err(TimeError::DoesNotFit { needed: -1, .. })
        ));
        let late = hours.instant(Number::Int(128), DType::I32).unwrap();
        assert!(matches!(
            hours.value(late, DType::I8),
            Err(TimeError::DoesNotFit { .. })
        ));
        assert!(matches!(
            days.instant(Number::UInt(u64::MAX), DType::U64),
            Err(TimeError::OutOfRange { .. })
        ));
        assert!(matches!(
            days.instant(Number::Int(i64::MIN), DType::I64),
            Err(TimeError::OutOfRange { .. })
        ));
    }
}
