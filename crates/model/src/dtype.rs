//! The types of values: the number types that NetCDF and Zarr share, and text. Values travel as raw bytes, numbers
//! little-endian.
//!
//! Key types: [`DType`]; [`Number`], one value of any number type.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum DType {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    /// Text of at most so many bytes of UTF-8, padded with NULs to that many.
    Text(u32),
}

impl DType {
    /// All types of numbers.
    pub const NUMBERS: [Self; 10] = [
        Self::I8,
        Self::U8,
        Self::I16,
        Self::U16,
        Self::I32,
        Self::U32,
        Self::I64,
        Self::U64,
        Self::F32,
        Self::F64,
    ];

    /// Bytes of one value.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
            Self::Text(width) => width as usize,
        }
    }

    /// Is this a floating-point type?
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// Is this text, of any width?
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The bytes of one value, padded if it is text.
    #[must_use]
    pub fn padded(self, mut value: Vec<u8>) -> Vec<u8> {
        if self.is_text() {
            value.resize(self.size(), 0);
        }
        value
    }

    /// The type that holds the values of both: the wider of two texts, or a type they share.
    #[must_use]
    pub fn widest(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(Self::Text(a.max(b))),
            _ => (self == other).then_some(self),
        }
    }

    /// The name in a Zarr v3 array document (Zarr core specification v3, "Core data types"; `string` is a registered
    /// extension, and the only text type that zarr-python reads in v3 without a warning).
    #[must_use]
    pub fn zarr_name(self) -> &'static str {
        match self {
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::I16 => "int16",
            Self::U16 => "uint16",
            Self::I32 => "int32",
            Self::U32 => "uint32",
            Self::I64 => "int64",
            Self::U64 => "uint64",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::Text(_) => "string",
        }
    }

    /// The name in a Zarr v2 array document, which is NumPy's, little-endian (Zarr storage specification version 2,
    /// "Data type encoding").
    #[must_use]
    pub fn numpy_name(self) -> &'static str {
        match self {
            Self::I8 => "|i1",
            Self::U8 => "|u1",
            Self::I16 => "<i2",
            Self::U16 => "<u2",
            Self::I32 => "<i4",
            Self::U32 => "<u4",
            Self::I64 => "<i8",
            Self::U64 => "<u8",
            Self::F32 => "<f4",
            Self::F64 => "<f8",
            Self::Text(_) => "|O",
        }
    }

    /// The little-endian bytes of `value` in this type, or `None` where the type cannot hold it exactly.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn bytes_of(self, value: Number) -> Option<Vec<u8>> {
        let integer = match value {
            Number::Int(value) => Some(i128::from(value)),
            Number::UInt(value) => Some(i128::from(value)),
            Number::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => {
                Some(i128::from(value as i64))
            }
            Number::Float(_) => None,
        };
        let float = value.as_f64();
        Some(match self {
            Self::I8 => i8::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::U8 => u8::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::I16 => i16::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::U16 => u16::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::I32 => i32::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::U32 => u32::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::I64 => i64::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::U64 => u64::try_from(integer?).ok()?.to_le_bytes().to_vec(),
            Self::F32 => (float as f32).to_le_bytes().to_vec(),
            Self::F64 => float.to_le_bytes().to_vec(),
            Self::Text(_) => return None,
        })
    }

    /// The integer type of this size and the other sign; `None` if there is none.
    #[must_use]
    pub fn with_other_sign(self) -> Option<Self> {
        Some(match self {
            Self::I8 => Self::U8,
            Self::U8 => Self::I8,
            Self::I16 => Self::U16,
            Self::U16 => Self::I16,
            Self::I32 => Self::U32,
            Self::U32 => Self::I32,
            Self::I64 => Self::U64,
            Self::U64 => Self::I64,
            Self::F32 | Self::F64 | Self::Text(_) => return None,
        })
    }

    /// `value` as this type holds it; `None` if it cannot, beyond rounding a float.
    #[must_use]
    pub fn rounded(self, value: Number) -> Option<Number> {
        let bytes = self.bytes_of(value)?;
        let rounded = self.numbers(&bytes).next()?;
        (rounded.as_f64().is_finite() == value.as_f64().is_finite()).then_some(rounded)
    }

    /// The numbers that little-endian `bytes` hold: none of text. An incomplete last value is left out.
    pub fn numbers(self, bytes: &[u8]) -> impl Iterator<Item = Number> + '_ {
        macro_rules! read {
            ($type:ty, $bytes:expr) => {
                <$type>::from_le_bytes($bytes.try_into().unwrap_or_default())
            };
        }
        bytes.chunks_exact(self.size()).filter_map(move |b| {
            Some(match self {
                Self::I8 => Number::Int(read!(i8, b).into()),
                Self::U8 => Number::UInt(read!(u8, b).into()),
                Self::I16 => Number::Int(read!(i16, b).into()),
                Self::U16 => Number::UInt(read!(u16, b).into()),
                Self::I32 => Number::Int(read!(i32, b).into()),
                Self::U32 => Number::UInt(read!(u32, b).into()),
                Self::I64 => Number::Int(read!(i64, b)),
                Self::U64 => Number::UInt(read!(u64, b)),
                Self::F32 => Number::Float(read!(f32, b).into()),
                Self::F64 => Number::Float(read!(f64, b)),
                Self::Text(_) => return None,
            })
        })
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.zarr_name())
    }
}

/// One value of any number type, exactly. NaN equals NaN: attributes and values are compared to find out whether they are
/// the same, and many a `_FillValue` is NaN.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Number {
    Int(i64),
    UInt(u64),
    Float(f64),
}

impl Number {
    /// As the nearest float64.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::UInt(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Compares exactly within a type and as float64 across types; `None` if one is NaN.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::UInt(a), Self::UInt(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }

    /// Is this a later step than `before`? NaN is after nothing.
    #[must_use]
    pub fn is_after(self, before: Self) -> bool {
        self.compare(before) == Some(Ordering::Greater)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            _ => false,
        }
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::UInt(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_way_to_bytes_and_back() {
        for (dtype, value) in [
            (DType::I8, Number::Int(-128)),
            (DType::U16, Number::UInt(65_535)),
            (DType::I64, Number::Int(i64::MIN)),
            (DType::U64, Number::UInt(u64::MAX)),
            (DType::F32, Number::Float(f64::from(1e20_f32))),
            (DType::F64, Number::Float(0.1)),
        ] {
            let bytes = dtype.bytes_of(value).unwrap();
            assert_eq!(bytes.len(), dtype.size());
            assert_eq!(dtype.numbers(&bytes).collect::<Vec<_>>(), [value]);
        }
    }

    #[test]
    fn a_number_is_itself() {
        for number in [Number::Float(f64::NAN), Number::Float(0.5), Number::Int(0)] {
            assert_eq!(number, number);
            assert_ne!(number, Number::UInt(0));
        }
        assert_eq!(Number::Float(f64::NAN), Number::Float(-f64::NAN));
        assert_eq!(
            Number::Float(f64::NAN).compare(Number::Float(f64::NAN)),
            None
        );
    }

    #[test]
    fn a_value_the_type_cannot_hold_is_refused() {
        assert_eq!(DType::U8.bytes_of(Number::Int(-1)), None);
        assert_eq!(DType::I16.bytes_of(Number::Float(0.5)), None);
        assert_eq!(DType::I16.bytes_of(Number::Float(1e20)), None);
    }
}
