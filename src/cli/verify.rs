//! The flags of `verify`.

use std::path::PathBuf;

use clap::Args;
use msm_model::Recipe;

use super::error::CliError;
use super::files::{append_dimension, name, selection};
use super::grid::GridArgs;
use super::outcome::JsonArgs;
use super::recipe::dimension_in_store;
use super::report::ReportArgs;
use super::size;
use super::store::StoreArgs;
use super::tolerance::ToleranceArgs;
use crate::verbs::verify::{Comparison, Verify};

/// What `verify` is told.
#[derive(Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub told: JsonArgs,

    /// Variables whose stores to look at; `compact` first: the one store PREFIX.zarr, with --against only the variables
    /// after it
    ///
    /// Without it: all stores below the prefix, and PREFIX.zarr.
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// NetCDF files, directories or quoted patterns, whose values are compared with those of the stores
    ///
    /// Each step is looked for by value, as in an update; a step or a variable named with -v that a store lacks is an
    /// error. Without --prefix it is derived from the files' names.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub against: Vec<PathBuf>,

    /// The dimension along which stores grow
    #[arg(
        short,
        long = "append_dim",
        visible_alias = "append-dim",
        default_value = "time_counter",
        value_name = "DIM"
    )]
    pub append_dim: String,

    /// The variable that was named with --time-from as the files were sent
    #[arg(long, value_name = "VAR", conflicts_with = "is_static")]
    pub time_from: Option<String>,

    /// The recipe that the files were sent by
    #[arg(long, value_name = "FILE", requires = "against")]
    pub recipe: Option<PathBuf>,

    /// The files have no time, and were sent with --static
    #[arg(long = "static", conflicts_with = "append_dim")]
    pub is_static: bool,

    #[command(flatten)]
    pub grid: GridArgs,

    #[command(flatten)]
    pub tolerance: ToleranceArgs,

    /// Memory that each rank may use for data, such as 512M or 2G [default: its share of what the job may have on the node, at most 1G]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub memory: Option<u64>,

    #[command(flatten)]
    pub report: ReportArgs,
}

impl VerifyArgs {
    /// What is asked, where each rank may hold so many bytes.
    ///
    /// # Errors
    /// If the prefix or the coordinates are malformed.
    pub(super) fn request(&self, memory: u64, recipe: Option<Recipe>) -> Result<Verify, CliError> {
        let domain = self.grid.domain()?;
        Ok(Verify {
            spot: self.store.spot()?,
            selection: selection(&self.variables),
            against: (!self.against.is_empty()).then(|| Comparison {
                files: self.against.clone(),
                append_dimension: append_dimension(
                    dimension_in_store(recipe.as_ref(), &self.append_dim),
                    self.is_static,
                ),
                time_from: self.time_from.clone(),
                recipe,
                domain,
                tolerance: self.tolerance.coords_tolerance,
            }),
            memory,
        })
    }
}
