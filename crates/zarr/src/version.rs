//! The versions of the Zarr format.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version of the Zarr format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// Zarr storage specification version 2, with `.zmetadata`.
    V2,
    /// Zarr core specification version 3, with inline consolidated metadata.
    #[default]
    V3,
}

impl Version {
    /// The name of the root document, which readers with consolidated metadata see all else through.
    #[must_use]
    pub fn root(self) -> &'static str {
        match self {
            Self::V2 => ".zmetadata",
            Self::V3 => "zarr.json",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2 => "2",
            Self::V3 => "3",
        })
    }
}
