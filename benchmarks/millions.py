"""What summary, groups and the choice of what to ask next take over millions of images.

    python benchmarks/millions.py --output benchmarks/results/millions.json

Files as `score` writes them hold made-up proposals: 10 classes, 50 clusters, class
probabilities of a network that is sure of most images; no pictures. Each number of
images is asked about in a process of its own, by one thread: file by file
(`scale.Scores`) and, of the numbers named, all at once (`Proposals`), which is to give
the same. The seconds on a processor do not grow with the load of the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import record
from absl import app, flags
from memory import memory_mib

FLAGS = flags.FLAGS
_CLASSES, _CLUSTERS = 10, 50
_PER_FILE = 8192
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_ANSWERED = 1000  # images that two people have answered

flags.DEFINE_list("images", "100000,10000000", "Each number is measured.")
flags.DEFINE_list("whole", "100000,1000000", "Likewise, all at once.")
flags.DEFINE_integer("with_embeddings", 0, "Images that have some, for a run of these.")
flags.DEFINE_integer("width", 16, "Numbers of these embeddings.")
flags.DEFINE_integer("budget", 500, "Actions.")
flags.DEFINE_integer("seed", 0, "Of the proposals.")
flags.DEFINE_string("folder", None, "Where to write files; default: a temporary one.")
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_list("worker", None, "Internal: folder, and whether all at once.")


def write_run(folder: Path, number: int, width: int) -> None:
    """Writes files of made-up proposals, which follow from the seed."""
    from keras_dc3._decision import is_certain
    from keras_dc3.proposals import parquet_format, shards
    from keras_dc3.proposals.data import ProposalData

    folder.mkdir()
    checksums = {}
    starts = range(0, number, _PER_FILE)
    for place, start in enumerate(starts):
        n = min(_PER_FILE, number - start)
        rng = np.random.default_rng([FLAGS.seed, place])
        p = rng.dirichlet(np.full(_CLASSES, 0.15), n).astype("float32")
        clusters = rng.integers(0, _CLUSTERS, n)
        places = None
        if width:
            places = rng.normal(size=(n, width)) + clusters[:, None] % 7
        data = ProposalData.from_columns(
            [f"fish/{i // 10_000:04d}/{i:08d}.png" for i in range(start, start + n)],
            rng.random(n, "float32"),
            p / p.sum(axis=1, keepdims=True),
            clusters,
            rng.random(n, "float32"),
            [f"class {c}" for c in range(_CLASSES)],
            places,
        )
        shard = shards.Shard("run", place, n, int(is_certain(data.ambiguity).sum()))
        path = folder / shards.name_of(place)
        checksums[path.name] = parquet_format.write(data, path, shard.metadata())
    summary = {"run": "run", "shards": len(starts)}
    (folder / shards.SUMMARY).write_text(json.dumps(summary))
    (folder / shards.MANIFEST).write_text(json.dumps({shards.CHECKSUMS: checksums}))


def answers(number: int) -> Any:
    """Returns what two people said of some images, spread over all."""
    import keras_dc3

    rng = np.random.default_rng(FLAGS.seed)
    rows = [
        (f"fish/{i // 10_000:04d}/{i:08d}.png", name, f"class {rng.integers(_CLASSES)}")
        for i in range(0, number, number // _ANSWERED)
        for name in ("anna", "ben")
    ]
    return keras_dc3.Annotations.from_records(rows)


def work(folder: str, whole: str) -> None:
    """Asks one folder in this process; prints the figures as JSON."""
    import pyarrow

    import keras_dc3
    from keras_dc3.proposals import shards
    from keras_dc3.scale import Scores

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    figures: dict[str, Any] = {"memory_before_mib": memory_mib("VmRSS")}

    def timed(name: str, run: Callable[[], Any]) -> Any:
        begun, used = time.perf_counter(), time.process_time()
        found = run()
        figures[f"{name}_seconds"] = time.perf_counter() - begun
        figures[f"{name}_processor_seconds"] = time.process_time() - used
        return found

    paths = sorted(map(str, Path(folder).glob("part-*")))
    timed("checksums", lambda: list(map(shards.checksum_of, paths)))
    kind = keras_dc3.Proposals.from_parquet if int(whole) else Scores
    scores = timed("opening", lambda: kind(folder))
    said = answers(len(scores))
    told = [timed("summary", scores.summary), timed("cards", scores.cards)]
    asked = timed("next", lambda: scores.next(FLAGS.budget))
    again = timed("next_with_answers", lambda: scores.next(FLAGS.budget, said))
    told += [[str(question) for question in one] for one in (asked, again)]
    figures |= {
        "images": len(scores),
        "whole": bool(int(whole)),
        "megabytes": sum(map(os.path.getsize, paths)) / 1e6,
        "asked": len(asked.ids),
        "peak_memory_mib": memory_mib("VmHWM"),
        "told": hashlib.sha256(json.dumps(told).encode()).hexdigest(),
    }
    print("\n" + json.dumps(figures))


def measure(folder: Path, number: int, whole: list[bool], width: int) -> list[Any]:
    """Returns the figures of one number of images, which are written for it."""
    run = folder / f"scores-{number}-{width}"
    begun = time.perf_counter()
    write_run(run, number, width)
    print(f"{number:,} written in {time.perf_counter() - begun:.0f} s", flush=True)
    found = []
    for at_once in whole:
        load = os.getloadavg()[0]
        command = [sys.executable, __file__, f"--worker={run},{int(at_once)}"]
        command += [f"--budget={FLAGS.budget}", f"--seed={FLAGS.seed}"]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, **_ONE_THREAD},
        )
        figures = json.loads(done.stdout.splitlines()[-1])
        found.append({**figures, "width": width, "load_before": load})
        print(found[-1], flush=True)
    for path in run.iterdir():
        path.unlink()
    if len({one["told"] for one in found}) > 1:
        raise AssertionError(f"{number:,} images are told otherwise all at once.")
    return found


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    if FLAGS.worker:
        work(*FLAGS.worker)
        return
    results = []
    by_file, at_once = set(map(int, FLAGS.images)), set(map(int, FLAGS.whole))
    with tempfile.TemporaryDirectory(dir=FLAGS.folder) as temporary:
        for number in sorted(by_file | at_once):
            kinds = [False] * (number in by_file) + [True] * (number in at_once)
            results += measure(Path(temporary), number, kinds, 0)
        if FLAGS.with_embeddings:
            number, width = FLAGS.with_embeddings, FLAGS.width
            results += measure(Path(temporary), number, [False], width)
    if FLAGS.output:
        settings = {
            "classes": _CLASSES,
            "clusters": _CLUSTERS,
            "images_per_file": _PER_FILE,
            "answered": _ANSWERED,
            "budget": FLAGS.budget,
        }
        packages = ("keras", "tensorflow", "numpy", "pyarrow")
        record.write(FLAGS.output, results, settings, packages, FLAGS.seed)


if __name__ == "__main__":
    app.run(main)
