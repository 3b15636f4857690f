"""What the benches share: the programs, a server, files, and a command that is timed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
KEYS = {"token": "test-key", "secret": "test-secret"}


def program(name):
    """The path of one of this project's programs: what MSM_OS, NEMO_LIKE or S3_SERVER name, or that of target/release."""
    return os.environ.get(name.upper().replace("-", "_"), str(TOP / "target/release" / name))


class Server:
    """The tests' own S3 server, in memory, with an empty bucket `ocean`; it may be as far away as `delay` milliseconds."""

    def __init__(self, directory, *flags, delay=0):
        self.log = directory / "server.log"
        words = ["--delay", str(delay), "--log", str(self.log), *flags]
        self.process = subprocess.Popen([program("s3-server"), *words], stdout=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().strip()
        self.credentials = directory / "credentials.json"
        self.credentials.write_text(json.dumps({**KEYS, "endpoint_url": self.endpoint}))
        self.credentials.chmod(0o600)

    def requests(self):
        """What it was asked: METHOD, bucket/key, bytes of the body."""
        time.sleep(0.5)  # it writes its log ten times a second
        lines = self.log.read_text().splitlines()
        return [(method, *rest.rsplit(" ", 1)) for method, rest in (line.split(" ", 1) for line in lines)]

    def stored(self):
        """Bytes that were put."""
        return sum(int(received) for method, _, received in self.requests() if method in ("PUT", "POST"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def make_file(path, *words):
    """The file that nemo-like makes of these words, unless it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(".draft")
        subprocess.run([program("nemo-like"), *map(str, words), "-o", draft], check=True, stdout=subprocess.DEVNULL)
        draft.rename(path)
    return path


def timed(command, environment=None, asked=None):
    """Wall and CPU seconds of a command with its children, and the most memory that one process of it took, in MB."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)),
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if asked:
        process.stdin.write(asked)
        process.stdin.close()
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: code {process.returncode}\n{said}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


def send(server, sources, *flags, prefix="x"):
    """The command that sends these files."""
    words = ["-b", "ocean", "-p", prefix, "-c", server.credentials, *flags, "-f", *sources]
    return [program("msm_os"), "send", *words]
