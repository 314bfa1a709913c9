"""What the example scripts share: train, score, propose, draw, export."""

from __future__ import annotations

import datetime
import json
import logging as python_logging
import os
import platform
import sys
import textwrap
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from absl import flags, logging

import keras_dc3
from keras_dc3 import metrics, plots
from keras_dc3._text import number_of
from keras_dc3._validation import check_outside, check_writable_folder
from keras_dc3.data.images_by_id import without_picture

FLAGS = flags.FLAGS
flags.disclaim_key_flags()  # `--help` of an example lists those defined here for it


def define_flags(output: str, epochs: int, learning_rate: float, **defaults: Any):
    """Defines the flags that every example takes."""
    flags.DEFINE_string("output", output, "Folder for everything that is written.")
    flags.DEFINE_enum(
        "ssl",
        defaults.get("ssl", "mean_teacher"),
        keras_dc3.strategies.names(),
        "The semi-supervised strategy.",
    )
    flags.DEFINE_enum(
        "method",
        "dc3",
        ["dc3", "vanilla", "paper", "reference"],
        "The objective: DC3 with our defaults, the strategy alone, DC3 as the paper "
        "prints it, or DC3 as its authors' code computes it.",
    )
    flags.DEFINE_bool(
        "baseline", True, "Also train the strategy alone, to compare with."
    )
    flags.DEFINE_bool(
        "supervised",
        defaults.get("supervised", False),
        "Also train on the labeled images alone, to tell whether the others helped.",
    )
    flags.DEFINE_integer("epochs", epochs, "Epochs to train.", lower_bound=1)
    flags.DEFINE_integer(
        "steps_per_epoch", None, "Steps of an epoch; default: all images once."
    )
    flags.DEFINE_float(
        "time_limit",
        None,
        "Seconds that a training may take; one for which they are too few is shorter. "
        "Default: no limit.",
        lower_bound=1.0,
    )
    flags.DEFINE_integer("batch_size", 64, "Labeled images per batch.", lower_bound=1)
    flags.DEFINE_float("learning_rate", learning_rate, "Learning rate at the start.")
    flags.DEFINE_float("ema_decay", defaults.get("ema_decay", 0.99), "Of the average.")
    flags.DEFINE_integer("seed", 0, "Of the split, the weights and the data order.")


def define_workers() -> None:
    """Defines the flag of training on several machines."""
    flags.DEFINE_bool(
        "workers",
        False,
        "Train together with the same script on other machines, which the variable "
        "TF_CONFIG names, as docs/scale.md says.",
    )


def workers_strategy() -> Any:
    """Returns the strategy of all workers, as the flag says; None for one machine."""
    if not FLAGS.workers:
        return None
    if "TF_CONFIG" not in os.environ:
        sys.exit(
            "\n--workers needs the variable TF_CONFIG, which names all workers and "
            "which of them this is: docs/scale.md shows how to set it."
        )
    import tensorflow as tf

    return tf.distribute.MultiWorkerMirroredStrategy()


def define_labels(default: str | None) -> None:
    """Defines the flag of what labeled images are trained on.

    Args:
        default: "sampled" for what repeats the paper; None: as the answers are.
    """
    flags.DEFINE_enum(
        "labels",
        default,
        ["soft", "sampled"],
        "Train on all answers to a labeled image, as a soft label, or on one of them, "
        "drawn, as in the paper. Default: "
        f"{default or 'soft where an image has several answers'}.",
    )


def read_and_tell(
    read: Callable[[], keras_dc3.data.SemiSupervisedData],
    advice: str,
    in_flags: Callable[[str], str] = str,
    examples: str | None = None,
) -> keras_dc3.data.SemiSupervisedData:
    """Reads and describes the data; prints what is odd, and stops where it is wrong.

    Args:
        read: reads what the flags name.
        advice: what to do where no image is left to propose anything for; it ends the
            sentence that tells of it.
        in_flags: turns a message about arguments into one about flags.
        examples: a picture of some images to draw.
    """
    try:
        if folder := getattr(FLAGS, "images", None):
            check_outside(FLAGS.output, folder)
        check_writable_folder(FLAGS.output)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            data = read()
        if data.unlabeled is None:
            raise ValueError(
                "All images are labeled or for validation, so that there is none to "
                f"propose anything for{advice}"
            )
        for warning in caught:
            print(f"Note: {in_flags(str(warning.message))}\n")
        keras_dc3.datasets.describe(data, examples)
    except (ImportError, OSError, ValueError, TypeError) as error:
        sys.exit(f"\n{in_flags(str(error))}")
    if examples:
        print(f"\nExamples: {examples}\n")
    return data


def _config(method: str) -> keras_dc3.DC3Config:
    presets: dict[str, Callable[[], keras_dc3.DC3Config]] = {
        "dc3": keras_dc3.DC3Config,
        "vanilla": keras_dc3.DC3Config.vanilla,
        "paper": keras_dc3.DC3Config.paper,
        "reference": keras_dc3.DC3Config.reference,
    }
    return presets[method]()


def _optimizer(data: Any, steps: int) -> keras.optimizers.Optimizer:
    if len(data.image_shape) == 1:  # features
        return keras_dc3.optimizers.feature_optimizer(steps, FLAGS.learning_rate)
    schedule = keras_dc3.optimizers.SevenSixteenthsCosine(
        FLAGS.learning_rate, steps, warmup_steps=steps // 20
    )
    return keras_dc3.optimizers.KernelDecaySGD(schedule)


def _steps(data: Any, ssl: str) -> int:
    ratio = keras_dc3.strategies.get(ssl).unlabeled_ratio
    return FLAGS.steps_per_epoch or data.steps(ratio)


def train(
    data: Any,
    make_backbone: Callable[[], keras.Model],
    method: str,
    ssl: str | None = None,
    strategy: Any = None,
) -> tuple[keras_dc3.DC3Model, float]:
    """Trains one model as the flags say; returns it and the seconds it took.

    Args:
        data: what to train on.
        make_backbone: makes the backbone.
        method: the objective.
        ssl: a strategy to take instead of the flag's, for as many steps.
        strategy: of `tf.distribute`, to train under; None for none.
    """
    per_epoch = _steps(data, FLAGS.ssl)
    steps = per_epoch * FLAGS.epochs
    keras.utils.set_random_seed(FLAGS.seed)
    with nullcontext() if strategy is None else strategy.scope():
        model = keras_dc3.DC3Model(
            make_backbone(),
            ssl=ssl or FLAGS.ssl,
            config=_config(method),
            training_steps=steps,
            ema_decay=FLAGS.ema_decay,
        )
        model.compile(_optimizer(data, steps))
    start = time.perf_counter()
    model.fit(
        data,
        epochs=FLAGS.epochs,
        steps_per_epoch=FLAGS.steps_per_epoch if ssl is None else per_epoch,
        time_limit=FLAGS.time_limit,
    )
    seconds = time.perf_counter() - start
    print(f"{number_of(model.steps_taken, 'step')} took {seconds:.0f} s.\n")
    return model, seconds


def score(
    model: keras_dc3.DC3Model, part: Any, alone: keras_dc3.DC3Model | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns all scores of a model on a part whose answers are known, and intervals.

    Args:
        model: the model.
        part: the images.
        alone: the strategy alone, to compare its most confident images with.
    """
    outputs = model.predict(part, batch_size=100, verbose=0)
    ambiguity = outputs["ambiguity"] if model.config.predicts_ambiguity else None
    reference = None
    if alone is not None:
        reference = alone.predict(part, batch_size=100, verbose=0)["classes"]
    arguments = (part.soft_labels, outputs["classes"], outputs["clusters"], ambiguity)
    features = model.embed(part, batch_size=100, verbose=0)
    scores = {
        **metrics.proposal_scores(*arguments, features=features),
        **metrics.honest_context(
            part.soft_labels,
            outputs["classes"],
            ambiguity,
            reference_probabilities=reference,
        ),
    }
    intervals = metrics.score_intervals(
        *arguments, features=features, reference_probabilities=reference
    )
    if part.targets.ndim == 1:  # one answer per image does not tell how people differ
        scores = {k: v for k, v in scores.items() if k != "d" and k[:2] != "d_"}
    return scores, {name: intervals[name] for name in scores if name in intervals}


def judge(
    model: keras_dc3.DC3Model, part: Any, supervised: keras_dc3.DC3Model | None
) -> metrics.Verdict:
    """Returns the verdict on a model, by a part whose answers are known.

    Args:
        model: the model.
        part: the images.
        supervised: a model that was trained on the labeled images alone, or None.
    """
    outputs = model.predict(part, batch_size=100, verbose=0)
    labels_alone = None
    if supervised is not None:
        labels_alone = supervised.predict(part, batch_size=100, verbose=0)["classes"]
    return metrics.verdict(
        part.targets,
        outputs["classes"],
        outputs["clusters"],
        outputs["ambiguity"] if model.config.predicts_ambiguity else None,
        supervised_probabilities=labels_alone,
        class_names=model.class_names,
    )


def answers(part: Any) -> Any:
    """Returns the soft labels of a part of which people have seen every image."""
    known = part.has_counts and part.annotated.all()
    return part.soft_labels if known else None


def record(
    rows: dict[str, Any],
    intervals: dict[str, Any],
    verdict: metrics.Verdict,
    seconds: dict[str, float],
    path: str,
) -> None:
    """Writes verdict and scores with all that is needed to repeat them."""
    content = {
        "command": " ".join(["python", *sys.argv]),
        "date": datetime.date.today().isoformat(),
        "seed": FLAGS.seed,
        "versions": {
            "keras_dc3": keras_dc3.__version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "python": platform.python_version(),
        },
        "cores": os.cpu_count(),
        "seconds": seconds,
        "scores": {
            model: {name: float(value) for name, value in row.items()}
            for model, row in rows.items()
        },
        "intervals": {
            model: {name: list(map(float, ends)) for name, ends in row.items()}
            for model, row in intervals.items()
        },
        "verdict": json.loads(verdict.to_json()),
    }
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    os.replace(path + ".tmp", path)


def draw(proposals: keras_dc3.Proposals, part: Any, path: str) -> bool:
    """Draws the proposals that have a picture, tells the others; whether there is any.

    Args:
        proposals: of all images of the part.
        part: the images, or their features.
        path: of the file.
    """
    pictures = getattr(part, "pictures", part)
    if pictures is None:
        print("\nThere is no picture of them: only features of the images are known.")
        return False
    lost = dict(without_picture(pictures, proposals.ids))
    if lost:
        name, why = next(iter(lost.items()))
        print(
            f"\n{len(lost):,} of {len(proposals):,} images are left out of "
            f"the picture: {name!r} {why}{', and so on' if len(lost) > 1 else ''}."
        )
    rows = [row for row, name in enumerate(proposals.ids) if name not in lost]
    if not rows:
        return False
    known = answers(part)
    plots.plot_proposals(
        proposals.take(rows),
        part,
        path=path,
        soft_labels=None if known is None else known[rows],
    )
    return True


def run(
    data: Any,
    make_backbone: Callable[[], keras.Model],
    title: str,
    strategy: Any = None,
) -> None:
    """Trains, scores, proposes, draws and exports, as the flags say.

    Args:
        data: what to train on.
        make_backbone: makes the backbone.
        title: what the data are.
        strategy: of `tf.distribute`, to train under; None for none. Of several workers
            the first alone does what comes after training.
    """
    logging.set_verbosity(logging.WARNING)  # absl's `app` has set it to INFO
    # TensorFlow warns of graphs traced anew; here each is of another model.
    python_logging.getLogger("tensorflow").setLevel("ERROR")
    output = FLAGS.output
    check_writable_folder(output)  # better now than after training
    print(f"{title}\n{data!r}\n")
    rows, intervals, seconds = {}, {}, {}
    alone = supervised = None
    if FLAGS.supervised and (FLAGS.ssl, FLAGS.method) != ("supervised", "vanilla"):
        name = "labeled images alone"
        print(f"Training on {name} ...")
        supervised, seconds[name] = train(
            data, make_backbone, "vanilla", "supervised", strategy
        )
        rows[name], intervals[name] = score(supervised, data.validation)
    if FLAGS.baseline and FLAGS.method != "vanilla":
        name = f"{FLAGS.ssl} alone"
        print(f"Training {name} ...")
        alone, seconds[name] = train(data, make_backbone, "vanilla", strategy=strategy)
        rows[name], intervals[name] = score(alone, data.validation)
    name = f"{FLAGS.ssl} + {FLAGS.method}"
    print(f"Training {name} ...")
    model, seconds[name] = train(data, make_backbone, FLAGS.method, strategy=strategy)
    if model.collective.worker > 0:
        return
    rows[name], intervals[name] = score(model, data.validation, alone)
    model.verdict = judge(model, data.validation, supervised)
    # The other questions were answered at the end of its training.
    print(textwrap.fill(str(model.verdict["unlabeled"]), 88))
    if supervised is None:
        print("  Here --supervised trains that one, too.")

    print(f"\nScores on the {len(data.validation)} validation images\n")
    print(metrics.format_scores(rows, intervals=intervals))

    print("\nProposals for the unlabeled images")
    proposals = model.propose(data.unlabeled)
    print(proposals.summary(with_verdict=False))
    paths = {
        "scores": os.path.join(output, "scores.json"),
        "proposals": os.path.join(output, "proposals.csv"),
        "picture": os.path.join(output, "proposals.png"),
        "model to train on": os.path.join(output, "model.keras"),
        "model to serve": os.path.join(output, "saved_model"),
    }
    record(rows, intervals, model.verdict, seconds, paths["scores"])
    proposals.to_csv(paths["proposals"])
    model.save(paths["model to train on"])
    model.export(paths["model to serve"])
    if not draw(proposals, data.unlabeled, paths["picture"]):
        del paths["picture"]
    print("\nWritten:")
    for what, path in paths.items():
        print(f"  {what:18} {path}")
