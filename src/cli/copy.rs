//! The flags of `copy` and `move`.

use clap::{ArgGroup, Args};

use super::error::CliError;
use super::files::name;
use super::lease::LeaseArgs;
use super::store::{StoreArgs, sound_key};
use crate::verbs::copy::Copy;

/// What `copy` and `move` are told.
#[derive(Args)]
#[command(group(ArgGroup::new("from").args(["prefix", "store"]).required(true)))]
pub(super) struct CopyArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    /// Variables whose stores are meant, `compact` for PREFIX.zarr [default: all below the prefix]
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR", conflicts_with = "store")]
    pub variables: Vec<String>,

    /// Where to in the bucket: another prefix, below which stores keep their names; with --store, the store's new path
    #[arg(long, value_name = "PLACE")]
    pub to: String,

    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

impl CopyArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix or the place is none.
    pub(super) fn request(&self, moves: bool) -> Result<Copy, CliError> {
        Ok(Copy {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
            to: sound_key("--to", &self.to)?,
            moves,
            leasing: self.lease.leasing(),
        })
    }
}
