//! In what two recipes of one array differ: the one that a store was made by, and the one that is given.
//!
//! Key type: [`RecipeDifference`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::ArrayRecipe;
use crate::attribute::Attribute;
use crate::catalogue::Catalogue;

/// The key of a difference that is none of recipes.
pub const UNITS_OF_FILES: &str = "units in the files";

/// What is said where a recipe says nothing.
const NONE: &str = "none";

/// Something that two recipes say otherwise of one array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeDifference {
    /// The array.
    pub array: String,
    /// The key of the recipe.
    pub key: String,
    /// What the store's recipe says.
    pub stored: String,
    /// What is said now.
    pub given: String,
}

/// In what the `stored` recipes, by array, differ from those that the file `catalogue` was made by, of the arrays that the store
/// `holds`. Chunks, shards and codecs are not compared: the arrays themselves tell.
#[must_use]
pub fn recipe_differences(
    stored: &BTreeMap<String, ArrayRecipe>,
    catalogue: &Catalogue,
    holds: impl Fn(&str) -> bool,
) -> Vec<RecipeDifference> {
    let none = ArrayRecipe::default();
    let mut differences = Vec::new();
    for variable in catalogue.variables.iter().filter(|v| holds(&v.name)) {
        let name = &variable.name;
        let [stored, given] = [stored.get(name), catalogue.recipe_of(name)];
        let [stored, given] = [stored, given].map(|recipe| recipe.unwrap_or(&none));
        differences.extend(stored.differences(given, name));
    }
    // What the files have by its old name.
    for (name, recipe) in stored.iter().filter(|(name, _)| holds(name)) {
        let old = recipe.variable.as_ref();
        let is_there = old.is_some_and(|old| catalogue.variable(old).is_some());
        if is_there && catalogue.variable(name).is_none() {
            differences.extend(recipe.differences(&none, name));
        }
    }
    differences
}

impl ArrayRecipe {
    /// In what this one, the store's, differs from the `given` one of `array`.
    fn differences(&self, given: &Self, array: &str) -> Vec<RecipeDifference> {
        let mut differences = Vec::new();
        let mut compare = |key: &str, stored: String, given: String| {
            if stored != given {
                differences.push(RecipeDifference {
                    array: array.to_owned(),
                    key: key.to_owned(),
                    stored,
                    given,
                });
            }
        };
        let name = |recipe: &Self| {
            shown(
                recipe
                    .variable
                    .as_ref()
                    .map(|old| format!("'{array}' for '{old}'")),
            )
        };
        compare("name", name(self), name(given));
        let dimensions = |recipe: &Self| {
            let pairs = recipe.dimensions.iter();
            let pairs: Vec<String> = pairs
                .map(|(old, new)| format!("'{new}' for '{old}'"))
                .collect();
            shown((!pairs.is_empty()).then(|| pairs.join(", ")))
        };
        compare("dimensions", dimensions(self), dimensions(given));
        let number = |recipe: &Self, of: fn(&super::LinearConversion) -> String| {
            shown(recipe.conversion.as_ref().map(of))
        };
        compare(
            "factor",
            number(self, |c| c.factor.to_string()),
            number(given, |c| c.factor.to_string()),
        );
        compare(
            "offset",
            number(self, |c| c.offset.to_string()),
            number(given, |c| c.offset.to_string()),
        );
        compare(
            UNITS_OF_FILES,
            shown(self.file_units.as_ref()),
            shown(given.file_units.as_ref()),
        );
        compare("keep_bits", shown(self.keep_bits), shown(given.keep_bits));
        let names: BTreeSet<&String> = self
            .attributes
            .keys()
            .chain(given.attributes.keys())
            .collect();
        for name in names {
            let value = |recipe: &Self| shown(recipe.attributes.get(name).map(Attribute::to_json));
            compare(&format!("attributes.{name}"), value(self), value(given));
        }
        let removed = |recipe: &Self| {
            let names: Vec<String> = recipe
                .removed_attributes
                .iter()
                .map(|n| format!("'{n}'"))
                .collect();
            shown((!names.is_empty()).then(|| names.join(", ")))
        };
        compare("remove_attributes", removed(self), removed(given));
        differences
    }
}

fn shown(value: Option<impl Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}
