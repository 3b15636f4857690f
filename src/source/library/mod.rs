//! The NetCDF library: for what this program cannot read itself, for everything where it is asked as a second opinion, and to
//! write. A build without the feature `netcdf-library` goes without.
//!
//! Key types: [`Library`], [`DescribedFile`].

#[cfg(not(feature = "netcdf-library"))]
mod absent;
#[cfg(feature = "netcdf-library")]
mod c;
#[cfg(feature = "netcdf-library")]
mod describe;
mod described_file;
#[cfg(feature = "netcdf-library")]
mod write;

#[cfg(not(feature = "netcdf-library"))]
pub use self::absent::allow_reading_without_locks;
#[cfg(not(feature = "netcdf-library"))]
use self::absent::described;
#[cfg(not(feature = "netcdf-library"))]
pub(crate) use self::absent::library_versions;
#[cfg(not(feature = "netcdf-library"))]
pub(super) use self::absent::{Library, write};
#[cfg(feature = "netcdf-library")]
pub(super) use self::c::Library;
#[cfg(feature = "netcdf-library")]
pub use self::c::allow_reading_without_locks;
#[cfg(feature = "netcdf-library")]
pub(crate) use self::c::library_versions;
#[cfg(feature = "netcdf-library")]
use self::describe::described;
#[cfg(test)]
#[cfg(feature = "netcdf-library")]
pub(super) use self::describe::{attribute, kind};
pub(super) use self::described_file::{DescribedFile, DescribedVariable, of_other};
pub use self::described_file::{describe, is_asked_to_describe};
#[cfg(feature = "netcdf-library")]
pub(super) use self::write::write;
