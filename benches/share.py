#!/usr/bin/env python3
"""Jobs that share in sending an archive: against one job that sends all of it, and what a part costs.

usage: share.py jobs DIRECTORY [--rounds N] [--delay MS]     48 yearly files of eORCA1: one send, and 1, 2 and 4 jobs with --share
       share.py parts DIRECTORY [--delay MS]                 10, 100 and 1,000 parts of one small step each

DIRECTORY gets the files. The server is the tests' own, in memory, as far away as --delay says. All programs take turns in each
round; medians are printed, and ratios to the one send. What a part costs is told in requests, by the server's log, and in seconds of
wall and CPU. The programs are those of target/release, or what MSM_OS, NEMO_LIKE and S3_SERVER name.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import tools

def files(directory, grid, freq, variables, count):
    """So many files of a step each."""

    def of(year):
        words = ["--grid", grid, "--freq", freq, "--start", f"{year}-01-01", "--variables", variables]
        return tools.make_file(directory / f"x_{freq}_grid_T_{year}.nc", *words)

    return [str(of(year)) for year in range(1800, 1800 + count)]


def send(server, sources, jobs, *flags):
    """Seconds of wall and of CPU that so many jobs took."""

    def cpu():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    command = list(map(str, tools.send(server, sources, *flags)))
    before, begun = cpu(), time.perf_counter()
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(jobs)]
    for process in running:
        said = process.communicate()[1]
        if process.returncode:
            sys.exit(f"{' '.join(command)}: {said.decode()}")
    return time.perf_counter() - begun, cpu() - before


def race(options):
    sources = files(options.directory / "eorca1", "eORCA1", "1y", "thetao,tos", 48)
    entrants = {"one send": (1, []), **{f"{jobs} with --share": (jobs, ["--share"]) for jobs in (1, 2, 4)}}
    found = {name: [] for name in entrants}
    for _ in range(options.rounds):
        for name, (jobs, flags) in entrants.items():
            with tools.Server(options.directory, delay=options.delay) as server:
                found[name].append(send(server, sources, jobs, *flags))
    medians = {name: [statistics.median(column) for column in zip(*times)] for name, times in found.items()}
    plain = medians["one send"]
    for name, (wall, cpu) in medians.items():
        print(f"{name:>14}: wall {wall:6.1f} s, {wall / plain[0]:.2f} of one send; CPU {cpu:6.1f} s, {cpu / plain[1]:.2f}")


def parts(options):
    sources = files(options.directory / "small", "20x15x2", "1y", "tos", 1000)
    for count in (10, 100, 1000):
        with tools.Server(options.directory, delay=options.delay) as server:
            wall, cpu = send(server, sources[:count], 1, "--share")
            asked = len(server.requests())
        print(
            f"{count:5} parts: {asked / count:6.1f} requests, {1e3 * wall / count:6.1f} ms of wall and "
            f"{1e3 * cpu / count:6.1f} ms of CPU a part"
        )


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=["jobs", "parts"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=int, default=0)
    options = parser.parse_args()
    options.directory = options.directory.resolve()
    options.directory.mkdir(parents=True, exist_ok=True)
    {"jobs": race, "parts": parts}[options.what](options)


main()
