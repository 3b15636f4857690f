#!/usr/bin/env python3
"""The end-to-end race: `send -r` against `cdo remapnn` and `remapbil`, weights included, same file, same cores.

usage: reproject.py DIRECTORY [--rounds N] [--cores LIST] [--ranks N] [--only NAME…]

DIRECTORY gets the source, one step of thetao on eORCA025 as the generator makes it, and all results; they are removed as
soon as they are timed. All programs take turns in each round; medians are printed, and ratios of them. CDO writes one
NetCDF file, not compressed, as it does by default; `send` writes the original and the reprojected variable, compressed,
read back and compared. The programs are those of target/release, or what MSM_OS and NEMO_LIKE name; cdo must be there.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
NX, NY = 1440, 1206
METHODS = {"nearest": "remapnn", "bilinear": "remapbil"}


def program(variable, name):
    return os.environ.get(variable, str(TOP / "target/release" / name))


def run(command):
    """Seconds, and the peak resident MB of the largest process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"{' '.join(command)}: {said.decode()}")
    return elapsed, usage.ru_maxrss / 1024


class Race:
    def __init__(self, options):
        self.directory = options.directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.pinned = ["taskset", "-c", options.cores]
        threads = str(len(os.sched_getaffinity(0)) if options.cores == "all" else options.cores.count(",") + 1)
        if options.cores == "all":
            self.pinned = []
        launch = ["mpirun", "-n", str(options.ranks), "--oversubscribe", "--bind-to", "none"]
        self.msm_os = [*self.pinned, *(launch if options.ranks > 1 else []), program("MSM_OS", "msm_os")]
        self.cdo = [*self.pinned, "cdo", "-s", "-O", "-P", threads]
        self.source = self.directory / "eORCA025_1y_grid_T_1976-1976.nc"
        if not self.source.exists():
            generate = [program("NEMO_LIKE", "nemo-like"), "--grid", "eORCA025", "--freq", "1y", "--variables", "thetao"]
            run([*generate, "-o", str(self.source)])
        self.seconds, self.peak = {}, {}

    def weights(self, method):
        return self.directory / f"{method}-weights.nc"

    def send(self, *flags):
        store = self.directory / "store"
        shutil.rmtree(store, ignore_errors=True)
        return [*self.msm_os, "send", "-f", str(self.source), "-b", f"file://{store}", "-p", "race", *flags]

    def remap(self, operator):
        return [*self.cdo, f"{operator},r{NX}x{NY}", str(self.source), str(self.directory / "cdo.nc")]

    def cases(self):
        found = {"send": lambda: self.send()}
        for method, operator in METHODS.items():
            reproject = ["-r", "--method", method]
            saved = [*reproject, "--weights", str(self.weights(method))]
            found[f"send -r {method}"] = lambda flags=reproject: self.send(*flags)
            found[f"send -r {method}, weights saved"] = lambda flags=saved: self.send(*flags)
            found[f"cdo {operator}"] = lambda operator=operator: self.remap(operator)
        return found

    def run(self, rounds, only):
        cases = {name: case for name, case in self.cases().items() if not only or name in only}
        for method in METHODS:
            self.weights(method).unlink(missing_ok=True)
            if f"send -r {method}, weights saved" in cases:
                run(self.send("-r", "--method", method, "--weights", str(self.weights(method))))
        # Into the cache, for the first one too.
        run(["cat", str(self.source)])
        for _ in range(rounds):
            for name, case in cases.items():
                elapsed, peak = run(case())
                self.seconds.setdefault(name, []).append(elapsed)
                self.peak[name] = max(peak, self.peak.get(name, 0))
                shutil.rmtree(self.directory / "store", ignore_errors=True)
                (self.directory / "cdo.nc").unlink(missing_ok=True)
                print(f"{name:36} {elapsed:8.2f} s {peak:8.0f} MB", flush=True)

    def report(self):
        median = {name: statistics.median(seconds) for name, seconds in self.seconds.items()}
        print("\nmedians, and the peak memory of the largest process:")
        for name, seconds in median.items():
            print(f"{name:36} {seconds:8.2f} s {self.peak[name]:8.0f} MB")
        print("\nratios of the medians:")
        for method, operator in METHODS.items():
            ours, saved, cdo = f"send -r {method}", f"send -r {method}, weights saved", f"cdo {operator}"
            for over, under in ((ours, "send"), (saved, "send"), (cdo, ours), (cdo, saved)):
                if over in median and under in median:
                    print(f"{over} / {under}: {median[over] / median[under]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", default="0,1", help="for taskset, such as 0,1; or all")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="cases, by the names that are printed")
    options = parser.parse_args()
    race = Race(options)
    race.run(options.rounds, options.only)
    race.report()


main()
