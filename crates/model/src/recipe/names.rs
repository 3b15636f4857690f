//! What the dimensions and variables of a file are called in the store.
//!
//! Key type: [`StoreNames`].

use std::collections::BTreeSet;

use super::Recipe;
use super::attributes::Renames;
use crate::catalogue::Catalogue;
use crate::error::ArchiveError;

/// What is called otherwise in the store, or is not there.
#[derive(Default)]
pub(super) struct StoreNames {
    pub variables: Renames,
    pub dimensions: Renames,
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
}
