//! Which units, calendars and times can be read, and which are refused.

use proptest::prelude::*;

use super::super::{Calendar, Instant, TimeError, TimeUnits};
use super::CALENDARS;

#[test]
fn calendars_have_their_cf_names_and_aliases() {
    for calendar in CALENDARS {
        assert_eq!(Calendar::parse(calendar.name()), Ok(calendar));
        let stored = serde_json::to_value(calendar).unwrap();
        assert_eq!(stored, calendar.name());
    }
    for (alias, calendar) in [
        ("gregorian", Calendar::Standard),
        ("365_Day", Calendar::NoLeap),
        ("366_day", Calendar::AllLeap),
        ("NOLEAP", Calendar::NoLeap),
    ] {
        assert_eq!(Calendar::parse(alias), Ok(calendar));
    }
    for unknown in ["", "none", "utc", "365", "martian"] {
        let error = Calendar::parse(unknown).unwrap_err().to_string();
        assert!(error.contains(&format!("'{unknown}'")), "{error}");
    }
}

#[test]
fn units_have_many_spellings() {
    let since = |unit: &str| TimeUnits::parse(&format!("{unit} since 1900-01-01"), Some("360_day"));
    for spellings in [
        &["nanoseconds", "nanosecond", "ns", "nsec"][..],
        &[
            "microseconds",
            "microsecond",
            "us",
            "\u{b5}s",
            "\u{3bc}s",
            "microsec",
        ],
        &["milliseconds", "millisecond", "ms", "msec", "millisecs"],
        &["seconds", "second", "s", "sec", "secs", "Seconds"],
        &["minutes", "minute", "min", "mins"],
        &["hours", "hour", "h", "hr", "hrs"],
        &["days", "day", "d", "DAYS", "  day "],
        &["weeks", "week"],
        &["months", "month"],
        &["years", "year"],
    ] {
        for spelling in spellings {
            assert_eq!(since(spelling), since(spellings[0]), "{spelling}");
            assert!(since(spelling).is_ok(), "{spelling}");
        }
    }
    let shown = since("h").unwrap().to_string();
    assert_eq!(shown, "hours since 1900-01-01 00:00:00 (360_day)");
    assert_eq!(
        TimeUnits::parse("days Since 1900-01-01", None)
            .unwrap()
            .calendar(),
        Calendar::Standard
    );
}

#[test]
fn reference_times_have_many_spellings() {
    for (text, expected) in [
        ("1900-1-1", "1900-01-01 00:00:00"),
        ("+1900-01-01", "1900-01-01 00:00:00"),
        ("1900-01-01 0:0:0.0", "1900-01-01 00:00:00"),
        ("1900-01-01T00:00:00Z", "1900-01-01 00:00:00"),
        ("1900-01-01 UTC", "1900-01-01 00:00:00"),
        ("1900-01-01Z", "1900-01-01 00:00:00"),
        ("1900-01-01 12", "1900-01-01 12:00:00"),
        ("1900-01-01 12:30", "1900-01-01 12:30:00"),
        ("1900-01-01t12:30:15.25 GMT", "1900-01-01 12:30:15.25"),
        ("1900-01-01 12:30:00.", "1900-01-01 12:30:00"),
        (
            "1900-01-01 12:30:00.1234567890",
            "1900-01-01 12:30:00.123456789",
        ),
        ("1900-01-01 00:30 +01:00", "1899-12-31 23:30:00"),
        ("1900-01-01 00:30:00+0100", "1899-12-31 23:30:00"),
        ("1900-01-01 00:30 +130", "1899-12-31 23:00:00"),
        ("1900-01-01 12:30 -3", "1900-01-01 15:30:00"),
        ("1900-01-01 12:30-3:30", "1900-01-01 16:00:00"),
        ("1900-01-01 12:30:00 0:00", "1900-01-01 12:30:00"),
        ("1-1-1", "0001-01-01 00:00:00"),
        ("-4712-01-01 12:00", "-4712-01-01 12:00:00"),
        ("12345-01-01", "12345-01-01 00:00:00"),
        // The year before year 1 has two names in the calendars of history.
        ("0000-12-31", "-0001-12-31 00:00:00"),
        ("-0001-12-31", "-0001-12-31 00:00:00"),
    ] {
        let units = TimeUnits::parse(&format!("days since {text}"), None).unwrap();
        assert_eq!(units.reference().to_string(), expected, "{text}");
    }
    let zero = TimeUnits::parse("days since 0000-01-01", Some("noleap")).unwrap();
    assert_eq!(zero.reference().to_string(), "0000-01-01 00:00:00");
}

#[test]
fn what_cannot_be_read_is_refused_with_a_reason() {
    for (units, calendar, reason) in [
        ("days", "standard", "since when"),
        ("days since", "standard", "the year is missing"),
        ("since 1900-01-01", "standard", "since when"),
        ("", "standard", "since when"),
        (
            "metres since 1900-01-01",
            "standard",
            "'metres' is no known unit",
        ),
        (
            "6 hours since 1900-01-01",
            "standard",
            "'6 hours' is no known unit",
        ),
        ("months since 1900-01-01", "standard", "no fixed length"),
        ("years since 1900-01-01", "noleap", "no fixed length"),
        ("days since 1900-02-30", "standard", "no such date"),
        ("days since 1900-02-29", "standard", "no such date"),
        ("days since 1900-02-29", "noleap", "no such date"),
        ("days since 1582-10-10", "standard", "no such date"),
        ("days since 1900-01-31", "360_day", "no such date"),
        ("days since 1900-13-01", "standard", "no such date"),
        ("days since 1900-00-01", "standard", "no such date"),
        ("days since 1900-01-00", "standard", "no such date"),
        ("days since 1900", "standard", "the month"),
        ("days since 1900-01", "standard", "the day"),
        ("days since 1900-001-01", "standard", "the month"),
        ("days since 1900-01-01 24:00", "standard", "hours"),
        ("days since 1900-01-01 12:60", "standard", "minutes"),
        ("days since 1900-01-01 12:00:60", "standard", "seconds"),
        ("days since 1900-01-01T", "standard", "hours"),
        (
            "days since 1900-01-01 -3",
            "standard",
            "'-3' is not understood",
        ),
        ("days since 1900-01-01, 12:00", "standard", "not understood"),
        (
            "days since 1900-01-01 12:00 EST",
            "standard",
            "time zone 'EST'",
        ),
        ("days since 1900-01-01 12:00 +24", "standard", "24 hours"),
        (
            "days since 1900-01-01 12:00 -1:99",
            "standard",
            "99 minutes",
        ),
        ("days since 1900-01-01 12:00 Z Z", "standard", "time zone"),
        (
            "days since 1900-01-01 00:00:00.1234567891",
            "standard",
            "nanosecond",
        ),
        ("days since 1000000000-01-01", "standard", "million years"),
        (
            "days since 99999999999999999999-01-01",
            "standard",
            "the year is missing",
        ),
        ("days since noon", "standard", "the year is missing"),
        ("days since 1900-01-01", "moon", "'moon'"),
    ] {
        let error = TimeUnits::parse(units, Some(calendar))
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{units}: {error}");
    }
}

#[test]
fn what_is_stored_is_checked_when_it_is_read() {
    let units =
        TimeUnits::parse("hours since -0101-07-01 01:30:00.000000001", Some("julian")).unwrap();
    let json = serde_json::to_value(units).unwrap();
    assert_eq!(serde_json::from_value::<TimeUnits>(json).unwrap(), units);
    let bytes = postcard::to_stdvec(&units).unwrap();
    assert_eq!(postcard::from_bytes::<TimeUnits>(&bytes).unwrap(), units);
    for (day, nanosecond) in [
        (0, -1),
        (0, 86_400_000_000_000_i64),
        (i64::MAX, 0),
        (i64::MIN, 0),
    ] {
        let stored =
            serde_json::json!({"calendar": "noleap", "day": day, "nanosecond": nanosecond});
        let error = serde_json::from_value::<Instant>(stored)
            .unwrap_err()
            .to_string();
        assert_eq!(error, TimeError::Stored.to_string());
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(units in ".*", calendar in proptest::option::of(".*"), tail in "[-+0-9:.TZ utc]*") {
        let _ = TimeUnits::parse(&units, calendar.as_deref());
        let _ = TimeUnits::parse(&format!("days since {units}"), None);
        for calendar in CALENDARS {
            let _ = Instant::parse(&tail, calendar).map(|i| i.to_string());
            let _ = Instant::parse(&format!("1900-01-01{tail}"), calendar).map(|i| i.to_string());
        }
    }
}
