"""Copies a NetCDF file of one moment, whose time_counter is a scalar, so that its variable VARIABLE has it as dimension.

usage: with_time.py SOURCE TARGET VARIABLE

The last two dimensions of the copy are called y and x, as NEMO calls them. Values stay what they are, to the bit.
"""

import sys

import netCDF4


def main(source, target, variable):
    old, new = netCDF4.Dataset(source), netCDF4.Dataset(target, "w")
    called = dict(zip(old[variable].dimensions[-2:], ("y", "x"), strict=True))
    new.createDimension("time_counter", None)
    for name, dimension in old.dimensions.items():
        new.createDimension(called.get(name, name), len(dimension))
    for name, values in old.variables.items():
        values.set_auto_maskandscale(False)
        attributes = dict(values.__dict__)
        timed = ("time_counter",) if name in (variable, "time_counter") else ()
        dimensions = (*timed, *(called.get(dimension, dimension) for dimension in values.dimensions))
        copy = new.createVariable(name, values.dtype, dimensions, fill_value=attributes.pop("_FillValue", None))
        copy.set_auto_maskandscale(False)
        copy.setncatts(attributes)
        copy[...] = values[...].reshape([1] * len(timed) + list(values.shape))
    new.close()


main(*sys.argv[1:])
