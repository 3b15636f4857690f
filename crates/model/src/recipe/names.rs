//! What the dimensions and variables of a file are called in the store, and which of a recipe's names a file does not have.
//!
//! Key types: [`StoreNames`]; [`RecipeName`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Recipe;
use super::attributes::Renames;
use crate::catalogue::Catalogue;
use crate::error::{ArchiveError, choices};

/// What is called otherwise in the store, or is not there.
#[derive(Default)]
pub(super) struct StoreNames {
    pub variables: Renames,
    pub dimensions: Renames,
}

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

impl StoreNames {
    /// What `recipe` calls the things that the file `catalogue` holds.
    ///
    /// # Errors
    /// If a name were given twice, or a coordinate had another than its dimension.
    pub(super) fn new(recipe: &Recipe, catalogue: &Catalogue) -> Result<Self, ArchiveError> {
        let mut names = Self::default();
        for (old, (new, _)) in &recipe.dimensions {
            if catalogue.dimension(old).is_some() {
                names.dimensions.insert(old.clone(), Some(new.clone()));
            }
        }
        for variable in &catalogue.variables {
            let old = &variable.name;
            if recipe.dropped.contains_key(old) {
                names.variables.insert(old.clone(), None);
                continue;
            }
            let section = recipe.variables.get(old);
            let named = section.and_then(|section| section.name.as_ref());
            let of_dimension = names.dimensions.get(old).and_then(Option::as_ref);
            let is_coordinate = catalogue.dimension(old).is_some();
            if let (Some(section), Some(named), true) = (section, named, is_coordinate)
                && Some(named) != of_dimension
            {
                let line = section.line("name");
                return Err(recipe.wrong(
                    line,
                    format!(
                        "'{old}' is the coordinate of the dimension '{old}' in {}, and has its name: give it in [dimensions], \
                         {old} = \"{named}\", and the coordinate follows",
                        catalogue.path.display()
                    ),
                ));
            }
            if let Some(new) = named.or(of_dimension).filter(|new| *new != old) {
                names.variables.insert(old.clone(), Some(new.clone()));
            }
        }
        names.check(recipe, catalogue)?;
        Ok(names)
    }

    /// What the variable `old` is called in the store; `None` if it is not there.
    pub(super) fn of_variable<'a>(&'a self, old: &'a str) -> Option<&'a str> {
        name_of(&self.variables, old)
    }

    /// What the dimension `old` is called in the store.
    pub(super) fn of_dimension<'a>(&'a self, old: &'a str) -> &'a str {
        name_of(&self.dimensions, old).unwrap_or(old)
    }

    /// No two things of a kind may have one name, and only a coordinate that of a dimension.
    fn check(&self, recipe: &Recipe, catalogue: &Catalogue) -> Result<(), ArchiveError> {
        let mut dimensions = BTreeSet::new();
        for (old, _) in &catalogue.dimensions {
            let new = self.of_dimension(old);
            if !dimensions.insert(new) {
                let all = catalogue.dimensions.iter().map(|d| d.0.as_str());
                let both: Vec<&str> = all.filter(|name| self.of_dimension(name) == new).collect();
                let line = both.iter().find_map(|name| recipe.dimensions.get(*name));
                return Err(recipe.wrong(
                    line.map_or(0, |found| found.1),
                    format!(
                        "the dimensions '{}' of {} would both be called '{new}'",
                        both.join("' and '"),
                        catalogue.path.display()
                    ),
                ));
            }
        }
        let mut variables = BTreeSet::new();
        for variable in &catalogue.variables {
            let Some(new) = self.of_variable(&variable.name) else {
                continue;
            };
            if !variables.insert(new) {
                let all = catalogue.variables.iter().map(|v| v.name.as_str());
                let both = all.filter(|name| self.of_variable(name) == Some(new));
                let both: Vec<&str> = both.collect();
                return Err(recipe.wrong(
                    recipe.line_of_name(&both),
                    format!(
                        "the variables '{}' of {} would both be called '{new}'; give one another name, or leave it out with drop",
                        both.join("' and '"),
                        catalogue.path.display()
                    ),
                ));
            }
            let along: Vec<&str> = { variable.dimensions.iter() }
                .map(|d| self.of_dimension(d))
                .collect();
            let was = catalogue.dimension(&variable.name).is_some();
            if dimensions.contains(new) && !was && along != [new] {
                return Err(recipe.wrong(
                    recipe.line_of_name(&[&variable.name, self.dimension_called(new)]),
                    format!(
                        "'{}' of {} would have the name of the dimension '{new}', whose coordinate it is not: it has the dimensions \
                         {along:?}; give one of them another name",
                        variable.name,
                        catalogue.path.display()
                    ),
                ));
            }
        }
        Ok(())
    }

    /// What the dimension that is called `new` in the store is called in the file.
    fn dimension_called<'a>(&'a self, new: &'a str) -> &'a str {
        let mut renamed = self.dimensions.iter();
        let found = renamed.find(|(_, name)| name.as_deref() == Some(new));
        found.map_or(new, |(old, _)| old)
    }
}

fn name_of<'a>(renames: &'a Renames, old: &'a str) -> Option<&'a str> {
    match renames.get(old) {
        Some(new) => new.as_deref(),
        None => Some(old),
    }
}

impl Recipe {
    /// The line that gives one of the variables or dimensions `old` its name.
    fn line_of_name(&self, old: &[&str]) -> u32 {
        let line = |old: &&str| {
            let section = self.variables.get(*old);
            let named = section.filter(|section| section.name.is_some());
            let of_dimension = self.dimensions.get(*old);
            named
                .map(|section| section.line("name"))
                .or(of_dimension.map(|found| found.1))
        };
        old.iter().find_map(line).unwrap_or(0)
    }

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

    /// Checks that each of its names is in one of the files at least, which lack those in `unknown`.
    ///
    /// # Errors
    /// All that no file has.
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
