//! NetCDF in: what a file holds ([`read_catalogue`]), its steps ([`read_file`]), and reading hyperslabs of it ([`Reader`]).
//!
//! The only room that names `netcdf` and HDF5. All it writes are files of columns ([`Table`]).

#[cfg(test)]
#[cfg(feature = "netcdf-library")]
mod both;
mod catalogue;
mod classic;
mod error;
mod file;
mod hdf5;
mod library;
mod open;
mod paths;
mod raw_variable;
mod reader;
mod runs;
mod storage;
mod stored;
mod table;
mod text;

pub(crate) use catalogue::read_catalogue;
pub use error::SourceError;
pub(crate) use file::read_file;
pub(crate) use library::library_versions;
pub use library::{allow_reading_without_locks, describe, is_asked_to_describe};
pub(crate) use paths::expand;
pub(crate) use reader::{Block, Reader};
pub(crate) use table::{ColumnPiece, ColumnValues, StoredTable, Table};

#[cfg(test)]
#[cfg(feature = "netcdf-library")]
pub(crate) use both::write_strings;
