"""A grid of trainings, one process per cell, that can be stopped and resumed."""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_dc3 import strategies as strategies_module
from keras_dc3._validation import (
    check_positive_int,
    check_seed,
    check_writable_folder,
    tell_of_pictures,
)
from keras_dc3.config import DC3Config
from keras_dc3.experiments import cell as cell_module
from keras_dc3.experiments.processes import run_each
from keras_dc3.experiments.records import (
    Cell,
    StudyFolder,
    check_cell_name,
    plain,
    read_json,
    write_json,
)
from keras_dc3.experiments.summary import Summary, summarize


class Study:
    """Trains {strategy} x {config} x {seed}, and records every run.

    Each cell is trained in a process of its own, so that none disturbs another, and
    recorded as soon as it is finished: settings, seed, scores on the validation
    images, scores of each epoch, warnings, versions, seconds and memory. A study that
    was stopped goes on where it was; at most the running cells are lost.

    Args:
        make_data: `make_data(seed)` returns a data set with a validation part, such as
            those of `keras_dc3.datasets`. Cells of one seed should get the same.
        make_model: `make_model(data, ssl, config, training_steps)` returns a compiled
            `DC3Model`. Keras' seed is set before. Both functions must stand at the top
            level of a module or script, since other processes import them.
        strategies: names of strategies, or a dict name -> name or instance.
        configs: name -> `DC3Config`.
        seeds: different integers of at least 0.
        epochs: to train each cell.
        steps_per_epoch: None for an epoch that shows every image.
        validation_freq: epochs from one pass over the validation images to the next.

    Raises:
        ValueError, TypeError: if an argument is not as described.

    Example:

    ```python
    def make_data(seed):
        return keras_dc3.datasets.load("digits", seed=seed)

    def make_model(data, ssl, config, training_steps):
        backbone = keras_dc3.backbones.small_cnn(data.image_shape)
        return keras_dc3.DC3Model(
            backbone, ssl=ssl, config=config, training_steps=training_steps
        )

    if __name__ == "__main__":  # the processes import this file
        study = keras_dc3.experiments.Study(
            make_data,
            make_model,
            strategies=["supervised", "mean_teacher"],
            configs={"vanilla": DC3Config.vanilla(), "dc3": DC3Config()},
            seeds=[1, 2, 3],
            epochs=15,
        )
        print(study.run("runs/digits", processes=2, threads=1))
    ```
    """

    def __init__(
        self,
        make_data: Callable[[int], Any],
        make_model: Callable[..., Any],
        strategies: Sequence[str] | Mapping[str, Any],
        configs: Mapping[str, DC3Config],
        seeds: Sequence[int],
        epochs: int,
        steps_per_epoch: int | None = None,
        validation_freq: int = 1,
    ):
        self.make_data, self.make_model = make_data, make_model
        for name, function in (("make_data", make_data), ("make_model", make_model)):
            _check_importable(name, function)
        if isinstance(strategies, str):
            raise TypeError(
                "`strategies` must be a list of names or a dict. "
                f"Received: {strategies!r}"
            )
        if not isinstance(strategies, Mapping):
            strategies = {name: name for name in strategies}
        self.strategies = {}
        for name, strategy in strategies.items():
            check_cell_name("strategy", name)
            if isinstance(strategy, type):
                raise TypeError(
                    f"`strategies[{name!r}]` must be a name or an instance, such as "
                    f"`{strategy.__name__}()`. Received: {strategy!r}"
                )
            found = strategies_module.get(strategy)  # or a clear error
            if not isinstance(strategy, str):
                strategy = keras.saving.serialize_keras_object(found)
                # Keras counts names up, so that they differ from run to run.
                strategy["config"].pop("name", None)
            self.strategies[name] = strategy
        if not isinstance(configs, Mapping):
            raise TypeError(
                "`configs` must be a dict, name -> `DC3Config`. Received: "
                f"{type(configs).__name__}"
            )
        for name, config in configs.items():
            check_cell_name("config", name)
            if not isinstance(config, DC3Config):
                raise TypeError(
                    f"`configs[{name!r}]` must be a `DC3Config`. Received: {config!r}"
                )
        self.configs = dict(configs)
        self.seeds = list(seeds)
        for seed in self.seeds:
            check_seed(seed)
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"`seeds` must differ. Received: {self.seeds}")
        if not (self.strategies and self.configs and self.seeds):
            raise ValueError(
                "A study needs at least one strategy, one config and one seed."
            )
        check_positive_int("epochs", epochs)
        if steps_per_epoch is not None:
            check_positive_int("steps_per_epoch", steps_per_epoch)
        check_positive_int("validation_freq", validation_freq)
        self.epochs, self.steps_per_epoch = int(epochs), steps_per_epoch
        self.validation_freq = int(validation_freq)

    @property
    def cells(self) -> list[Cell]:
        """All cells; those of a seed follow each other."""
        return [
            Cell(strategy, config, seed)
            for seed in self.seeds
            for config in self.configs
            for strategy in self.strategies
        ]

    def run(
        self,
        folder: str | os.PathLike,
        processes: int = 1,
        threads: int | None = None,
    ) -> Summary:
        """Trains the cells that are not finished yet, and summarizes all.

        A cell that fails is reported, and tried again by the next `run`; the others
        go on. `keras_dc3.experiments.records` says which files are written.

        Args:
            folder: for the records. One that holds the records of another study with
                the same settings is continued, also with more strategies, configs or
                seeds.
            processes: cells trained side by side. On a CPU, one per core with
                `threads=1` is fastest.
            threads: of each process; None leaves it to the backend.

        Returns:
            The `Summary` of the finished cells.

        Raises:
            ValueError: if `folder` holds cells with other settings.
            RuntimeError: if cells failed; the message names them and the logs.
        """
        check_positive_int("processes", processes)
        if threads is not None:
            check_positive_int("threads", threads)
        check_writable_folder(folder)
        study = StudyFolder(folder)
        if not study.manifest_path.exists():
            tell_of_pictures("The study", folder)
        write_json(study.manifest_path, self._manifest(study.manifest()))
        todo = [cell for cell in self.cells if not study.record_path(cell).exists()]
        total = len(self.cells)
        print(f"{total - len(todo)} of {total} cells are finished.", flush=True)
        progress = _Progress(study, total - len(todo), total)
        tasks = [self._task(study, cell) for cell in todo]
        try:
            run_each(cell_module.run, tasks, processes, threads, progress)
        except KeyboardInterrupt:
            print(
                f"\nStopped: {progress.done} of {total} cells are finished. Run again."
            )
            raise
        if progress.failed:
            first = progress.failed[0]
            raise RuntimeError(
                f"{len(progress.failed)} of {total} cells failed, the first "
                f"{first.name}: {study.failures().get(first, 'its process died')}. Its "
                f"log is {str(study.log_path(first))!r}. Run again to retry them."
            )
        return summarize(folder)

    def _task(self, study: StudyFolder, cell: Cell) -> cell_module.Task:
        return cell_module.Task(
            folder=str(study.path),
            cell=cell,
            make_data=self.make_data,
            make_model=self.make_model,
            strategy=self.strategies[cell.strategy],
            config=keras.saving.serialize_keras_object(self.configs[cell.config]),
            epochs=self.epochs,
            steps_per_epoch=self.steps_per_epoch,
            validation_freq=self.validation_freq,
        )

    def _manifest(self, before: dict[str, Any] | None) -> dict[str, Any]:
        """Returns what this study and the cells `before` it are made of."""
        fixed = {"epochs": self.epochs, "steps_per_epoch": self.steps_per_epoch}
        command = " ".join(["python", *sys.argv])
        made_by = {
            "make_data": _path_of(self.make_data),
            "make_model": _path_of(self.make_model),
        }
        named = {
            "strategies": self.strategies,
            "configs": {n: config.get_config() for n, config in self.configs.items()},
        }
        seeds, commands = self.seeds, [command]
        if before is not None:
            for name, value in fixed.items():
                _check_same(name, before[name], value)
            for kind, entries in named.items():
                for name in entries.keys() & before[kind].keys():
                    _check_same(f"{kind}[{name!r}]", before[kind][name], entries[name])
                named[kind] = {**before[kind], **entries}
            seeds = sorted({*before["seeds"], *self.seeds})
            commands = list(dict.fromkeys([*before.get("commands", ()), command]))
        return {**fixed, **made_by, **named, "seeds": seeds, "commands": commands}


class _Progress:
    """Prints a line per cell, with the time left."""

    def __init__(self, study: StudyFolder, done: int, total: int):
        self.study, self.done, self.total = study, done, total
        self.failed: list[Cell] = []
        self._new, self._start = 0, time.monotonic()

    def __call__(self, task: cell_module.Task, exit_code: int) -> None:
        self.done += 1
        self._new += 1
        passed = time.monotonic() - self._start
        left = passed / self._new * (self.total - self.done)
        if exit_code or not self.study.record_path(task.cell).exists():
            self.failed.append(task.cell)
            died = f"its process died, exit code {exit_code}"
            what = self.study.failures().get(task.cell, died)
            what = f"FAILED ({what})"
        else:
            record = read_json(self.study.record_path(task.cell))
            scores, seconds = record["scores"], record["seconds"]["total"]
            what = (
                f"F1 {100 * scores['f1']:.1f}, d {100 * scores['d']:.1f}, accuracy "
                f"{100 * scores['accuracy']:.1f}, {seconds:.0f} s"
            )
        print(
            f"[{self.done}/{self.total}] {task.cell.name}: {what}; about "
            f"{left / 60:.0f} min left",
            flush=True,
        )


def _path_of(function: Callable) -> str:
    function = getattr(function, "func", function)  # of a functools.partial
    return f"{function.__module__}.{function.__qualname__}"


def _check_importable(name: str, function: Any) -> None:
    if not callable(function):
        raise TypeError(f"`{name}` must be a function. Received: {function!r}")
    problem = (
        f"`{name}` must stand at the top level of a module or script (not of a "
        "notebook), so that other processes can import it. Received: "
        f"{function!r}"
    )
    try:
        pickle.dumps(function)
    except Exception as error:
        raise ValueError(problem) from error
    interactive = not hasattr(sys.modules["__main__"], "__file__")
    if interactive and _path_of(function).startswith("__main__."):
        raise ValueError(problem)


def _check_same(name: str, before: Any, now: Any) -> None:
    if before != plain(now):
        raise ValueError(
            f"The folder holds cells trained with {name}={before!r}, but this study "
            f"has {now!r}; use another folder, or the same settings."
        )
