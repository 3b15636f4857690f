"""Checks that pystac and Intake read catalogue entries that `msm_os open` wrote, and that what these name opens and has the values of
a source file; and that they have what OceanDataStore's catalogue goes by.

usage: read_catalogues.py STAC INTAKE FILE
"""

import sys

import intake
import numpy as np
import pystac
import xarray as xr
from pystac.extensions.datacube import DatacubeExtension
from pystac.extensions.xarray_assets import XarrayAssetsExtension
from pystac.validation.stac_validator import JsonSchemaSTACValidator

stac, catalogue, file = sys.argv[1:]
expected = xr.load_dataset(file)


def check(what, dataset):
    for name, variable in dataset.variables.items():
        nan = variable.dtype.kind == "f"
        if not np.array_equal(variable.values, expected.variables[name].values, equal_nan=nan):
            sys.exit(f"{what}: {name} has other values than in the file")
    return dataset


collection = pystac.Collection.from_file(stac)
items = list(collection.get_items(recursive=True))
for thing in [collection, *items]:
    # The schemas of STAC itself come with pystac; those of extensions lie on servers.
    JsonSchemaSTACValidator().validate_core(thing.to_dict(), thing.STAC_OBJECT_TYPE, "1.1.0")
for item in items:
    if item.get_collection() is not collection or item.get_root() is not collection:
        sys.exit(f"{item.id}: its links do not lead back to the collection")
    asset = item.assets["zarr"]
    opening = XarrayAssetsExtension.ext(asset)
    kwargs = {"storage_options": opening.storage_options} if opening.storage_options else {}
    dataset = check(item.id, xr.open_zarr(asset.href, **opening.open_kwargs, **kwargs))
    cube = DatacubeExtension.ext(item)
    if set(cube.variables) != set(dataset.variables) or set(cube.dimensions) != set(dataset.dims):
        sys.exit(f"{item.id}: the datacube has {cube.variables}, {cube.dimensions}")
    extent = [np.datetime64(time.replace("Z", "")) for time in cube.dimensions["time_counter"].extent]
    if [extent[0], extent[1]] != [dataset.time_counter.values[0], dataset.time_counter.values[-1]]:
        sys.exit(f"{item.id}: the time is {extent}")
    if item.properties["variables"] != [name for name in dataset.data_vars if "bounds" not in name]:
        sys.exit(f"{item.id}: the variables are {item.properties['variables']}")
    longitudes, latitudes = dataset.nav_lon.values, dataset.nav_lat.values
    box = [longitudes.min(), latitudes.min(), longitudes.max(), latitudes.max()]
    if not np.allclose(item.bbox, box):
        sys.exit(f"{item.id}: the box is {item.bbox}, expected {box}")
    # OceanDataStore: from the root, a collection or a catalogue above it, it goes down by the parts of an item's id, and opens a public
    # store by its URL.
    fields = asset.to_dict()
    if item.id.split("/")[0] != collection.id or next(collection.get_items(item.id)) is not item:
        sys.exit(f"{item.id}: it is not found by its id")
    if fields["type"] != "application/vnd.zarr" or next(iter(item.assets)) != "zarr":
        sys.exit(f"{item.id}: the asset is {fields}")
    if fields.get("anonymous"):
        url = "{endpoint_url}/{bucket}/{prefix}".format(**fields)
        check(url, xr.open_zarr(url, zarr_format=int(fields["zarr_format"]), consolidated=True, group=fields.get("group")))
    print("stac", item.id)
sources = intake.open_catalog(catalogue)
for name in sources:
    check(name, sources[name].read())
    print("intake", name)
