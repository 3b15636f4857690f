//! Attributes that are values of their variable, when these are converted.

use super::ArrayRecipe;
use crate::attribute::Attribute;
use crate::dtype::Number;
use crate::variable::{Variable, VariableType};

/// Values, or pairs of them (CF conventions 1.12, §2.5.1; NetCDF users guide, appendix A).
const LIMITS: [&str; 4] = ["valid_min", "valid_max", "valid_range", "actual_range"];

impl Variable {
    /// Converts the attributes that are values of the variable; those that its type could not hold are left out.
    pub(super) fn convert_limits(&mut self, array: &ArrayRecipe) {
        let (Some(conversion), VariableType::Number(dtype)) = (&array.conversion, &self.kind)
        else {
            return;
        };
        let dtype = *dtype;
        let converted = |number: Number| {
            let new = if dtype.is_float() {
                Some(Number::Float(conversion.of(number.as_f64())))
            } else {
                conversion.of_whole(number)
            };
            dtype.rounded(new?)
        };
        self.attributes.retain_mut(|(name, value)| {
            let Attribute::Numbers(numbers) = value else {
                return true;
            };
            if !LIMITS.contains(&name.as_str()) || array.attributes.contains_key(name) {
                return true;
            }
            let new: Option<Vec<Number>> = numbers.iter().map(|n| converted(*n)).collect();
            let Some(mut new) = new else { return false };
            // The least first.
            if conversion.factor.as_f64() < 0.0 {
                new.reverse();
            }
            *numbers = new;
            true
        });
        if conversion.factor.as_f64() < 0.0 {
            // What is given under the name that one would get, takes its place.
            self.attributes.retain(|(name, _)| {
                let new = match name.as_str() {
                    "valid_min" => "valid_max",
                    "valid_max" => "valid_min",
                    _ => return true,
                };
                array.attributes.contains_key(name) || !array.attributes.contains_key(new)
            });
            for (name, _) in &mut self.attributes {
                let is_given = array.attributes.contains_key(name);
                match name.as_str() {
                    "valid_min" if !is_given => "valid_max".clone_into(name),
                    "valid_max" if !is_given => "valid_min".clone_into(name),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LinearConversion;
    use super::*;
    use crate::dtype::DType;

    #[test]
    fn limits_are_values_too() {
        let numbers = |values: &[f64]| {
            Attribute::Numbers(values.iter().copied().map(Number::Float).collect())
        };
        let mut variable = Variable {
            name: "v".to_owned(),
            kind: VariableType::Number(DType::F32),
            dimensions: Vec::new(),
            shape: Vec::new(),
            stored_chunks: None,
            attributes: [
                ("valid_min", &[1.0][..]),
                ("valid_max", &[2.0]),
                ("actual_range", &[1.0, 1.5]),
                ("valid_range", &[0.0, 1e39]),
            ]
            .map(|(name, values)| (name.to_owned(), numbers(values)))
            .to_vec(),
        };
        let array = ArrayRecipe {
            conversion: Some(LinearConversion {
                factor: Number::Float(-2.0),
                offset: Number::Float(0.0),
                inexact: false,
            }),
            ..ArrayRecipe::default()
        };
        variable.convert_limits(&array);
        let of = |name: &str| variable.attribute(name).cloned();
        assert_eq!(of("valid_min"), Some(numbers(&[-4.0])));
        assert_eq!(of("valid_max"), Some(numbers(&[-2.0])));
        assert_eq!(of("actual_range"), Some(numbers(&[-3.0, -2.0])));
        assert_eq!(of("valid_range"), None);
    }
}
