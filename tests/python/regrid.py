"""Copies a NetCDF file with another grid, or makes a domain file of one.

usage: regrid.py SOURCE TARGET OPTION...

Each OPTION is `holes=VALUE`, which puts VALUE into nav_lon and nav_lat of a corner of the grid and the fill value into the
data there, as where land processors were left out; `u=NAME`, which calls the grid's coordinates NAME (such as grid_U);
`int=VAR`, which rounds a variable to int16 without _FillValue; `move`, which turns the grid by a tenth of a degree;
`strip`, which leaves the coordinates' bounds out; or `domain`, which writes glamt, gphit, glamf and gphif instead of the file.
"""

import sys

import netCDF4
import numpy as np

ROWS, COLUMNS = slice(0, 6), slice(0, 9)


def main(source, target, *options):
    said = dict(option.partition("=")[::2] for option in options)
    old, new = netCDF4.Dataset(source), netCDF4.Dataset(target, "w")
    old.set_auto_maskandscale(False)
    new.set_auto_maskandscale(False)
    new.setncatts(old.__dict__)
    for name, dimension in old.dimensions.items():
        new.createDimension(name, None if dimension.isunlimited() else len(dimension))
    if "domain" in said:
        new.createDimension("t", 1)
        for name, values in [
            ("glamt", old["nav_lon"][...]),
            ("gphit", old["nav_lat"][...]),
            ("glamf", old["bounds_lon"][..., 2]),
            ("gphif", old["bounds_lat"][..., 2]),
        ]:
            new.createVariable(name, "f8", ("t", "y", "x"))[0] = values
        new.close()
        return
    for name, variable in old.variables.items():
        attributes = dict(variable.__dict__)
        fill = attributes.pop("_FillValue", None)
        values = variable[...]
        if "strip" in said and name in ("bounds_lon", "bounds_lat"):
            continue
        if "strip" in said and name in ("nav_lon", "nav_lat"):
            attributes.pop("bounds")
        if "move" in said and name == "nav_lon":
            values = values + np.float32(0.1)
        if "holes" in said and variable.dimensions[-2:] == ("y", "x"):
            values[..., ROWS, COLUMNS] = said["holes"] if name.startswith("nav_") else fill
        if "int" in said and name == said["int"]:
            values, fill = np.where(values > 1e10, -1, values).round().astype("i2"), None
            attributes.pop("missing_value", None)
        if "u" in said:
            renamed = {"nav_lon": f"nav_lon_{said['u']}", "nav_lat": f"nav_lat_{said['u']}"}
            name = renamed.get(name, name)
            if "coordinates" in attributes:
                words = attributes["coordinates"].split()
                attributes["coordinates"] = " ".join(renamed.get(word, word) for word in words)
            attributes.pop("nav_model", None)
        copy = new.createVariable(name, values.dtype, variable.dimensions, fill_value=fill)
        copy.setncatts(attributes)
        copy[...] = values
    new.close()


main(*sys.argv[1:])
