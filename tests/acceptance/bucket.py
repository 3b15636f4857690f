"""Looks into a bucket past the program.

usage: bucket.py list PREFIX           prints the keys below PREFIX with their ETags
       bucket.py await COUNT PREFIX    waits until there are COUNT objects below PREFIX
       bucket.py race PREFIX           64 writers create one object, 16 at once: exactly one may succeed

CREDENTIALS, the program's JSON file, and BUCKET are in the environment.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import S3Store

PATIENCE = 60  # seconds
WRITERS, AT_ONCE = 64, 16


def connect():
    with open(os.environ["CREDENTIALS"]) as file:
        access = json.load(file)
    return S3Store(
        os.environ["BUCKET"],
        endpoint=access["endpoint_url"],
        access_key_id=access["token"],
        secret_access_key=access["secret"],
        client_options={"allow_http": True},
    )


def entries(store, prefix):
    return [entry for page in store.list(prefix) for entry in page]


def wait(store, count, prefix):
    deadline = time.monotonic() + PATIENCE
    while len(entries(store, prefix)) < count:
        if time.monotonic() > deadline:
            sys.exit(f"not {count} objects below {prefix} after {PATIENCE} s")
        time.sleep(0.02)


def race(store, prefix):
    key = f"{prefix}/race"

    def create(writer):
        try:
            obstore.put(store, key, str(writer).encode(), mode="create")
            return writer
        except AlreadyExistsError:
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        won = [writer for writer in pool.map(create, range(WRITERS)) if writer is not None]
    held = bytes(obstore.get(store, key).bytes()).decode()
    obstore.delete(store, key)
    if [held] != [str(writer) for writer in won]:
        sys.exit(f"writers {won} succeeded, and the object is that of {held}")
    print(f"of {WRITERS} writers, {held} alone succeeded")


def main(what, *args):
    store = connect()
    if what == "list":
        for entry in entries(store, args[0]):
            print(entry["path"].removeprefix(f"{args[0]}/"), entry["e_tag"])
    elif what == "await":
        wait(store, int(args[0]), args[1])
    elif what == "race":
        race(store, args[0])
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
# obstore's threads sometimes crash the interpreter while it shuts down, when all is done.
sys.stdout.flush()
os._exit(0)
