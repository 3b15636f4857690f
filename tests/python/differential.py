"""Sends random small datasets with the program and with xarray, and compares the stores after every operation.

usage: differential.py BINARY DIRECTORY RANKS SEED...

A seed gives a dataset and a sequence of operations: create, append, overlap, update. After each, every store must hold,
bit for bit, what was drawn, and open as the store that xarray's own `to_zarr` made of the same files. A warning of a
reader is an error unless xarray has it for the files too.

xarray cannot append to a store or write regions of it without packing the values by the store's attributes, so it
collects the raw values in a store without attributes, and writes the one that is compared from that. Times in other
units than the store's, which it would decode and round, are given to it in the store's, computed by exact fractions.

Accepted differences, which `expected_attributes` and `Held.pieces` make in what xarray gets:
- NaN and infinity in attributes are strings, and a `missing_value` of NaN is left out: JSON has none.
- `_FillValue` of an unsigned type with `_Unsigned = "false"` is signed in version 3, or xarray could not read it.
- Characters are strings, without `_Encoding`: Zarr version 3 has no type for bytes that readers open without a warning.
- `_FillValue` of texts is called `missing_value`, or xarray could not open the store.
"""

import os
import shlex
import shutil
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

sys.dont_write_bytecode = True

import xarray as xr  # noqa: E402
from drawn import TIME, Drawn  # noqa: E402
from stores import Comparison, Different, Held, told  # noqa: E402
from written import write  # noqa: E402



class Run:
    """One seed: a dataset, its stores, the operations so far."""

    def __init__(self, seed, binary, directory, ranks):
        self.drawn = drawn = Drawn(seed)
        self.launch = [binary]
        if ranks > 1:
            self.launch = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none", binary]
        self.directory = Path(directory) / f"seed-{seed}"
        self.directory.mkdir(parents=True)
        self.said = []
        self.files = 0
        self.allowed = set()
        self.version = drawn.one([2, 3, 3])
        self.compact = drawn.chance(0.3)
        self.named = drawn.chance(0.4)
        self.prefix = drawn.one(["T1m", "a/b"])
        mains = drawn.mains if self.named else self.data_variables()
        if self.compact:
            whole = self.held(f"{self.prefix}.zarr", mains)
            self.stores = {main: whole for main in mains}
        else:
            self.stores = {main: self.held(f"{self.prefix}/{main}.zarr", [main]) for main in mains}

    def held(self, key, mains):
        return Held(self.drawn, self.version, key, mains, self.members(mains))

    def data_variables(self):
        """Those that are no coordinates and no bounds."""
        others = set(self.drawn.sizes) | {TIME}
        for variable in self.drawn.variables.values():
            others |= set(self.words(variable)) | set(self.unnamed(variable))
        return [name for name in self.drawn.variables if name not in others]

    def words(self, variable):
        return f"{variable.attrs.get('coordinates', '')} {variable.attrs.get('bounds', '')}".split()

    def unnamed(self, variable):
        """The longitude and latitude of a variable that no variable names."""
        pair = [name for name in ("nav_lon", "nav_lat") if name in self.drawn.variables]
        named = {word for other in self.drawn.variables.values() for word in self.words(other)}
        on_plane = tuple(variable.dims[-2:]) == ("y", "x") and variable.name not in pair
        return [name for name in pair if on_plane and name not in named]

    def members(self, mains):
        """The variables `mains`, their coordinates, those of the axis, and all bounds."""
        variables = self.drawn.variables
        found = list(mains)
        found += [name for main in mains for name in self.unnamed(variables[main]) if name not in found]
        if any(variables[main].grows for main in mains):
            found.append(self.drawn.axis)
        for name in found:
            named = [*variables[name].dims, *self.words(variables[name])]
            found += [other for other in dict.fromkeys(named) if other in variables and other not in found]
        return found

    # Operations

    def operations(self):
        """Create, then some others; the number of steps stays small."""
        drawn = self.drawn
        steps = drawn.whole(1, 5)
        self.chunks()
        self.send(range(steps), [])
        for _ in range(drawn.whole(1, 4)):
            self.operate(drawn.one(["append", "append", "skip", "replace", "update", "update", "missing"]))

    def operate(self, what):
        drawn = self.drawn
        end = self.end()
        fresh = drawn.whole(1, 4)
        if what == "append":
            first = end + drawn.one([0, 0, 0, 2])
            gaps = any(held.steps and held.steps[-1] + 1 < first for held in self.stores.values())
            self.send(range(first, first + fresh), ["--allow-gaps"] if gaps else [])
        elif what in ("skip", "replace"):
            # A store that is behind others or has gaps lacks steps that may not be sent any more.
            held = self.contiguous()
            first = len(held) - drawn.whole(1, min(3, len(held))) if held else end
            steps = [*held[first:], *range(end, end + drawn.whole(0, 3))] if held else range(end, end + fresh)
            self.send(steps, ["--on-overlap", what, "--allow-gaps"])
        else:
            self.update(what == "missing", end + fresh)

    def end(self):
        return max((step + 1 for held in self.stores.values() for step in held.steps), default=0)

    def contiguous(self):
        """The steps that all stores with steps have."""
        sets = [set(held.steps) for held in self.stores.values() if held.steps]
        return sorted(set.intersection(*sets)) if sets else []

    def chunks(self):
        """Flags of the stores to come."""
        drawn = self.drawn
        dims = sorted({d for main in self.stores for d in drawn.variables[main].dims})
        sizes = drawn.sizes | {TIME: 6}
        self.chunk = {d: drawn.whole(1, sizes[d]) for d in drawn.some(dims, 0.5)}
        self.shard = {}
        if self.version == 3 and drawn.chance(0.25):
            self.shard = {d: n * drawn.whole(1, 3) for d, n in self.chunk.items()}
        self.flags = ["-zv", str(self.version)] if self.version == 2 or drawn.chance(0.3) else []
        self.flags += ["--shards", json(self.shard)] if self.shard else []
        self.flags += ["--codec", drawn.one(["none", "zstd:1", "blosc:zstd:3:bitshuffle"])] if drawn.chance(0.3) else []
        self.strategy = ["-cs", json(self.chunk)] if self.chunk else []

    def send(self, steps, more):
        steps = list(steps)
        create = not self.said
        parts = self.split(steps)
        flags = [*self.flags, *self.strategy] if create else (self.strategy if self.drawn.chance(0.3) else [])
        added = {"licence": "OGL"} if self.drawn.chance(0.2) else {}
        if added:
            flags = [*flags, "--attributes", '{"licence": "OGL"}']
        named = list(self.stores) if self.named else []
        self.run("send", parts, named, [*flags, *more])
        for held in self.distinct(self.stores):
            held.apply(parts, "replace" in more, held.members)
            held.attrs[""] |= added
        self.check()

    def update(self, append, end):
        drawn = self.drawn
        chosen = drawn.some(list(self.stores), 0.7) or [drawn.one(list(self.stores))]
        chosen = chosen if drawn.chance(0.5) else list(self.stores)
        timed = [self.stores[main] for main in chosen if self.stores[main].steps]
        common = sorted(set.intersection(*(set(held.steps) for held in timed))) if timed else [0]
        steps = drawn.some(common, 0.5) or [drawn.one(common)]
        if append and timed and (not self.compact or set(chosen) == set(self.stores)):
            steps += range(self.end(), end)
        else:
            append = False
        drawn.rng.shuffle(steps)
        for variable in (drawn.variables[main] for main in chosen):
            if not variable.grows and drawn.chance(0.7):
                drawn.static(variable)
        parts = self.split(steps)
        everything = set(chosen) == set(self.stores)
        named = [] if everything and not self.named else chosen
        self.run("update", parts, named, ["--append-missing"] if append else [])
        for held in self.distinct(chosen):
            held.apply(parts, True, self.members([main for main in held.mains if main in chosen]))
        self.check()

    def distinct(self, mains):
        return list({id(self.stores[main]): self.stores[main] for main in mains}.values())

    def split(self, steps):
        """Some files with these steps, in any order; each with its own layout, and maybe its own time units."""
        drawn = self.drawn
        cuts = sorted(drawn.some(range(1, len(steps)), 0.4))
        parts = []
        form = drawn.form()
        for first, end in zip([0, *cuts], [*cuts, len(steps)], strict=True):
            some = steps[first:end]
            own = drawn.form() if drawn.chance(0.35) else form
            part = drawn.part(some, own)
            self.files += 1
            write(drawn, part, str(self.directory / f"{self.files}.nc"))
            parts.append(part)
        return parts

    def run(self, verb, parts, named, flags):
        drawn = self.drawn
        paths = [part.path for part in parts]
        drawn.rng.shuffle(paths)
        flags = [*flags, "--transaction", drawn.one(["chunk", "all"])] if drawn.chance(0.5) else flags
        variables = (["compact"] if self.compact else []) + named
        command = [*self.launch, verb, "-b", f"file://{self.directory / 'ocean'}", "-p", self.prefix]
        command += ["-f", *paths, *(["-v", *variables] if variables else []), *flags]
        self.said.append(shlex.join(command))
        ended = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if ended.returncode:
            raise Different(f"ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        for path in paths:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                xr.load_dataset(path)
            self.allowed |= told(warned)

    def check(self):
        for held in self.distinct(self.stores):
            ours = str(self.directory / "ocean" / held.key)
            Comparison(held, self.allowed, ours).compare(self.chunk, self.shard)


def json(sizes):
    return "{" + ", ".join(f'"{name}": {size}' for name, size in sizes.items()) + "}"


def main(binary, directory, ranks, *seeds):
    """All seeds; what is left in the directory is of those that failed, whose number is returned."""
    failed = 0
    for seed in map(int, seeds):
        run = Run(seed, binary, directory, int(ranks))
        try:
            run.operations()
        except Exception as problem:  # noqa: BLE001
            failed += 1
            if not isinstance(problem, Different):
                traceback.print_exc(file=sys.stdout)
            print(f"MSM_OS_DIFFERENTIAL_SEEDS={seed}..{seed + 1} ({run.drawn.format}): {problem}", "operations:", *run.said, sep="\n  ")
            print(f"to repeat it: MSM_OS_DIFFERENTIAL_SEEDS={seed}..{seed + 1} cargo test --test whole differential")
        else:
            shutil.rmtree(run.directory)
            print(f"seed {seed}: {len(run.said)} operations on {len(run.stores)} variables, no difference")
    return failed


failures = main(*sys.argv[1:])
# Threads of the readers sometimes crash the interpreter while it shuts down.
sys.stdout.flush()
os._exit(1 if failures else 0)
