"""Writes two NetCDF-4 files, one after the other in time, with every type, layout and filter that NetCDF-4 has.

usage: every_kind.py FIRST SECOND
"""

import sys

import netCDF4
import numpy as np

SIZES = {"z": 4, "y": 11, "x": 13}
WHOLE = ("time_counter", "z", "y", "x")


def write(path, first, steps):
    random = np.random.default_rng(first)
    file = netCDF4.Dataset(path, "w")
    file.createDimension("time_counter", None)
    for name, size in SIZES.items():
        file.createDimension(name, size)
    file.setncatts({"title": "every kind, é", "empty": "", "list": np.array([1.5, 2.5]), "big": np.int64(2**62)})
    file.setncatts({"single": np.float32(0.1), "strings": ["a", "b"]})
    file.setncatts({"most": np.uint64(2**64 - 1), "least": np.int64(-(2**63))})
    time = file.createVariable("time_counter", "f8", ("time_counter",))
    time.setncatts({"units": "days since 2000-01-01", "calendar": "noleap"})
    time[:] = np.arange(first, first + steps)
    file.createVariable("scalar", "f4", ())[...] = 2.5

    def add(name, dtype, fill=None, dimensions=WHOLE, **layout):
        variable = file.createVariable(name, dtype, dimensions, fill_value=fill, **layout)
        variable.set_auto_maskandscale(False)
        shape = [steps if d == "time_counter" else SIZES[d] for d in dimensions]
        values = (random.random(shape) * 100).astype(dtype)
        if fill is not None:
            values[random.random(shape) < 0.3] = fill
        variable[...] = values
        variable.coordinates = "scalar"
        return variable

    add("packed", "i2", -32768, zlib=True).setncatts({"scale_factor": 0.01, "add_offset": 5.0})
    add("big_endian", ">f4", 1e20, endian="big", zlib=True, shuffle=True)
    add("big_endian_short", ">i2", -5, endian="big")
    add("fletcher", "f4", 1e20, fletcher32=True, zlib=True)
    add("contiguous", "f8")
    add("byte", "i1", -127)
    add("unsigned_byte", "u1", 255, zlib=True, complevel=5)
    add("unsigned_short", "u2")
    add("int", "i4")
    add("unsigned_int", "u4", 7)
    add("long", "i8", -1)
    add("unsigned_long", "u8")
    add("nan", "f4", np.nan, zlib=True)
    add("series", "f4", 1e20, dimensions=("time_counter",))
    add("time_last", "f4", 1e20, dimensions=("x", "time_counter"))
    add("chunked", "f4", 1e20, chunksizes=(1, 3, 5, 6), zlib=True, shuffle=False)
    holes = file.createVariable("holes", "f4", WHOLE, fill_value=1e20, zlib=True, chunksizes=(1, 1, 11, 13))
    holes.coordinates = "scalar"
    holes[0, 1] = 3.5
    fixed = file.createVariable("fixed", "f4", ("y", "x"), fill_value=1e20)
    fixed[:] = np.arange(143).reshape(11, 13)
    fixed.coordinates = "scalar"
    numbers(file, steps)
    texts(file, first, steps)
    file.close()


def numbers(file, steps):
    """Numbers whose attributes decide how xarray reads them."""

    def add(name, dtype, attributes, fill=None):
        variable = file.createVariable(name, dtype, ("time_counter", "z"), fill_value=fill)
        variable.set_auto_maskandscale(False)
        variable[...] = np.arange(-4, -4 + steps * 4).reshape(steps, 4).astype(dtype)
        variable.setncatts(attributes | {"coordinates": "scalar"})

    add("signed_read_unsigned", "i1", {"_Unsigned": "true"}, -1)
    add("signed_packed", "i2", {"_Unsigned": "true", "scale_factor": 0.5, "add_offset": 1.0}, -1)
    add("unsigned_read_signed", "u1", {"_Unsigned": "false"}, 255)
    add("missing_nan", "f4", {"missing_value": np.float32(np.nan)})
    add("missing_nan_too", "f8", {"missing_value": np.array([np.nan, 2.0])})
    add("any_range", "f4", {"valid_range": np.array([-np.inf, np.inf], "f4"), "empty": "", "words": ["a", "b"]})
    for scalar in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f8"):
        file.createVariable(f"scalar_{scalar}", scalar, ())[...] = 7
    # A dimension of no length, beside the one that grows.
    file.createDimension("none", None)
    file.createVariable("nothing", "f4", ("time_counter", "none")).coordinates = "scalar"


def texts(file, first, steps):
    """Characters and strings. They are as long as the file is late, so that the store's grow."""
    for name, length in {"strlen": 6 + first, "n": 3, "blank": 5, "letter": 4, "accent": 7}.items():
        file.createDimension(name, length)
    words = [f"é{'x' * first}{i} " for i in range(steps)]

    def characters(name, dimensions, values, encoding="utf-8", **layout):
        variable = file.createVariable(name, "S1", dimensions, **layout)
        variable.set_auto_chartostring(False)
        length = len(file.dimensions[dimensions[-1]])
        encoded = np.array([value.encode(encoding) for value in values], f"S{length}")
        variable[...] = netCDF4.stringtochar(encoded, encoding="none").reshape(variable.shape[:-1] + (length,))
        variable.coordinates = "scalar"
        return variable

    characters("char_along_time", ("time_counter", "strlen"), words, zlib=True)
    characters("char_encoded", ("time_counter", "strlen"), words)._Encoding = "utf-8"
    characters("char_latin", ("time_counter", "accent"), ["ééé"] * steps, "latin-1")._Encoding = "latin-1"
    characters("char_filled", ("time_counter", "strlen"), ["ab", "*"] + ["c"] * (steps - 2), fill_value=b"*")
    characters("char_padded", ("time_counter", "strlen"), ["ab", ""] + ["c"] * (steps - 2), fill_value=b"\0")
    characters("char_fixed", ("n", "blank"), ["a", "", "b c"])
    characters("char_grid", ("time_counter", "z", "blank"), ["ab", "", "x", "yé"] * steps, chunksizes=(1, 2, 5))
    file.createVariable("char_scalar", "S1", ("blank",))[:3] = [b"o", b"n", b"e"]
    file.createVariable("char_one", "S1", ())[...] = b"q"
    # Not joined: another variable has the dimension too.
    file.createVariable("letter", "i4", ("letter",))[:] = range(4)
    file.createVariable("char_letters", "S1", ("letter",))[:] = [b"a", b"b", b"c", b"d"]

    def strings(name, dimensions, values, **layout):
        variable = file.createVariable(name, str, dimensions, **layout)
        variable[...] = np.array(values, object).reshape(variable.shape)
        variable.coordinates = "scalar char_scalar"
        return variable

    strings("string_along_time", ("time_counter",), words)
    strings("string_grid", ("time_counter", "z"), [f"{w}{i}" for w in words for i in range(4)], chunksizes=(1, 3))
    strings("string_filled", ("time_counter",), ["NA"] + words[1:], fill_value="NA")
    strings("string_fixed", ("n",), ["a", "", "b" * 300])
    strings("string_empty", ("time_counter", "n"), [""] * 3 * steps)
    file.createVariable("string_scalar", str, ())[...] = "a scalar"
    file.createVariable("string_never_written", str, ("n",))


write(sys.argv[1], 0, 2)
write(sys.argv[2], 2, 3)
