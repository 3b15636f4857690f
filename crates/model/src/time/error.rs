//! What can be wrong with times; each error names the units, the value and the moment it is about.
//!
//! Key type: [`TimeError`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::instant::Instant;
use super::units::TimeUnits;
use crate::{DType, Number};

/// What is wrong with a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum TimeError {
    #[error(
        "calendar '{found}' is unknown; the calendars are standard (gregorian), proleptic_gregorian, noleap (365_day), all_leap (366_day), 360_day and julian"
    )]
    UnknownCalendar { found: String },
    #[error("the attribute calendar is {found}, expected a text such as 'standard'")]
    CalendarIsNoText { found: String },
    #[error(
        "time units '{units}' cannot be read: {problem}; expected units such as 'days since 1900-01-01 00:00:00'"
    )]
    Units { units: String, problem: String },
    #[error(
        "'{text}' cannot be read as a time: {problem}; expected a time such as '1900-01-01 00:00:00'"
    )]
    Instant { text: String, problem: String },
    #[error(
        "{value} '{units}' is more than a million years from year 0; check the value, and that missing values equal _FillValue"
    )]
    OutOfRange { value: Number, units: TimeUnits },
    #[error("a stored moment lies outside its day, or more than a million years from year 0")]
    Stored,
    #[error("{value} '{units}' is no time; missing times must equal _FillValue")]
    NotFinite { value: Number, units: TimeUnits },
    #[error(
        "{value} '{units}' as {dtype} is finer than a nanosecond, so it cannot be read exactly; round it to nanoseconds"
    )]
    TooFine {
        value: Number,
        units: TimeUnits,
        dtype: DType,
    },
    #[error(
        "times of the calendar {from} cannot be converted to the calendar {to}: their days do not correspond"
    )]
    Calendars { from: Calendar, to: Calendar },
    #[error(
        "{instant} of the calendar {from} is before 1582-10-15, where the calendar {to} gives the same day another date; send it with the calendar of the store"
    )]
    BeforeReform {
        instant: Instant,
        from: Calendar,
        to: Calendar,
    },
    #[error(
        "{instant} cannot be written in '{units}' as {dtype}: the nearest value, {nearest}, is another time, so the conversion would lose something"
    )]
    Inexact {
        instant: Instant,
        units: TimeUnits,
        dtype: DType,
        nearest: Number,
    },
    #[error("{instant} in '{units}' is {needed}, which {dtype} cannot hold")]
    DoesNotFit {
        instant: Instant,
        units: TimeUnits,
        dtype: DType,
        needed: i128,
    },
    #[error(
        "{instant} in '{units}' is {fill}, which is the _FillValue: the time would read as missing"
    )]
    BecomesFill {
        instant: Instant,
        units: TimeUnits,
        fill: Number,
    },
    #[error("the _FillValue {fill} cannot be held by {dtype}")]
    Fill { fill: Number, dtype: DType },
    #[error("{found} bytes are no whole number of {dtype} values")]
    Bytes { found: usize, dtype: DType },
    #[error("{path}: variable '{variable}': {cause}", path = path.display())]
    Variable {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        cause: Box<Self>,
    },
}
