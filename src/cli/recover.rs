//! The flags of `recover` and `rollback`.

use clap::Args;

use super::lease::LeaseArgs;
use super::store::StoreArgs;

/// What `recover` is told.
#[derive(Args)]
pub struct RecoverArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    /// Remove objects too that no transaction owns: written by a job that died, of which no journal tells
    #[arg(long)]
    pub orphans: bool,

    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// What `rollback` is told.
#[derive(Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    /// Variables of whose stores to undo the last transaction, `compact` for PREFIX.zarr [default: all below the prefix]
    #[arg(short, long, num_args = 1.., value_name = "VAR")]
    pub variables: Vec<String>,
}
