//! Paths between ranks: as bytes, since a file's name need not be UTF-8.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The bytes of `path`.
#[must_use]
pub fn path_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The path that [`path_bytes`] made these of, which need not be UTF-8.
#[must_use]
pub fn path_of(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// For `#[serde(with = …)]` of a path.
pub mod one {
    use super::{Deserialize, Deserializer, Path, PathBuf, Serialize, Serializer};

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        super::path_bytes(path).serialize(serializer)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Vec::deserialize(deserializer).map(super::path_of)
    }
}

/// For `#[serde(with = …)]` of several.
pub mod many {
    use super::{Deserialize, Deserializer, PathBuf, Serialize, Serializer};

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<&[u8]> = paths.iter().map(|path| super::path_bytes(path)).collect();
        bytes.serialize(serializer)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        let bytes: Vec<Vec<u8>> = Vec::deserialize(deserializer)?;
        Ok(bytes.into_iter().map(super::path_of).collect())
    }
}
