//! The sections of a recipe.

use std::collections::BTreeMap;
use std::path::Path;

use msm_model::{Attribute, Recipe, VariableRecipe};
use toml::de::DeTable;

use super::array::variable_recipe;
use super::problem::RecipeProblem;
use super::table::{Item, RecipeText};

/// The keys that stand in no section.
const KEYS: [&str; 5] = [
    "drop",
    "dimensions",
    "attributes",
    "remove_attributes",
    "variables",
];

/// The recipe that `text`, which is at `path`, says.
///
/// # Errors
/// All that is wrong with it, in the order of lines.
pub(super) fn recipe_of(path: &Path, text: &str) -> Result<Recipe, Vec<RecipeProblem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let problems = errors.into_iter().map(|error| {
            let span = error.span().unwrap_or_default();
            RecipeProblem::new(text, &span, format!("no TOML: {}", error.message()))
        });
        return Err(problems.collect());
    }
    let source = RecipeText::new(text);
    let mut recipe = Recipe {
        path: path.to_owned(),
        ..Recipe::default()
    };
    for item in source.items(table.get_ref()) {
        match item.key {
            "drop" => recipe.dropped = names(&source, &item, "a list of names of variables"),
            "dimensions" => recipe.dimensions = dimensions(&source, &item),
            "attributes" => recipe.attributes = attributes(&source, &item),
            "remove_attributes" => {
                recipe.removed_attributes = names(&source, &item, "a list of names of attributes");
            }
            "variables" => recipe.variables = variables(&source, &item),
            _ => source.unknown(&item, "outside of sections", &KEYS),
        }
    }
    for (name, line) in &recipe.removed_attributes {
        if recipe.attributes.contains_key(name) {
            wrong_in(
                &source,
                text,
                *line,
                format!("attribute '{name}' is given and removed"),
            );
        }
    }
    for (name, section) in &recipe.variables {
        if let Some(line) = recipe.dropped.get(name) {
            let other = section.line("");
            let problem =
                format!("'{name}' is dropped, and has a section in line {other}; leave one out");
            wrong_in(&source, text, *line, problem);
        }
    }
    source.conclude(recipe)
}

/// Notes a problem with a whole line.
fn wrong_in(source: &RecipeText<'_>, text: &str, line: u32, problem: String) {
    let begin: usize = { text.split_inclusive('\n') }
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    source.wrong(&(begin..begin), problem);
}

/// Names of a list, each with its line.
fn names(source: &RecipeText<'_>, item: &Item<'_>, expected: &str) -> BTreeMap<String, u32> {
    source.texts(item, expected).into_iter().collect()
}

fn dimensions(source: &RecipeText<'_>, item: &Item<'_>) -> BTreeMap<String, (String, u32)> {
    let mut dimensions = BTreeMap::new();
    for item in section(source, item) {
        if let Some(name) = source.name(&item, "the name that the dimension gets") {
            dimensions.insert(item.key.to_owned(), (name, source.line(&item)));
        }
    }
    dimensions
}

/// Attributes with their values.
pub(super) fn attributes(source: &RecipeText<'_>, item: &Item<'_>) -> BTreeMap<String, Attribute> {
    let mut attributes = BTreeMap::new();
    for item in section(source, item) {
        if let Some(value) = source.attribute(&item) {
            attributes.insert(item.key.to_owned(), value);
        }
    }
    attributes
}

fn variables(source: &RecipeText<'_>, item: &Item<'_>) -> BTreeMap<String, VariableRecipe> {
    let sections = section(source, item).into_iter();
    let sections = sections.filter_map(|item| {
        let recipe = variable_recipe(source, &item)?;
        Some((item.key.to_owned(), recipe))
    });
    sections.collect()
}

/// The items of a section.
pub(super) fn section<'b>(source: &RecipeText<'_>, item: &Item<'b>) -> Vec<Item<'b>> {
    let table = source.table(item, "a section, or { name = value, … }");
    table.map_or_else(Vec::new, |table| source.items(table))
}
