//! The flags of `list`.

use clap::Args;

use super::store::StoreArgs;

/// What `list` is told.
#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Print one JSON array, an element a store, for programs
    #[arg(long)]
    pub json: bool,
}
