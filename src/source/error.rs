//! What can go wrong with reading source files; each error names the file.

use std::path::PathBuf;

use msm_model::{ArchiveError, TimeError};
use serde::{Deserialize, Serialize};

/// What went wrong with the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum SourceError {
    #[error("{path}: cannot be read: {cause}; check the path and its permissions", path = path.display())]
    Missing {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("{path}: {problem}", path = path.display())]
    NoFiles {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        problem: String,
    },
    #[error("{path}: is not a whole NetCDF file ({cause}); it may be truncated: copy it again and check it with ncdump -h", path = path.display())]
    Broken {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("{path}: cannot be written: {cause}", path = path.display())]
    Unwritable {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("{path}: is truncated: its header describes {expected} bytes, the file has {found}; copy it again", path = path.display())]
    Truncated {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    #[error("{path}: has the groups {groups}, and variables in groups cannot be sent; flatten the file with ncks -G : {path} flat.nc", path = path.display())]
    Groups {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        groups: String,
    },
    #[error("{path}: variable '{variable}': cannot read start {start:?} count {count:?}: {cause}", path = path.display())]
    Read {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        variable: String,
        start: Vec<u64>,
        count: Vec<u64>,
        cause: String,
    },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl From<TimeError> for SourceError {
    fn from(error: TimeError) -> Self {
        Self::Archive(error.into())
    }
}
