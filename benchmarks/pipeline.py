"""How fast images come from disk, and what memory a large folder takes.

    python benchmarks/pipeline.py --output benchmarks/results/pipeline.json

Start: a folder of tiny files, a thousand of them annotated, is read by
`from_directory` and trained on for a few steps, in a process of its own; once with a
tenth of the files, once with all. What is more of memory with all of them, divided by
the files that are more, is what an image costs.

Speed: images per second that are decoded from JPEG, that get the weak and the strong
view, the strong one also in a single thread, and that come out of the whole pipeline
(decoded, with both views), for images of 32, 96 and 224 pixels; and the processor time
of an image, which tells more where others are at work. Medians over the turns; each
turn does all of it, so that the load of the machine meets all alike.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
VIEWS = ("weak", "strong")
BATCH = 64

flags.DEFINE_integer("files", 200_000, "Tiny files of the large folder.", 10_000)
flags.DEFINE_list("sizes", ["32", "96", "224"], "Heights and widths of the images.")
flags.DEFINE_integer("images", 1024, "Images of each size.", lower_bound=BATCH)
flags.DEFINE_integer("turns", 5, "Measured turns.", lower_bound=1)
flags.DEFINE_string("folder", None, "Where to write files; default: a temporary one.")
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_string("worker", None, "Internal: the folder that a process trains on.")


def write_tiny_files(folder: Path, number: int) -> None:
    """Writes PNG files of 8x8 pixels, a thousand to a folder, and `labels.csv`."""
    from PIL import Image

    rng = np.random.default_rng(0)
    content = []
    for _ in range(64):
        path = folder / "one.png"
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), "uint8")).save(path)
        content.append(path.read_bytes())
    path.unlink()
    names = [f"{i // 1000:04d}/image_{i:07d}.png" for i in range(number)]
    for i, name in enumerate(names):
        path = folder / "images" / name
        if i % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(content[i % len(content)])
    lines = ["image,annotator,label"]
    for i, name in enumerate(names[:: number // 1000]):
        lines += [
            f"{name},{person},{'ab'[(i + (person == 0)) % 2]}" for person in "012"
        ]
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")


def memory_mib() -> float:
    """Returns the resident memory of this process."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def work(folder: Path) -> None:
    """Trains on a folder of tiny files; prints seconds and memory."""
    import keras

    import keras_dc3

    result = {"imported_mib": memory_mib()}
    start = time.perf_counter()
    data = keras_dc3.datasets.from_directory(
        folder / "images", folder / "labels.csv", batch_size=BATCH
    )
    result["from_directory_seconds"] = time.perf_counter() - start
    result["ids_mib"] = sum(map(sys.getsizeof, data.unlabeled.ids)) / 2**20
    start = time.perf_counter()
    next(iter(data.training_batches(VIEWS)))
    result["first_batch_seconds"] = time.perf_counter() - start
    backbone = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(8, activation="relu")]
    )
    model = keras_dc3.DC3Model(backbone, ssl="fixmatch", training_steps=200)
    memory: dict[int, float] = {}
    seconds: list[float] = []

    def note(batch: int, logs: Any) -> None:
        seconds.append(time.perf_counter() - start)
        memory[batch + 1] = memory_mib()

    start = time.perf_counter()
    model.fit(
        data,
        epochs=1,
        steps_per_epoch=200,
        verbose=0,
        validation_data=(np.zeros((2, 8, 8, 3), "uint8"), np.array([0, 1])),
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)],
    )
    result["first_step_of_fit_seconds"] = seconds[0]
    result["memory_mib"] = {step: memory[step] for step in (1, 50, 100, 200)}
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result), flush=True)


def measure_start(folder: Path, number: int) -> dict[str, Any]:
    """Returns what a process says that trains on a folder of so many files."""
    folder = folder / f"tiny-{number}"
    folder.mkdir()
    write_tiny_files(folder, number)
    done = subprocess.run(
        [sys.executable, *sys.argv, f"--worker={folder}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    shutil.rmtree(folder)
    return json.loads(done.stdout.strip().splitlines()[-1])


def photographs(size: int, number: int) -> Any:
    """Returns random images (n, size, size, 3) that compress about as photographs."""
    rng = np.random.default_rng(size)
    coarse = rng.integers(0, 256, (number, size // 8, size // 8, 3))
    fine = np.kron(coarse, np.ones((1, 8, 8, 1), "int64"))
    return (fine + rng.integers(-12, 13, fine.shape)).clip(0, 255).astype("uint8")


def tasks(folder: Path, size: int) -> dict[str, Callable[[], int]]:
    """Returns name -> what does the work and returns for how many images."""
    import tensorflow as tf
    from PIL import Image

    import keras_dc3
    from keras_dc3.data.augment import augment

    folder = folder / str(size)
    folder.mkdir()
    pixels = photographs(size, FLAGS.images)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i:05d}.jpg", quality=90)
    files = keras_dc3.data.list_images(folder).files
    counts = np.eye(2, dtype="int64")[np.arange(len(files)) % 2]
    images = keras_dc3.data.FileImages(folder, files, counts)
    data = keras_dc3.data.SemiSupervisedData.from_image_set(
        images, BATCH, len(files) - BATCH, batch_size=BATCH
    )

    def decode() -> int:
        return sum(len(batch) for batch in images.image_batches(BATCH))

    def view(name: str, threads: int = tf.data.AUTOTUNE) -> Callable[[], int]:
        policy = keras_dc3.data.get_policy(name)
        batches = tf.data.Dataset.from_tensor_slices(pixels).batch(BATCH).cache()
        batches = batches.map(
            lambda batch: augment(policy, batch, tf.constant([1, 2])), threads
        )
        return lambda: sum(len(batch) for batch in batches)

    def whole() -> int:
        batches = data.training_batches(VIEWS)
        return sum(len(x["labeled"]) + len(x["unlabeled"]["weak"]) for x, _ in batches)

    return {
        "decode": decode,
        **{name: view(name) for name in VIEWS},
        "strong_single": view("strong", 1),
        "pipeline": whole,
    }


def measure_speed(folder: Path) -> dict[str, dict[str, Any]]:
    """Returns size -> task -> images per second."""
    results = {}
    for size in map(int, FLAGS.sizes):
        todo = tasks(folder, size)
        speeds: dict[str, list[float]] = {name: [] for name in todo}
        processor: dict[str, list[float]] = {name: [] for name in todo}
        for task in todo.values():
            task()  # traces graphs and warms the disk cache
        for _ in range(FLAGS.turns):
            for name, task in todo.items():
                start, used = time.perf_counter(), time.process_time()
                number = task()
                speeds[name].append(number / (time.perf_counter() - start))
                processor[name].append((time.process_time() - used) / number)
        results[str(size)] = {
            name: {
                "images_per_second": statistics.median(values),
                "all_images_per_second": values,
                "processor_seconds_per_image": statistics.median(processor[name]),
            }
            for name, values in speeds.items()
        }
        figures = "".join(
            f"{results[str(size)][name]['images_per_second']:12,.0f}" for name in todo
        )
        print(f"{size:6}{figures}", flush=True)
    return results


def main(argv: list[str]) -> None:
    """Runs the benchmark, or one of its processes."""
    del argv
    if FLAGS.worker:
        work(Path(FLAGS.worker))
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    folder = Path(tempfile.mkdtemp(prefix="keras_dc3_", dir=FLAGS.folder))
    load = os.getloadavg()[0]
    try:
        results = measure(folder)
    finally:
        shutil.rmtree(folder)
    if FLAGS.output:
        import record

        settings = {name: FLAGS[name].value for name in ("files", "images", "turns")}
        settings["batch_size"] = BATCH
        settings["load_before"] = load  # processes of others that want the cores
        packages = ("keras", "tensorflow", "pillow")
        record.write(FLAGS.output, results, settings, packages)


def measure(folder: Path) -> dict[str, Any]:
    """Returns all results, which it prints."""
    few, many = FLAGS.files // 10, FLAGS.files
    start = {}
    print("   files  from_directory  first batch  first step of fit  memory at the end")
    for number in (few, many):
        start[number] = result = measure_start(folder, number)
        print(
            f"{number:8,}{result['from_directory_seconds']:14.1f} s"
            f"{result['first_batch_seconds']:11.1f} s"
            f"{result['first_step_of_fit_seconds']:17.1f} s"
            f"{result['memory_mib']['200']:15,.0f} MiB",
            flush=True,
        )
    more = start[many]["memory_mib"]["200"] - start[few]["memory_mib"]["200"]
    ids = start[many]["ids_mib"] - start[few]["ids_mib"]
    per_image = more * 2**20 / (many - few)
    print(
        f"One more image takes {per_image:,.0f} bytes, of which its id takes "
        f"{ids * 2**20 / (many - few):,.0f}.\n"
    )
    print("Images per second\n  size      decode        weak      strong", end="")
    print("  one thread    pipeline")
    return {
        "start": {str(number): result for number, result in start.items()},
        "bytes_per_image": per_image,
        "speed": measure_speed(folder),
    }


if __name__ == "__main__":
    app.run(main)
