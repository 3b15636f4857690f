//! A moment of a calendar, to the nanosecond.
//!
//! Key type: [`Instant`].

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, Date, REFORM};
use super::error::TimeError;

/// Nanoseconds of a second and of a day.
pub(super) const SECOND: i128 = 1_000_000_000;
pub(super) const DAY: i128 = 86_400 * SECOND;

/// No moment is further from day 0: a million years. The bound keeps all arithmetic far from overflow.
pub(super) const MAX_DAYS: i64 = 366_000_000;

/// A moment of a calendar, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredInstant", into = "StoredInstant")]
pub struct Instant {
    calendar: Calendar,
    /// Nanoseconds since 0000-01-01 of the calendar (the Gregorian one for the standard calendar).
    ns: i128,
}

/// As it is written: no format need know 128-bit integers.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredInstant {
    calendar: Calendar,
    day: i64,
    nanosecond: i64,
}

impl Instant {
    /// The moment `ns` nanoseconds after day 0, unless that is more than a million years off.
    pub(super) fn new(calendar: Calendar, ns: i128) -> Option<Self> {
        let limit = i128::from(MAX_DAYS) * DAY;
        (-limit..=limit)
            .contains(&ns)
            .then_some(Self { calendar, ns })
    }

    /// Nanoseconds since day 0.
    pub(super) fn ns(self) -> i128 {
        self.ns
    }

    /// Its calendar.
    #[must_use]
    pub fn calendar(self) -> Calendar {
        self.calendar
    }

    /// The same moment in another calendar.
    ///
    /// # Errors
    /// If the calendars' days do not correspond, or the date would change: before 1582-10-15 the standard and the
    /// proleptic Gregorian calendar name the same day differently.
    pub fn in_calendar(self, calendar: Calendar) -> Result<Self, TimeError> {
        let (from, to) = (self.calendar, calendar);
        if from == to {
            return Ok(self);
        }
        if !from.shares_axis(to) {
            return Err(TimeError::Calendars { from, to });
        }
        if self.date() < REFORM {
            let instant = self;
            return Err(TimeError::BeforeReform { instant, from, to });
        }
        Ok(Self { calendar, ..self })
    }

    /// Which of the two is later; `None` where their calendars' days do not correspond.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let comparable = self.calendar.shares_axis(other.calendar);
        comparable.then(|| self.ns.cmp(&other.ns))
    }

    /// Is this later than `before`?
    #[must_use]
    pub fn is_after(self, before: Self) -> bool {
        self.compare(before) == Some(Ordering::Greater)
    }

    /// Are the two less than a second apart? Not where their calendars' days do not correspond.
    #[must_use]
    pub fn is_about(self, other: Self) -> bool {
        let comparable = self.calendar.shares_axis(other.calendar);
        comparable && self.ns.abs_diff(other.ns) < 1_000_000_000
    }

    fn day(self) -> i64 {
        self.ns.div_euclid(DAY) as i64
    }

    pub(super) fn date(self) -> Date {
        self.calendar.date(self.day())
    }
}

impl From<Instant> for StoredInstant {
    fn from(instant: Instant) -> Self {
        Self {
            calendar: instant.calendar,
            day: instant.day(),
            nanosecond: instant.ns.rem_euclid(DAY) as i64,
        }
    }
}

impl TryFrom<StoredInstant> for Instant {
    type Error = TimeError;

    fn try_from(stored: StoredInstant) -> Result<Self, TimeError> {
        let nanosecond = i128::from(stored.nanosecond);
        (0..DAY)
            .contains(&nanosecond)
            .then(|| i128::from(stored.day) * DAY + nanosecond)
            .and_then(|ns| Self::new(stored.calendar, ns))
            .ok_or(TimeError::Stored)
    }
}

/// As `1976-01-16 12:00:00`, with a fraction of the second where there is one.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date { year, month, day } = self.date();
        let year = self.calendar.label_of_year(year);
        let sign = if year < 0 { "-" } else { "" };
        let of_day = self.ns.rem_euclid(DAY);
        let seconds = of_day / SECOND;
        write!(
            f,
            "{sign}{:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
            year.unsigned_abs(),
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        let fraction = of_day % SECOND;
        if fraction == 0 {
            return Ok(());
        }
        let digits = format!("{fraction:09}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}
