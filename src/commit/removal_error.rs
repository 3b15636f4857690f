//! Why arrays are not taken out of a store.
//!
//! Key types: [`RemovalError`]; [`Need`], what an array is needed for.

use std::path::PathBuf;

use msm_model::{choices, list};
use serde::{Deserialize, Serialize};

use crate::store::StoreError;

/// Why arrays are not taken out of a store; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum RemovalError {
    #[error("there is no store '{store}'; nothing was deleted")]
    NoStore { store: String },
    #[error(
        "store '{store}' has no array {}; it has {}; nothing was deleted",
        list(missing.iter().map(String::as_str)),
        choices(missing.first().map_or("", String::as_str), arrays.iter().map(String::as_str))
    )]
    NoArray {
        store: String,
        missing: Vec<String>,
        arrays: Vec<String>,
    },
    #[error(
        "{} is a symbolic link to {}, behind which nothing is deleted; nothing was deleted; remove the link",
        path.display(),
        to.display()
    )]
    Link {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        #[serde(with = "msm_model::names::one")]
        to: PathBuf,
    },
    #[error(
        "'{key}' is not this program's; nothing was deleted; move it away, or delete it too with --force"
    )]
    Foreign { key: String },
    #[error(
        "store '{store}': array {} is what the store is there for; nothing was deleted; to delete the store, leave --array out",
        list(arrays.iter().map(String::as_str))
    )]
    Main { store: String, arrays: Vec<String> },
    #[error(
        "store '{store}': array {} is the last that has data there; nothing was deleted; to delete the store, leave --array out",
        list(arrays.iter().map(String::as_str))
    )]
    Last { store: String, arrays: Vec<String> },
    #[error(
        "store '{store}': array '{array}' is needed: {by}; nothing was deleted; name that one too, or leave both"
    )]
    Needed {
        store: String,
        array: String,
        by: Need,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an array is needed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum Need {
    #[error("it is the coordinate of a dimension of '{of}'")]
    Coordinate { of: String },
    #[error("'{by}' names it in its {attribute}")]
    Named { by: String, attribute: String },
}
