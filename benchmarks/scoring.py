"""What scoring many images by an exported model takes: time, processor, memory.

    python benchmarks/scoring.py --output benchmarks/results/scoring.json

TFRecord files of synthetic 32x32 PNG images are judged by an exported `small_cnn` of 8
filters that is not trained, each number of images in a process of its own, which
reports its largest resident memory. The seconds of all its threads on a processor do
not grow with the load of the machine, unlike those on the clock.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import record
from absl import app, flags
from memory import memory_mib

FLAGS = flags.FLAGS
_SIDE, _DIFFERENT = 32, 1000  # pixels, and images before they repeat
_PER_FILE = 50_000
_FILTERS = 8  # of the network

flags.DEFINE_list("images", "100000,1000000", "Each number is measured.")
flags.DEFINE_integer("seed", 0, "Of images and weights.")
flags.DEFINE_string("folder", None, "Where to write files; default: a temporary one.")
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_list("worker", None, "Internal: model, pattern of records, and result.")


def export_model(folder: str) -> None:
    """Exports a network whose weights follow from the seed."""
    import keras

    import keras_dc3

    keras.utils.set_random_seed(FLAGS.seed)
    backbone = keras_dc3.backbones.small_cnn((_SIDE, _SIDE, 3), filters=_FILTERS)
    model = keras_dc3.DC3Model(backbone, num_classes=10)
    model.build((None, _SIDE, _SIDE, 3))
    model.export(folder)


def write_records(folder: Path, number: int) -> None:
    """Writes TFRecord files of noise, each image with an id of its own."""
    import tensorflow as tf
    from PIL import Image

    rng = np.random.default_rng(FLAGS.seed)
    contents = []
    for pixels in rng.integers(0, 256, (_DIFFERENT, _SIDE, _SIDE, 3), "uint8"):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        contents.append(file.getvalue())
    example = tf.train.Example()
    image = example.features.feature["image"].bytes_list.value
    name = example.features.feature["id"].bytes_list.value
    image.append(b"")
    name.append(b"")
    folder.mkdir()
    for start in range(0, number, _PER_FILE):
        path = folder / f"part-{start // _PER_FILE:05d}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for i in range(start, min(start + _PER_FILE, number)):
                image[0] = contents[i % _DIFFERENT]
                name[0] = f"image_{i:08d}".encode()
                writer.write(example.SerializeToString())


def work(model: str, pattern: str, result: str) -> None:
    """Scores in this process; prints its figures as JSON."""
    import keras_dc3

    samples: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(1.0):
            samples.append(memory_mib("VmRSS"))

    watching = threading.Thread(target=watch)
    watching.start()
    summary = keras_dc3.scale.score(model, pattern, result)
    ended.set()
    watching.join()
    used = resource.getrusage(resource.RUSAGE_SELF)
    quarter = max(1, len(samples) // 4)
    figures = {
        "images": summary.images,
        "failed": summary.failed,
        "seconds": summary.seconds,
        "images_per_second": summary.images_per_second,
        "waiting": summary.waiting / summary.seconds,
        "in_model": summary.in_model / summary.seconds,
        "writing": summary.writing / summary.seconds,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_memory_mib": memory_mib("VmHWM"),
        "memory_mib_after_a_quarter": samples[quarter - 1],
        "memory_mib_at_the_end": samples[-1],
    }
    print("\n" + json.dumps(figures))


def measure(folder: Path, number: int) -> dict[str, Any]:
    """Returns the figures of one number of images."""
    records, result = folder / f"records-{number}", folder / f"scores-{number}"
    write_records(records, number)
    load = os.getloadavg()[0]
    worker = ",".join(map(str, (folder / "model", records / "*.tfrecord", result)))
    done = subprocess.run(
        [sys.executable, __file__, f"--worker={worker}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for path in records.iterdir():
        path.unlink()
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "load_before": load}


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    if FLAGS.worker:
        work(*FLAGS.worker)
        return
    results = []
    with tempfile.TemporaryDirectory(dir=FLAGS.folder) as temporary:
        folder = Path(temporary)
        export_model(str(folder / "model"))
        for number in map(int, FLAGS.images):
            results.append(measure(folder, number))
            print(results[-1], flush=True)
    if FLAGS.output:
        settings = {"side": _SIDE, "filters": _FILTERS, "batch_size": 128}
        packages = ("keras", "tensorflow", "pyarrow", "pillow")
        record.write(FLAGS.output, results, settings, packages, FLAGS.seed)


if __name__ == "__main__":
    app.run(main)
