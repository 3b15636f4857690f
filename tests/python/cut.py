"""Copies a NetCDF file with some of its time steps, in the order given, and with other values.

usage: cut.py SOURCE TARGET STEPS [OPTION...]

STEPS is a list such as 3,0,1. Each OPTION is `add=NUMBER`, which is added to every value of the data variables,
`units=TEXT`, the time units that the times are converted to, `set=VAR:ATTRIBUTE:VALUE`, `shift=VAR`, which moves the
values of a static variable, `fill=VAR`, which makes all values missing, `drop=VAR`, `copy=OLD:NEW` or `rename=OLD:NEW`.
"""

import sys

import cftime
import netCDF4
import numpy as np


def main(source, target, steps, *options):
    steps = [int(step) for step in steps.split(",")]
    said = [option.split("=", 1) for option in options]
    options = dict(said)
    dropped, filled, shifted = ([value for name, value in said if name == which] for which in ("drop", "fill", "shift"))
    renamed = dict(value.split(":") for name, value in said if name == "rename")
    copied = dict(value.split(":") for name, value in said if name == "copy")
    changed = [value.split(":") for name, value in said if name == "set"]
    old, new = netCDF4.Dataset(source), netCDF4.Dataset(target, "w", format="NETCDF4")
    new.setncatts(old.__dict__)
    for name, dimension in old.dimensions.items():
        new.createDimension(name, None if dimension.isunlimited() else len(dimension))
    bounds = {v.bounds: v for v in old.variables.values() if "bounds" in v.ncattrs()}
    for name, variable in old.variables.items():
        if name in dropped:
            continue
        variable.set_auto_maskandscale(False)
        attributes = dict(variable.__dict__)
        fill = attributes.pop("_FillValue", None)
        values = variable[...]
        timed = bounds.get(name, variable)
        if "units" in options and " since " in getattr(timed, "units", ""):
            calendar = getattr(timed, "calendar", "standard")
            times = cftime.num2date(values, timed.units, calendar)
            values = cftime.date2num(times, options["units"], calendar).astype(variable.dtype)
            if "units" in attributes:
                attributes["units"] = options["units"]
        if variable.dimensions[:1] == ("time_counter",):
            values = values[steps]
            if "add" in options and len(variable.dimensions) > 2 and name not in bounds:
                keep = values == fill if fill is not None else np.zeros(values.shape, bool)
                values = np.where(keep, values, values + variable.dtype.type(options["add"]))
        for _, attribute, value in (change for change in changed if change[0] == name):
            attributes[attribute] = number_or_text(value)
        if name in filled:
            values = np.full_like(values, fill)
        if name in shifted:
            values = values + variable.dtype.type(1)
        for called in filter(None, [renamed.get(name, name), copied.get(name)]):
            write(new, called, variable, fill, attributes, values)
    new.close()


def number_or_text(value):
    try:
        return float(value)
    except ValueError:
        return value


def write(new, name, variable, fill, attributes, values):
    copy = new.createVariable(name, variable.dtype, variable.dimensions, fill_value=fill, zlib=True)
    copy.set_auto_maskandscale(False)
    copy.setncatts(attributes)
    copy[...] = values


main(*sys.argv[1:])
