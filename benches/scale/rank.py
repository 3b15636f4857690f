#!/usr/bin/env python3
"""Runs a command and writes the CPU seconds and the peak MB of memory that it took into a file of its own in a folder.

usage: rank.py FOLDER COMMAND…      as what a launcher starts, once a rank
"""

import json
import os
import subprocess
import sys
import tempfile

folder, *command = sys.argv[1:]
process = subprocess.Popen(command)
_, status, usage = os.wait4(process.pid, 0)
with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".json", delete=False) as file:
    rank = int(os.environ.get("OMPI_COMM_WORLD_RANK", 0))
    json.dump({"rank": rank, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1e3}, file)
sys.exit(os.waitstatus_to_exitcode(status))
