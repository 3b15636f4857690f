//! Attributes of variables and files, and their form in a Zarr document.

use netcdf::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dtype::Number;

/// The value of an attribute. NetCDF does not tell a scalar from a vector of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Attribute {
    /// Characters.
    Text(String),
    /// NetCDF-4 strings.
    Texts(Vec<String>),
    /// Numbers, widened without loss.
    Numbers(Vec<Number>),
}

impl Attribute {
    /// The text, where this is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Texts(texts) if texts.len() == 1 => Some(&texts[0]),
            _ => None,
        }
    }

    /// The number, where this is exactly one.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Numbers(numbers) if numbers.len() == 1 => Some(numbers[0]),
            _ => None,
        }
    }

    /// As JSON. float32 values are widened as xarray does; JSON has no NaN or infinity, so these become the
    /// strings "NaN", "Infinity" and "-Infinity", as the Zarr v3 specification spells fill values.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Texts(texts) if texts.len() == 1 => json!(texts[0]),
            Self::Texts(texts) => json!(texts),
            Self::Numbers(numbers) if numbers.len() == 1 => number_to_json(numbers[0]),
            Self::Numbers(numbers) => numbers.iter().copied().map(number_to_json).collect(),
        }
    }
}

/// `number` as JSON; see [`Attribute::to_json`] for what JSON cannot say.
#[must_use]
pub fn number_to_json(number: Number) -> Value {
    match number {
        Number::Int(value) => json!(value),
        Number::UInt(value) => json!(value),
        Number::Float(value) if value.is_nan() => json!("NaN"),
        Number::Float(value) if value == f64::INFINITY => json!("Infinity"),
        Number::Float(value) if value == f64::NEG_INFINITY => json!("-Infinity"),
        Number::Float(value) => json!(value),
    }
}

impl From<AttributeValue> for Attribute {
    fn from(value: AttributeValue) -> Self {
        fn ints<T: Into<i64>>(values: Vec<T>) -> Attribute {
            Attribute::Numbers(values.into_iter().map(|v| Number::Int(v.into())).collect())
        }
        fn uints<T: Into<u64>>(values: Vec<T>) -> Attribute {
            Attribute::Numbers(values.into_iter().map(|v| Number::UInt(v.into())).collect())
        }
        fn floats<T: Into<f64>>(values: Vec<T>) -> Attribute {
            Attribute::Numbers(
                values
                    .into_iter()
                    .map(|v| Number::Float(v.into()))
                    .collect(),
            )
        }
        match value {
            AttributeValue::Schar(v) => ints(vec![v]),
            AttributeValue::Schars(v) => ints(v),
            AttributeValue::Short(v) => ints(vec![v]),
            AttributeValue::Shorts(v) => ints(v),
            AttributeValue::Int(v) => ints(vec![v]),
            AttributeValue::Ints(v) => ints(v),
            AttributeValue::Longlong(v) => ints(vec![v]),
            AttributeValue::Longlongs(v) => ints(v),
            AttributeValue::Uchar(v) => uints(vec![v]),
            AttributeValue::Uchars(v) => uints(v),
            AttributeValue::Ushort(v) => uints(vec![v]),
            AttributeValue::Ushorts(v) => uints(v),
            AttributeValue::Uint(v) => uints(vec![v]),
            AttributeValue::Uints(v) => uints(v),
            AttributeValue::Ulonglong(v) => uints(vec![v]),
            AttributeValue::Ulonglongs(v) => uints(v),
            AttributeValue::Float(v) => floats(vec![v]),
            AttributeValue::Floats(v) => floats(v),
            AttributeValue::Double(v) => floats(vec![v]),
            AttributeValue::Doubles(v) => floats(v),
            AttributeValue::Str(v) => Self::Text(v),
            AttributeValue::Strs(v) => Self::Texts(v),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float32_is_widened_as_xarray_does() {
        let value = Attribute::from(AttributeValue::Float(1e20));
        assert_eq!(value.to_json(), json!(1.000_000_020_040_877_3e20));
    }

    #[test]
    fn one_value_is_a_scalar_and_more_a_list() {
        assert_eq!(
            Attribute::from(AttributeValue::Shorts(vec![1])).to_json(),
            json!(1)
        );
        assert_eq!(
            Attribute::from(AttributeValue::Shorts(vec![1, 2])).to_json(),
            json!([1, 2])
        );
        assert_eq!(
            Attribute::from(AttributeValue::Double(f64::NAN)).to_json(),
            json!("NaN")
        );
    }
}
