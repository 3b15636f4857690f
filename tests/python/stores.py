"""What a store must hold, the store that xarray makes of the same files, and their comparison.

Key types: `Held`, a store as it must be; `Comparison`, of the program's store with it and with xarray's.
"""

import re
import warnings

import numpy as np
import xarray as xr
import zarr
from drawn import TIME
from zarr.storage import MemoryStore

RAW = {"mask_and_scale": False, "decode_times": False, "decode_timedelta": False, "decode_coords": False}
# What xarray takes from the attributes when it decodes, and keeps as the encoding.
DECODED = ["_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned", "units", "calendar", "coordinates"]
# Kinds of texts, and of moments that NumPy has no type for.
TEXTS = "OUT"


class Different(Exception):
    """The stores differ, or one cannot be made or read."""


class Held:
    """What a store must hold: the steps, and the values of its members; and xarray's collection of them."""

    def __init__(self, drawn, version, key, mains, members):
        self.drawn, self.version, self.key, self.mains, self.members = drawn, version, key, mains, members
        self.steps, self.values, self.form, self.attrs = [], {}, None, None
        self.whole, self.raw = MemoryStore(), MemoryStore()

    def apply(self, parts, replace, members):
        """Does to it what an operation with the files `parts` does to a store."""
        grows = any(self.drawn.variables[name].grows for name in members)
        pieces = {}
        for part in parts:
            self.form = self.form or part.form
            pieces |= self.pieces(part, members)
        create = self.attrs is None
        if create:
            opened = xr.open_dataset(parts[0].path, **RAW)
            self.attrs = {name: dict(opened.variables[name].attrs) for name in members} | {"": dict(opened.attrs)}
        first = next(iter(pieces.values()))
        if create or any(self.drawn.variables[main].static is not None for main in self.mains):
            self.put_static(members, create, first)
        if not grows:
            return
        old, new = ([s for s in sorted(pieces) if (s in self.steps) == there] for there in (True, False))
        for step in old if replace else []:
            at = self.steps.index(step)
            self.collect(pieces[step], region={TIME: slice(at, at + 1)})
        if new:
            options = {"data_vars": "minimal", "coords": "minimal", "compat": "override", "join": "override"}
            joined = xr.concat([pieces[step] for step in new], TIME, **options)
            self.collect(joined, **({} if create else {"append_dim": TIME}))
        for part in parts:
            for name in self.growing(members):
                values = self.values.setdefault(name, {})
                values |= {s: part.values[name][s] for s in part.steps if replace or s not in self.steps}
        self.steps = sorted({*self.steps, *pieces})

    def growing(self, members):
        """Those whose values were drawn."""
        found = (self.drawn.variables[name] for name in members)
        return [variable.name for variable in found if variable.grows and variable.kind != "time"]

    def put_static(self, members, create, dataset):
        for name in members:
            if not self.drawn.variables[name].grows:
                self.values[name] = self.drawn.variables[name].static
        fixed = [name for name in members if TIME not in dataset.variables[name].dims]
        if fixed:
            self.collect(dataset[fixed].drop_vars(TIME, errors="ignore"), mode="w" if create else "a")

    def pieces(self, part, members):
        """The steps of a file one by one, as xarray reads them, without attributes and in the store's time units."""
        dataset = xr.load_dataset(part.path, **RAW)[members]
        for name in members:
            variable = self.drawn.variables[name]
            array = dataset.variables[name]
            if variable.kind == "time":
                values = self.form.values(self.drawn.moments(part.steps, variable.timed))
            elif variable.kind in ("text", "string"):
                words = [word.decode() if isinstance(word, bytes) else word for word in array.values.ravel().tolist()]
                values = np.array(words, object).reshape(array.shape)
            else:
                values = array.values
            dataset[name] = (array.dims, values)
        if TIME not in dataset.dims:
            return {part.steps[0]: dataset}
        return {step: dataset.isel({TIME: [i]}) for i, step in enumerate(part.steps)}

    def collect(self, dataset, region=None, **options):
        """Writes raw values to the collection."""
        if region:
            dataset = dataset.drop_vars([name for name, v in dataset.variables.items() if TIME not in v.dims])
            # xarray leaves out what has an index.
            dataset = dataset.drop_indexes(list(dataset.indexes))
            options = {"region": region}
        save(dataset, self.raw, self.version, **options)

    def by_xarray(self):
        """The store that xarray writes of the collection with the attributes of the first file."""
        dataset = xr.load_dataset(self.raw, engine="zarr", decode_cf=False)
        for name, variable in dataset.variables.items():
            variable.encoding = {}
            variable.attrs = expected_attributes(self.attrs[name], variable.dtype, self.version)
        dataset.attrs = expected_attributes(self.attrs[""], None, self.version)
        save(dataset, self.whole, self.version, mode="w")
        return self.whole

    def expected(self, name):
        """The values as they were drawn."""
        return self.drawn.whole_values(self.drawn.variables[name], self.steps, self.values, self.form)


def save(dataset, place, version, **options):
    """xarray's own `to_zarr`; it gives no fill value to what has none."""
    if not {"append_dim", "region"} & set(options):
        there = set() if options.get("mode") == "w" else stored(place)
        none = [n for n, v in dataset.variables.items() if "_FillValue" not in v.attrs and n not in there]
        options = {"mode": "a"} | options | {"encoding": {name: {"_FillValue": None} for name in none}}
        if not there:
            options |= {"zarr_format": version}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.to_zarr(place, consolidated=True, **options)


def stored(place):
    try:
        return set(zarr.open_group(place, mode="r").array_keys())
    except FileNotFoundError:
        return set()


def expected_attributes(attrs, dtype, version):
    """The attributes as they have to be in a store; see the accepted differences."""
    expected = {}
    for name, value in attrs.items():
        numbers = np.ravel(value)
        if name == "_Encoding":
            continue
        if name == "_FillValue" and isinstance(value, str | bytes):
            name, value = "missing_value", value.decode() if isinstance(value, bytes) else value
        if name == "_FillValue":
            if attrs.get("_Unsigned") == "false" and dtype.kind == "u" and version == 3:
                value = value.astype(f"i{dtype.itemsize}")
        elif name == "missing_value":
            if numbers.dtype.kind == "f" and np.isnan(numbers).all():
                continue
        elif numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            spelled = [{"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(str(n), n) for n in numbers]
            value = spelled[0] if len(spelled) == 1 else spelled
        expected[name] = value
    return expected


def told(warned):
    """What warnings say, but for values, whose order and types differ from time to time."""
    return {re.sub(r"\{.*\}", "{…}", str(warning.message)) for warning in warned}


class Comparison:
    """Of the program's store with what was drawn, and with xarray's store."""

    def __init__(self, held, allowed, ours):
        self.held, self.allowed, self.ours = held, allowed, ours

    def compare(self, chunk, shard):
        theirs = self.held.by_xarray()
        for how in ({}, {"decode_cf": False}):
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                mine = xr.load_dataset(self.ours, engine="zarr", **how)
            for message in told(warned) - self.allowed:
                self.fail("", f"a reader warns: {message}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                other = xr.load_dataset(theirs, engine="zarr", **how)
            self.datasets(mine, other)
        # The last were not decoded.
        for name in self.held.members:
            self.same(f"{name}, raw", mine[name].values, self.held.expected(name))
        group = zarr.open_group(self.ours, mode="r")
        for name in self.held.mains:
            self.chunks(group[name], self.held.drawn.variables[name], chunk, shard)

    def fail(self, what, problem):
        raise Different(f"store {self.held.key}, {what}: {problem}")

    def datasets(self, mine, other):
        """Two datasets that xarray reads."""
        for what, a, b in [
            ("variables", set(mine.variables), set(other.variables)),
            ("coordinates", set(mine.coords), set(other.coords)),
        ]:
            if a != b:
                self.fail(what, f"{sorted(a)}, xarray's {sorted(b)}")
        self.attributes("the store", mine.attrs, other.attrs)
        for name, variable in mine.variables.items():
            wanted = other.variables[name]
            if variable.dims != wanted.dims:
                self.fail(name, f"dimensions {variable.dims}, xarray's {wanted.dims}")
            self.attributes(name, variable.attrs, wanted.attrs)
            used = [{k: v.encoding[k] for k in DECODED if k in v.encoding} for v in (variable, wanted)]
            self.attributes(f"{name}, encoding", *used)
            types = [v.encoding.get("dtype") for v in (variable, wanted)]
            if types[0] != types[1] and types[1].kind not in TEXTS:
                self.fail(name, f"encoded as {types[0]}, by xarray as {types[1]}")
            self.same(name, variable.values, wanted.values)

    def attributes(self, what, found, expected):
        if set(found) != set(expected):
            self.fail(what, f"attributes {found}, xarray's {expected}")
        for name, value in expected.items():
            a, b = np.asarray(found[name]), np.asarray(value)
            if type(found[name]) is not type(value) or repr(a.tolist()) != repr(b.tolist()):
                self.fail(what, f"attribute {name} is {found[name]!r}, xarray's {value!r}")

    def same(self, what, found, expected):
        """The same bits; texts and moments are compared as such."""
        found, expected = np.asarray(found), np.asarray(expected)
        plain = expected.dtype.kind not in TEXTS
        if found.shape != expected.shape or (plain and found.dtype != expected.dtype):
            self.fail(what, f"{found.dtype}{found.shape}, expected {expected.dtype}{expected.shape}")
        if plain and found.tobytes() == expected.tobytes():
            return
        pairs = zip(found.ravel().tolist(), expected.ravel().tolist(), strict=True)
        other = [(i, a, b) for i, (a, b) in enumerate(pairs) if repr(a) != repr(b)]
        if other or plain:
            self.fail(what, f"{len(other)} of {found.size} values (index, found, expected): {other[:5]}")

    def chunks(self, array, variable, chunk, shard):
        """The chunks and shards that were asked for."""
        if variable.dims == (TIME,):
            # A small array, which has chunks of its own.
            return
        for size, found, name in zip(array.shape, array.chunks, variable.dims, strict=True):
            wanted = chunk.get(name, found)
            wanted = wanted if name == TIME else min(wanted, size)
            if wanted != found:
                self.fail(variable.name, f"chunks {array.chunks}, asked for {chunk}")
        if TIME in variable.dims and shard.get(TIME, 0) > chunk.get(TIME, 0) and not array.shards:
            self.fail(variable.name, f"no shards, asked for {shard}")
