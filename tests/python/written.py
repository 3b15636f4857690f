"""NetCDF files with some steps of a drawn dataset, each with a layout of its own.

Key function: `write`.
"""

import netCDF4
import numpy as np
from drawn import TIME


def write(drawn, part, path):
    """The file at `path`, with a layout of its own."""
    part.path = path
    file = netCDF4.Dataset(path, "w", format=drawn.format)
    put(file, drawn.attrs)
    for name, size in drawn.sizes.items():
        file.createDimension(name, None if drawn.format == "NETCDF4" and drawn.chance(0.1) else size)
    file.createDimension(TIME, None if drawn.chance(0.7) else len(part.steps))
    variables = list(drawn.variables.values())
    drawn.rng.shuffle(variables)
    for variable in variables:
        array = drawn.whole_values(variable, part.steps, part.values, part.form)
        write_variable(drawn, file, variable, array, part.form)
    file.close()


def write_variable(drawn, file, variable, array, form):
    attrs = dict(variable.attrs)
    if "units" in attrs and variable.kind == "time":
        attrs |= {"units": form.units, "calendar": form.calendar}
        attrs = {name: value for name, value in attrs.items() if value is not None}
    dims, dtype = variable.dims, array.dtype
    if variable.kind == "text":
        coding = attrs.get("_Encoding", "utf-8")
        encoded = np.array([word.encode(coding) for word in array.ravel()], "S")
        length = max(encoded.dtype.itemsize, 1) + drawn.whole(0, 2)
        array = np.frombuffer(encoded.astype(f"S{length}").tobytes(), "S1").reshape((*array.shape, length))
        dims, dtype = (*dims, f"{variable.name}_length"), "S1"
        file.createDimension(dims[-1], length)
    elif variable.kind == "string":
        dtype = str
    elif drawn.format == "NETCDF4" and drawn.chance(0.2):
        dtype = dtype.newbyteorder(">")
    layout = layout_of(drawn, array.shape, dtype)
    target = file.createVariable(variable.name, dtype, dims, fill_value=attrs.pop("_FillValue", None), **layout)
    target.set_auto_maskandscale(False)
    target.set_auto_chartostring(False)
    put(target, attrs)
    target[...] = array if array.shape else array[()]


def layout_of(drawn, shape, dtype):
    """Byte order, chunks and filters."""
    layout = {"endian": "big"} if dtype not in (str, "S1") and dtype.byteorder == ">" else {}
    if drawn.format.startswith("NETCDF4") and shape and drawn.chance(0.7):
        layout["chunksizes"] = [drawn.whole(1, n) for n in shape]
        if dtype is not str:
            layout |= {"zlib": drawn.chance(0.7), "complevel": drawn.whole(1, 6), "shuffle": drawn.chance(0.5)}
            layout["fletcher32"] = drawn.chance(0.15)
    return layout


def put(target, attrs):
    for name, value in attrs.items():
        if isinstance(value, list):
            target.setncattr_string(name, value)
        else:
            target.setncattr(name, value)
