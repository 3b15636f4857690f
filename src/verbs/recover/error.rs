//! Why a store is not recovered.

use std::time::{Duration, SystemTime};

use msm_zarr::layout;
use serde::{Deserialize, Serialize};

use super::HeldStore;
use crate::commit::CleanupError;

/// What a recovery finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum RecoverError {
    #[error(
        "{}: left alone, for it is being written: {holder}; when that job has ended run the same recover again; if it is dead, \
         in {}, after {}",
        layout::place_name(store),
        humantime::format_duration(*left),
        humantime::format_rfc3339_seconds(*until)
    )]
    Held {
        store: String,
        holder: String,
        left: Duration,
        until: SystemTime,
    },
    #[error("store '{store}': {cause}")]
    Orphans { store: String, cause: CleanupError },
}

impl From<&HeldStore> for RecoverError {
    fn from(held: &HeldStore) -> Self {
        Self::Held {
            store: held.store.clone(),
            holder: held.holder.clone(),
            left: held.left,
            until: SystemTime::now() + held.left,
        }
    }
}
