//! How long one output step is: any number of years, months, days or hours.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::Error;

/// The unit of a [`Frequency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Year,
    Month,
    Day,
    Hour,
}

/// The output interval, such as 1y, 1m, 5d or 6h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frequency {
    pub count: NonZeroU32,
    pub unit: Unit,
}

impl Frequency {
    pub(crate) const MONTHLY: Self = Self {
        count: NonZeroU32::MIN,
        unit: Unit::Month,
    };

    /// As XIOS spells it in the attribute `interval_write`: `1 yr`, `1 month`, `5 d`, `6 h`.
    pub(crate) fn interval_write(self) -> String {
        let unit = match self.unit {
            Unit::Year => "yr",
            Unit::Month => "month",
            Unit::Day => "d",
            Unit::Hour => "h",
        };
        format!("{} {unit}", self.count)
    }
}

impl FromStr for Frequency {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::parse(
                "frequency",
                word,
                "a number above 0 and y, m, d or h, such as 1m",
            )
        };
        let unit = match word.chars().last() {
            Some('y') => Unit::Year,
            Some('m') => Unit::Month,
            Some('d') => Unit::Day,
            Some('h') => Unit::Hour,
            _ => return Err(wrong()),
        };
        // The last character is one ASCII byte, as just matched.
        let count = word[..word.len() - 1].parse().map_err(|_| wrong())?;
        Ok(Self { count, unit })
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Year => 'y',
            Unit::Month => 'm',
            Unit::Day => 'd',
            Unit::Hour => 'h',
        };
        write!(f, "{}{unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_in_and_out() {
        for word in ["1y", "1m", "5d", "1d", "6h", "1h", "10y"] {
            assert_eq!(word.parse::<Frequency>().unwrap().to_string(), word);
        }
        for word in ["", "m", "0m", "1", "1w", "-1d", "1é"] {
            assert!(word.parse::<Frequency>().is_err(), "{word}");
        }
    }
}
