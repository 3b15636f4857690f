//! The flags of `recover` and `rollback`.

use std::num::NonZeroUsize;

use clap::Args;

use super::error::CliError;
use super::files::name;
use super::lease::LeaseArgs;
use super::outcome::{JsonArgs, OutcomeArgs};
use super::store::StoreArgs;
use crate::verbs::recover::{Recover, Truncate};
use crate::verbs::rollback::{Rollback, RollbackExtent};

/// What `recover` is told.
#[derive(Args)]
// Each is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct RecoverArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    #[command(flatten)]
    pub outcome: OutcomeArgs,

    /// Remove objects too that no transaction owns: written by a job that died, of which no journal tells
    #[arg(long)]
    pub orphans: bool,

    /// Cut stores whose arrays have different lengths along the append dimension, as an append of another program leaves them that
    /// died half way: all to the shortest
    ///
    /// `rollback` undoes it. Stores whose arrays are of one length stay as they are.
    #[arg(long)]
    pub truncate: bool,

    /// The dimension along which stores grow, for --truncate
    #[arg(
        short,
        long = "append_dim",
        visible_alias = "append-dim",
        default_value = "time_counter",
        value_name = "DIM"
    )]
    pub append_dim: String,

    /// With --truncate, transactions of a store that `rollback` can undo: what so many removed is kept [default: 1]
    #[arg(long, value_name = "N", requires = "truncate")]
    pub keep_undo: Option<usize>,

    /// Put an end to archives that jobs send with --share: what is committed stays, what they have put out of sight goes
    #[arg(long)]
    pub abandon: bool,

    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// What `rollback` is told.
#[derive(Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    #[command(flatten)]
    pub told: JsonArgs,

    /// Undo the last N commands, as `history` lists them [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "to")]
    pub last: Option<NonZeroUsize>,

    /// Undo all commands that came after the command of this id, as `history` lists them
    #[arg(long, value_name = "ID")]
    pub to: Option<String>,

    /// Variables of whose stores alone commands are looked at and undone, `compact` for PREFIX.zarr [default: all below the prefix]
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// Say which commands would be undone, in which stores, and which steps go; write nothing, and take no lease
    #[arg(long)]
    pub dry_run: bool,
}

impl RecoverArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Recover, CliError> {
        Ok(Recover {
            spot: self.store.spot_or_all()?,
            leasing: self.lease.leasing(),
            orphans: self.orphans,
            truncate: self.truncate.then(|| Truncate {
                dimension: self.append_dim.clone(),
                keep_undo: self.keep_undo.unwrap_or(1),
            }),
            abandon: self.abandon,
        })
    }
}

impl RollbackArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Rollback, CliError> {
        Ok(Rollback {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
            extent: match &self.to {
                Some(id) => RollbackExtent::To(id.clone()),
                None => RollbackExtent::Last(self.last.map_or(1, NonZeroUsize::get)),
            },
            leasing: self.lease.leasing(),
        })
    }
}
