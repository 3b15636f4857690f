//! The steps of a file on the time axis: bounds and centres in seconds since 1900-01-01 00:00:00 of
//! the file's calendar. A step knows nothing of the file it is in.

use crate::{Calendar, Date, Frequency, Unit};

const DAY: i64 = 86_400;

/// One output step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// first and last instant, seconds since 1900-01-01 00:00:00
    pub bounds: [f64; 2],
    /// middle of the bounds, where XIOS puts an average
    pub centre: f64,
    /// mean of cos(2π t/year) and sin(2π t/year) over the step: the season it is in
    pub season: [f64; 2],
}

/// The steps that follow each other from a start date.
pub(crate) fn steps(start: Date, frequency: Frequency, calendar: Calendar, n: usize) -> Vec<Step> {
    (0..n as i64)
        .map(|i| {
            let first = instant(start, frequency, calendar, i);
            let last = instant(start, frequency, calendar, i + 1);
            step(first as f64, last as f64, calendar)
        })
        .collect()
}

/// Last day the steps touch; the start itself when there are none.
pub(crate) fn last_day(start: Date, frequency: Frequency, calendar: Calendar, n: usize) -> Date {
    if n == 0 {
        return start;
    }
    let end = instant(start, frequency, calendar, n as i64);
    calendar.date_from_days((end - 1).div_euclid(DAY))
}

/// Seconds from 1900 to the start of step `i`. Counted from the file's start, not from the step
/// before, so that a start on the 31st comes back to the 31st.
fn instant(start: Date, frequency: Frequency, calendar: Calendar, i: i64) -> i64 {
    let count = i64::from(frequency.count.get()) * i;
    let days = |date| calendar.days_since_1900(date) * DAY;
    match frequency.unit {
        Unit::Year => days(calendar.add_months(start, 12 * count)),
        Unit::Month => days(calendar.add_months(start, count)),
        Unit::Day => days(start) + count * DAY,
        Unit::Hour => days(start) + count * 3_600,
    }
}

fn step(first: f64, last: f64, calendar: Calendar) -> Step {
    let centre = 0.5 * (first + last);
    let radians = std::f64::consts::TAU / (calendar.mean_year() * DAY as f64);
    // The mean of a cosine over an interval is its value at the centre times sin(h)/h, h half the
    // interval in radians.
    let half = 0.5 * (last - first) * radians;
    let damping = half.sin() / half;
    let (sin, cos) = (centre * radians).sin_cos();
    Step {
        bounds: [first, last],
        centre,
        season: [damping * cos, damping * sin],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(start: &str, frequency: &str, calendar: Calendar, n: usize) -> Vec<Step> {
        steps(
            start.parse().unwrap(),
            frequency.parse().unwrap(),
            calendar,
            n,
        )
    }

    #[test]
    fn months_have_their_own_lengths() {
        let lengths: Vec<f64> = axis("1976-01-01", "1m", Calendar::Gregorian, 3)
            .iter()
            .map(|s| (s.bounds[1] - s.bounds[0]) / 86_400.0)
            .collect();
        assert_eq!(lengths, [31.0, 29.0, 31.0]);
    }

    #[test]
    fn the_centre_of_january_2015_is_where_a_real_file_has_it() {
        let step = axis("2015-01-01", "1m", Calendar::Day360, 1)[0];
        assert_eq!(step.bounds, [3_576_960_000.0, 3_579_552_000.0]);
        assert_eq!(step.centre, 3_578_256_000.0);
    }

    #[test]
    fn steps_do_not_depend_on_where_the_file_starts() {
        for (frequency, second) in [
            ("1m", "1976-03-01"),
            ("5d", "1976-01-11"),
            ("12h", "1976-01-02"),
        ] {
            let whole = axis("1976-01-01", frequency, Calendar::Gregorian, 4);
            let tail = axis(second, frequency, Calendar::Gregorian, 2);
            assert_eq!(whole[2..], tail[..]);
        }
    }
}
