//! CF time, exactly: what a number in `days since 1900-01-01` means, and the same moment in other units.
//!
//! Key types: [`TimeUnits`] turns numbers into an [`Instant`] of a [`Calendar`] and back; [`TimeConversion`] does so
//! for an array's bytes. Pure: integers of nanoseconds throughout, and an error wherever anything would be lost.

mod calendar;
mod conversion;
mod error;
mod gaps;
mod instant;
mod ratio;
mod reference;
#[cfg(test)]
mod tests;
mod units;
mod value;
mod variable;

pub use calendar::Calendar;
pub use conversion::TimeConversion;
pub use error::TimeError;
pub use gaps::{Gap, gaps};
pub use instant::Instant;
pub use units::TimeUnits;
pub(crate) use variable::is_timed;
pub use variable::time_units;
