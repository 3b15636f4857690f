//! A file as a recipe makes it: its dimensions, variables and attributes as the store will have them.

use super::attributes::followed;
use super::names::StoreNames;
use super::{ArrayRecipe, Recipe, VariableRecipe};
use crate::attribute::Attribute;
use crate::catalogue::Catalogue;
use crate::error::{ArchiveError, choices};
use crate::variable::Variable;

/// The attributes by which a variable says how it was quantised.
pub(super) const QUANTIZATION_OF: &str = "quantization";
pub(super) const BITS: &str = "quantization_nsb";

impl Catalogue {
    /// The same file as if it held what the arrays of the store will, by `recipe`. What is read from it is known by its own names,
    /// see [`Catalogue::name_in_file`]; values are not changed yet.
    ///
    /// # Errors
    /// If names would clash, or values cannot be changed so.
    pub(crate) fn with_recipe(
        self,
        recipe: &Recipe,
        append_dimension: &str,
    ) -> Result<Self, ArchiveError> {
        let names = StoreNames::new(recipe, &self)?;
        let unknown = recipe.unknown(&self);
        let Self {
            path,
            dimensions,
            variables,
            mut attributes,
            odd_attributes,
            stored_bytes,
            unreadable,
            renamed: _,
            recipes: _,
            recipe_unknown: _,
        } = self;
        attributes.retain(|(name, _)| !recipe.removed_attributes.contains_key(name));
        set_all(&mut attributes, &recipe.attributes);
        let mut seen = Self {
            path,
            attributes,
            stored_bytes,
            recipe_unknown: unknown,
            ..Self::default()
        };
        for (old, size) in dimensions {
            seen.dimensions
                .push((names.of_dimension(&old).to_owned(), size));
        }
        for variable in variables {
            let Some(new) = names.of_variable(&variable.name) else {
                continue;
            };
            let array = of_array(recipe.variables.get(&variable.name), &variable, &names);
            let old = variable.name.clone();
            let new = new.to_owned();
            seen.variables.push(made(variable, &new, &array, &names));
            if !array.is_empty() {
                seen.recipes.insert(new.clone(), array);
            }
            if new != old {
                seen.renamed.insert(new, old);
            }
        }
        for (owner, name) in odd_attributes {
            match owner.as_ref().map(|owner| names.of_variable(owner)) {
                None => seen.odd_attributes.push((None, name)),
                Some(Some(new)) => seen.odd_attributes.push((Some(new.to_owned()), name)),
                Some(None) => {}
            }
        }
        for (old, problem) in unreadable {
            if let Some(new) = names.of_variable(&old) {
                seen.unreadable.insert(new.to_owned(), problem);
            }
        }
        seen.check_values(recipe, append_dimension)?;
        seen.tell_of_values();
        Ok(seen)
    }

    /// What the array `name` of a store is made by, if the recipe says anything of it.
    #[must_use]
    pub fn recipe_of(&self, name: &str) -> Option<&ArrayRecipe> {
        self.recipes.get(name)
    }

    /// That there is no variable called `name`: with those that there are, and what the recipe calls the one that is meant.
    #[must_use]
    pub fn unknown_variable(&self, name: &str) -> ArchiveError {
        let mut found = choices(name, self.variables.iter().map(|v| v.name.as_str()));
        if let Some((new, _)) = self.renamed.iter().find(|(_, old)| *old == name) {
            found = format!("{found}; what the file calls '{name}', the store calls '{new}'");
        }
        ArchiveError::UnknownVariable {
            path: self.path.clone(),
            variable: name.to_owned(),
            found,
        }
    }

    /// Lets the attributes of what is converted or quantised say so.
    fn tell_of_values(&mut self) {
        for variable in &mut self.variables {
            let Some(array) = self.recipes.get(&variable.name) else {
                continue;
            };
            variable.convert_limits(array);
            if let Some(bits) = array.keep_bits {
                variable.set(
                    QUANTIZATION_OF,
                    Attribute::Text(super::QUANTIZATION.to_owned()),
                );
                let bits = crate::Number::Int(i64::from(bits));
                variable.set(BITS, Attribute::Numbers(vec![bits]));
            }
        }
    }
}

/// What becomes of `variable`, of which the recipe has this `section`, if it has one.
fn of_array(
    section: Option<&VariableRecipe>,
    variable: &Variable,
    names: &StoreNames,
) -> ArrayRecipe {
    let mut array = section.map_or_else(ArrayRecipe::default, |section| section.array.clone());
    let old = &variable.name;
    array.variable = (names.of_variable(old) != Some(old)).then(|| old.clone());
    if array.conversion.is_some() {
        let units = variable.attribute("units").and_then(Attribute::text);
        array.file_units = units.map(str::to_owned);
    }
    for dimension in &variable.dimensions {
        let new = names.of_dimension(dimension);
        if new != dimension {
            array.dimensions.insert(dimension.clone(), new.to_owned());
        }
    }
    array
}

/// `variable` with the name, dimensions and attributes that its array has.
fn made(variable: Variable, name: &str, array: &ArrayRecipe, names: &StoreNames) -> Variable {
    let mut made = Variable {
        name: name.to_owned(),
        dimensions: { variable.dimensions.iter() }
            .map(|dimension| names.of_dimension(dimension).to_owned())
            .collect(),
        attributes: Vec::new(),
        ..variable
    };
    for (name, value) in variable.attributes {
        if array.removed_attributes.contains(&name) {
            continue;
        }
        let value = followed(&name, &value, &names.variables, &names.dimensions);
        made.attributes.extend(value.map(|value| (name, value)));
    }
    set_all(&mut made.attributes, &array.attributes);
    made
}

/// Gives `attributes` those that are to be `set`, each in its place if it is there.
fn set_all(
    attributes: &mut Vec<(String, Attribute)>,
    set: &std::collections::BTreeMap<String, Attribute>,
) {
    for (name, value) in set {
        match attributes.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => own.clone_from(value),
            None => attributes.push((name.clone(), value.clone())),
        }
    }
}
