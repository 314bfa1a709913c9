"""One cell of a study: trained, scored and recorded, in a process of its own."""

from __future__ import annotations

import contextlib
import datetime
import math
import multiprocessing
import os
import platform
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_dc3 import strategies
from keras_dc3._version import __version__
from keras_dc3.experiments.records import Cell, StudyFolder, write_json
from keras_dc3.experiments.scores import score_outputs
from keras_dc3.models import DC3Model


class Task(NamedTuple):
    """All that a process needs to train a cell.

    `strategy` and `config` are serialized, as Keras layers do not pickle.
    """

    folder: str
    cell: Cell
    make_data: Callable[[int], Any]
    make_model: Callable[..., Any]
    strategy: Any
    config: Any
    epochs: int
    steps_per_epoch: int | None
    validation_freq: int


def run(task: Task) -> None:
    """Trains and records a cell; an error is recorded as well."""
    _end_with_parent()
    folder = StudyFolder(task.folder)
    folder.failure_path(task.cell).unlink(missing_ok=True)  # of an earlier try
    try:
        with _logged(folder.log_path(task.cell)):
            record, outputs = train(task)
            folder.write_outputs(task.cell, outputs)
            write_json(folder.record_path(task.cell), record)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        content = {"cell": task.cell._asdict(), "error": message}
        write_json(folder.failure_path(task.cell), content)
        sys.exit(1)


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, however it went.

    Else the next run of the study would train the same cell beside this one.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Writes what is printed to a file, with the trace of an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        open(path, "w", encoding="utf-8", buffering=1) as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        try:
            yield
        except Exception:
            traceback.print_exc()
            raise


def train(task: Task) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns the record of a cell, and its raw outputs."""
    start = time.perf_counter()
    data = task.make_data(task.cell.seed)
    if getattr(data, "validation", None) is None:
        raise ValueError(
            "`make_data` must return a data set with a validation part, which the "
            f"scores are computed on. Received: {data!r}"
        )
    strategy = strategies.get(task.strategy)
    per_epoch = task.steps_per_epoch or data.steps(strategy.unlabeled_ratio)
    steps = per_epoch * task.epochs
    if isinstance(task.strategy, str):  # its ramp follows the length of the training
        strategy = strategies.get(task.strategy, steps)
    config = keras.saving.deserialize_keras_object(task.config)
    keras.utils.set_random_seed(task.cell.seed)
    model = task.make_model(data, strategy, config, steps)
    if not isinstance(model, DC3Model):
        raise TypeError(f"`make_model` must return a `DC3Model`. Received: {model!r}")
    _check_made_as_asked(model, strategy, config)
    with warnings.catch_warnings(record=True) as caught:
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        fit_start = time.perf_counter()
        history = model.fit(
            data,
            epochs=task.epochs,
            steps_per_epoch=task.steps_per_epoch,
            validation_freq=task.validation_freq,
            verbose=2,
        ).history
        fit_seconds = time.perf_counter() - fit_start
    kinds = (UserWarning, RuntimeWarning)
    caught = [w for w in caught if issubclass(w.category, kinds)]
    told = [str(w.message) for w in caught]
    for warning in caught:
        print(f"{warning.category.__name__}: {warning.message}")
    outputs = _outputs(model, data.validation)
    record = {
        "cell": task.cell._asdict(),
        "scores": score_outputs(outputs),
        "warnings": told,
        "seconds": {"fit": fit_seconds, "total": time.perf_counter() - start},
        "peak_memory_mib": peak_memory_mib(),
        "settings": {
            "strategy": keras.saving.serialize_keras_object(strategy)["config"],
            "config": config.get_config(),
            "epochs": task.epochs,
            "steps": steps,
            "data": repr(data),
            "image_shape": list(data.image_shape),
            "class_names": list(data.class_names),
            "batch_size": data.batch_size,
            "backbone": model.backbone.name,
            "parameters": int(model.network.count_params()),
            "optimizer": _plain_config(model.optimizer),
            "ema_decay": model.average.decay,
            "batch_norm": model.batch_norm,
            "dtype": model.dtype_policy.name,
        },
        "versions": versions(),
        "device": device(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "date": datetime.date.today().isoformat(),
        "history": history,
    }
    return record, outputs


def _check_made_as_asked(model: DC3Model, strategy: Any, config: Any) -> None:
    """Raises ValueError unless the model has this strategy and objective."""
    made, asked = (
        (type(s), {k: v for k, v in s.get_config().items() if k != "name"})
        for s in (model.ssl, strategy)
    )
    if model.config != config:
        what, made, asked = "config", model.config, config
    elif made != asked:
        what, made, asked = "ssl", made[1], asked[1]
    else:
        return
    raise ValueError(
        f"`make_model` must hand the `{what}` that it is given on to `DC3Model`, else "
        f"the record would be of another training. Given: {asked!r}. Found in the "
        f"model: {made!r}"
    )


def _outputs(model: Any, part: Any) -> dict[str, np.ndarray]:
    """Returns what is needed to compute any score later, for the images of a part."""
    predicted = model.predict(part, batch_size=100, verbose=0)
    if not all(np.isfinite(value).all() for value in predicted.values()):
        raise FloatingPointError(
            "The trained model predicts NaN or infinity: the training diverged."
        )
    outputs = {
        "soft_labels": part.soft_labels.astype("float32"),
        "classes": predicted["classes"],
        "clusters": predicted["clusters"].argmax(axis=1).astype("int32"),
        "features": model.embed(part, batch_size=100, verbose=0).astype("float16"),
    }
    if model.config.predicts_ambiguity:
        outputs["ambiguity"] = predicted["ambiguity"]
    return outputs


def _plain_config(optimizer: Any) -> dict[str, Any]:
    config = optimizer.get_config()
    return {
        name: value["config"] if isinstance(value, dict) else value
        for name, value in config.items()
        if isinstance(value, dict | float | int | str | bool)
    }


def versions() -> dict[str, str]:
    """Returns the versions that a result depends on."""
    backend = keras.backend.backend()
    return {
        "keras_dc3": __version__,
        "keras": keras.__version__,
        backend: getattr(sys.modules.get(backend), "__version__", "unknown"),
        "python": platform.python_version(),
    }


def device() -> str:
    """Returns the name of the GPU that the backend uses, else "CPU"."""
    name = keras.backend.backend()
    backend = sys.modules[name]  # imported by Keras; only one of them need be installed
    if name == "jax" and backend.default_backend() != "cpu":
        return backend.devices()[0].device_kind
    if name == "torch" and backend.cuda.is_available():
        return backend.cuda.get_device_name()
    if name == "tensorflow" and (gpus := backend.config.list_physical_devices("GPU")):
        details = backend.config.experimental.get_device_details(gpus[0])
        return details.get("device_name", "GPU")
    return "CPU"


def peak_memory_mib() -> float:
    """Returns the largest resident memory of this process so far; NaN if unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
