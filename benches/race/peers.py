#!/usr/bin/env python3
"""Sends a NetCDF file as one Zarr group in the way that another program does.

usage: peers.py PEER FILE CHUNKS ENDPOINT

PEER is one of those below; CHUNKS a JSON object with the chunk shape of each variable, or `own` for what the peer takes by itself.
Nothing is read back. Keys are taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
"""

import json
import os
import sys
import warnings

BUCKET, PLACE = "ocean", "peer.zarr"
# Blosc as the program writes it, by its name in the Zarr 3 specification.
LZ4 = {"cname": "lz4", "clevel": 5, "shuffle": "shuffle"}


def read(path, chunks):
    import xarray

    data = xarray.open_dataset(path, engine="netcdf4", decode_cf=False)
    encoding = {}
    if chunks:
        import zarr

        for name, shape in chunks.items():
            encoding[name] = {"chunks": tuple(shape), "compressors": [zarr.codecs.BloscCodec(**LZ4)]}
    # What belongs to the file's own storage.
    for variable in data.variables.values():
        variable.encoding = {}
    return data, encoding


def store(endpoint):
    import obstore.store
    import zarr.storage

    s3 = obstore.store.S3Store(BUCKET, prefix=PLACE, endpoint=endpoint, region="us-east-1", client_options={"allow_http": True})
    return zarr.storage.ObjectStore(s3)


def xarray_obstore(path, chunks, endpoint):
    data, encoding = read(path, chunks)
    data.to_zarr(store(endpoint), mode="w", encoding=encoding, consolidated=True, zarr_format=3)


def xarray_dask_zarrs(path, chunks, endpoint):
    import zarr
    import zarrs  # noqa: F401

    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "async.concurrency": 32})
    data, encoding = read(path, chunks)
    for name, shape in (chunks or {}).items():
        data[name] = data[name].chunk(dict(zip(data[name].dims, shape)))
    data.to_zarr(store(endpoint), mode="w", encoding=encoding, consolidated=True, zarr_format=3)


def icechunk(path, chunks, endpoint):
    import icechunk

    storage = icechunk.s3_storage(
        bucket=BUCKET, prefix=PLACE, endpoint_url=endpoint, region="us-east-1", allow_http=True, force_path_style=True, from_env=True
    )
    session = icechunk.Repository.create(storage).writable_session("main")
    data, encoding = read(path, chunks)
    data.to_zarr(session.store, mode="w", encoding=encoding, consolidated=False, zarr_format=3)
    session.commit("sent")


def tensorstore(path, chunks, endpoint):
    import netCDF4
    import numpy
    import tensorstore as ts

    source = netCDF4.Dataset(path)
    source.set_auto_maskandscale(False)
    context = ts.Context({"data_copy_concurrency": {"limit": os.cpu_count()}, "s3_request_concurrency": {"limit": 32}})
    written = []
    for name, variable in source.variables.items():
        shape = list(variable.shape)
        metadata = {"shape": shape, "data_type": numpy.dtype(variable.dtype).name, "fill_value": 0}
        if chunks and name in chunks:
            grid = {"name": "regular", "configuration": {"chunk_shape": chunks[name]}}
            blosc = {**LZ4, "typesize": variable.dtype.itemsize, "blocksize": 0}
            codecs = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "blosc", "configuration": blosc}]
            metadata |= {"chunk_grid": grid, "codecs": codecs}
        else:
            bytes_codec = {"name": "bytes", "configuration": {"endian": "little"}}
            metadata["codecs"] = [bytes_codec, {"name": "zstd", "configuration": {"level": 1}}]
            if len(shape) == 4:  # what was found to be quickest for it
                metadata["chunk_grid"] = {"name": "regular", "configuration": {"chunk_shape": [1, 25, 302, 360]}}
        kvstore = {
            "driver": "s3", "bucket": BUCKET, "path": f"{PLACE}/{name}/", "endpoint": endpoint, "aws_region": "us-east-1",
            "aws_credentials": {"type": "environment"},
        }
        array = ts.open({"driver": "zarr3", "kvstore": kvstore, "metadata": metadata}, context=context, create=True).result()
        step = array.chunk_layout.write_chunk.shape[1] if len(shape) == 4 else None
        if step is None:
            written.append(array.write(variable[...]))
            continue
        for level in range(0, shape[1], step):
            # A slab at a time, so that it is not the whole variable that is held.
            levels = slice(level, min(level + step, shape[1]))
            written.append(array[:, levels].write(variable[:, levels]))
            while len(written) > 4:
                written.pop(0).result()
    for pending in written:
        pending.result()


def main():
    peer, path, chunks, endpoint = sys.argv[1:]
    warnings.simplefilter("ignore")
    peers = {f.__name__: f for f in (xarray_obstore, xarray_dask_zarrs, icechunk, tensorstore)}
    peers[peer](path, None if chunks == "own" else json.loads(chunks), endpoint)


main()
