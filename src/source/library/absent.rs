//! What takes the NetCDF library's place in a build without it.

use std::path::Path;

use msm_model::Hyperslab;

use super::super::table::Table;
use super::described_file::DescribedFile;

const ABSENT: &str =
    "this build of msm_os is without the NetCDF library (its feature netcdf-library)";

/// There is none.
pub(in crate::source) struct Library;

/// Nothing has locks here.
pub fn allow_reading_without_locks() {}

/// There are none.
pub(crate) fn library_versions() -> Vec<(&'static str, String)> {
    Vec::new()
}

impl Library {
    /// Never opens a file.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn open(_: &Path) -> Result<Self, String> {
        Err(ABSENT.to_owned())
    }

    /// Never reads values.
    ///
    /// # Errors
    /// Always.
    #[allow(clippy::unused_self)] // as the library's
    pub(crate) fn read(&self, _: &str, _: usize, _: &Hyperslab) -> Result<Vec<u8>, String> {
        Err(ABSENT.to_owned())
    }
}

/// Never describes a file.
///
/// # Errors
/// Always.
pub(super) fn described(_: &Path) -> Result<DescribedFile, String> {
    Err(ABSENT.to_owned())
}

/// Never writes a table.
///
/// # Errors
/// Always.
pub(in crate::source) fn write(_: Table<'_>, _: &Path) -> Result<(), String> {
    Err(ABSENT.to_owned())
}
