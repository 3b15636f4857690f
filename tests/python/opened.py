"""A store where the tests have it: a directory, or s3://bucket/key with ENDPOINT, ACCESS_KEY and SECRET_KEY in the environment."""

import os

from obstore.store import S3Store
from zarr.storage import LocalStore, ObjectStore


def open_store(place):
    if not place.startswith("s3://"):
        return LocalStore(place, read_only=True)
    bucket, key = place.removeprefix("s3://").split("/", 1)
    s3 = S3Store(
        bucket,
        prefix=key,
        endpoint=os.environ["ENDPOINT"],
        access_key_id=os.environ["ACCESS_KEY"],
        secret_access_key=os.environ["SECRET_KEY"],
        client_options={"allow_http": True},
    )
    return ObjectStore(s3, read_only=True)
