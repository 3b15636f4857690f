//! NetCDF in: what a file holds ([`Catalogue`]), files joined along the append dimension
//! ([`Archive`]), and reading hyperslabs of them ([`Reader`]).
//!
//! The only room that names `netcdf` and HDF5. It never writes.

mod alike;
mod archive;
mod attribute;
mod axis;
mod borrow;
#[cfg(test)]
#[cfg(feature = "netcdf-library")]
mod both;
mod catalogue;
mod classic;
mod data;
mod dtype;
mod error;
mod file;
mod found;
mod hdf5;
mod horizontal;
mod hyperslab;
mod library;
mod members;
mod missing;
pub(crate) mod names;
mod open;
mod paths;
mod place;
mod reader;
mod runs;
mod step;
mod stored;
mod table;
mod text;
mod time;
mod variable;

pub use alike::{MEANING, TIME};
pub use archive::{Archive, Order};
pub use attribute::{Attribute, number_to_json};
pub use axis::Axis;
pub(crate) use axis::pairs;
pub use borrow::Borrowed;
#[cfg(test)]
#[cfg(feature = "netcdf-library")]
pub(crate) use both::write_strings;
pub use catalogue::Catalogue;
pub use dtype::{DType, Number};
pub use error::SourceError;
pub(crate) use error::list;
pub use file::SourceFile;
pub use horizontal::{Horizontal, Point};
pub use hyperslab::{Hyperslab, copy_block};
pub use library::{allow_reading_without_locks, describe, is_asked_to_describe};
pub use missing::default_fill;
pub use paths::expand;
pub use reader::{Block, Reader};
pub use step::Step;
pub use table::{Column, Table};
pub use text::trimmed;
pub use time::{Calendar, Gap, Instant, TimeConversion, TimeError, TimeUnits, gaps, time_units};
pub use variable::{Variable, VariableType};
