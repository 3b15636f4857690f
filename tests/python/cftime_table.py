"""Prints src/source/time/tests/cftime.csv: what Python's cftime reads times as. Rows: calendar, units, value, time."""

import warnings

import cftime

# cftime warns of years before year 1; the table is to have some.
warnings.simplefilter("ignore")

ALL = ["standard", "julian", "proleptic_gregorian", "noleap", "all_leap", "360_day"]
ROWS = [
    # The change of calendars in 1582.
    (ALL[:3], "days since 1582-10-15", [-287, -10, -1, 0, 1, 10]),
    (ALL[:1], "hours since 1582-10-04 23:00:00", [0, 1, 25]),
    # Leap days and years.
    (ALL, "days since 1900-02-28", [-59, 1, 2]),
    (ALL, "days since 2000-02-28", [1, 2, 307, 308]),
    (ALL[5:], "days since 2000-02-30", [0, 1]),
    # Far dates and early ones.
    (ALL, "days since 0001-01-01", [-400000, -1, 0, 577736, 730120]),
    (ALL, "days since 9999-12-30", [1, 2, 3]),
    (ALL, "days since 1850-01-01", [3000000]),
    (ALL[2:], "days since 0000-01-01", [-1, 59, 60]),
    (ALL[:2], "days since -0001-02-28", [-366, 0, 1, 2]),
    (ALL, "days since -0005-02-28", [1, 2]),
    (ALL[:1], "days since -4713-01-01", [0]),
    # Units, time zones, fractions.
    (ALL, "seconds since 1900-01-01 00:00:00", [2398982400, -2398982399]),
    (ALL, "hours since 1976-01-16 12:00:00", [876543]),
    (ALL, "minutes since 1900-01-01 12:30 +01:00", [-76543210]),
    (ALL, "milliseconds since 1900-01-01 00:00:00.5", [987654321012]),
    (ALL, "microseconds since 1970-01-01T00:00:00Z", [1234567890123456]),
    (ALL[5:], "months since 2000-01-01", [1202]),
]

for calendars, units, values in ROWS:
    for calendar in calendars:
        for value in values:
            time = cftime.num2date(value, units, calendar)
            year = f"{time.year:04}" if time.year >= 0 else f"-{-time.year:04}"
            fraction = f".{time.microsecond:06}".rstrip(".0")
            clock = f"{time.hour:02}:{time.minute:02}:{time.second:02}"
            print(f"{calendar},{units},{value},{year}-{time.month:02}-{time.day:02} {clock}{fraction}")
