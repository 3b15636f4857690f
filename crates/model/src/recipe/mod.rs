//! A recipe: how the arrays of a store differ from the variables of the files, by what a user wrote down once for all sends.
//!
//! Key types: [`Recipe`], as it was written; [`ArrayRecipe`], what it comes to for one array; [`ValueChange`], for its values.

mod apply;
mod attributes;
mod checks;
mod difference;
mod limits;
mod names;
mod rounding;
#[cfg(test)]
mod tests;
mod unknown;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::dtype::Number;
use super::error::ArchiveError;

pub use difference::{RecipeDifference, UNITS_OF_FILES, recipe_differences};
pub use unknown::RecipeName;
pub use values::{ValueChange, ValueFault};

/// The variable of a store that says how others were quantised (CF conventions 1.12, §8.4.2).
pub const QUANTIZATION: &str = "quantization_info";

/// A recipe, by the names that files have. Lines are for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Where it was written.
    #[serde(with = "super::names::one")]
    pub path: PathBuf,
    /// Dimensions that get another name, each with its line. Their coordinates follow.
    pub dimensions: BTreeMap<String, (String, u32)>,
    /// Variables that are as if they were not there, each with its line.
    pub dropped: BTreeMap<String, u32>,
    /// Global attributes of new stores.
    pub attributes: BTreeMap<String, Attribute>,
    /// Global attributes that new stores do not get, each with its line.
    pub removed_attributes: BTreeMap<String, u32>,
    /// What becomes of variables.
    pub variables: BTreeMap<String, VariableRecipe>,
}

/// What becomes of one variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableRecipe {
    /// The line of each key that is given; of the section itself, that of the empty one.
    pub lines: BTreeMap<String, u32>,
    /// Its name in the store.
    pub name: Option<String>,
    /// All else, but for names.
    pub array: ArrayRecipe,
}

/// How an array of a store comes from a variable of a file. Kept in the ledger, in this form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayRecipe {
    /// What it is called in the file, if that is something else.
    #[serde(default)]
    pub variable: Option<String>,
    /// Those of its dimensions that are called something else in the file: by that, what they are called in the store.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// Attributes that it gets, or gets another value of.
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    /// Attributes that it does not get.
    #[serde(default)]
    pub removed_attributes: BTreeSet<String>,
    /// The units that it has in the file, if its values are converted.
    #[serde(default)]
    pub file_units: Option<String>,
    /// What its values are multiplied by and what is added.
    #[serde(default)]
    pub conversion: Option<LinearConversion>,
    /// Bits of the mantissa that are kept.
    #[serde(default)]
    pub keep_bits: Option<u32>,
    /// Chunk sizes by dimension.
    #[serde(default)]
    pub chunks: BTreeMap<String, u64>,
    /// Shard sizes by dimension.
    #[serde(default)]
    pub shards: BTreeMap<String, u64>,
    /// The compressor, as `--codec` spells it.
    #[serde(default)]
    pub codec: Option<String>,
}

/// From the values of a file to those of a store: multiplied, then added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearConversion {
    /// What values are multiplied by.
    pub factor: Number,
    /// What is added to that.
    pub offset: Number,
    /// May values be rounded to what their type holds?
    pub inexact: bool,
}

impl ArrayRecipe {
    /// Does it say nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Recipe {
    /// What is wrong in this line.
    pub(crate) fn wrong(&self, line: u32, problem: String) -> ArchiveError {
        ArchiveError::Recipe {
            recipe: self.path.clone(),
            line,
            problem,
        }
    }
}

impl VariableRecipe {
    /// The line of `key`, or of the section.
    #[must_use]
    pub fn line(&self, key: &str) -> u32 {
        let line = self.lines.get(key).or_else(|| self.lines.get(""));
        line.copied().unwrap_or(0)
    }
}
