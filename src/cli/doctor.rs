//! The flags of `doctor`.

use clap::Args;

use super::error::CliError;
use super::outcome::JsonArgs;
use super::store::StoreArgs;
use crate::verbs::doctor::Doctor;

/// What `doctor` is told.
#[derive(Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub told: JsonArgs,
}

impl DoctorArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Doctor, CliError> {
        let spot = self.store.spot_or_all()?;
        Ok(Doctor { spot })
    }
}
