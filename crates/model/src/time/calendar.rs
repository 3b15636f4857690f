//! The calendars of the CF conventions (§4.4.1): which dates exist, and how many days lie between them.
//!
//! Key types: [`Calendar`], [`Date`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::TimeError;

/// A calendar of the CF conventions. It is stored under its CF name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Calendar {
    /// Julian until 1582-10-04, Gregorian from 1582-10-15: `standard` or `gregorian`.
    #[serde(rename = "standard")]
    Standard,
    /// Gregorian for all time: `proleptic_gregorian`.
    #[serde(rename = "proleptic_gregorian")]
    ProlepticGregorian,
    /// Years of 365 days: `noleap` or `365_day`.
    #[serde(rename = "noleap")]
    NoLeap,
    /// Years of 366 days: `all_leap` or `366_day`.
    #[serde(rename = "all_leap")]
    AllLeap,
    /// Twelve months of 30 days: `360_day`.
    #[serde(rename = "360_day")]
    Day360,
    /// A leap year every four years: `julian`.
    #[serde(rename = "julian")]
    Julian,
}

/// A date; the year before year 1 is year 0, whatever the calendar calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date {
    pub year: i64,
    pub month: u8,
    pub day: u8,
}

/// The first date of the Gregorian part of the standard calendar, and its day number.
pub(super) const REFORM: Date = Date {
    year: 1582,
    month: 10,
    day: 15,
};
const REFORM_DAY: i64 = 578_101;
/// The last date of its Julian part.
const BEFORE_REFORM: Date = Date {
    year: 1582,
    month: 10,
    day: 4,
};
/// The day number of 0000-01-01 Julian in the Gregorian calendar.
const JULIAN_START: i64 = -2;

const COMMON: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const LEAP: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Calendar {
    /// The calendar called `name`, in upper or lower case.
    ///
    /// # Errors
    /// If no calendar with a fixed number of seconds a day has that name.
    pub fn parse(name: &str) -> Result<Self, TimeError> {
        Ok(match name.trim().to_ascii_lowercase().as_str() {
            "standard" | "gregorian" => Self::Standard,
            "proleptic_gregorian" => Self::ProlepticGregorian,
            "noleap" | "365_day" => Self::NoLeap,
            "all_leap" | "366_day" => Self::AllLeap,
            "360_day" => Self::Day360,
            "julian" => Self::Julian,
            _ => {
                return Err(TimeError::UnknownCalendar {
                    found: name.to_owned(),
                });
            }
        })
    }

    /// The CF name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::ProlepticGregorian => "proleptic_gregorian",
            Self::NoLeap => "noleap",
            Self::AllLeap => "all_leap",
            Self::Day360 => "360_day",
            Self::Julian => "julian",
        }
    }

    /// Are moments of both calendars points of one axis? Standard and proleptic Gregorian dates count the same real
    /// days; the days of any other two calendars have nothing to do with each other.
    #[must_use]
    pub(super) fn shares_axis(self, other: Self) -> bool {
        let real = |c| matches!(c, Self::Standard | Self::ProlepticGregorian);
        self == other || (real(self) && real(other))
    }

    /// Days from 0000-01-01 to `date`, or `None` where the calendar has no such date. Standard dates count from the
    /// Gregorian 0000-01-01.
    pub(super) fn day_number(self, date: Date) -> Option<i64> {
        if self == Self::Standard {
            return if date >= REFORM {
                Self::ProlepticGregorian.day_number(date)
            } else if date <= BEFORE_REFORM {
                Some(Self::Julian.day_number(date)? + JULIAN_START)
            } else {
                None
            };
        }
        let months = self.months(date.year);
        let month = usize::from(date.month.checked_sub(1)?);
        if date.day < 1 || date.day > *months.get(month)? {
            return None;
        }
        let before: i64 = months[..month].iter().copied().map(i64::from).sum();
        Some(self.days_before(date.year) + before + i64::from(date.day) - 1)
    }

    /// The date that is `number` days after 0000-01-01.
    pub(super) fn date(self, number: i64) -> Date {
        let (days, years) = match self {
            Self::Standard if number < REFORM_DAY => {
                return Self::Julian.date(number - JULIAN_START);
            }
            Self::Standard => return Self::ProlepticGregorian.date(number),
            Self::ProlepticGregorian => (146_097, 400),
            Self::Julian => (1_461, 4),
            Self::NoLeap => (365, 1),
            Self::AllLeap => (366, 1),
            Self::Day360 => (360, 1),
        };
        // The mean length of a year gives the year, or the one next to it.
        let mut year = (number * years).div_euclid(days);
        while self.days_before(year) > number {
            year -= 1;
        }
        while self.days_before(year + 1) <= number {
            year += 1;
        }
        let mut rest = number - self.days_before(year);
        let mut month = 1;
        for length in self.months(year) {
            if rest < i64::from(length) {
                break;
            }
            rest -= i64::from(length);
            month += 1;
        }
        Date {
            year,
            month,
            day: rest as u8 + 1,
        }
    }

    /// The year a text means by `year`. Historians' calendars have no year 0, and -1 is the year before 1; Python's
    /// cftime reads them so too. A reference year 0000 there is taken for that same year.
    pub(super) fn year_of_label(self, year: i64) -> i64 {
        if year < 0 && !self.has_year_zero() {
            year + 1
        } else {
            year
        }
    }

    /// What a text calls `year`.
    pub(super) fn label_of_year(self, year: i64) -> i64 {
        if year <= 0 && !self.has_year_zero() {
            year - 1
        } else {
            year
        }
    }

    fn has_year_zero(self) -> bool {
        !matches!(self, Self::Standard | Self::Julian)
    }

    /// Days from 0000-01-01 to the first day of `year`; year 0 is a leap year where there are any.
    fn days_before(self, year: i64) -> i64 {
        let every = |years: i64| (year + years - 1).div_euclid(years);
        match self {
            Self::Standard | Self::ProlepticGregorian => {
                365 * year + every(4) - every(100) + every(400)
            }
            Self::Julian => 365 * year + every(4),
            Self::NoLeap => 365 * year,
            Self::AllLeap => 366 * year,
            Self::Day360 => 360 * year,
        }
    }

    fn months(self, year: i64) -> [u8; 12] {
        match self {
            Self::Day360 => [30; 12],
            _ if self.days_before(year + 1) - self.days_before(year) == 366 => LEAP,
            _ => COMMON,
        }
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
