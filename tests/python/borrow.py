"""Copies a NetCDF file with nav_lon and nav_lat from a domain file, and with the global attributes licence and run.

usage: borrow.py SOURCE DOMAIN TARGET
"""

import sys

import netCDF4

source, domain, target = sys.argv[1:]
old, grid, new = netCDF4.Dataset(source), netCDF4.Dataset(domain), netCDF4.Dataset(target, "w")
new.setncatts(old.__dict__ | {"licence": "OGL", "run": 8})
for name, dimension in old.dimensions.items():
    new.createDimension(name, None if dimension.isunlimited() else len(dimension))
for name, variable in old.variables.items():
    variable.set_auto_maskandscale(False)
    attributes = dict(variable.__dict__)
    fill = attributes.pop("_FillValue", None)
    lender = {"nav_lon": "glamt", "nav_lat": "gphit"}.get(name)
    values = grid[lender][0] if lender else variable[...]
    copy = new.createVariable(name, values.dtype, variable.dimensions, fill_value=fill)
    copy.set_auto_maskandscale(False)
    copy.setncatts(attributes)
    copy[...] = values
new.close()
