"""Trains two versions of the package with equal seeds, and tells what differs.

    python tests/compare_versions.py OLD NEW --output FOLDER [--only CASE ...]

OLD and NEW are source trees, such as two git worktrees. Each runs all cases in one
process: every strategy with the default objective (clusters by prototypes), the paper's
and the reference's objective (a linear cluster head), two replicas, arrays, and images
in files. What a case makes is written to FOLDER/old and FOLDER/new: weights,
their averages, logs and warnings, predictions, proposals as CSV and Parquet, a review
page, saved and exported files. All of it must be equal, byte for byte; what is not is
printed, arrays with their largest difference. The exit status is 1 if anything differs.

Versions are compared by what users call; where a name has changed, both are tried.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import functools
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np

SIZE, CLASSES = 12, ("cat", "dog", "eel")
STRATEGIES = ("supervised", "pi_model", "mean_teacher", "pseudo_label", "fixmatch")
# What holds a time, or the names of functions, which are counted over a process.
VOLATILE = ("metadata.json", "fingerprint.pb", "saved_model.pb")
COUNTED = re.compile(rb'"shared_object_id": [0-9]+|(?<=[a-z0-9])_[0-9]+(?=")')


def people(rng: np.random.Generator, number: int) -> np.ndarray:
    """Answers of five people to each image, (number, classes) counts."""
    shares = rng.dirichlet(np.full(len(CLASSES), 0.5), number)
    return np.stack([rng.multinomial(5, share) for share in shares])


def pictures(rng: np.random.Generator, counts: np.ndarray) -> np.ndarray:
    """Noise, brighter in the channel of each class by its share of the answers."""
    bright = counts[:, None, None, :] / counts.sum(axis=1).max() * 128
    noise = rng.integers(0, 128, (len(counts), SIZE, SIZE, 3))
    return (noise + bright).astype("uint8")


def backbone():
    """A small network with everything that has a state of its own."""
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            layers.Conv2D(8, 3, strides=2, kernel_regularizer="l2"),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            layers.Dropout(0.1, seed=3),
            layers.GlobalAveragePooling2D(),
        ],
        name="backbone",
    )


def make_model(ssl: str, preset: str = "default", **kwargs):
    import keras

    import keras_dc3

    keras.utils.set_random_seed(5)
    presets = {
        "default": keras_dc3.DC3Config,
        "paper": keras_dc3.DC3Config.paper,
        "reference": keras_dc3.DC3Config.reference,
        "vanilla": keras_dc3.DC3Config.vanilla,
    }
    strategy = keras_dc3.strategies.get(ssl, 30)
    return keras_dc3.DC3Model(
        backbone(),
        ssl=strategy,
        config=presets[preset](),
        training_steps=30,
        ema_decay=0.9,
        num_clusters=7,
        name="model",
        **kwargs,
    )


def data_set():
    import keras_dc3

    rng = np.random.default_rng(1)
    counts = people(rng, 150)
    return keras_dc3.datasets.from_arrays(
        pictures(rng, counts),
        counts,
        ids=[f"image_{i:03}" for i in range(150)],
        class_names=CLASSES,
        labeled=24,
        unlabeled=90,
        validation=36,
        batch_size=8,
        **one_label(),
    )


def one_label():
    """The argument for one drawn class of each image, where versions ask for it."""
    import keras_dc3

    make = keras_dc3.data.SemiSupervisedData.from_image_set
    asked = "labels" in inspect.signature(make).parameters
    return {"labels": "sampled"} if asked else {}


def file_data_set(folder: Path):
    """The same from image files and a table of answers."""
    from PIL import Image

    import keras_dc3

    rng = np.random.default_rng(2)
    counts = people(rng, 120)
    lines = ["image,annotator,label"]
    for i, image in enumerate(pictures(rng, counts)):
        path = folder / "images" / f"site {i % 3}" / f"{i:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        answers = np.repeat(CLASSES, counts[i])
        name = path.relative_to(folder / "images").as_posix()
        lines += [f"{name},person {p},{said}" for p, said in enumerate(answers)]
    table = folder / "answers.csv"
    table.write_text("\n".join(lines) + "\n")
    return keras_dc3.datasets.from_directory(
        folder / "images",
        keras_dc3.Annotations.from_csv(table),
        labeled=24,
        unlabeled=60,
        validation=24,
        batch_size=8,
        **one_label(),
    )


def write_model(model, folder: Path) -> None:
    """Writes all state of a model, by order: names may differ between versions."""
    arrays = {f"weight_{i:03}": w for i, w in enumerate(model.get_weights())}
    variables = model.optimizer.variables
    arrays |= {f"optimizer_{i:03}": np.asarray(v) for i, v in enumerate(variables)}
    np.savez(folder / "weights.npz", **arrays)
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")


def write_results(model, data, folder: Path) -> None:
    """Writes what a model says of a data set, and what is made of that."""
    outputs = model.predict(data.unlabeled, verbose=0)
    np.savez(folder / "predictions.npz", **outputs)
    np.savez(folder / "features.npz", features=model.embed(data.unlabeled, verbose=0))
    scores = model.evaluate(data, verbose=0, return_dict=True)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1))
    proposals = model.propose(data.unlabeled, batch_size=20, verbose=0)
    (folder / "summary.txt").write_text(proposals.summary())
    proposals.to_csv(folder / "proposals.csv")
    proposals.to_parquet(folder / "proposals.parquet")
    proposals.to_review(folder / "review.html", data.unlabeled)


def train(model, folder: Path, *args, **kwargs) -> None:
    history = model.fit(*args, **{"verbose": 2, "epochs": 2, **kwargs})
    (folder / "history.json").write_text(json.dumps(history.history, indent=1))


def of_strategy(ssl: str, preset: str = "default", **kwargs):
    """A case: a data set, one strategy, one objective."""

    def run(folder: Path) -> None:
        data, model = data_set(), make_model(ssl, preset, **kwargs)
        train(model, folder, data, steps_per_epoch=6)
        write_model(model, folder)
        write_results(model, data, folder)

    return run


def of_files(folder: Path) -> None:
    data, model = file_data_set(folder), make_model("pi_model", batch_norm="per_view")
    train(model, folder, data, class_weight="balanced")
    write_model(model, folder)
    write_results(model, data, folder)
    model.export(folder / "saved_model")
    write_answers(folder)


def write_answers(folder: Path) -> None:
    """Asks an exported model."""
    import tensorflow as tf

    served = tf.saved_model.load(folder / "saved_model").signatures
    images = np.random.default_rng(4).integers(0, 256, (5, SIZE, SIZE, 3), "uint8")
    answers = served["serving_default"](tf.constant(images))
    answers |= served["class_names"]()
    # TensorFlow gives them in any order, and text as objects.
    arrays = {name: answers[name].numpy() for name in sorted(answers)}
    texts = {k: v.astype("S") for k, v in arrays.items() if v.dtype == object}
    np.savez(folder / "served.npz", **arrays | texts)


def batches(*views: str):
    rng = np.random.default_rng(3)
    images = rng.random((26, SIZE, SIZE, 3)).astype("float32")
    x = {"labeled": images, "unlabeled": {view: images[::-1] for view in views}}
    return x, rng.permutation(np.arange(26) % 3)


def of_arrays(folder: Path) -> None:
    """A dict of arrays, `tf.data` and a generator, one after the other."""
    import tensorflow as tf

    model = make_model("fixmatch", num_classes=3)
    x, y = batches("weak", "strong")
    held_out = x["labeled"][:13], np.eye(3, dtype="float32")[y[:13]]
    train(model, folder, x, y, batch_size=8, validation_data=held_out)
    stream = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    train(model, folder, stream, initial_epoch=2, epochs=3)
    generator = stream.repeat().as_numpy_iterator()
    train(model, folder, generator, epochs=1, steps_per_epoch=3)
    labeled = {name: part[:8] for name, part in x["unlabeled"].items()}
    model.train_on_batch({"labeled": x["labeled"][:8], "unlabeled": labeled}, y[:8])
    write_model(model, folder)


def of_images(folder: Path) -> None:
    """Plain images and labels."""
    model = make_model("supervised", "vanilla", num_classes=3)
    x, y = batches()
    train(model, folder, x["labeled"], y, batch_size=8, validation_split=0.3)
    write_model(model, folder)


@functools.cache
def two_replicas():
    """A second such object in a process breaks TensorFlow."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def of_replicas(ssl: str, preset: str):
    """A case: the batches are shared by two replicas."""

    def run(folder: Path) -> None:
        data = data_set()
        with two_replicas().scope():
            model = make_model(ssl, preset)
        train(model, folder, data)
        write_model(model, folder)

    return run


CASES = {
    **{ssl: of_strategy(ssl) for ssl in STRATEGIES},
    "paper": of_strategy("mean_teacher", "paper", batch_norm="per_view"),
    "reference": of_strategy("fixmatch", "reference", evaluate_with="raw"),
    "files": of_files,
    "arrays": of_arrays,
    "images": of_images,
    "replicas": of_replicas("mean_teacher", "default"),
    "linear_replicas": of_replicas("pi_model", "paper"),
}


def work(output: Path, names: list[str]) -> None:
    """Runs cases on the version that Python finds, and writes what they make."""
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration() for _ in range(2)],
    )
    tf.config.experimental.enable_op_determinism()
    # The order of sums follows the number of threads.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(2)  # one for each replica
    for name in names:
        folder = output / name
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped
        folder.mkdir(parents=True)
        os.chdir(folder)
        said = io.StringIO()
        with (
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stdout(said),
        ):
            warnings.simplefilter("always", UserWarning)
            CASES[name](Path("."))
        lines = [line for line in said.getvalue().splitlines() if "step - " not in line]
        told = [f"{w.category.__name__}: {w.message}" for w in caught]
        told = [line for line in told if "keras/src" not in line]
        (folder / "said.txt").write_text("\n".join([*lines, *told]))
        print(f"  {name}", flush=True)


def arrays_of(path: Path) -> dict[str, np.ndarray] | None:
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return dict(arrays)
    if path.name.endswith(".h5"):
        import h5py

        found: dict[str, np.ndarray] = {}
        with h5py.File(path) as file:
            file.visititems(
                lambda name, item: (
                    found.update({name: np.asarray(item)})
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
        return found
    return None


def tell_difference(old: Path, new: Path) -> list[str]:
    """Returns what differs between two files, as lines; none if they are equal."""
    if filecmp.cmp(old, new, shallow=False):
        return []
    if old.suffix == ".keras":
        return tell_difference_of_archives(old, new)
    arrays, others = arrays_of(old), arrays_of(new)
    if arrays is not None:
        lines = []
        if list(arrays) != list(others):
            lines.append(f"arrays {sorted(set(arrays) ^ set(others)) or 'reordered'}")
        for name in arrays.keys() & others.keys():
            one, other = arrays[name], others[name]
            if one.shape != other.shape:
                lines.append(f"{name}: shapes {one.shape}, {other.shape}")
            elif not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
                most = np.abs(np.subtract(one, other, dtype="float64")).max()
                lines.append(f"{name}: differs by up to {most:.3g}")
        return sorted(lines)
    texts = [path.read_bytes() for path in (old, new)]
    with contextlib.suppress(UnicodeDecodeError):
        pair = [text.decode().splitlines() for text in texts]
        for number, (line, other) in enumerate(zip(*pair, strict=False), 1):
            if line != other:
                at = next(
                    (
                        i
                        for i, (a, b) in enumerate(zip(line, other, strict=False))
                        if a != b
                    ),
                    min(len(line), len(other)),
                )
                part = slice(max(at - 40, 0), at + 80)
                return [
                    f"line {number}: {line[part]!r}",
                    f"       new: {other[part]!r}",
                ]
        return [f"{len(pair[0])} lines, now {len(pair[1])}"]
    return ["differs"]


def tell_difference_of_archives(old: Path, new: Path) -> list[str]:
    lines = []
    with zipfile.ZipFile(old) as one, zipfile.ZipFile(new) as other:
        if one.namelist() != other.namelist():
            lines.append(f"holds {other.namelist()} instead of {one.namelist()}")
        for name in {*one.namelist()} & {*other.namelist()}:
            if name in VOLATILE:
                continue
            pair = []
            for side, archive, path in (("old", one, old), ("new", other, new)):
                part = path.with_name(f"{path.stem}.{side}.{name}")
                # Keras counts some objects over a process.
                part.write_bytes(COUNTED.sub(b"", archive.read(name)))
                pair.append(part)
            lines += [f"{name}: {line}" for line in tell_difference(*pair)]
            for part in pair:
                part.unlink()
    return lines


def compare(old: Path, new: Path, names: list[str]) -> bool:
    """Prints what differs between two folders; returns whether anything does."""
    files = {
        path.relative_to(root)
        for root in (old, new)
        for name in names
        for path in (root / name).rglob("*")
        if path.is_file() and path.name not in VOLATILE
    }
    number = 0
    for file in sorted(files):
        if not (old / file).exists() or not (new / file).exists():
            lines = ["only in the " + ("new" if (new / file).exists() else "old")]
        else:
            lines = tell_difference(old / file, new / file)
        number += bool(lines)
        for line in lines:
            print(f"{file}: {line}")
    print(f"{len(files)} files compared, {number} differ.")
    return bool(number)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.output.resolve(), args.only)
        return
    for side, tree in (("old", args.old), ("new", args.new)):
        folder = (args.output / side).resolve()
        # What a tree was asked for before is not made again, unless it is removed.
        names = [
            name for name in args.only if not (folder / name / "said.txt").exists()
        ]
        if not names:
            continue
        print(f"{side}: {tree}", flush=True)
        command = [sys.executable, __file__, str(tree), str(tree), "--work"]
        subprocess.run(
            [*command, "--output", str(folder), "--only", *names],
            env={**os.environ, "PYTHONPATH": str(tree.resolve())},
            check=True,
        )
    sys.exit(compare(args.output / "old", args.output / "new", args.only))


if __name__ == "__main__":
    main()
