"""Checks that stores hold the same arrays with the same values and attributes, however they are chunked and encoded.

usage: same_values.py STORE OTHER...
"""

import sys

import numpy as np
import zarr


def held(path):
    group = zarr.open_group(path, mode="r")
    return {name: (array[...], dict(array.attrs)) for name, array in group.arrays()}


first, *others = sys.argv[1:]
expected = held(first)
assert any(name.startswith("projected_") for name in expected), sorted(expected)
for other in others:
    found = held(other)
    assert found.keys() == expected.keys(), (other, sorted(found), sorted(expected))
    for name, (values, attributes) in expected.items():
        assert np.array_equal(found[name][0], values, equal_nan=values.dtype.kind == "f"), (other, name)
        # Version 2 has its mask and its dimensions elsewhere.
        own = {"_FillValue", "_ARRAY_DIMENSIONS"}
        mine, its = ({k: v for k, v in a.items() if k not in own} for a in (attributes, found[name][1]))
        assert its == mine, (other, name, its, mine)
