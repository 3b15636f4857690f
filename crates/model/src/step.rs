//! One value of an archive's axis, by which steps are told apart.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::dtype::{DType, Number};
use super::time::{Instant, TimeError, TimeUnits};

/// One value of the axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// A moment, whatever units it is written in.
    Time(Instant),
    /// A number without time units.
    Number(Number),
}

impl Step {
    /// The step that `number`, of type `dtype`, means in `units`.
    ///
    /// # Errors
    /// If it is no time.
    pub fn new(number: Number, dtype: DType, units: Option<&TimeUnits>) -> Result<Self, TimeError> {
        match units {
            Some(units) => units.instant(number, dtype).map(Self::Time),
            None => Ok(Self::Number(number)),
        }
    }

    /// Which comes first; `None` if they are not of one axis, or one is NaN.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Time(a), Self::Time(b)) => a.compare(b),
            (Self::Number(a), Self::Number(b)) => a.compare(b),
            _ => None,
        }
    }

    /// Is this a later step than `before`? NaN is after nothing.
    #[must_use]
    pub fn is_after(self, before: Self) -> bool {
        self.compare(before) == Some(Ordering::Greater)
    }

    /// The moment, where it is one.
    #[must_use]
    pub fn instant(self) -> Option<Instant> {
        match self {
            Self::Time(instant) => Some(instant),
            Self::Number(_) => None,
        }
    }

    /// What it is, for a message: `a time of the calendar noleap`.
    #[must_use]
    pub fn kind(self) -> String {
        match self {
            Self::Time(instant) => format!("times of the calendar {}", instant.calendar()),
            Self::Number(_) => "numbers without time units".to_owned(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(instant) => instant.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}
