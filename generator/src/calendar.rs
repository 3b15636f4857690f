//! Dates in the three calendars NEMO runs in, and the days between them. Integer arithmetic only.
//! Key types: [`Calendar`] and [`Date`] (a civil date, whose validity depends on the calendar).

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A CF calendar (CF conventions §4.4.1), by the names XIOS writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// `gregorian`; dates before 1583 are refused, so the mixed and the proleptic one agree.
    Gregorian,
    /// `noleap`: every year has 365 days.
    NoLeap,
    /// `360_day`: every month has 30 days.
    Day360,
}

/// A civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    pub year: i32,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31, or to 30 in the 360-day calendar
    pub day: u8,
}

const MONTH_LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Calendar {
    /// The CF name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gregorian => "gregorian",
            Self::NoLeap => "noleap",
            Self::Day360 => "360_day",
        }
    }

    /// Mean length of a year, in days.
    pub(crate) fn mean_year(self) -> f64 {
        match self {
            Self::Gregorian => 365.2425,
            Self::NoLeap => 365.0,
            Self::Day360 => 360.0,
        }
    }

    fn month_length(self, year: i32, month: u8) -> i64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        match (self, month) {
            (Self::Day360, _) => 30,
            (Self::Gregorian, 2) if leap => 29,
            // A month out of range is refused by `contains`; here it only must not panic.
            _ => MONTH_LENGTHS[usize::from(month.clamp(1, 12)) - 1],
        }
    }

    /// Whether the calendar has this date.
    pub(crate) fn contains(self, date: Date) -> bool {
        let known = self != Self::Gregorian || date.year >= 1583;
        let month = (1..=12).contains(&date.month);
        known
            && month
            && date.day > 0
            && i64::from(date.day) <= self.month_length(date.year, date.month)
    }

    /// Days from 1900-01-01 to the date; negative before.
    pub(crate) fn days_since_1900(self, date: Date) -> i64 {
        let years = i64::from(date.year) - 1900;
        let mut days = match self {
            Self::Day360 => years * 360,
            Self::NoLeap => years * 365,
            Self::Gregorian => years * 365 + leap_years_before(date.year) - leap_years_before(1900),
        };
        for month in 1..date.month {
            days += self.month_length(date.year, month);
        }
        days + i64::from(date.day) - 1
    }

    /// The date this many days after 1900-01-01: the inverse of [`Self::days_since_1900`].
    pub(crate) fn date_from_days(self, days: i64) -> Date {
        let at = |year, month| Date {
            year,
            month,
            day: 1,
        };
        let mut year = 1900 + (days as f64 / self.mean_year()).floor() as i32;
        while self.days_since_1900(at(year, 1)) > days {
            year -= 1;
        }
        while self.days_since_1900(at(year + 1, 1)) <= days {
            year += 1;
        }
        let mut month = 1;
        while month < 12 && self.days_since_1900(at(year, month + 1)) <= days {
            month += 1;
        }
        let day = days - self.days_since_1900(at(year, month)) + 1;
        Date {
            year,
            month,
            // The loops leave less than a month.
            day: day as u8,
        }
    }

    /// The date some months later, on the same day or on the month's last one.
    pub(crate) fn add_months(self, date: Date, months: i64) -> Date {
        let count = i64::from(date.year) * 12 + i64::from(date.month) - 1 + months;
        let (year, month) = (
            count.div_euclid(12) as i32,
            (count.rem_euclid(12) + 1) as u8,
        );
        let day = i64::from(date.day).min(self.month_length(year, month)) as u8;
        Date { year, month, day }
    }
}

/// Gregorian leap years from year 1 to the one before `year`.
fn leap_years_before(year: i32) -> i64 {
    let y = i64::from(year) - 1;
    y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400)
}

impl FromStr for Calendar {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "gregorian" | "standard" => Ok(Self::Gregorian),
            "noleap" | "365_day" => Ok(Self::NoLeap),
            "360_day" => Ok(Self::Day360),
            _ => Err(Error::parse(
                "calendar",
                word,
                "gregorian, noleap or 360_day",
            )),
        }
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Date {
    type Err = Error;

    /// `YYYY-MM-DD`, with any day to the 31st: the calendar decides later whether it exists.
    fn from_str(word: &str) -> Result<Self, Error> {
        let wrong = || Error::parse("date", word, "YYYY-MM-DD, such as 1976-01-01");
        let parts: Vec<&str> = word.split('-').collect();
        let [year, month, day] = parts[..] else {
            return Err(wrong());
        };
        let date = Self {
            year: year.parse().map_err(|_| wrong())?,
            month: month.parse().map_err(|_| wrong())?,
            day: day.parse().map_err(|_| wrong())?,
        };
        let fits = (0..=9999).contains(&date.year)
            && (1..=12).contains(&date.month)
            && (1..=31).contains(&date.day);
        fits.then_some(date).ok_or_else(wrong)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse_in_every_calendar() {
        for calendar in [Calendar::Gregorian, Calendar::NoLeap, Calendar::Day360] {
            for days in (-60_000..80_000).step_by(7) {
                let date = calendar.date_from_days(days);
                assert!(calendar.contains(date), "{calendar} {date}");
                assert_eq!(calendar.days_since_1900(date), days, "{calendar} {date}");
            }
        }
    }

    #[test]
    fn known_days() {
        let days = |c: Calendar, d: &str| c.days_since_1900(d.parse().unwrap());
        assert_eq!(days(Calendar::Gregorian, "1970-01-01"), 25_567);
        assert_eq!(days(Calendar::Gregorian, "2000-03-01"), 36_584);
        assert_eq!(days(Calendar::NoLeap, "2000-03-01"), 36_559);
        assert_eq!(days(Calendar::Day360, "2000-02-30"), 36_059);
    }

    #[test]
    fn dates_that_are_none_are_refused() {
        for word in ["1976", "1976-13-01", "1976-01-32", "1976-01-01-01", "x-1-1"] {
            assert!(word.parse::<Date>().is_err(), "{word}");
        }
        let leap_day = "1977-02-29".parse().unwrap();
        assert!(!Calendar::Gregorian.contains(leap_day));
        assert!(Calendar::Day360.contains(leap_day));
    }
}
