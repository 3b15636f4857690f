"""Reads a store again and again while jobs write it: whatever is seen must be a prefix of another store, and never shrink. In the
end all objects below its prefix must be those below the other's, but for the ledgers.

usage: prefix_only_grows.py BUCKET PREFIX REFERENCE VARIABLE STOP

Both prefixes are in BUCKET, with ENDPOINT, ACCESS_KEY and SECRET_KEY in the environment. Ends when the file STOP is there. Prints the
numbers of steps that it saw.
"""

import os
import sys
import time

import numpy as np
import zarr
from opened import open_store

bucket, prefix, reference, variable, stop = sys.argv[1:]


def opened(prefix):
    return zarr.open_group(open_store(f"s3://{bucket}/{prefix}/{variable}.zarr"), mode="r", use_consolidated=True)


def objects(prefix):
    store = open_store(f"s3://{bucket}/{prefix}").store
    found = {entry["path"]: entry["e_tag"] for entries in store.list() for entry in entries}
    return {key: tag for key, tag in found.items() if not key.startswith(".msm-os/")}


whole = opened(reference)
expected = {name: whole[name][...] for name in ["time_counter", variable]}

seen, looks = [0], 0
while True:
    is_last = os.path.exists(stop)
    looks += 1
    try:
        store = opened(prefix)
    except (FileNotFoundError, ValueError) as problem:
        if seen[-1] > 0 or is_last:
            sys.exit(f"the store is not there any more, or never was: {problem}")
        time.sleep(0.1)
        continue
    steps = store["time_counter"].shape[0]
    if steps < seen[-1]:
        sys.exit(f"the store shrank from {seen[-1]} to {steps} steps")
    for name, values in expected.items():
        found = store[name][...]
        if found.shape[0] != steps:
            sys.exit(f"{name} has {found.shape[0]} steps, time_counter has {steps}")
        if not np.array_equal(found, values[:steps], equal_nan=True):
            sys.exit(f"{name} is not as it should be, among {steps} steps")
    if steps != seen[-1]:
        seen.append(steps)
    if is_last:
        break
    time.sleep(0.1)
print(f"{looks} looks saw {seen} steps")
now, then = objects(prefix), objects(reference)
if now != then:
    differing = sorted(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
    sys.exit(f"{len(differing)} of {len(then)} objects differ, such as {differing[:3]}")
print(f"{len(now)} objects are the same")
# obstore's threads sometimes crash the interpreter while it shuts down.
sys.stdout.flush()
os._exit(0)
