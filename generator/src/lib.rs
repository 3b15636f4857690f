//! Writes NetCDF files that look like NEMO ocean-model output written by XIOS: tripolar grid, land
//! mask, levels, time axis with bounds and smooth, eddying fields. Everything is computed, nothing is
//! read, and the same [`Spec`] under the same file name always gives the same bytes: there is no clock
//! and no hidden state.
//!
//! [`write()`] writes one file; [`file_name`] gives the name NEMO would give it.

mod calendar;
mod chunks;
mod error;
mod fields;
mod frequency;
mod grid;
mod hash;
mod land;
mod layout;
mod levels;
mod ocean;
mod spec;
mod time_axis;
mod tripolar;
mod variable;
mod waves;
mod write;

pub use calendar::{Calendar, Date};
pub use chunks::Chunks;
pub use error::Error;
pub use frequency::{Frequency, Unit};
pub use grid::Grid;
pub use spec::{Format, Spec, file_name};
pub use variable::Variable;
pub use write::{Summary, write};
