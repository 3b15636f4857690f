//! The flags of `verify`.

use std::path::PathBuf;

use clap::Args;

use super::files::COMPACT;
use super::grid::GridArgs;
use super::size;
use super::store::StoreArgs;
use super::tolerance::ToleranceArgs;

/// What `verify` is told.
#[derive(Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Variables whose stores to look at; `compact` first: the one store PREFIX.zarr, with --against only the variables
    /// after it
    ///
    /// Without it: all stores below the prefix, and PREFIX.zarr.
    #[arg(short, long, num_args = 1.., value_name = "VAR")]
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

    /// The files have no time, and were sent with --static
    #[arg(long = "static", conflicts_with = "append_dim")]
    pub is_static: bool,

    #[command(flatten)]
    pub grid: GridArgs,

    #[command(flatten)]
    pub tolerance: ToleranceArgs,

    /// Memory that each rank may use for data, such as 512M or 2G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size::parse)]
    pub memory: u64,
}

impl VerifyArgs {
    /// The dimension along which stores grow; empty if they do not.
    #[must_use]
    pub fn append_dimension(&self) -> &str {
        if self.is_static { "" } else { &self.append_dim }
    }

    /// Is it the store of all variables?
    #[must_use]
    pub fn is_compact(&self) -> bool {
        self.variables.first().is_some_and(|v| v == COMPACT)
    }

    /// The variables named; none means all.
    #[must_use]
    pub fn named(&self) -> &[String] {
        &self.variables[usize::from(self.is_compact())..]
    }
}
