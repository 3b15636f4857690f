//! The flags of `status`.

use clap::Args;

use super::error::CliError;
use super::store::StoreArgs;
use crate::verbs::status::Status;

/// What `status` is told.
#[derive(Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Print one JSON document, for programs
    #[arg(long)]
    pub json: bool,
}

impl StatusArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Status, CliError> {
        let spot = self.store.spot_or_all()?;
        Ok(Status { spot })
    }
}
