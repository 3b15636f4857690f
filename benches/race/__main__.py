"""The race: one file to one Zarr group on an S3 server, by this program, by peers, and by a floor that does only what must be done.

usage: python3 benches/race DIRECTORY [--grid eORCA025] [--rounds 3] [--only WORD…] [--python PYTHON]

DIRECTORY gets the file. The server is the tests' own, in memory, new for each run, on the same cores. All take turns in each round; of
each figure the median is printed, and its ratio to the first entrant. What is stored is counted at the server. The peers are of
benches/requirements.txt, in the Python that --python names (default: this one); the programs those of target/release, or what MSM_OS,
NEMO_LIKE, S3_SERVER and FLOOR name (cargo build --release --workspace; cargo bench --no-run --bench floor).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tools  # noqa: E402

HERE = Path(__file__).resolve().parent
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": tools.KEYS["token"], "AWS_SECRET_ACCESS_KEY": tools.KEYS["secret"], "AWS_REGION": "us-east-1"}


def floor_program():
    found = sorted((tools.TOP / "target/release/deps").glob("floor-*[!.d]"), key=lambda path: path.stat().st_mtime)
    return os.environ.get("FLOOR") or (found[-1] if found else sys.exit("no floor: cargo bench --no-run --bench floor"))


def stored_chunks(python, path):
    """Lines of address, bytes and decoded bytes of each chunk of the file's large variables."""
    script = (
        "import h5py, sys\n"
        "for variable in h5py.File(sys.argv[1]).values():\n"
        "    if variable.chunks and variable.compression:\n"
        "        decoded = variable.dtype.itemsize\n"
        "        for length in variable.chunks: decoded *= length\n"
        "        for number in range(variable.id.get_num_chunks() if decoded > 1 << 20 else 0):\n"
        "            chunk = variable.id.get_chunk_info(number)\n"
        "            print(chunk.byte_offset, chunk.size, decoded)\n"
    )
    return subprocess.run([python, "-c", script, str(path)], check=True, capture_output=True, text=True).stdout


def own_chunks(path, directory):
    """The chunk shape that this program gives each variable."""
    (directory / "empty").mkdir(exist_ok=True)
    words = ["plan", "-f", path, "-b", f"file://{directory}/empty", "-v", "compact", "--json"]
    plan = json.loads(subprocess.run([tools.program("msm_os"), *map(str, words)], check=True, capture_output=True).stdout)
    return json.dumps({array["name"]: array["chunks"] for store in plan["stores"] for array in store["arrays"]})


def entrants(options, path):
    """By name, what makes the command for a server, and what goes to its standard input."""
    chunks, listed = own_chunks(path, options.directory), stored_chunks(options.python, path)

    def ours(*flags, ranks=1):
        launcher = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        return lambda server: ([*launcher, *tools.send(server, [path], *flags)], None)

    def peer(name, chunks):
        return lambda server: ([options.python, HERE / "peers.py", name, path, chunks, server.endpoint], None)

    def floor(mode):
        return lambda server: ([floor_program(), mode, path, server.endpoint], listed)

    found = {
        "compact, none": ours("-v", "compact", "--verify", "none"),
        "compact, full": ours("-v", "compact", "--verify", "full"),
        "a store each, none": ours("--verify", "none"),
        "a store each, full": ours("--verify", "full"),
        "a store each, full, 2 ranks": ours("--verify", "full", ranks=2),
    }
    for name in ("tensorstore", "xarray_obstore", "xarray_dask_zarrs", "icechunk"):
        found[f"{name}, our chunks"] = peer(name, chunks)
        if name != "xarray_dask_zarrs":
            found[f"{name}, its own"] = peer(name, "own")
    for mode in ("lz4", "shuffled", "copied"):
        found[f"floor, {mode}"] = floor(mode)
    return {name: make for name, make in found.items() if not options.only or any(word in name for word in options.only)}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--grid", default="eORCA025")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    options.directory = options.directory.resolve()
    path = tools.make_file(options.directory / f"{options.grid}_1y_grid_T_1976-1976.nc", "--grid", options.grid, "--freq", "1y")
    all_of = entrants(options, path)
    found = {name: [] for name in all_of}
    stored = {}
    for _ in range(options.rounds):
        for name, make in all_of.items():
            with tools.Server(options.directory) as server:
                command, asked = make(server)
                found[name].append(tools.timed(command, ENVIRONMENT, asked))
                stored[name] = server.stored()
    print(f"{path.name}, {path.stat().st_size / 1e6:.0f} MB; {options.rounds} rounds on {len(os.sched_getaffinity(0))} cores")
    print(f"{'':30} {'wall s':>8} {'':>6} {'CPU s':>7} {'':>6} {'RSS MB':>7} {'MB put':>7}")
    first = None
    for name, runs in found.items():
        wall, cpu, rss = (statistics.median(column) for column in zip(*runs))
        first = first or (wall, cpu)
        print(f"{name:30} {wall:8.2f} {wall / first[0]:6.2f} {cpu:7.2f} {cpu / first[1]:6.2f} {rss:7.0f} {stored[name] / 1e6:7.0f}")


main()
