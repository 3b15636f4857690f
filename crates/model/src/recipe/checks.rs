//! Whether the values of variables may be changed as a recipe says, which is found out before any is read.

use super::apply::QUANTIZATION_OF;
use super::{ArrayRecipe, LinearConversion, QUANTIZATION, Recipe};
use crate::catalogue::Catalogue;
use crate::dtype::{DType, Number};
use crate::error::ArchiveError;
use crate::time::time_units;
use crate::variable::{Variable, VariableType};

/// Bits of the mantissa that the types of floats store.
#[must_use]
pub(super) fn mantissa_bits(dtype: DType) -> Option<u32> {
    match dtype {
        DType::F32 => Some(f32::MANTISSA_DIGITS - 1),
        DType::F64 => Some(f64::MANTISSA_DIGITS - 1),
        _ => None,
    }
}

impl Catalogue {
    /// Checks that the values of its variables can be changed as the `recipe` that it was made by says.
    ///
    /// # Errors
    /// The first that cannot.
    pub(super) fn check_values(
        &self,
        recipe: &Recipe,
        append_dimension: &str,
    ) -> Result<(), ArchiveError> {
        for (name, array) in &self.recipes {
            let Some(variable) = self.variable(name) else {
                continue;
            };
            let old = array.variable.as_ref().unwrap_or(name);
            let Some(section) = recipe.variables.get(old) else {
                continue;
            };
            let refuse = |key: &str, problem: String| {
                let file = self.path.display();
                Err(recipe.wrong(
                    section.line(key),
                    format!("{key} for '{old}' of {file}: it {problem}"),
                ))
            };
            let (key, changes) = match (&array.conversion, array.keep_bits) {
                (Some(_), _) if section.lines.contains_key("factor") => ("factor", true),
                (Some(_), _) => ("offset", true),
                (None, Some(_)) => ("keep_bits", true),
                (None, None) => ("", false),
            };
            if changes && let Some(problem) = self.unchangeable(variable, append_dimension) {
                return refuse(key, problem);
            }
            if let Some(conversion) = &array.conversion
                && let Some(problem) = self.inconvertible(variable, array, conversion)
            {
                return refuse(key, problem);
            }
            if let Some(bits) = array.keep_bits
                && let Some(problem) = self.unquantisable(variable, bits)
            {
                return refuse("keep_bits", problem);
            }
            if name == append_dimension
                && let Some(said) = { array.attributes.keys().chain(&array.removed_attributes) }
                    .find(|said| ["units", "calendar"].contains(&said.as_str()))
            {
                let key = if array.attributes.contains_key(said) {
                    "attributes"
                } else {
                    "remove_attributes"
                };
                return refuse(
                    key,
                    format!(
                        "tells steps apart, and {said} says what its values mean; make it right in the files, with ncatted"
                    ),
                );
            }
            for (key, sizes) in [("chunks", &array.chunks), ("shards", &array.shards)] {
                if let Some(dimension) = sizes.keys().find(|d| !variable.dimensions.contains(d)) {
                    let there = variable.dimensions.iter().map(String::as_str);
                    let there = crate::choices(dimension, there);
                    return refuse(
                        key,
                        format!("has no dimension '{dimension}' in the store; it has {there}"),
                    );
                }
            }
        }
        Ok(())
    }

    /// Why the values of `variable` cannot be changed in any way.
    fn unchangeable(&self, variable: &Variable, append_dimension: &str) -> Option<String> {
        let VariableType::Number(_) = variable.kind else {
            return Some("holds no numbers".to_owned());
        };
        if let Some(packing) = ["scale_factor", "add_offset", "_Unsigned"]
            .into_iter()
            .find(|name| variable.attribute(name).is_some())
        {
            return Some(format!(
                "is packed, for it has the attribute {packing}: unpack it (ncpdq -U), or change what it says with ncatted"
            ));
        }
        if let Some(flags) = ["flag_values", "flag_masks"]
            .into_iter()
            .find(|name| variable.attribute(name).is_some())
        {
            return Some(format!("has {flags}: its values are no quantities"));
        }
        if !matches!(time_units(self, &variable.name), Ok(None)) {
            return Some("holds times, by which steps are told apart".to_owned());
        }
        if variable.dimensions == [append_dimension] {
            return Some(format!(
                "has the append dimension '{append_dimension}' alone, so it may tell steps apart"
            ));
        }
        if self.is_horizontal(&variable.name) {
            return Some("says where cells are, which must be the same in all files".to_owned());
        }
        None
    }

    /// Is the variable `name` the longitude or the latitude of another, or bounds of one?
    fn is_horizontal(&self, name: &str) -> bool {
        let bounded = self.bounded_by(name).map(|variable| &variable.name);
        self.variables.iter().any(|variable| {
            let mut found = self.unnamed_horizontal(variable);
            if let Some(horizontal) = self.horizontal(variable) {
                found.extend([horizontal.longitude, horizontal.latitude]);
            }
            found.iter().any(|h| h == name || Some(h) == bounded)
        })
    }

    /// Why the values of `variable` cannot be converted so.
    fn inconvertible(
        &self,
        variable: &Variable,
        array: &ArrayRecipe,
        conversion: &LinearConversion,
    ) -> Option<String> {
        let VariableType::Number(dtype) = variable.kind else {
            return None;
        };
        if !dtype.is_float() && !conversion.is_whole() {
            return Some(format!(
                "has type {dtype}, which holds only what a whole factor and a whole offset make of its values"
            ));
        }
        if dtype.is_float() && !conversion.inexact && !conversion.is_exact() {
            return Some(format!(
                "has type {dtype}, whose values are exact only if multiplied by a power of two, with nothing added; give \
                 inexact = true to round them to what the type holds"
            ));
        }
        if variable.attribute("units").is_some() && !array.attributes.contains_key("units") {
            return Some(
                "has units, which are others then: give them, attributes = { units = \"…\" }"
                    .to_owned(),
            );
        }
        for bounds in variable
            .words("bounds")
            .chain(variable.words("climatology"))
        {
            let of_bounds = self.recipe_of(bounds).and_then(|b| b.conversion.as_ref());
            if self.variable(bounds).is_some() && of_bounds != Some(conversion) {
                return Some(format!(
                    "has the bounds '{bounds}', which have its units: give them the same factor, offset and inexact"
                ));
            }
        }
        if let Some(bounded) = self.bounded_by(&variable.name) {
            let of_bounded = self.recipe_of(&bounded.name);
            if of_bounded.and_then(|b| b.conversion.as_ref()) != Some(conversion) {
                return Some(format!(
                    "is the bounds of '{}', and has its units: give that the same factor, offset and inexact",
                    bounded.name
                ));
            }
        }
        None
    }

    /// Why `variable` cannot be quantised to so many bits (CF conventions 1.12, §8.4.1: what places others must be exact).
    fn unquantisable(&self, variable: &Variable, bits: u32) -> Option<String> {
        let VariableType::Number(dtype) = variable.kind else {
            return None;
        };
        match mantissa_bits(dtype) {
            None => {
                return Some(format!(
                    "has type {dtype}; only floats have bits to leave out"
                ));
            }
            Some(most) if bits > most => {
                return Some(format!(
                    "has type {dtype}, of {most} bits; {bits} cannot be kept"
                ));
            }
            Some(_) => {}
        }
        let not_data = self.not_data().into_iter();
        if let Some((_, why)) = { not_data }.find(|(name, _)| *name == variable.name) {
            return Some(format!(
                "is no data variable, but {why}; only data are quantised"
            ));
        }
        if let Some(old) = variable.attribute(QUANTIZATION_OF) {
            return Some(format!(
                "is quantised already, by its attribute {QUANTIZATION_OF} {}; to do it again, remove that: remove_attributes = \
                 [\"quantization\", \"quantization_nsb\"]",
                old.to_json()
            ));
        }
        let is_taken =
            self.variable(QUANTIZATION).is_some() || self.dimension(QUANTIZATION).is_some();
        is_taken.then(|| {
            format!("would be told of by '{QUANTIZATION}', and the file has something of that name; give it another")
        })
    }
}

impl LinearConversion {
    /// Does it keep every bit of a float, unless it gets too large or too small?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let factor = self.factor.as_f64();
        let mantissa = factor.to_bits() & ((1 << (f64::MANTISSA_DIGITS - 1)) - 1);
        factor.is_normal() && mantissa == 0 && self.offset.as_f64() == 0.0
    }

    /// Does it make whole numbers of whole numbers?
    #[must_use]
    pub(super) fn is_whole(&self) -> bool {
        let is_whole = |number: Number| match number {
            Number::Float(value) => value.fract() == 0.0 && value.abs() < 9.0e15,
            Number::Int(_) | Number::UInt(_) => true,
        };
        is_whole(self.factor) && is_whole(self.offset)
    }
}
