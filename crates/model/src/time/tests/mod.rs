//! Times against Python's cftime, and the rules that hold for all of them.

mod parsing;
mod rules;

use super::{Calendar, Instant, TimeUnits};
use crate::{DType, Number};

const CALENDARS: [Calendar; 6] = [
    Calendar::Standard,
    Calendar::ProlepticGregorian,
    Calendar::NoLeap,
    Calendar::AllLeap,
    Calendar::Day360,
    Calendar::Julian,
];

const DTYPES: [DType; 10] = DType::NUMBERS;

#[test]
fn cftime_reads_the_same_times() {
    // Made by tests/python/cftime_table.py.
    let table = include_str!("cftime.csv");
    for row in table.lines() {
        let cells: Vec<&str> = row.split(',').collect();
        let [calendar, units, value, expected] = cells[..] else {
            panic!("{row}")
        };
        let units = TimeUnits::parse(units, Some(calendar)).unwrap();
        let value = Number::Int(value.parse().unwrap());
        let instant = units.instant(value, DType::I64).unwrap();
        assert_eq!(instant.to_string(), expected, "{row}");
        assert_eq!(units.value(instant, DType::I64), Ok(value), "{row}");
        let calendar = Calendar::parse(calendar).unwrap();
        assert_eq!(Instant::parse(expected, calendar), Ok(instant), "{row}");
        let float = Number::Float(value.as_f64());
        assert_eq!(units.instant(float, DType::F64), Ok(instant), "{row}");
    }
    assert!(table.lines().count() > 100);
}
