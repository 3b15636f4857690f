//! What the arrays of a store are made from: variables of the files, or arrays that no file has.
//!
//! Key type: [`ArraySource`].

use std::collections::BTreeMap;

use super::draft::StoreRequest;
use super::follow::HORIZONTAL;
use super::target::{Derivation, Origin};
use msm_model::{Archive, ArrayRecipe, Variable};

/// What an array is made from.
pub(super) struct ArraySource<'a> {
    pub variable: &'a Variable,
    pub origin: Origin,
    /// Is it a data variable?
    pub main: bool,
    /// Does it take the place of another tool's array?
    pub replaces: bool,
    /// The shape of the source's stored chunks.
    pub stored_chunks: Option<&'a Vec<u64>>,
    /// The chunk sizes of its first dimensions, where they are given by those of another array.
    pub leading: Vec<u64>,
    /// The variable whose values it has, or is reprojected from, with what a recipe makes of them.
    pub recipe: Option<(&'a Variable, &'a ArrayRecipe)>,
}

/// What the array `name` of the store is made from, `chunks` being the chunk shapes of those before it; `None` if the files
/// do not have it.
pub(super) fn array_source<'a>(
    archive: &'a Archive,
    request: &'a StoreRequest,
    name: &str,
    chunks: &BTreeMap<String, Vec<u64>>,
) -> Option<ArraySource<'a>> {
    let catalogue = &archive.catalogue;
    let Some(added) = request.added.iter().find(|a| a.variable.name == name) else {
        let variable = catalogue.variable(name)?;
        return Some(ArraySource {
            variable,
            origin: origin(archive, name),
            main: request.mains.contains(&variable.name),
            replaces: false,
            stored_chunks: variable.stored_chunks.as_ref(),
            leading: Vec::new(),
            recipe: recipe(archive, name),
        });
    };
    let of = added.of.as_ref();
    let chunk = of.and_then(|of| chunks.get(of));
    Some(ArraySource {
        variable: &added.variable,
        origin: Origin {
            variable: of.map_or_else(String::new, |of| catalogue.name_in_file(of).to_owned()),
            leading: 0,
            file: 0,
            form: added.form.clone(),
        },
        main: of.is_some(),
        replaces: added.replaces,
        stored_chunks: of.and_then(|of| catalogue.variable(of)?.stored_chunks.as_ref()),
        leading: chunk.map_or_else(Vec::new, |chunk| chunk[..chunk.len() - HORIZONTAL].to_vec()),
        recipe: of.and_then(|of| recipe(archive, of)),
    })
}

/// The variable `name`, and what a recipe makes of it.
fn recipe<'a>(archive: &'a Archive, name: &str) -> Option<(&'a Variable, &'a ArrayRecipe)> {
    let catalogue = &archive.catalogue;
    Some((catalogue.variable(name)?, catalogue.recipe_of(name)?))
}

/// Where the values of the variable `name` come from.
fn origin(archive: &Archive, name: &str) -> Origin {
    match archive.borrowed.variables.get(name) {
        Some((variable, leading)) => Origin {
            variable: variable.clone(),
            leading: *leading,
            file: archive.files.len(),
            form: Derivation::AsRead,
        },
        None => Origin {
            variable: archive.catalogue.name_in_file(name).to_owned(),
            leading: 0,
            file: 0,
            form: Derivation::AsRead,
        },
    }
}
