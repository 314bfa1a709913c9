"""Weights of a network: fetched, or read from a file, and never of another one."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

_HEAD = "_notop"


@contextmanager
def no_network(name: str) -> Iterator[None]:
    """Tells in one sentence what to do where weights cannot be fetched.

    Raises:
        OSError: which names the file.
    """
    try:
        yield
    except Exception as error:  # Keras raises a plain one
        found = re.search(r"URL fetch failure on (\S+?):? ", f"{error} ")
        if found is None:
            raise
        url = found.group(1)
        own = f"{name}.weights.h5"
        raise OSError(
            f"The weights of {name} cannot be fetched from here. Where there is a "
            f"network, run `python -m keras_dc3.backbones fetch {name} --to {own}` or "
            f"download {url}, copy the file here, and pass its path: "
            f'`keras_dc3.backbones.pretrained("{name}", weights="{own}")`.'
        ) from error


def load_weights(network: keras.Model, path: str | os.PathLike, name: str) -> None:
    """Gives a network the weights of a file, if they are its own.

    Args:
        network: a built model.
        path: a file of weights, `.weights.h5` or `.h5`, as Keras fetches and writes
            them.
        name: of the network, for messages.

    Raises:
        OSError: if there is no such file, or it is none of weights.
        ValueError: if they are of another network.
    """
    path = os.fspath(path)
    found = shapes_in(path)
    wanted = Counter(tuple(weight.shape) for weight in network.weights)
    missing, more = wanted - found, found - wanted
    # A file of the whole classifier has the weights of its head, too.
    if not missing and 0 < more.total() <= 2 and any(len(s) == 2 for s in more):
        raise ValueError(
            f"The file {path!r} holds {name} with its classification head. Take the "
            f"file without it, whose name ends in {_HEAD}.h5, or fetch it: `python -m "
            f"keras_dc3.backbones fetch {name} --to FILE`."
        )
    if missing or more:
        raise ValueError(
            f"The file {path!r} holds the weights of another network: "
            f"{found.total()} arrays, of which {(wanted & found).total()} have the "
            f"shape of one of the {wanted.total()} of {name}. Fetch its own: "
            f"`python -m keras_dc3.backbones fetch {name} --to FILE`."
        )
    network.load_weights(path)


def shapes_in(path: str | os.PathLike) -> Counter:
    """Returns how often each shape occurs among the weights in a file.

    Raises:
        OSError: if there is no such file, or it is none of weights.
    """
    import h5py

    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"There is no file {path!r}. `weights` is the path of a file, "
            '"imagenet", or None for random weights.'
        )

    shapes: Counter = Counter()

    def visit(name: str, item: Any) -> None:
        own = not re.search(r"(^|/)(optimizer|seed_generator|metrics)", name)
        if isinstance(item, h5py.Dataset) and own:
            shapes[tuple(item.shape)] += 1

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except OSError as error:
        raise OSError(
            f"The file {path!r} is no file of weights as Keras writes them, .h5 or "
            f".weights.h5 ({error}). A whole saved model goes through "
            "`keras.saving.load_model` and `keras_dc3.backbones.from_model`."
        ) from error
    return shapes
