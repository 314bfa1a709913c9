"""What exported models cost beside the bare network, and what 8-bit integers lose.

    python benchmarks/exporting.py --data_dir data \
        --output benchmarks/results/exporting.json

A small network learns CIFAR-10H from pixels for some minutes and is exported to each
format. Beside each stands the bare network, exported by the format's own tools: the
same scaling, backbone and heads, to the same three arrays of probabilities, without
checks of shapes, batches of none, and decisions. Both answer in turn, call by call, so
that the load of the machine meets both alike; a ratio is that of two medians, of what a
clock says, and of the time of the processor, which waits for no others.

The file of integers is compared with `predict` on unlabeled images; its ranges were
measured on labeled ones.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pixel_training
import record
from absl import app, flags

import keras_dc3

FLAGS = flags.FLAGS
SETTINGS = ("minutes", "labeled", "images", "turns", "seconds")
FORMATS = {"tf_saved_model": "", "onnx": ".onnx", "litert": ".tflite"}
BATCHES, FILTERS = (1, 64), 24
Answer = Callable[[np.ndarray], dict[str, Any]]

flags.DEFINE_string("data_dir", None, "Folder of the data.", required=True)
flags.DEFINE_float("minutes", 3.0, "Of the training.")
flags.DEFINE_integer("labeled", 1600, "Images with one answer each.")
flags.DEFINE_integer("images", 5000, "Unlabeled images to compare answers on.")
flags.DEFINE_integer("turns", 5, "Measured turns of each format.", lower_bound=3)
flags.DEFINE_float("seconds", 4.0, "Of a turn.")
flags.DEFINE_integer("seed", 0, "Of weights and data.")
flags.DEFINE_string("output", None, "JSON file for the result.")


def train() -> tuple[keras_dc3.DC3Model, Any]:
    """Returns a trained model, whose weights are its averages, and the data."""
    seed = FLAGS.seed
    data = pixel_training.split(
        "cifar10h", FLAGS.data_dir, FLAGS.labeled, 10_000 - FLAGS.labeled, 1, seed
    )
    keras.utils.set_random_seed(seed)
    backbone = keras_dc3.backbones.small_cnn(data.image_shape, filters=FILTERS)
    model = keras_dc3.DC3Model(backbone)
    model.fit(data, time_limit=60 * FLAGS.minutes, verbose=0)
    return model, data


def bare_network(model: keras_dc3.DC3Model) -> Any:
    """Returns a `tf.function` of the network and its heads alone."""
    import tensorflow as tf

    averaged = model.with_averaged_weights()
    network = averaged.network
    spec = tf.TensorSpec((None, *model.image_shape), "uint8", name="images")

    @tf.function(input_signature=[spec])
    def run(images: Any) -> dict[str, Any]:
        found = averaged.probabilities(network(images, training=False))
        return {
            "class_probabilities": found["classes"],
            "cluster_probabilities": found["clusters"],
            "ambiguity": found["ambiguity"],
        }

    run.network = network  # lives as long
    return run


def export_bare(model: keras_dc3.DC3Model, folder: Path) -> None:
    """Writes the bare network in each format."""
    import tensorflow as tf
    import tf2onnx

    run = bare_network(model)
    module = tf.Module()
    module.weights = [weight.value for weight in run.network.variables]
    module.run = run
    tf.saved_model.save(module, folder / "bare", signatures=run)
    tf2onnx.convert.from_function(
        run,
        input_signature=run.input_signature,
        opset=17,
        output_path=str(folder / "bare.onnx"),
    )
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "bare"))
    (folder / "bare.tflite").write_bytes(converter.convert())


def opened(path: Path, format: str) -> Answer:
    """Returns what answers uint8 images by a file."""
    if format == "tf_saved_model":
        import tensorflow as tf

        loaded = tf.saved_model.load(path)
        serve = loaded.signatures["serving_default"]

        def answer(images: np.ndarray) -> dict[str, Any]:
            _ = loaded
            found = serve(images=tf.constant(images))
            return {name: value.numpy() for name, value in found.items()}

        return answer
    if format == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Idle threads of one session would take the processor from the other.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(path, options)
        names = [output.name for output in session.get_outputs()]
        return lambda images: dict(
            zip(names, session.run(None, {"images": images}), strict=True)
        )
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    runner = interpreter.get_signature_runner()
    return lambda images: runner(images=images)


def in_turn(first: Answer, second: Answer, images: np.ndarray) -> dict[str, list]:
    """Returns the median seconds of a call of each, which take turns.

    Returns:
        "clock" and "processor", each of the first and the second.
    """
    clocks = {"clock": time.perf_counter, "processor": time.process_time}
    took: dict[str, tuple[list, list]] = {name: ([], []) for name in clocks}
    for warm in (first, second):
        for _ in range(3):
            warm(images)
    end = time.perf_counter() + FLAGS.seconds
    turn = 0
    while time.perf_counter() < end or turn < 10:
        for which in (0, 1) if turn % 2 else (1, 0):
            begun = {name: now() for name, now in clocks.items()}
            (first, second)[which](images)
            for name, now in clocks.items():
                took[name][which].append(now() - begun[name])
        turn += 1
    return {name: [*map(statistics.median, both)] for name, both in took.items()}


def speeds(folder: Path, images: np.ndarray) -> list[dict[str, Any]]:
    """Returns what a call takes, of each format and size of batch."""
    answers = {
        (name, format): opened(folder / f"{name}{ending}", format)
        for format, ending in FORMATS.items()
        for name in ("model", "bare")
    }
    answers["integers", "litert"] = opened(folder / "integers.tflite", "litert")
    pairs = [("model", format) for format in FORMATS] + [("integers", "litert")]
    turns: dict[tuple, list[dict[str, list]]] = {}
    for _ in range(FLAGS.turns):
        for name, format in pairs:
            for batch in BATCHES:
                both = answers[name, format], answers["bare", format]
                seconds = in_turn(*both, images[:batch])
                turns.setdefault((name, format, batch), []).append(seconds)
    rows = []
    for (name, format, batch), found in turns.items():
        row: dict[str, Any] = {"file": name, "format": format, "batch": batch}
        for clock in ("clock", "processor"):
            pairs_of = [turn[clock] for turn in found]
            ratios = [ours / bare for ours, bare in pairs_of]
            row[clock] = {
                "seconds": statistics.median(ours for ours, _ in pairs_of),
                "bare_seconds": statistics.median(bare for _, bare in pairs_of),
                "ratio": statistics.median(ratios),
                "ratios": ratios,
            }
        rows.append(row)
    return rows


def agreement(answer: Answer, images: np.ndarray, expected: dict) -> dict[str, Any]:
    """Returns how far the answers of a file are from those of `predict`."""
    batches = [answer(images[i : i + 100]) for i in range(0, len(images), 100)]
    found = {name: np.concatenate([b[name] for b in batches]) for name in batches[0]}
    result = {}
    for name, ours in (
        ("class", "classes"),
        ("cluster", "clusters"),
    ):
        given, wanted = found[f"{name}_probabilities"], expected[ours]
        result[f"same_{name}"] = float(
            (given.argmax(axis=1) == wanted.argmax(axis=1)).mean()
        )
        result[f"mean_off_{name}"] = float(np.abs(given - wanted).mean())
        result[f"most_off_{name}"] = float(np.abs(given - wanted).max())
    ambiguity, wanted = found["ambiguity"], expected["ambiguity"]
    result["same_decision"] = float(((ambiguity < 0.5) == (wanted < 0.5)).mean())
    result["mean_off_ambiguity"] = float(np.abs(ambiguity - wanted).mean())
    result["most_off_ambiguity"] = float(np.abs(ambiguity - wanted).max())
    return result


def accuracy(answer: Answer, images: np.ndarray, truth: np.ndarray) -> float:
    """Returns the share of images whose most frequent answer is the likeliest class."""
    shares = keras_dc3.annotations.majority_shares(truth)
    batches = [
        answer(images[i : i + 100])["class_probabilities"].argmax(axis=1)
        for i in range(0, len(images), 100)
    ]
    return float(shares[np.arange(len(truth)), np.concatenate(batches)].mean())


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    model, data = train()
    images = np.asarray(data.unlabeled.images)[: FLAGS.images]
    truth = data.unlabeled.soft_labels[: FLAGS.images]
    expected = model.predict(images, batch_size=100, verbose=0)
    results: dict[str, Any] = {"agreement": {}, "megabytes": {}, "export_seconds": {}}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = {format: f"model{ending}" for format, ending in FORMATS.items()}
        files["int8"] = "integers.tflite"
        for kind, name in files.items():
            options = {"format": kind}
            if kind == "int8":
                options = {"format": "litert", "quantize": "int8"}
                options["representative"] = data.labeled
            begun = time.perf_counter()
            model.export(folder / name, **options)
            results["export_seconds"][kind] = time.perf_counter() - begun
            path = folder / name
            parts = [path] if path.is_file() else [*path.rglob("*")]
            size = sum(part.stat().st_size for part in parts if part.is_file())
            results["megabytes"][kind] = size / 1e6
            answer = opened(path, options["format"])
            found = agreement(answer, images, expected)
            found["accuracy"] = accuracy(answer, images, truth)
            results["agreement"][kind] = found
            print(kind, found, flush=True)
        export_bare(model, folder)
        results["speeds"] = speeds(folder, images)
    for row in results["speeds"]:
        print(row)
    if FLAGS.output:
        settings = {name: FLAGS[name].value for name in SETTINGS}
        packages = ("keras", "tensorflow", "onnxruntime", "tf2onnx", "ai-edge-litert")
        record.write(FLAGS.output, results, settings, packages, FLAGS.seed)


if __name__ == "__main__":
    app.run(main)
