//! Time units: a length and a reference moment, as in `days since 1900-01-01 00:00:00`.
//!
//! Key type: [`TimeUnits`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::error::TimeError;
use super::instant::{DAY, Instant, SECOND};

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum TimeUnit {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    /// 30 days; in the 360_day calendar only.
    Month,
    /// 360 days; in the 360_day calendar only.
    Year,
}

/// What a number of a time axis counts: units since a moment. Two spellings of the same are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeUnits {
    unit: TimeUnit,
    reference: Instant,
}

impl TimeUnits {
    /// Reads the attributes `units` and `calendar`; a missing calendar is the standard one (CF §4.4.1).
    ///
    /// # Errors
    /// If they are not `<unit> since <time>`, or the unit has no fixed length, or the calendar no such date.
    pub fn parse(units: &str, calendar: Option<&str>) -> Result<Self, TimeError> {
        let calendar = calendar.map_or(Ok(Calendar::Standard), Calendar::parse)?;
        let wrong = |problem: String| TimeError::Units {
            units: units.to_owned(),
            problem,
        };
        let Some((unit, reference)) = split(units) else {
            return Err(wrong("they do not say since when".to_owned()));
        };
        let unit = TimeUnit::parse(unit)
            .ok_or_else(|| wrong(format!("'{unit}' is no known unit of time")))?;
        if matches!(unit, TimeUnit::Month | TimeUnit::Year) && calendar != Calendar::Day360 {
            return Err(wrong(format!(
                "in the calendar {calendar}, months and years have no fixed length; use days"
            )));
        }
        let reference = Instant::read(reference, calendar)
            .map_err(|problem| wrong(format!("of the reference time '{reference}', {problem}")))?;
        Ok(Self { unit, reference })
    }

    /// The calendar.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        self.reference.calendar()
    }

    /// The moment that is 0.
    #[must_use]
    pub fn reference(&self) -> Instant {
        self.reference
    }

    /// Can times in these units be times in `other`? Between the standard and the proleptic Gregorian calendar they
    /// can from 1582-10-15 on; see [`Instant::in_calendar`].
    #[must_use]
    pub fn compatible(&self, other: &Self) -> bool {
        self.calendar().shares_axis(other.calendar())
    }

    /// Nanoseconds of one unit.
    pub(super) fn length(&self) -> i64 {
        self.unit.nanoseconds()
    }
}

/// The unit and the reference time of `units`: what is before and after the word "since".
pub(super) fn split(units: &str) -> Option<(&str, &str)> {
    // In ASCII lower case every character keeps its place.
    let lower = units.to_ascii_lowercase();
    let places = lower.match_indices("since").map(|(start, word)| {
        let end = start + word.len();
        (&units[..start], &units[end..])
    });
    let mut words = places.filter(|(before, after)| {
        before.ends_with(char::is_whitespace)
            && (after.is_empty() || after.starts_with(char::is_whitespace))
    });
    words
        .next()
        .map(|(before, after)| (before.trim(), after.trim()))
}

impl TimeUnit {
    /// The unit that UDUNITS or Python's cftime calls `name`, in upper or lower case.
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "nanosecond" | "nanoseconds" | "nanosec" | "nanosecs" | "nsec" | "nsecs" | "ns" => {
                Self::Nanosecond
            }
            // µ has two code points: the micro sign and the Greek letter.
            "microsecond" | "microseconds" | "microsec" | "microsecs" | "usec" | "usecs" | "us"
            | "\u{b5}s" | "\u{3bc}s" => Self::Microsecond,
            "millisecond" | "milliseconds" | "millisec" | "millisecs" | "msec" | "msecs" | "ms" => {
                Self::Millisecond
            }
            "second" | "seconds" | "sec" | "secs" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "mins" => Self::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Self::Hour,
            "day" | "days" | "d" => Self::Day,
            "week" | "weeks" => Self::Week,
            "month" | "months" => Self::Month,
            "year" | "years" | "yr" | "yrs" => Self::Year,
            _ => return None,
        })
    }

    fn nanoseconds(self) -> i64 {
        let (second, day) = (SECOND as i64, DAY as i64);
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => second,
            Self::Minute => 60 * second,
            Self::Hour => 3_600 * second,
            Self::Day => day,
            Self::Week => 7 * day,
            Self::Month => 30 * day,
            Self::Year => 360 * day,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nanosecond => "nanoseconds",
            Self::Microsecond => "microseconds",
            Self::Millisecond => "milliseconds",
            Self::Second => "seconds",
            Self::Minute => "minutes",
            Self::Hour => "hours",
            Self::Day => "days",
            Self::Week => "weeks",
            Self::Month => "months",
            Self::Year => "years",
        }
    }
}

/// As `days since 1900-01-01 00:00:00 (standard)`.
impl fmt::Display for TimeUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.name();
        write!(f, "{unit} since {} ({})", self.reference, self.calendar())
    }
}
