"""Runs a program on a terminal of its own, and tells what came to the terminal while it had how many columns.

usage: terminal.py COLUMNS STEPS PROGRAM [ARGUMENT]...

STEPS is a JSON list of what to do one after the other: each waits until TEXT has come since the step before, and so many seconds more, and
then resizes the terminal or types something:

    [{"text": "sending", "seconds": 0.5, "columns": 60}, {"text": "", "seconds": 1, "type": "\u0003"}]

Prints {"code": …, "output": [[COLUMNS, TEXT]…], "answers": [SECONDS…]}: of each step, how long it took until something came after it.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 60


def resize(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def main(columns, steps, *program):
    columns, steps = int(columns), json.loads(steps)
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        # The size is there before the program is.
        resize(0, columns)
        os.execvp(program[0], program)
    resize(terminal, columns)
    output, since, seen, done, answers = [], "", None, None, []
    end = time.monotonic() + LIMIT
    while True:
        assert time.monotonic() < end, f"it does not end: {output!r}"
        if steps:
            step = steps[0]
            if seen is None and step["text"] in since:
                seen = time.monotonic()
            if seen is not None and time.monotonic() >= seen + step["seconds"]:
                if "columns" in step:
                    columns = step["columns"]
                    resize(terminal, columns)
                if "type" in step:
                    os.write(terminal, step["type"].encode())
                steps, since, seen, done = steps[1:], "", None, time.monotonic()
        if not select.select([terminal], [], [], 0.02)[0]:
            continue
        try:
            came = os.read(terminal, 1 << 16).decode()
        except OSError:  # the program has ended
            break
        if not came:
            break
        if done is not None:
            answers.append(time.monotonic() - done)
            done = None
        since += came
        output.append([columns, came])
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        code = 128 + int(signal.Signals(-code))
    print(json.dumps({"code": code, "output": output, "answers": answers, "ended": None if done is None else time.monotonic() - done}))


main(*sys.argv[1:])
