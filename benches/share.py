#!/usr/bin/env python3
"""Jobs that share in sending an archive: against one job that sends all of it, and what a part costs.

usage: share.py jobs DIRECTORY [--rounds N] [--delay MS]     48 yearly files of eORCA1: one send, and 1, 2 and 4 jobs with --share
       share.py parts DIRECTORY [--delay MS]                 10, 100 and 1,000 parts of one small step each

DIRECTORY gets the files. The server is the tests' own, in memory, as far away as --delay says. All programs take turns in each
round; medians are printed, and ratios to the one send. What a part costs is told in requests, by the server's log, and in seconds of
wall and CPU. The programs are those of target/release, or what MSM_OS, NEMO_LIKE and S3_SERVER name.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def program(variable, name):
    return os.environ.get(variable, str(TOP / "target/release" / name))


class Server:
    """An empty bucket, and the log of what it was asked."""

    def __init__(self, directory, delay):
        self.log = directory / "server.log"
        self.process = subprocess.Popen(
            [program("S3_SERVER", "s3-server"), "--delay", str(delay), "--log", str(self.log)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.credentials = directory / "credentials.json"
        endpoint = self.process.stdout.readline().strip()
        keys = {"token": "test-key", "secret": "test-secret", "endpoint_url": endpoint}
        self.credentials.write_text(json.dumps(keys))
        self.credentials.chmod(0o600)

    def requests(self):
        time.sleep(0.5)  # it writes its log ten times a second
        return len(self.log.read_text().splitlines())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def files(directory, grid, freq, variables, count):
    """So many files of a step each."""
    directory.mkdir(parents=True, exist_ok=True)
    for year in range(1800, 1800 + count):
        path = directory / f"x_{freq}_grid_T_{year}.nc"
        if not path.exists():
            words = ["--grid", grid, "--freq", freq, "--start", f"{year}-01-01", "--variables", variables]
            subprocess.run([program("NEMO_LIKE", "nemo-like"), *words, "-o", path], check=True, stdout=subprocess.DEVNULL)
    return sorted(str(path) for path in directory.glob("*.nc"))[:count]


def send(server, sources, jobs, *flags):
    """Seconds of wall and of CPU that so many jobs took."""

    def cpu():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    command = [program("MSM_OS", "msm_os"), "send", "-b", "ocean", "-p", "x", "-c", str(server.credentials), *flags, "-f", *sources]
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
            with Server(options.directory, options.delay) as server:
                found[name].append(send(server, sources, jobs, *flags))
    medians = {name: [statistics.median(column) for column in zip(*times)] for name, times in found.items()}
    plain = medians["one send"]
    for name, (wall, cpu) in medians.items():
        print(f"{name:>14}: wall {wall:6.1f} s, {wall / plain[0]:.2f} of one send; CPU {cpu:6.1f} s, {cpu / plain[1]:.2f}")


def parts(options):
    sources = files(options.directory / "small", "20x15x2", "1y", "tos", 1000)
    for count in (10, 100, 1000):
        with Server(options.directory, options.delay) as server:
            wall, cpu = send(server, sources[:count], 1, "--share")
            asked = server.requests()
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
