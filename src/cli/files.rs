//! The flags that say what is sent or updated, the same for both.
//!
//! Key type: [`FileArgs`].

use std::path::PathBuf;

use clap::Args;
use msm_model::Recipe;
use msm_plan::{ChunkStrategy, STRATEGY_FLAG, Transactions};

use super::choices;
use super::error::CliError;
use super::grid::GridArgs;
use super::lease::LeaseArgs;
use super::outcome::OutcomeArgs;
use super::recipe::{RecipeArgs, dimension_in_store};
use super::report::ReportArgs;
use super::reproject::ReprojectArgs;
use super::size;
use super::store::StoreArgs;
use super::tolerance::ToleranceArgs;
use crate::error::Error;
use crate::transfer::Verification;
use crate::verbs::files::selection::Selection;
use crate::verbs::send::Files;

/// What `send` and `update` are told alike.
#[derive(Args)]
// Each is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct FileArgs {
    /// NetCDF files, directories of them, or quoted patterns such as 'run1/*_grid_T_*.nc'; joined in time order
    #[arg(short, long, num_args = 1.., required = true, value_name = "FILE")]
    pub filepaths: Vec<PathBuf>,

    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    #[command(flatten)]
    pub outcome: OutcomeArgs,

    #[command(flatten)]
    pub reproject: ReprojectArgs,

    /// Data variables, each in its own store; `compact` first: all, or those after it, in one store, PREFIX.zarr if it is new
    ///
    /// Without it: all data variables of the files; in an update, those that have a store. One that has no store of its own but is in that of
    /// all variables goes there.
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// The dimension along which stores grow
    #[arg(
        short,
        long = "append_dim",
        visible_alias = "append-dim",
        default_value = "time_counter",
        value_name = "DIM"
    )]
    pub append_dim: String,

    /// Variable whose times become those of the append dimension's coordinate in the store, such as time_centered
    ///
    /// For files whose `time_counter` is 0 or counts records, so that readers could not select by time. The file's own coordinate is kept
    /// as `time_counter_file`. A store keeps to it: give the same to each command. Without it: the times of the coordinate itself.
    #[arg(long, value_name = "VAR", conflicts_with = "is_static")]
    pub time_from: Option<String>,

    #[command(flatten)]
    pub recipe: RecipeArgs,

    /// Send files that have no time, such as mesh masks and bathymetries, as they are: nothing is appended to their stores
    ///
    /// Any `time_counter` that they have is a dimension like others. Sent again, values must be those that are there; `update`
    /// overwrites them.
    #[arg(long = "static", conflicts_with = "append_dim")]
    pub is_static: bool,

    /// Chunk sizes of a new store, as JSON: '{"time_counter": 1, "y": 100, "x": 100}' [short: -cs]
    ///
    /// Dimensions left out are chosen automatically: one time step, and multiples of the source's own chunks up to
    /// about 16 MiB an object.
    #[arg(
        long = "chunk_strategy",
        visible_alias = "chunk-strategy",
        value_name = "JSON"
    )]
    pub chunk_strategy: Option<String>,

    /// Write the files' attributes where arrays of a store have none or null, as tools leave them that lost them
    ///
    /// No value changes its meaning by that; attributes that a store has are kept.
    #[arg(long)]
    pub repair_attributes: bool,

    #[command(flatten)]
    pub grid: GridArgs,

    #[command(flatten)]
    pub tolerance: ToleranceArgs,

    /// Files in one transaction: the fewest that end on a chunk boundary, or all [default: chunk in a send, all in an update and with --on-overlap error]
    #[arg(long, value_parser = choices::transactions())]
    pub transaction: Option<Transactions>,

    /// How to verify each object after its PUT
    #[arg(long, value_parser = choices::verify(), default_value = "full")]
    pub verify: Verification,

    /// Go on with the same command where it was stopped, and let a signal leave it so that it can be gone on with
    #[arg(long)]
    pub resume: bool,

    /// Transactions of a store that `rollback` can undo: the old values of so many are kept
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub keep_undo: usize,

    /// Memory that each rank may use for data, such as 512M or 2G [default: its share of what the job may have on the node, at most 1G]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub memory: Option<u64>,

    /// Make the consolidated metadata of a store that has none, from the documents of its arrays and groups
    #[arg(long)]
    pub consolidate: bool,

    #[command(flatten)]
    pub report: ReportArgs,
}

/// The first of the variables when all go into one store.
const COMPACT: &str = "compact";

impl FileArgs {
    /// What is asked, where each rank may hold so many bytes, and the recipe is this one.
    ///
    /// # Errors
    /// If something is malformed.
    pub(super) fn request(&self, memory: u64, recipe: Option<Recipe>) -> Result<Files, CliError> {
        Ok(Files {
            paths: self.filepaths.clone(),
            spot: self.store.spot()?,
            selection: selection(&self.variables),
            append_dimension: append_dimension(
                dimension_in_store(recipe.as_ref(), &self.append_dim),
                self.is_static,
            ),
            time_from: self.time_from.clone(),
            recipe,
            chunks: sizes(STRATEGY_FLAG, self.chunk_strategy.as_deref())?,
            repair_attributes: self.repair_attributes,
            domain: self.grid.domain()?,
            tolerance: self.tolerance.coords_tolerance,
            reprojection: self.reproject.reprojection(),
            weights: self.reproject.weights.clone(),
            transactions: self.transaction,
            verify: self.verify,
            resume: self.resume,
            keep_undo: self.keep_undo,
            memory,
            consolidate: self.consolidate,
            leasing: self.lease.leasing(),
            maps: self.report.maps(),
        })
    }
}

/// The name of a variable or an array, one of several between spaces or commas.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(
            "a name is empty; give them as 'a b' or 'a,b', with no space at a comma".to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// The variables named, and whether the store of all is meant.
pub(super) fn selection(variables: &[String]) -> Selection {
    let compact = variables.first().is_some_and(|v| v == COMPACT);
    Selection {
        variables: variables[usize::from(compact)..].to_vec(),
        compact,
    }
}

/// The dimension along which stores grow; empty if they do not.
pub(super) fn append_dimension(named: &str, is_static: bool) -> String {
    if is_static { "" } else { named }.to_owned()
}

/// The sizes by dimension that `flag` gives; empty if it was not given.
pub(super) fn sizes(flag: &'static str, text: Option<&str>) -> Result<ChunkStrategy, CliError> {
    let sizes = text.map(|text| ChunkStrategy::parse(flag, text));
    let sizes = sizes.transpose().map_err(Error::from)?;
    Ok(sizes.unwrap_or_default())
}
