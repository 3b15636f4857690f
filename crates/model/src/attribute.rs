//! Attributes of variables and files, and their form in a Zarr document.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dtype::Number;

/// The value of an attribute. NetCDF does not tell a scalar from a vector of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float32_is_widened_as_xarray_does() {
        let value = Attribute::Numbers(vec![Number::Float(1e20_f32.into())]);
        assert_eq!(value.to_json(), json!(1.000_000_020_040_877_3e20));
    }

    #[test]
    fn one_value_is_a_scalar_and_more_a_list() {
        let one = Attribute::Numbers(vec![Number::Int(1)]);
        assert_eq!(one.to_json(), json!(1));
        let more = Attribute::Numbers(vec![Number::Int(1), Number::Int(2)]);
        assert_eq!(more.to_json(), json!([1, 2]));
        let nan = Attribute::Numbers(vec![Number::Float(f64::NAN)]);
        assert_eq!(nan.to_json(), json!("NaN"));
    }
}
