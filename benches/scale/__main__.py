"""What a send costs as there is more of something: files, objects, ranks, sends, distance. Each row is one command:

usage: python3 benches/scale ROW DIRECTORY [--rounds 3]

  steps     20 files of one step each, 20 ms a request: committed as usual, and one by one, against --transaction all
  files     1,000 and 5,000 tiny files: CPU seconds, and what five times as many cost; then 1,000 on four ranks
  far       a create and an append, 0 and 50 ms a request: how many round trips that is in a row
  small     720 objects of 0.24 MB, 50 ms a request, on 1 and 8 ranks
  ranks     an eORCA025 year on 4 and 8 ranks: the CPU of the busiest, against the mean
  objects   250,000 and 500,000 objects on 1 and 3 ranks: CPU seconds and memory an object
  cut       a stored chunk of five eORCA025 levels as 86,000 objects of 10 × 10, and as one
  ledger    90 and 180 monthly sends into 8 stores: which share of all objects is ledger
  against   `verify --against` of an eORCA025 year: memory
  weights   bilinear weights of eORCA12 to a twelfth of a degree: memory; nearest ones of a region to the globe: seconds

DIRECTORY gets the files and what the server writes. Medians of the rounds are printed, and ratios, for machines differ. The server is the
tests' own, in memory, on the same cores. The programs are those of target/release, or what MSM_OS, NEMO_LIKE and S3_SERVER name.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import tools  # noqa: E402
from tools import Server, make_file, program, send, timed  # noqa: E402

SMALL = ["--grid", "20x15x2", "--variables", "tos"]


def yearly(options, count, *words):
    """So many files of a step each."""
    name = "_".join(word.strip("-") for word in map(str, words))

    def of(year):
        path = options.directory / name / f"x_1y_grid_T_{year}.nc"
        return make_file(path, *words, "--freq", "1y", "--start", f"{year}-01-01")

    return [of(year) for year in range(1600, 1600 + count)]


def eorca025(options, start=1976):
    path = options.directory / f"eORCA025_1y_grid_T_{start}-{start}.nc"
    return make_file(path, "--grid", "eORCA025", "--freq", "1y", "--start", f"{start}-01-01")


def median(options, run):
    """Of what `run` returns, figure by figure."""
    return [statistics.median(column) for column in zip(*(run() for _ in range(options.rounds)))]


def once(options, sources, *flags, delay=0, before=()):
    """Wall and CPU seconds and MB of one send; `before` are sends that go first."""

    def run():
        with Server(options.directory, delay=delay) as server:
            for first in before:
                timed(send(server, first, *flags))
            return timed(send(server, sources, *flags))

    return median(options, run)


def on_ranks(options, ranks, sources, *flags, delay=0, server_flags=()):
    """Wall seconds, and the CPU seconds and MB of each rank, in their order, of one run."""
    folder = options.directory / "ranks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with Server(options.directory, *server_flags, delay=delay) as server:
        launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), sys.executable, HERE / "rank.py", folder]
        wall, _, _ = timed([*launcher, *send(server, sources, *flags)])
    found = sorted((json.loads(path.read_text()) for path in folder.glob("*.json")), key=lambda rank: rank["rank"])
    return wall, [rank["cpu"] for rank in found], [rank["memory"] for rank in found]


def busiest(cpus):
    return max(cpus) / statistics.mean(cpus)


def steps(options):
    sources = yearly(options, 20, *SMALL)
    usual, one_by_one, together = (
        once(options, sources, "--transaction", by, delay=20)[0] for by in ("batch", "chunk", "all")
    )
    print(f"20 files: {usual:.2f} s as usual, {one_by_one:.2f} s one by one, {together:.2f} s together: ", end="")
    print(f"{usual / together:.2f} and {one_by_one / together:.2f} times")


def files(options):
    last = None
    for count in (1000, 5000):
        cpu = once(options, yearly(options, count, *SMALL))[1]
        print(f"{count} files: {cpu:.2f} CPU s, {1e3 * cpu / count:.1f} ms a file" + (f", {cpu / last:.2f} times" if last else ""))
        last = cpu
    _, cpus, _ = on_ranks(options, 4, yearly(options, 1000, *SMALL))
    print(f"1000 files on 4 ranks: {sum(cpus):.2f} CPU s, the busiest {busiest(cpus):.2f} times the mean")


def far(options):
    first, second = yearly(options, 2, "--grid", "144x120x10")
    for name, sources, before in (("create", [first], []), ("append", [second], [[first]])):
        near = once(options, sources, before=before)[0]
        away = once(options, sources, before=before, delay=50)[0]
        print(f"{name}: {near:.2f} s at 0 ms, {away:.2f} s at 50 ms: {(away - near) / 0.05:.0f} round trips in a row")


def small(options):
    words = ["--grid", "300x200x60", "--variables", "thetao", "--freq", "1y", "--steps", "12"]
    source = make_file(options.directory / "small_1y_grid_T_1976-1987.nc", *words)
    flags = ["-cs", json.dumps({"time_counter": 1, "deptht": 1, "y": 200, "x": 300})]
    one = once(options, [source], *flags, delay=50)[0]
    eight, _, _ = on_ranks(options, 8, [source], *flags, delay=50)
    print(f"720 objects at 50 ms: {one:.2f} s on one rank, {eight:.2f} s on eight")


def ranks(options):
    source = eorca025(options)
    for count in (4, 8):
        runs = [on_ranks(options, count, [source])[1] for _ in range(options.rounds)]
        print(f"{count} ranks: the busiest has {statistics.median(map(busiest, runs)):.2f} times the mean's CPU")


def objects(options):
    for ranks in (1, 3):
        last = None
        for levels in (25, 50):
            words = ["--grid", f"1000x1000x{levels}", "--variables", "thetao", "--freq", "1y"]
            source = make_file(options.directory / f"objects{levels}_1y_grid_T_1976-1976.nc", *words)
            flags = ["-cs", json.dumps({"time_counter": 1, "deptht": 1, "y": 10, "x": 10}), "--verify", "none"]
            _, cpus, memory = on_ranks(options, ranks, [source], *flags, server_flags=["--forget", "/c/"])
            count, cpu = 10_000 * levels, sum(cpus)
            held = ", ".join(f"{of_rank:.0f}" for of_rank in memory)
            print(f"{count} objects, {ranks} ranks: {cpu:.2f} CPU s; {held} MB")
            if last:
                each = (1e6 * (now - before) / (count - last[2]) for now, before in zip(memory, last[1]))
                print(f"twice as many: {cpu / last[0]:.2f} times the CPU; {', '.join(f'{of_rank:.0f}' for of_rank in each)} bytes for each more")
            last = (cpu, memory, count)


def cut(options):
    words = ["--grid", "1440x1206x5", "--variables", "thetao", "--freq", "1y", "--chunks", "time_counter=1,deptht=5,y=1206,x=1440"]
    source = make_file(options.directory / "cut_1y_grid_T_1976-1976.nc", *words)
    for side in ("whole", 10):
        sizes = {"time_counter": 1, "deptht": 5 if side == "whole" else 1}
        sizes |= {"y": 1206, "x": 1440} if side == "whole" else {"y": side, "x": side}
        wall, cpu, memory = once(options, [source], "-v", "thetao", "-cs", json.dumps(sizes))
        print(f"objects of {side}: {wall:.2f} s, {cpu:.2f} CPU s, {memory:.0f} MB")


def ledger(options):
    words = ["--grid", "20x15x2"]

    def of(month):
        start = f"{1950 + month // 12}-{month % 12 + 1:02}-01"
        return make_file(options.directory / "months" / f"x_1m_grid_T_{start}.nc", *words, "--start", start)

    with Server(options.directory) as server:
        done = 0
        for count in (90, 180):
            for month in range(done, count):
                timed(send(server, [of(month)], "--verify", "none"))
            done = count
            du = [program("msm_os"), "du", "-b", "ocean", "-c", server.credentials, "--json"]
            said = subprocess.run(list(map(str, du)), check=True, capture_output=True).stdout
            stores = json.loads(said)["stores"]
            objects = sum(store["total"]["objects"] for store in stores)
            of_ledger = sum(kind["objects"] for store in stores for kind in store["ledger"].values())
            print(f"{count} sends: {objects} objects, {of_ledger} of the ledger: {100 * of_ledger / objects:.1f} %")


def against(options):
    source = eorca025(options)

    def run():
        with Server(options.directory) as server:
            timed(send(server, [source], "-v", "compact", "--verify", "none"))
            words = ["verify", "-b", "ocean", "-p", "x", "-c", server.credentials, "-v", "compact", "--against", source]
            return timed([program("msm_os"), *words])

    wall, cpu, memory = median(options, run)
    print(f"verify --against: {wall:.2f} s, {cpu:.2f} CPU s, {memory:.0f} MB")


def weights(options):
    twelfth = ["--grid", "4320x3604x1", "--variables", "tos", "--freq", "1y"]
    globe = make_file(options.directory / "eORCA12_1y_grid_T_1976-1976.nc", *twelfth)
    for method, grid in (("bilinear", "4320x2160"), ("nearest", "4320x2160")):
        wall, cpu, memory = once(options, [globe], "-v", "tos", "-r", "--method", method, "--grid", grid)
        print(f"{method} of a twelfth of a degree: {wall:.1f} s, {cpu:.1f} CPU s, {memory:.0f} MB")


def main():
    rows = (steps, files, far, small, ranks, objects, cut, ledger, against, weights)
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("row", choices=[row.__name__ for row in rows])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.directory = options.directory.resolve()
    options.directory.mkdir(parents=True, exist_ok=True)
    {row.__name__: row for row in rows}[options.row](options)


main()
