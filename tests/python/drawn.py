"""Draws small datasets, and the values of any of their steps, from a seeded generator.

Key types: `Drawn`, a dataset without its steps; `Variable`; `Part`, some steps with their values, as one file holds
them. Steps are numbered; what a step's time is follows from its number, exactly.
"""

from dataclasses import dataclass, field

import numpy as np
from timeform import CALENDARS, REFERENCES, SECONDS, TimeForm

TIME = "time_counter"
# The types that each format has; text aside.
CLASSIC = ["i1", "i2", "i4", "f4", "f8"]
EVERY = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
FORMATS = {
    "NETCDF4": EVERY,
    "NETCDF3_64BIT_DATA": EVERY,
    "NETCDF4_CLASSIC": CLASSIC,
    "NETCDF3_CLASSIC": CLASSIC,
    "NETCDF3_64BIT_OFFSET": CLASSIC,
}
WORDS = ["", "a", "ocean ", " ice", "Nordsee", "mér", "x" * 40, "two words", "naïve"]


@dataclass
class Variable:
    """A variable: `kind` is number, text (characters), string or time; `timed` says whether a time's or bounds."""

    name: str
    kind: str
    dtype: str
    dims: tuple
    attrs: dict = field(default_factory=dict)
    timed: str | None = None
    static: np.ndarray | None = None

    @property
    def grows(self):
        return TIME in self.dims


@dataclass
class Part:
    """Steps in the order of a file, the values of each, and how it writes its times."""

    steps: list
    values: dict
    form: TimeForm
    path: str = ""


class Drawn:
    """A dataset: dimensions, variables, calendar; every choice is the generator's."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.format = self.one(["NETCDF4"] * 4 + list(FORMATS))
        self.sizes = {"depth": self.whole(1, 4), "y": self.whole(1, 9), "x": self.whole(1, 12)}
        self.variables = {}
        self.calendars = self.one(CALENDARS)
        self.draw_times()
        self.draw_coordinates()
        self.attrs = self.draw_attributes()
        self.mains = [self.draw_main(i) for i in range(self.whole(1, 4))]
        if self.chance(0.3):
            self.mains.append(self.draw_text())

    def one(self, choices):
        return choices[int(self.rng.integers(len(choices)))]

    def some(self, choices, probability=0.5):
        return [choice for choice in choices if self.chance(probability)]

    def chance(self, probability):
        return bool(self.rng.random() < probability)

    def whole(self, low, high):
        return int(self.rng.integers(low, high, endpoint=True))

    def add(self, *args, **more):
        variable = Variable(*args, **more)
        self.variables[variable.name] = variable
        return variable

    # Times

    def draw_times(self):
        self.delta = self.one([3600, 21600, 43200, 86400, 5 * 86400, 30 * 86400])
        self.start = self.whole(20, 43000) * 86400 + self.one([0, 0, 0, 1800, 7])
        self.half = self.delta // 2 if self.chance(0.5) else 0
        # Some XIOS versions write the times into time_centered, and count in time_counter.
        counted = self.chance(0.15)
        # As xarray writes them.
        filled = {"_FillValue": np.float64(np.nan)} if self.chance(0.15) else {}
        self.time_types = ["f8"] if filled else ["f8", "f8", "i4", "i8" if "i8" in FORMATS[self.format] else "i4"]
        centered = counted or self.chance(0.3)
        bounded = self.chance(0.5)
        self.axis = "time_centered" if counted else TIME
        names = ([TIME] if not counted else []) + (["time_centered"] if centered else [])
        if counted:
            self.add(TIME, "number", self.one(["f8", "f4", "i4"]), (TIME,), {"axis": "T"})
        for name in names:
            own = filled | ({"bounds": f"{name}_bounds"} if bounded else {})
            self.add(name, "time", "", (TIME,), own | {"standard_name": "time", "units": "", "calendar": ""}, "time")
            if bounded:
                own = {"units": "", "calendar": ""} if self.chance(0.4) else {}
                self.add(f"{name}_bounds", "time", "", (TIME, "axis_nbounds"), filled | own, "bounds")
        if bounded:
            self.sizes["axis_nbounds"] = 2
        self.extra = ["time_centered"] if centered else []

    def moments(self, steps, timed):
        """Seconds since 1900-01-01: those of the steps, or of their begins and ends."""
        begins = self.start + np.array(steps, np.int64) * self.delta
        return begins + self.half if timed == "time" else np.stack([begins, begins + self.delta], axis=-1)

    def form(self):
        """A way to write the times of all steps to come."""
        steps = np.arange(60)
        moments = np.append(self.moments(steps, "bounds").ravel(), self.moments(steps, "time"))
        while True:
            dtype = self.one(self.time_types)
            form = TimeForm(self.one(list(SECONDS)), self.one(REFERENCES), self.one(self.calendars), dtype)
            day = form.since[8:10]
            if form.holds(moments) and not (day == "31" and "360_day" in self.calendars):
                return form

    # Variables

    def draw_coordinates(self):
        """Coordinates of the dimensions, and static ones that others name."""
        for name in self.some(["depth", "y", "x"], 0.4):
            dtype = self.one(["f4", "f8", "i4"])
            attrs = {"units": "m", "long_name": f"the {name}"}
            if dtype != "i4" and self.chance(0.2):
                attrs["_FillValue"] = np.dtype(dtype).type(np.nan)
            if name == "depth":
                attrs["positive"] = "down"
            variable = self.add(name, "number", dtype, (name,), attrs)
            variable.static = np.arange(self.sizes[name]).astype(dtype)
            if self.chance(0.4):
                self.sizes["nv"] = 2
                variable.attrs["bounds"] = f"{name}_bounds"
                bounds = self.add(f"{name}_bounds", "number", dtype, (name, "nv"))
                bounds.static = np.stack([variable.static, variable.static + 1], axis=-1).astype(dtype)
        if self.chance(0.6):
            for name in ["nav_lat", "nav_lon"]:
                attrs = {"units": "degrees_north" if name == "nav_lat" else "degrees_east"}
                self.static(self.add(name, "number", self.one(["f4", "f8"]), ("y", "x"), attrs))
                self.extra.append(name)
        if self.chance(0.3):
            self.static(self.add("level", "number", self.one(FORMATS[self.format]), (), {"long_name": "a scalar"}))
            self.extra.append("level")
        if self.chance(0.25):
            moving = self.add("moving", "number", self.one(["f4", "i2"]), (TIME, "y"), {"long_name": "it moves"})
            self.fill(moving)
            self.extra.append(moving.name)
        if self.chance(0.25):
            self.static(self.add("region", self.text_kind(), "", ("y",), {}))
            self.extra.append("region")

    def static(self, variable):
        variable.static = self.values(variable)

    def draw_main(self, number):
        dtype = self.one(FORMATS[self.format])
        dims = ((TIME,) if self.chance(0.85) else ()) + tuple(self.some(["depth", "y", "x"], 0.65))
        if self.format == "NETCDF4" and self.chance(0.12):
            dims = dims[1:] + dims[:1]
        variable = self.add(f"v{number}", "number", dtype, dims, self.draw_attributes())
        self.fill(variable)
        self.packing(variable)
        names = self.some(self.extra, 0.7)
        if names:
            variable.attrs["coordinates"] = " ".join(names)
        if not variable.grows:
            self.static(variable)
        return variable.name

    def fill(self, variable):
        """A `_FillValue`, a `missing_value`, both or none."""
        dtype = np.dtype(variable.dtype)
        if dtype.kind == "f":
            choices = [dtype.type(1e20), dtype.type(np.nan), dtype.type(0), dtype.type(-9999.5), np.finfo(dtype).max]
        else:
            choices = [np.iinfo(dtype).min, np.iinfo(dtype).max, 0, 7]
        mark = dtype.type(self.one(choices))
        if self.chance(0.6):
            variable.attrs["_FillValue"] = mark
        if self.chance(0.25):
            others = [mark, mark, dtype.type(3), np.array([3, 5], dtype)]
            others += [np.float64(mark), np.float64(1e20)] if dtype.kind == "f" else []
            variable.attrs["missing_value"] = self.one(others)

    def packing(self, variable):
        dtype = np.dtype(variable.dtype)
        attrs = variable.attrs
        if self.chance(0.45 if dtype.kind in "iu" else 0.05):
            kind = self.one([np.float32, np.float64])
            attrs |= {"scale_factor": kind(self.one([0.01, 0.1, 2.0, 1.0]))} if self.chance(0.8) else {}
            attrs |= {"add_offset": kind(self.one([0.0, 273.15, -5.0]))} if self.chance(0.6) else {}
        if dtype.kind == "i" and self.chance(0.15):
            attrs["_Unsigned"] = "true"
        elif dtype.kind == "u" and self.chance(0.05):
            attrs["_Unsigned"] = "false"

    def draw_attributes(self):
        attrs = {"long_name": self.one(WORDS), "empty": "", "standard_name": "sea_water", "units": "K"}
        attrs |= {"single": np.float32(0.1), "double": np.float64(1 / 3), "list": np.array([1.5, -2.5])}
        attrs |= {"short": np.int16(-7), "ints": np.array([1, 2, 3], "i4"), "range": np.array([-1e30, 1e30], "f4")}
        if self.format == "NETCDF4":
            attrs |= {"strings": ["a", "é", ""], "big": np.int64(2**62), "most": np.uint64(2**64 - 1)}
        attrs |= {"endless": np.array([-np.inf, np.inf], "f8"), "no_number": np.float32(np.nan)}
        return {name: attrs[name] for name in self.some(list(attrs), 0.2)}

    def text_kind(self):
        return self.one(["text", "string"] if self.format == "NETCDF4" else ["text"])

    def draw_text(self):
        dims = self.one([(TIME,), (TIME, "y"), ("y",), ()])
        variable = self.add("words", self.text_kind(), "", dims, {"long_name": "words"})
        if variable.kind == "text" and self.chance(0.6):
            variable.attrs["_Encoding"] = self.one(["utf-8", "latin-1"])
        if self.chance(0.25):
            variable.attrs["_FillValue"] = b"*" if variable.kind == "text" else "NA"
        names = self.some(self.extra, 0.5)
        if names:
            variable.attrs["coordinates"] = " ".join(names)
        if not variable.grows:
            self.static(variable)
        return variable.name

    # Values

    def values(self, variable):
        """Values of one step, or all of a static variable."""
        shape = tuple(self.sizes[name] for name in variable.dims if name != TIME)
        if variable.kind in ("text", "string"):
            fill = variable.attrs.get("_FillValue", "")
            words = [*WORDS, fill.decode() if isinstance(fill, bytes) else fill]
            return np.array([self.one(words) for _ in range(int(np.prod(shape)))], object).reshape(shape)
        dtype = np.dtype(variable.dtype)
        marks = [variable.attrs[name] for name in ("_FillValue", "missing_value") if name in variable.attrs]
        marks = [mark.astype(dtype) for mark in map(np.asarray, marks) for mark in mark.ravel()]
        how = self.rng.random()
        if how < 0.12 or (how < 0.25 and not marks):
            return np.zeros(shape, dtype) if self.chance(0.7) else np.full(shape, -0.0).astype(dtype)
        if how < 0.25:
            return np.full(shape, marks[0], dtype)
        if dtype.kind == "f":
            values = self.rng.normal(size=shape) * 10.0 ** self.rng.integers(-3, 6)
            values = np.asarray(values, dtype)
            odd = [np.nan, np.inf, -np.inf, -0.0, np.finfo(dtype).tiny / 4]
            if self.chance(0.1):
                # Any bits; those of many NaNs among them.
                values = np.frombuffer(self.rng.bytes(values.nbytes), dtype).reshape(shape)
            elif self.chance(0.3):
                values = np.where(self.rng.random(shape) < 0.2, dtype.type(self.one(odd)), values)
        else:
            limits = np.iinfo(dtype)
            values = self.rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
        for mark in marks:
            values = np.where(self.rng.random(shape) < 0.2, dtype.type(mark), values)
        return np.asarray(values, dtype)

    def part(self, steps, form):
        """New values for these steps, and for the static data variables the old ones."""
        values = {}
        for variable in self.variables.values():
            if variable.kind != "time" and variable.grows:
                values[variable.name] = {step: self.values(variable) for step in steps}
            elif variable.static is not None:
                values[variable.name] = variable.static
        if self.axis != TIME:
            # It counts from 0 in every file.
            dtype = self.variables[TIME].dtype
            values[TIME] = {step: np.asarray(i, dtype) for i, step in enumerate(steps)}
        return Part(list(steps), values, form)

    def whole_values(self, variable, steps, values, form):
        """The values of `steps` as one array, with its dimensions in the variable's order."""
        if variable.kind == "time":
            return form.values(self.moments(steps, variable.timed))
        if not variable.grows:
            return values[variable.name]
        return np.stack([values[variable.name][step] for step in steps], axis=variable.dims.index(TIME))
