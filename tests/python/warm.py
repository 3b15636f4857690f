"""Runs scripts in forks of one process that has imported the readers: that takes a second, most scripts take less.

usage: warm.py NAME

Listens on the abstract socket NAME until standard input ends. A request is what ends in NUL each: the files that get the
standard output and the standard error, the number of variables to set, NAME=VALUE of each, the script and its arguments.
The answer is the exit code as text; none if the script was killed.
"""

import importlib
import os
import runpy
import select
import signal
import socket
import sys
import traceback

READERS = ["numpy", "netCDF4", "xarray", "zarr", "obstore.store", "iris", "cartopy.crs", "s3fs", "pystac", "intake_xarray"]


def run(connection):
    request = b""
    while part := connection.recv(65536):
        request += part
    out, err, variables, *words = map(os.fsdecode, request.split(b"\0")[:-1])
    variables = int(variables)
    os.environ.update(word.split("=", 1) for word in words[:variables])
    sys.argv = words[variables:]
    for name, descriptor in [(os.devnull, 0), (out, 1), (err, 2)]:
        opened = os.open(name, os.O_RDWR)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.path[0] = os.path.dirname(sys.argv[0])
    # A script that would leave at once ends here all the same.
    leave, os._exit = os._exit, sys.exit
    code = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(str(code).encode())
    leave(0)


listener = socket.socket(socket.AF_UNIX)
listener.bind("\0" + sys.argv[1])
listener.listen(64)
print("listening", flush=True)
for reader in READERS:
    try:
        importlib.import_module(reader)
    except ImportError:
        pass  # each environment has some of them
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while listener in select.select([listener, sys.stdin], [], [])[0]:
    connection, _ = listener.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        run(connection)
    connection.close()
