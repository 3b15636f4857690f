"""Writes two NetCDF-4 files, one after the other in time, with every number type, layout and filter that NetCDF-4 has.

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
    file.close()


write(sys.argv[1], 0, 2)
write(sys.argv[2], 2, 3)
