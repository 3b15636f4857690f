//! What can go wrong with leases.
//!
//! Key types: [`LeaseError`]; [`ReleaseError`], after the work.

use std::path::PathBuf;
use std::time::Duration;

use msm_zarr::layout;
use serde::{Deserialize, Serialize};

use super::holder::Holder;
use crate::store::StoreError;

/// Why a lease was not got, or is ours no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum LeaseError {
    #[error("this process cannot say who it is, for its lease: {cause}")]
    Nameless { cause: String },
    #[error("starting the thread that renews leases: {cause}")]
    Thread { cause: String },
    #[error(
        "--lock-dir: {} cannot be locked ({cause}); give a directory that exists, can be written, and is on a file \
         system with locks that all nodes share",
        path.display()
    )]
    LockDir {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error(
        "{} is held by another job: {}; waited {} (--lock-wait); nothing was done. Try \
         again when that job has ended",
        layout::place_name(store),
        holder.as_ref().map_or_else(|| "one that does not say who it is".to_owned(), ToString::to_string),
        humantime::format_duration(Duration::from_secs(waited.as_secs()))
    )]
    Busy {
        store: String,
        holder: Option<Holder>,
        waited: Duration,
    },
    #[error(
        "the lease of {} was lost ({cause}); nothing more was changed, for another job may be writing there. \
         Run the command again",
        layout::place_name(store)
    )]
    Lost { store: String, cause: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a lease was not given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum ReleaseError {
    #[error(
        "the lease of {} could not be given up, and expires: {cause}",
        layout::place_name(store)
    )]
    Lease { store: String, cause: StoreError },
    #[error("{}: {cause}", path.display())]
    Lock { path: PathBuf, cause: String },
}
