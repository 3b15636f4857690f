//! Do the files of an archive hold the same variables, in the same form and meaning?

use super::archive::Archive;
use super::attribute::Attribute;
use super::catalogue::Catalogue;
use super::error::ArchiveError;
use super::time::time_units;

/// Attributes that say what raw values mean: where they differ, the same bytes mean different things.
pub const MEANING: [&str; 8] = [
    "_FillValue",
    "missing_value",
    "scale_factor",
    "add_offset",
    "_Unsigned",
    "units",
    "calendar",
    "positive",
];

/// Those of them that may differ where times can be converted.
pub const TIME: [&str; 2] = ["units", "calendar"];

impl Archive {
    /// Where a file does not hold the variables `members` with the dimensions, sizes, types and meaning they have in the
    /// first one: one problem a variable and file. Sizes along the append dimension may differ.
    #[must_use]
    pub fn differences(&self, members: &[String]) -> Vec<ArchiveError> {
        let others = self.files.iter().skip(1);
        others
            .flat_map(|file| members.iter().map(move |name| (file, name)))
            .filter_map(|(file, name)| self.difference(&file.catalogue, name).err())
            .collect()
    }

    /// Which of `members` have values that cannot be read here: one problem a variable and file.
    #[must_use]
    pub fn unreadable(&self, members: &[String]) -> Vec<ArchiveError> {
        let catalogues = self.files.iter().map(|file| &file.catalogue);
        let of_file = |catalogue: &'_ Catalogue| {
            let found = catalogue.unreadable.iter();
            let found = found.filter(|(name, _)| members.contains(name));
            let problem = |(name, problem): (&String, &String)| ArchiveError::Unsupported {
                path: catalogue.path.clone(),
                variable: name.clone(),
                problem: problem.clone(),
            };
            found.map(problem).collect::<Vec<_>>()
        };
        catalogues.flat_map(of_file).collect()
    }

    fn difference(&self, catalogue: &Catalogue, name: &str) -> Result<(), ArchiveError> {
        let first = &self.catalogue;
        let differ = |problem: String| ArchiveError::Mismatch {
            path: catalogue.path.clone(),
            other: first.path.clone(),
            problem,
        };
        let Some(expected) = first.variable(name) else {
            return Ok(());
        };
        let Some(found) = catalogue.variable(name) else {
            return Err(differ(format!("variable '{name}' is missing")));
        };
        // Units that cannot be read must be the same.
        let units = |catalogue| time_units(catalogue, name).ok().flatten();
        let convertible = match (units(catalogue), units(first)) {
            (Some(units), Some(ours)) => units.compatible(&ours),
            _ => false,
        };
        // Times are converted, whatever their type.
        if found.kind != expected.kind && !convertible {
            return Err(differ(format!(
                "variable '{name}' has type {}, expected {}",
                found.kind, expected.kind
            )));
        }
        let shapes = found.dimensions == expected.dimensions
            && (0..found.shape.len()).all(|d| {
                found.dimensions[d] == self.append_dimension || found.shape[d] == expected.shape[d]
            });
        if !shapes {
            return Err(differ(format!(
                "variable '{name}' has dimensions {:?} of sizes {:?}, expected {:?} of {:?}",
                found.dimensions, found.shape, expected.dimensions, expected.shape
            )));
        }
        let recipe = |catalogue: &Catalogue| catalogue.recipe_of(name).cloned().unwrap_or_default();
        let [found_recipe, expected_recipe] = [catalogue, first].map(recipe);
        let units = |units: Option<String>| {
            units.map_or_else(
                || "no units".to_owned(),
                |units| format!("units \"{units}\""),
            )
        };
        let is_converted =
            found_recipe.conversion.is_some() || expected_recipe.conversion.is_some();
        if is_converted && found_recipe.file_units != expected_recipe.file_units {
            return Err(differ(format!(
                "variable '{name}' has {}, which the recipe converts, expected {}",
                units(found_recipe.file_units),
                units(expected_recipe.file_units)
            )));
        }
        for attribute in MEANING {
            if convertible && TIME.contains(&attribute) {
                continue;
            }
            let (found, expected) = (found.attribute(attribute), expected.attribute(attribute));
            if !same(found, expected) {
                return Err(differ(format!(
                    "variable '{name}' has {attribute} {}, expected {}",
                    shown(found),
                    shown(expected)
                )));
            }
        }
        Ok(())
    }
}

/// Are two attributes equal? NaN equals NaN here.
fn same(a: Option<&Attribute>, b: Option<&Attribute>) -> bool {
    a.map(Attribute::to_json) == b.map(Attribute::to_json)
}

fn shown(attribute: Option<&Attribute>) -> String {
    attribute.map_or_else(|| "none".to_owned(), |a| a.to_json().to_string())
}
