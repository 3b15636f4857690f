//! The recipe of `--recipe`: read by rank 0, from TOML, and told to the others.
//!
//! Key types: [`RecipeArgs`]; [`RecipeProblem`], something that is wrong with what was written.

mod array;
mod problem;
mod sections;
mod table;

use std::path::{Path, PathBuf};

use clap::Args;
use msm_model::Recipe;

pub(super) use self::problem::{RecipeProblem, line_of};
pub(super) use self::table::described;

use self::sections::recipe_of;
use super::error::CliError;

/// The flag that names a recipe.
#[derive(Args)]
pub(super) struct RecipeArgs {
    /// File that says how the stores differ from the files (TOML): names, attributes, units, bits kept, chunks, codecs
    ///
    /// The key words are told in docs/recipe.md. All that names variables and dimensions elsewhere on the command line names them as the
    /// stores do. A store keeps to the recipe it was made by: give the same to each command.
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
}

/// The recipe in the file `path`.
///
/// # Errors
/// If it cannot be read, or something in it is wrong.
pub(super) fn read(path: &Path) -> Result<Recipe, CliError> {
    let text = std::fs::read_to_string(path).map_err(|cause| CliError::RecipeFile {
        path: path.to_owned(),
        cause: cause.to_string(),
    })?;
    recipe_of(path, &text).map_err(|problems| CliError::Recipe {
        path: path.to_owned(),
        problems,
    })
}

/// The dimension that is called `named`, or is by the recipe where that is what the files call it.
pub(super) fn dimension_in_store<'a>(recipe: Option<&'a Recipe>, named: &'a str) -> &'a str {
    let renamed = recipe.and_then(|recipe| recipe.dimensions.get(named));
    renamed.map_or(named, |(new, _)| new)
}
