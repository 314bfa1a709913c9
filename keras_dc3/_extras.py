"""Packages that need not be installed. Standard library only."""

from __future__ import annotations

import importlib
from typing import Any


def optional(module: str, needs: str, extra: str, otherwise: str = "") -> Any:
    """Returns a module of a package that need not be installed.

    Args:
        module: its name, such as "sklearn.manifold".
        needs: what needs which package, for the message.
        extra: of this package, which installs it.
        otherwise: what to do instead; begins with "; ".

    Raises:
        ImportError: if it is not installed.
    """
    try:
        importlib.import_module(module.partition(".")[0])  # as `import` does, too
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{needs}, which is not installed: pip install "
            f'"keras_dc3[{extra}]"{otherwise}'
        ) from error


def tensorflow_datasets(name: str) -> Any:
    """Returns TensorFlow Datasets, which reads the data set of this name.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise ImportError(
            f"The data set {name!r} is read by TensorFlow Datasets, which is not "
            "installed: pip install tensorflow-datasets"
        ) from error
