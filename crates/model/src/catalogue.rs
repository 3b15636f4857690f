//! What one file holds: dimensions, variables, attributes.
//!
//! Key type: [`Catalogue`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::dtype::Number;
use super::recipe::{ArrayRecipe, RecipeName};
use super::stored_bytes::StoredBytes;
use super::variable::Variable;

/// What one file holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Where it is.
    #[serde(with = "super::names::one")]
    pub path: PathBuf,
    /// Dimensions with their sizes, in the file's order.
    pub dimensions: Vec<(String, u64)>,
    /// Variables in the file's order.
    pub variables: Vec<Variable>,
    /// Global attributes in the file's order.
    pub attributes: Vec<(String, Attribute)>,
    /// Attributes of types that only the file defines, which cannot be sent: each with its variable, if it is one's.
    pub odd_attributes: Vec<(Option<String>, String)>,
    /// By its name in the file, how much is stored of a variable, and where, if it is a large one in stored chunks.
    pub stored_bytes: BTreeMap<String, StoredBytes>,
    /// Variables whose values cannot be read here, and why.
    pub unreadable: BTreeMap<String, String>,
    /// By the name of a variable, what it is called in the file, if that is something else.
    pub renamed: BTreeMap<String, String>,
    /// By the name of a variable, what becomes of it, if a recipe says anything of it.
    pub recipes: BTreeMap<String, ArrayRecipe>,
    /// Names in the recipe that the file does not have.
    pub recipe_unknown: Vec<RecipeName>,
}

impl Catalogue {
    /// Of how many pieces, if it is more than one, this file has one: NEMO writes a file a processor where XIOS does not
    /// join them, and says so in the global attribute `DOMAIN_number_total`.
    pub(super) fn pieces(&self) -> Option<String> {
        let total = self
            .attributes
            .iter()
            .find(|a| a.0 == "DOMAIN_number_total");
        let total = &total?.1;
        let number = total.number().map(Number::as_f64);
        let number = number.or_else(|| total.text()?.trim().parse().ok())?;
        (number > 1.0).then(|| number.to_string())
    }

    /// The variable called `name`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name)
    }

    /// The size of the dimension called `name`.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<u64> {
        self.dimensions.iter().find(|d| d.0 == name).map(|d| d.1)
    }

    /// The names of what a store of variable `name` holds, itself first: the coordinates of its dimensions, the
    /// variables its `coordinates` and `grid_mapping` attributes name, what says how values were quantised, and the bounds of all these. Names the file lacks are left out.
    #[must_use]
    pub fn with_coordinates(&self, name: &str) -> Vec<String> {
        let mut members: Vec<String> = vec![name.to_owned()];
        let mut next = 0;
        while next < members.len() {
            if let Some(variable) = self.variable(&members[next]) {
                let mut named: Vec<&str> = variable.dimensions.iter().map(String::as_str).collect();
                named.extend(variable.words("coordinates"));
                named.extend(variable.words("bounds"));
                named.extend(variable.words("climatology"));
                named.extend(variable.words("quantization"));
                named.extend(variable.grid_mappings());
                for name in named {
                    if self.variable(name).is_some() && !members.iter().any(|m| m == name) {
                        members.push(name.to_owned());
                    }
                }
            }
            next += 1;
        }
        members
    }
}
