//! The names in a recipe that files do not have: typing errors, if none of them does.
//!
//! Key type: [`RecipeName`].

use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::catalogue::Catalogue;
use crate::error::{ArchiveError, choices};

/// A name that stands in a recipe, and that a file does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecipeName {
    /// The line where it stands.
    pub line: u32,
    /// What it would be, in a message's words.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Those that there are.
    pub found: String,
}

impl Recipe {
    /// The names in it that the file `catalogue` does not have.
    pub(super) fn unknown(&self, catalogue: &Catalogue) -> Vec<RecipeName> {
        let variables = || catalogue.variables.iter().map(|v| v.name.as_str());
        let mut unknown = Vec::new();
        let mut add = |line: u32, kind: &str, name: &str, found: String| {
            unknown.push(RecipeName {
                line,
                kind: kind.to_owned(),
                name: name.to_owned(),
                found,
            });
        };
        for (name, (_, line)) in &self.dimensions {
            if catalogue.dimension(name).is_none() {
                let there = catalogue.dimensions.iter().map(|d| d.0.as_str());
                add(*line, "dimension", name, choices(name, there));
            }
        }
        for (name, line) in &self.dropped {
            if catalogue.variable(name).is_none() {
                add(*line, "variable", name, choices(name, variables()));
            }
        }
        for (name, line) in &self.removed_attributes {
            if !catalogue.attributes.iter().any(|a| a.0 == *name) {
                let there = catalogue.attributes.iter().map(|a| a.0.as_str());
                add(*line, "global attribute", name, choices(name, there));
            }
        }
        for (name, section) in &self.variables {
            let Some(variable) = catalogue.variable(name) else {
                add(
                    section.line(""),
                    "variable",
                    name,
                    choices(name, variables()),
                );
                continue;
            };
            for attribute in &section.array.removed_attributes {
                if variable.attribute(attribute).is_none() {
                    let there = variable.attributes.iter().map(|a| a.0.as_str());
                    let kind = format!("attribute of '{name}'");
                    add(
                        section.line("remove_attributes"),
                        &kind,
                        attribute,
                        choices(attribute, there),
                    );
                }
            }
        }
        unknown
    }

    /// The names in it that no file has, where each file lacks those of its `unknown`: what to say of each.
    #[must_use]
    pub fn in_no_file<'a>(
        &self,
        mut unknown: impl Iterator<Item = &'a Vec<RecipeName>>,
    ) -> Vec<ArchiveError> {
        let Some(first) = unknown.next() else {
            return Vec::new();
        };
        let mut left = first.clone();
        for others in unknown {
            let there = |name: &RecipeName| {
                others
                    .iter()
                    .any(|o| (o.line, &o.kind, &o.name) == (name.line, &name.kind, &name.name))
            };
            left.retain(there);
        }
        left.sort();
        let problem = |name: RecipeName| {
            let RecipeName {
                line,
                kind,
                name,
                found,
            } = name;
            self.wrong(
                line,
                format!("no file has a {kind} called '{name}'; they have {found}"),
            )
        };
        left.into_iter().map(problem).collect()
    }
}
