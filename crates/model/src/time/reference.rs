//! Reading a moment from text, as CF and UDUNITS write the reference time of units: `1900-1-1`,
//! `1900-01-01T12:30:00.5Z`, `1900-01-01 00:00 -3`. The one entry is [`Instant::parse`].

use std::ops::Bound;

use super::calendar::{Calendar, Date};
use super::error::TimeError;
use super::instant::{DAY, Instant, SECOND};

const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;

impl Instant {
    /// Reads a date, with or without time of day and time zone; without a zone it is UTC.
    ///
    /// # Errors
    /// If the text is something else, or the calendar has no such date.
    pub fn parse(text: &str, calendar: Calendar) -> Result<Self, TimeError> {
        Self::read(text, calendar).map_err(|problem| TimeError::Instant {
            text: text.to_owned(),
            problem,
        })
    }

    /// Reads a year, a month, a day or a moment: when it begins.
    ///
    /// # Errors
    /// As [`Instant::parse`].
    pub fn parse_begin(text: &str, calendar: Calendar) -> Result<Self, TimeError> {
        let text = text.trim();
        let rest = match DateParts::of(text) {
            Some(DateParts { month: None, .. }) => "-01-01",
            Some(DateParts { day: None, .. }) => "-01",
            _ => "",
        };
        Self::parse(&format!("{text}{rest}"), calendar)
    }

    /// Reads a year, a month, a day or a moment, and returns the bound of all that is not later: the beginning of the next one, which
    /// is not meant, or the moment, which is.
    ///
    /// # Errors
    /// As [`Instant::parse`].
    pub fn parse_end(text: &str, calendar: Calendar) -> Result<Bound<Self>, TimeError> {
        let text = text.trim();
        // Is there such a one?
        let begin = Self::parse_begin(text, calendar)?;
        let Some(DateParts { year, month, day }) = DateParts::of(text) else {
            return Ok(Bound::Included(begin));
        };
        let next_year = format!("{}-01-01", year + 1);
        let next_month = |month: u8| format!("{year}-{}-01", month + 1);
        let candidates = match (month, day) {
            (None, _) => vec![next_year],
            (Some(month), None) => vec![next_month(month), next_year],
            (Some(month), Some(day)) => {
                let next_day = format!("{year}-{month}-{}", day + 1);
                vec![next_day, next_month(month), next_year]
            }
        };
        let mut end = Ok(begin);
        for candidate in candidates {
            end = Self::parse(&candidate, calendar);
            if end.is_ok() {
                break;
            }
        }
        end.map(Bound::Excluded)
    }

    /// As [`Instant::parse`]; an error is the problem alone.
    pub(super) fn read(text: &str, calendar: Calendar) -> Result<Self, String> {
        Cursor(text.trim()).instant(calendar)
    }
}

/// A date without time of day, of which the last parts may be left out.
struct DateParts {
    year: i64,
    month: Option<u8>,
    day: Option<u8>,
}

impl DateParts {
    /// That which `text` is; `None` if it is something else.
    fn of(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let mut parts = digits.split('-');
        let year: u32 = parts.next()?.parse().ok()?;
        let mut part = || {
            parts
                .next()
                .map(|part| part.parse::<u8>().ok())
                .map_or(Some(None), |n| n.map(Some))
        };
        let (month, day) = (part()?, part()?);
        parts.next().is_none().then_some(Self {
            year: sign * i64::from(year),
            month,
            day,
        })
    }
}

/// What is left to read.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn instant(&mut self, calendar: Calendar) -> Result<Instant, String> {
        let day = self.day(calendar)?;
        let timed = self.one(&['T', 't'])
            || (self.blank() && self.0.starts_with(|c: char| c.is_ascii_digit()));
        let mut time = 0;
        if timed {
            time = self.clock()?;
            self.blank();
            time -= self.offset()?;
        } else {
            self.utc();
        }
        if !self.0.is_empty() {
            return Err(format!("the part '{}' is not understood", self.0));
        }
        let ns = i128::from(day) * DAY + time;
        Instant::new(calendar, ns).ok_or_else(too_far)
    }

    fn day(&mut self, calendar: Calendar) -> Result<i64, String> {
        let negative = self.sign() == Some(-1);
        let year = self.digits().parse::<i64>().ok();
        let year = year.ok_or("the year is missing")?;
        // Also keeps the arithmetic on years from overflow.
        if year > 1_000_000 {
            return Err(too_far());
        }
        let year = calendar.year_of_label(if negative { -year } else { year });
        let mut part = |what: &str| {
            let found = self.one(&['-']);
            let number = found.then(|| self.two()).flatten();
            number.ok_or_else(|| format!("the {what} is missing or not of one or two digits"))
        };
        let date = Date {
            year,
            month: part("month")?,
            day: part("day")?,
        };
        let number = calendar.day_number(date);
        number.ok_or_else(|| format!("there is no such date in the calendar {calendar}"))
    }

    /// Hours, minutes and seconds; whatever is left out is zero.
    fn clock(&mut self) -> Result<i128, String> {
        let mut time = self.below(24, "hours")? * HOUR;
        if self.one(&[':']) {
            time += self.below(60, "minutes")? * MINUTE;
            if self.one(&[':']) {
                time += self.below(60, "seconds")? * SECOND + self.fraction()?;
            }
        }
        Ok(time)
    }

    fn below(&mut self, limit: u8, what: &str) -> Result<i128, String> {
        match self.two() {
            Some(number) if number < limit => Ok(number.into()),
            _ => Err(format!(
                "the {what} are not one or two digits below {limit}"
            )),
        }
    }

    /// Nanoseconds after the decimal point.
    fn fraction(&mut self) -> Result<i128, String> {
        if !self.one(&['.']) {
            return Ok(0);
        }
        let digits = self.digits().trim_end_matches('0');
        if digits.len() > 9 {
            return Err("the seconds are finer than a nanosecond".to_owned());
        }
        let digits = digits.bytes().map(|digit| i128::from(digit - b'0'));
        let padded = digits.chain(std::iter::repeat(0)).take(9);
        Ok(padded.fold(0, |number, digit| number * 10 + digit))
    }

    /// The time zone, as nanoseconds to the east: `Z`, `UTC`, `+01:00`, `+0100`, `-3`.
    fn offset(&mut self) -> Result<i128, String> {
        if self.0.is_empty() || self.utc() {
            return Ok(0);
        }
        let sign = self.sign().unwrap_or(1);
        let digits = self.digits();
        let (hours, minutes) = match digits.len() {
            1 | 2 if self.one(&[':']) => (digits, self.digits()),
            1 | 2 => (digits, "0"),
            3 | 4 => digits.split_at(digits.len() - 2),
            _ => {
                return Err(format!(
                    "the time zone '{digits}{}' is not understood",
                    self.0
                ));
            }
        };
        match (hours.parse::<i128>(), minutes.parse::<i128>()) {
            (Ok(hours @ 0..24), Ok(minutes @ 0..60)) => {
                Ok(sign * (hours * HOUR + minutes * MINUTE))
            }
            _ => Err(format!(
                "the time zone has {hours} hours and {minutes} minutes"
            )),
        }
    }

    fn utc(&mut self) -> bool {
        let found = ["utc", "gmt", "z"]
            .iter()
            .any(|z| z.eq_ignore_ascii_case(self.0));
        if found {
            self.0 = "";
        }
        found
    }

    fn sign(&mut self) -> Option<i128> {
        let sign = if self.0.starts_with('-') { -1 } else { 1 };
        self.one(&['-', '+']).then_some(sign)
    }

    /// A number of one or two digits.
    fn two(&mut self) -> Option<u8> {
        let digits = self.digits();
        (digits.len() <= 2).then(|| digits.parse().ok()).flatten()
    }
}

impl<'a> Cursor<'a> {
    fn digits(&mut self) -> &'a str {
        let end = self.0.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        digits
    }

    fn one(&mut self, of: &[char]) -> bool {
        let rest = self.0.strip_prefix(of);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn blank(&mut self) -> bool {
        let rest = self.0.trim_start();
        let found = rest.len() < self.0.len();
        self.0 = rest;
        found
    }
}

fn too_far() -> String {
    "the year is more than a million years from year 0".to_owned()
}

#[cfg(test)]
mod ends {
    use super::*;

    #[test]
    fn a_year_a_month_and_a_day_end_where_the_next_one_begins() {
        let end = |text: &str, calendar| match Instant::parse_end(text, calendar) {
            Ok(Bound::Excluded(end)) => format!("before {end}"),
            Ok(Bound::Included(end)) => format!("up to {end}"),
            Ok(Bound::Unbounded) => unreachable!(),
            Err(error) => error.to_string(),
        };
        let cases = [
            ("1976", "before 1977-01-01 00:00:00"),
            ("1976-11", "before 1976-12-01 00:00:00"),
            ("1976-12", "before 1977-01-01 00:00:00"),
            ("1976-2-28", "before 1976-02-29 00:00:00"),
            ("1976-02-29", "before 1976-03-01 00:00:00"),
            ("1976-12-31", "before 1977-01-01 00:00:00"),
            ("1976-12-31T00:00", "up to 1976-12-31 00:00:00"),
        ];
        for (text, expected) in cases {
            assert_eq!(end(text, Calendar::Standard), expected, "{text}");
        }
        assert_eq!(
            end("1976-02-30", Calendar::Day360),
            "before 1976-03-01 00:00:00"
        );
        assert!(end("1976-02-30", Calendar::Standard).contains("no such date"));
        assert!(end("1976-13", Calendar::Standard).contains("1976-13"));
        let begin = |text| {
            Instant::parse_begin(text, Calendar::Standard)
                .unwrap()
                .to_string()
        };
        assert_eq!(begin("1976"), "1976-01-01 00:00:00");
        assert_eq!(begin("1976-03"), "1976-03-01 00:00:00");
        assert_eq!(begin("1976-03-16T12:00"), "1976-03-16 12:00:00");
    }
}
