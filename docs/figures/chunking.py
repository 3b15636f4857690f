#!/usr/bin/env python3
"""What chunks cost: sends a year of daily surface temperatures with several, and counts the objects and bytes that a reader needs for
one map, and for the series of one cell. Prints the table of docs/chunking.md, and draws docs/figures/chunking.svg.

usage: chunking.py DIRECTORY     msm_os and nemo-like have to be on the PATH
"""

import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path

DAYS, ROWS, COLUMNS = SHAPE = (365, 150, 180)
LAYOUTS = {
    "automatic: a day": [],
    "30 days": ["-cs", '{"time_counter": 30}'],
    "365 days, 30 × 30 cells": ["-cs", '{"time_counter": 365, "y": 30, "x": 30}'],
    "30 days, 50 × 60 cells": ["-cs", '{"time_counter": 30, "y": 50, "x": 60}'],
    "a day, in shards of 30 days": ["-cs", '{"time_counter": 1}', "--shards", '{"time_counter": 30}'],
}
MAP = (slice(200, 201), slice(0, ROWS), slice(0, COLUMNS))
SERIES = (slice(0, DAYS), slice(90, 91), slice(100, 101))


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def touched(box, sizes):
    """The places of the chunks that a box meets."""
    return itertools.product(*(range(at.start // size, math.ceil(at.stop / size)) for at, size in zip(box, sizes)))


def cost(array, box):
    """Requests and bytes: whole chunks; of a shard its index, and the chunks in it."""
    document = json.loads((array / "zarr.json").read_text())
    outer = document["chunk_grid"]["configuration"]["chunk_shape"]
    codec = document["codecs"][0]
    sharded = codec["name"] == "sharding_indexed"
    inner = codec["configuration"]["chunk_shape"] if sharded else outer
    requests, size, shards = 0, 0, set()
    for place in touched(box, inner):
        of = tuple(at * step // whole for at, step, whole in zip(place, inner, outer))
        path = array.joinpath("c", *map(str, of))
        if not path.exists():  # all missing values
            continue
        if not sharded:
            requests, size = requests + 1, size + path.stat().st_size
            continue
        grid = [whole // step for whole, step in zip(outer, inner)]
        index = 16 * math.prod(grid) + 4
        within = [at % count for at, count in zip(place, grid)]
        number = 0
        for at, count in zip(within, grid):
            number = number * count + at
        entry = path.read_bytes()[-index:][16 * number :]
        length = int.from_bytes(entry[8:16], "little")
        requests, size = requests + 1, size + length
        if of not in shards:
            shards.add(of)
            requests, size = requests + 1, size + index
    return requests, size


def measured(directory):
    file = directory / "days.nc"
    if not file.exists():
        run("nemo-like", "--grid", f"{COLUMNS}x{ROWS}x1", "--freq", "1d", "--steps", str(DAYS), "--variables", "tos", "-o", str(file))
    for number, (name, flags) in enumerate(LAYOUTS.items()):
        bucket = directory / str(number)
        run("msm_os", "send", "-f", str(file), "-b", f"file://{bucket}", "-p", "T1d", *flags)
        array = bucket / "T1d/tos.zarr/tos"
        sizes = [path.stat().st_size for path in array.glob("c/*/*/*")]
        yield name, len(sizes), sum(sizes), cost(array, MAP), cost(array, SERIES)


def drawn(rows):
    """Two bars a layout, as long as the logarithm of the bytes."""

    def bar(y, size, colour):
        length = 60 * math.log10(size / 1000)
        return (
            f'<rect x="200" y="{y}" width="{length:.0f}" height="12" fill="{colour}"/>'
            f'<text x="{206 + length:.0f}" y="{y + 10}">{shown(size)}</text>'
        )

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="{40 + 36 * len(rows)}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="10" y="18" font-weight="bold">Bytes read (a logarithmic scale)</text>',
        '<rect x="260" y="9" width="12" height="12" fill="#1f6f8b"/><text x="277" y="19">one map</text>',
        '<rect x="340" y="9" width="12" height="12" fill="#e07b39"/><text x="357" y="19">a year at one cell</text>',
    ]
    for number, (name, _, _, one, series) in enumerate(rows):
        y = 34 + 36 * number
        lines += [f'<text x="10" y="{y + 16}">{name}</text>', bar(y, one[1], "#1f6f8b"), bar(y + 14, series[1], "#e07b39")]
    return "\n".join([*lines, "</svg>"]) + "\n"


def shown(size):
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def main():
    directory = Path(sys.argv[1]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
    rows = list(measured(directory))
    print("| chunks | objects | mean object | one map | a year at one cell |")
    print("|---|---|---|---|---|")
    for name, objects, size, one, series in rows:
        reads = (f"{requests} request{'s' * (requests > 1)}, {shown(of)}" for requests, of in (one, series))
        print(f"| {name} | {objects} | {shown(size / objects)} | {' | '.join(reads)} |")
    (Path(__file__).parent / "chunking.svg").write_text(drawn(rows))


main()
