"""How files write their times, by exact fractions.

Key type: `TimeForm`.
"""

from dataclasses import dataclass
from fractions import Fraction

import cftime
import numpy as np

# Names of the same calendar; none means the standard one.
CALENDARS = [
    ["standard", "gregorian", None],
    ["noleap", "365_day"],
    ["360_day"],
    ["proleptic_gregorian"],
    ["julian"],
    ["all_leap", "366_day"],
]
SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1, "d": 86400, "hrs": 3600, "s": 1}
REFERENCES = ["1900-01-01", "1950-1-1 00:00:00", "2000-01-01 12:00:00", "1970-01-01T00:00:00", "2100-12-30 06:00"]


@dataclass(frozen=True)
class TimeForm:
    """How times are written."""

    unit: str
    since: str
    calendar: str | None
    dtype: str

    @property
    def units(self):
        return f"{self.unit} since {self.since}"

    def value(self, moment):
        """The number, before rounding, for the seconds `moment` since 1900-01-01."""
        calendar = self.calendar or "standard"
        epoch = cftime.num2date(0, "seconds since 1900-01-01", calendar)
        reference = cftime.num2date(0, f"seconds since {self.since}", calendar)
        return (moment - round((reference - epoch).total_seconds())) * Fraction(1, SECONDS[self.unit])

    def values(self, moments):
        numbers = [self.value(int(moment)) for moment in np.ravel(moments)]
        return np.array([int(n) if self.dtype[0] == "i" else float(n) for n in numbers], self.dtype).reshape(
            np.shape(moments)
        )

    def holds(self, moments):
        """Can its type hold these moments exactly? Floats can, to a nanosecond."""
        numbers = [self.value(int(moment)) for moment in np.ravel(moments)]
        limit = 2**31 if self.dtype == "i4" else 2**53
        return self.dtype == "f8" or all(n.denominator == 1 and abs(n) < limit for n in numbers)
