"""The JSON record of a benchmark: its figures, and what is needed to repeat them."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sys
from typing import Any

import keras_dc3
from keras_dc3.experiments.records import write_json


def write(
    path: str,
    results: Any,
    settings: dict[str, Any],
    packages: tuple[str, ...],
    seed: int = 0,
) -> None:
    """Writes a record, whole or not at all.

    Args:
        path: the JSON file.
        results: the figures.
        settings: what they depend on, beside the versions.
        packages: whose versions they depend on.
        seed: of everything random.
    """
    versions = {name: importlib.metadata.version(name) for name in packages}
    ours = {"keras_dc3": keras_dc3.__version__, "python": platform.python_version()}
    record = {
        "command": " ".join(["python", *sys.argv]),
        "date": datetime.date.today().isoformat(),
        "versions": {**versions, **ours},
        "cores": os.cpu_count(),
        "seed": seed,
        "settings": settings,
        "results": results,
    }
    write_json(path, record)
