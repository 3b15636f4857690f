//! NetCDF in: what a file holds ([`Catalogue`]), files joined along the append dimension
//! ([`Archive`]), and reading hyperslabs of them ([`Reader`]).
//!
//! The only room that names `netcdf` and HDF5. It never writes.

mod archive;
mod attribute;
mod catalogue;
mod classic;
mod dtype;
mod error;
mod hdf5;
mod hyperslab;
mod reader;
mod stored;
mod time;

pub(crate) use archive::list;
pub use archive::{Archive, MEANING, SourceFile};
pub use attribute::{Attribute, number_to_json};
pub use catalogue::{Catalogue, Variable, VariableType};
pub use dtype::{DType, Number};
pub use error::SourceError;
pub use hdf5::allow_reading_without_locks;
pub use hyperslab::{Hyperslab, copy_block};
pub use reader::{Block, Reader};
pub use time::{Calendar, Gap, Instant, TimeConversion, TimeError, TimeUnits, gaps, time_units};
