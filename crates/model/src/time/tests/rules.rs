//! What holds for every calendar, unit and type.

use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::instant::{DAY, MAX_DAYS};
use super::super::{Calendar, Instant, TimeConversion, TimeError, TimeUnits};
use super::{CALENDARS, DTYPES};
use crate::{DType, Number};

const UNITS: [&str; 8] = [
    "weeks", "days", "hours", "minutes", "seconds", "ms", "us", "ns",
];

fn calendars() -> impl Strategy<Value = Calendar> {
    select(&CALENDARS[..])
}

/// Units of any length with a reference of any time of the years 1 to 2999.
fn units(calendar: Calendar) -> impl Strategy<Value = TimeUnits> {
    let reference = (
        1..3_000,
        1..13,
        1..5,
        0..24,
        0..60,
        select(&[0, 500_000_000, 1][..]),
    );
    (select(&UNITS[..]), reference).prop_map(move |(unit, (y, m, d, h, min, ns))| {
        let text = format!("{unit} since {y:04}-{m}-{d} {h}:{min}:00.{ns:09}");
        TimeUnits::parse(&text, Some(calendar.name())).unwrap()
    })
}

fn pair() -> impl Strategy<Value = (TimeUnits, TimeUnits)> {
    calendars().prop_flat_map(|calendar| (units(calendar), units(calendar)))
}

/// Any bits of a type, or a small number in it.
fn value(dtype: DType) -> impl Strategy<Value = Number> {
    let small = (-100_000..100_000_i32).prop_map(move |n| {
        let number = Number::Float(f64::from(n) / 4.0);
        dtype.bytes_of(number).unwrap_or(vec![0; dtype.size()])
    });
    let any = proptest::collection::vec(any::<u8>(), dtype.size());
    prop_oneof![small, any].prop_map(move |bytes| dtype.numbers(&bytes).next().unwrap())
}

fn typed() -> impl Strategy<Value = (DType, Number)> {
    select(&DTYPES[..]).prop_flat_map(|dtype| (Just(dtype), value(dtype)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_day_is_one_date(calendar in calendars(), day in -MAX_DAYS..MAX_DAYS) {
        let date = calendar.date(day);
        prop_assert_eq!(calendar.day_number(date), Some(day));
        prop_assert!(calendar.date(day - 1) < date && date < calendar.date(day + 1));
    }

    #[test]
    fn a_shown_instant_is_read_back(calendar in calendars(), day in -900_000..900_000_i64, ns in 0..86_400_000_000_000_i64) {
        let instant = Instant::new(calendar, i128::from(day) * DAY + i128::from(ns)).unwrap();
        prop_assert_eq!(Instant::parse(&instant.to_string(), calendar), Ok(instant));
        let json = serde_json::to_value(instant).unwrap();
        prop_assert_eq!(serde_json::from_value::<Instant>(json).unwrap(), instant);
    }

    #[test]
    fn whole_numbers_come_back_in_every_type((units, _) in pair(), n in 0..120_i64, dtype in select(&DTYPES[..])) {
        let instant = units.instant(Number::Int(n), dtype).unwrap();
        let value = units.value(instant, dtype).unwrap();
        prop_assert_eq!(value.as_f64(), n as f64);
        prop_assert_eq!(units.instant(value, dtype), Ok(instant));
    }

    #[test]
    fn no_value_makes_it_panic_and_what_is_read_is_written_back((units, other) in pair(), (dtype, number) in typed()) {
        let Ok(instant) = units.instant(number, dtype) else { return Ok(()) };
        let back = units.value(instant, dtype);
        // Where ticks lie closer than floats, the nearest tick is what the float means: so it is the nearest float.
        prop_assert_eq!(back, Ok(number));
        if let Ok(elsewhere) = other.value(instant, dtype) {
            prop_assert_eq!(other.instant(elsewhere, dtype), Ok(instant));
        }
    }

    #[test]
    fn float64_holds_seconds_of_days(calendar in calendars(), second in -40_000_000_000_i64..40_000_000_000) {
        let days = TimeUnits::parse("days since 1900-01-01", Some(calendar.name())).unwrap();
        let seconds = TimeUnits::parse("seconds since 1900-01-01", Some(calendar.name())).unwrap();
        let instant = seconds.instant(Number::Int(second), DType::I64).unwrap();
        let Ok(Number::Float(value)) = days.value(instant, DType::F64) else { panic!("no float") };
        prop_assert_eq!(value, second as f64 / 86_400.0);
    }

    #[test]
    fn conversions_there_and_back_change_no_bit((from, to) in pair(), (dtype, _) in typed(), numbers in proptest::collection::vec(-200..200_i32, 0..5)) {
        let numbers: Vec<u8> = numbers
            .iter()
            .filter_map(|&n| dtype.bytes_of(Number::Float(f64::from(n) / 2.0)))
            .flatten()
            .collect();
        let there = TimeConversion { from, to, dtype_from: dtype, dtype_to: dtype };
        let back = TimeConversion { from: to, to: from, ..there };
        if let Ok(converted) = there.convert(&numbers, &[], false) {
            prop_assert_eq!(back.convert(&converted, &[], false), Ok(numbers.clone()));
        }
        let same = TimeConversion { to: from, ..there };
        prop_assert_eq!(same.convert(&numbers, &[], false), Ok(numbers));
    }
}

#[test]
fn only_the_real_calendars_convert_and_only_since_the_reform() {
    let at = |text, calendar| Instant::parse(text, calendar).unwrap();
    let (standard, proleptic) = (Calendar::Standard, Calendar::ProlepticGregorian);
    let first = at("1582-10-15", standard);
    assert_eq!(
        first.in_calendar(proleptic),
        Ok(at("1582-10-15", proleptic))
    );
    assert_eq!(
        first.compare(at("1582-10-15", proleptic)),
        Some(Ordering::Equal)
    );
    let last = at("1582-10-04 23:59:59", standard);
    assert!(first.is_after(last));
    assert!(matches!(
        last.in_calendar(proleptic),
        Err(TimeError::BeforeReform { .. })
    ));
    let early = at("1582-10-14", proleptic);
    assert!(matches!(
        early.in_calendar(standard),
        Err(TimeError::BeforeReform { .. })
    ));
    for a in CALENDARS {
        for b in CALENDARS {
            let units =
                |c: Calendar| TimeUnits::parse("days since 0001-01-01", Some(c.name())).unwrap();
            let expected = a == b || [a, b].iter().all(|c| [standard, proleptic].contains(c));
            assert_eq!(units(a).compatible(&units(b)), expected, "{a} {b}");
            let day = units(a).instant(Number::Int(730_500), DType::I32).unwrap();
            assert_eq!(units(b).value(day, DType::I32).is_ok(), expected, "{a} {b}");
            assert_eq!(day.compare(units(b).reference()).is_some(), expected);
        }
    }
    // Two days more since year 1 in the calendar that had Julian leap years.
    let days = TimeUnits::parse("days since 0001-01-01", None).unwrap();
    assert_eq!(
        days.value(at("2000-01-01", proleptic), DType::I32),
        Ok(Number::Int(730_121))
    );
}

#[test]
fn the_end_of_time_is_an_error_not_an_overflow() {
    let calendar = Some("all_leap");
    let units = TimeUnits::parse("days since 999999-12-31", calendar).unwrap();
    assert!(units.instant(Number::Int(400), DType::I32).is_err());
    assert!(TimeUnits::parse("days since 1000000-12-31", calendar).is_err());
    assert!(TimeUnits::parse("days since -1000000-01-01", calendar).is_ok());
    let weeks = TimeUnits::parse("weeks since 1900-01-01", None).unwrap();
    for value in [
        Number::Int(i64::MAX),
        Number::Int(i64::MIN),
        Number::UInt(u64::MAX),
        Number::Float(1e300),
    ] {
        assert!(matches!(
            weeks.instant(value, DType::F64),
            Err(TimeError::OutOfRange { .. })
        ));
    }
}
