"""Files of this machine, and by address (`gs://`, `s3://`) through fsspec."""

from __future__ import annotations

import glob
import os
from typing import IO, Any

from keras_dc3._extras import optional

# What a store knows of a file that changes with it, under one of these names.
_MARKS = ("ETag", "etag", "md5Hash", "generation", "mtime", "LastModified", "created")


def is_address(path: str) -> bool:
    """Whether a path is the address of a store, such as "gs://bucket/fish"."""
    return "://" in path


def store_of(address: str) -> tuple[Any, str]:
    """Returns fsspec's file system of an address, and the path in it.

    Raises:
        ImportError: without fsspec, or the package for that kind of address.
        ValueError: if there is no such kind.
    """
    fsspec = optional("fsspec.core", "Addresses are read by fsspec", "remote")
    return fsspec.url_to_fs(address)


def open_file(path: str) -> IO[bytes]:
    """Opens a file of this machine, or one by its address, to read bytes."""
    if not is_address(path):
        return open(path, "rb")
    store, inside = store_of(path)
    return store.open(inside, "rb")


def read_file(path: str) -> bytes:
    """Returns the bytes of a file by its address."""
    store, inside = store_of(path)
    return store.cat_file(inside)


def put_file(path: str, address: str) -> None:
    """Copies a file of this machine to an address, whatever is there."""
    store, inside = store_of(address)
    store.makedirs(inside.rpartition("/")[0], exist_ok=True)
    store.put_file(path, inside)


def get_folder(address: str, folder: str) -> None:
    """Copies the files of a folder by its address into one of this machine."""
    store, root = store_of(address)
    root = root.rstrip("/")
    for name in store.find(root):
        path = os.path.join(folder, *name[len(root) :].strip("/").split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        store.get_file(name, path)


def remove_folder(address: str) -> None:
    """Removes a folder by its address, with all in it."""
    store, inside = store_of(address)
    if store.exists(inside):
        store.rm(inside, recursive=True)


def is_folder(path: str) -> bool:
    """Whether there is such a folder."""
    if not is_address(path):
        return os.path.isdir(path)
    store, inside = store_of(path)
    return bool(store.isdir(inside))


def is_file(path: str) -> bool:
    """Whether there is such a file."""
    if not is_address(path):
        return os.path.isfile(path)
    store, inside = store_of(path)
    return bool(store.isfile(inside))


def expanded(pattern: str) -> list[str]:
    """Returns the files that a pattern such as "fish-*.tfrecord" means, sorted."""
    if not is_address(pattern):
        return sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))
    store, inside = store_of(pattern)
    return sorted(store.unstrip_protocol(name) for name in store.glob(inside))


def stamp(path: str) -> tuple[Any, Any]:
    """Returns what changes when a file is written anew: its size, and its time."""
    if not is_address(path):
        found = os.stat(path)
        return found.st_size, found.st_mtime_ns
    store, inside = store_of(path)
    return stamp_of(store.info(inside))


def stamp_of(info: dict[str, Any]) -> tuple[Any, Any]:
    """Returns the same of what a store says of a file."""
    return info.get("size"), next((info[k] for k in _MARKS if info.get(k)), None)


def beside(path: str, name: str) -> str:
    """Returns the path that a name in a file means, which counts from its folder."""
    if is_address(name) or os.path.isabs(name):
        return name
    if is_address(path):
        return f"{path.rpartition('/')[0]}/{name}"
    return os.path.join(os.path.dirname(path), name)
