"""SIMULATION: the same network trained again on the labels that a review gives.

    for d in cifar10h fashionmnist_h; do
      python benchmarks/table3_simulated.py --train_again --acceptance 0.1 \
          --data_dir data --study benchmarks/results/reduced-$d \
          --output benchmarks/results/table3_retrained-$d.json
    done

For each data set and seed: the strategy alone and with DC3 are trained as in
`benchmarks/table2.py`; scripted people answer to their proposals for the unlabeled
images, `--answers` times each; the network is trained on labeled and unlabeled images
with the resulting labels, supervised and from scratch, and scored on the validation
images:

    labeled                   the labeled images alone, for comparison
    none raw                  shares of blind answers
    none raw_shrunk           the same, drawn towards all images
    classes raw               shares of the answers to class proposals
    classes corrected         without the bias that the blind control share tells
    classes corrected_shrunk  drawn towards images of the same proposal, too
    dc3 ...                   the same of DC3 proposals
    real                      the real soft labels: the most that labels can do

Beside them stand the models that made the proposals, `model_classes` and `model_dc3`,
which know no answers.

What is finished stands in the output file, and is not done again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import protocol
import simulated_conditions as conditions
import simulated_people as people
from absl import flags

import keras_dc3
from keras_dc3 import metrics
from keras_dc3.data import ImageSet, SemiSupervisedData
from keras_dc3.experiments.records import read_json, write_json

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_integer("answers", 3, "Answers per image to train again on.", 1)
flags.DEFINE_integer("epochs", None, "Instead of the protocol's, to try it out.")
flags.DEFINE_integer("steps_per_epoch", None, "Likewise.")

# Mode -> estimates that are trained on; see `simulated_conditions.ESTIMATES`.
TRAINED = {
    "none": ("raw", "raw_shrunk"),
    "classes": ("raw", "corrected", "corrected_shrunk"),
    "dc3": ("raw", "corrected", "corrected_shrunk"),
}


def with_unlabeled(data: Any, labels: np.ndarray) -> SemiSupervisedData:
    """Returns the labeled and the unlabeled images with these labels, as labeled.

    Args:
        data: labeled, unlabeled and validation images.
        labels: (n_l + n_u, k) soft labels.
    """
    both = [data.labeled, data.unlabeled]
    images = np.concatenate([part.images for part in both])
    ids = [name for part in both for name in part.ids]
    return SemiSupervisedData(
        ImageSet(images, ids, class_names=data.class_names),
        labels.astype("float32"),
        batch_size=data.batch_size,
        augment=data.augment,
        seed=data.seed,
        name=data.name,
    )


def fit(data: Any, strategy: str, config: Any) -> keras_dc3.DC3Model:
    """Returns a model trained on data as the reduced protocol says."""
    settings = protocol.PROTOCOLS["reduced"]
    epochs = FLAGS.epochs or settings.epochs
    steps = FLAGS.steps_per_epoch or settings.steps_per_epoch
    keras.utils.set_random_seed(data.seed)
    model = protocol.make_model(
        data, strategy, config, epochs * steps, protocol="reduced"
    )
    model.fit(data, epochs=epochs, steps_per_epoch=steps, verbose=0)
    return model


def score(model: keras_dc3.DC3Model, part: Any) -> dict[str, float]:
    """Returns accuracy and weighted F1 against the majority, and KL."""
    predicted = model.predict(part, batch_size=100, verbose=0)["classes"]
    truth = part.soft_labels
    found = metrics.proposal_scores(
        truth, predicted, predicted.argmax(axis=1), np.zeros(len(truth))
    )
    return {
        "accuracy": float((predicted.argmax(axis=1) == part.majority).mean()),
        "f1": float(found["f1"]),
        "kl": conditions.divergence(truth, predicted),
    }


def all_labels(
    data: Any, proposals: dict[str, Any], acceptance: float
) -> dict[str, tuple[np.ndarray | None, float]]:
    """Returns condition -> labels of the unlabeled images, and actions per image."""
    crowd = people.Crowd(data.unlabeled.soft_labels, FLAGS.answers, data.seed)
    labels: dict[str, tuple[np.ndarray | None, float]] = {"labeled": (None, 0.0)}
    for mode in TRAINED:
        accepts = 0.0 if mode == "none" else acceptance
        condition = conditions.Condition(
            crowd, proposals[mode], mode, accepts, FLAGS.control, data.seed
        )
        actions = float(condition.actions[:, 0].sum())
        if mode == "none":
            found = condition.blind_labels_of(FLAGS.answers)
        else:
            found, _ = condition.labels_of(FLAGS.answers)
        labels |= {f"{mode} {name}": (found[name], actions) for name in TRAINED[mode]}
    return {**labels, "real": (data.unlabeled.soft_labels, 0.0)}


def train_again(
    data: Any, acceptance: float, known: dict[str, Any], result: dict[str, Any]
) -> Iterator[None]:
    """Fills condition -> scores, KL of the labels, and actions per image, one by one.

    Args:
        data: labeled, unlabeled and validation images.
        acceptance: see `people.Crowd.answer`.
        known: proposals by mode and scores of their models, filled here once for all
            acceptances.
        result: what is in it already is not done again.

    Raises:
        ValueError: if the models that make the proposals are others than in `result`.
    """
    vanilla = keras_dc3.DC3Config.vanilla()
    if not known:
        for mode, config in (("classes", vanilla), ("dc3", keras_dc3.DC3Config())):
            model = fit(data, FLAGS.strategy, config)
            known[mode] = model.propose(data.unlabeled, verbose=0)
            scores = {**score(model, data.validation), "actions": 0.0}
            known[f"model_{mode}"] = scores
        known["none"] = known["classes"]
    for name in ("model_classes", "model_dc3"):
        before = result.setdefault(name, known[name])
        if not np.allclose(list(before.values()), list(known[name].values())):
            raise ValueError(
                f"{name} scores {known[name]}, and {before} stands in the file: "
                "on this machine it is another model. Name another file by --output."
            )
    truth, sampled = data.unlabeled.soft_labels, np.eye(data.num_classes)[data.labels]
    for name, (soft, actions) in all_labels(data, known, acceptance).items():
        if name in result:
            continue
        labeled = data
        if soft is not None:
            labeled = with_unlabeled(data, np.concatenate([sampled, soft]))
        model = fit(labeled, "supervised", vanilla)
        one = {**score(model, data.validation), "actions": actions}
        if soft is not None:
            one["labels_kl"] = conditions.divergence(truth, soft)
        result[name] = one
        print(f"    {name}: {one}", flush=True)
        yield


def check_settings(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises ValueError where finished results were made with other settings."""
    for name in set(now) - {"seeds", "acceptance"}:
        if before.get(name) != now[name]:
            raise ValueError(
                f"{FLAGS.output} was made with {name}={before.get(name)}, and "
                f"{name}={now[name]} is asked for: name another file by --output."
            )


def run(record: Any) -> None:
    """Trains again for all data sets, seeds and acceptances.

    Args:
        record: makes the record of results and seconds.
    """
    done: dict[str, Any] = {}
    start = time.perf_counter()
    if FLAGS.output and os.path.exists(FLAGS.output):
        before = read_json(FLAGS.output)
        check_settings(before["settings"], record(done, 0.0)["settings"])
        done = before["results"]
        start -= before["seconds"]
    names = [f"{mode} {name}" for mode, found in TRAINED.items() for name in found]
    for folder in FLAGS.study:
        dataset = Path(folder).name.split("-", 1)[-1]
        for seed in map(int, FLAGS.seeds):
            data, known = None, {}
            for acceptance in map(float, FLAGS.acceptance):
                of_seed = done.setdefault(dataset, {}).setdefault(str(seed), {})
                result = of_seed.setdefault(f"acceptance {acceptance:g}", {})
                if {"labeled", *names, "real"} <= result.keys():
                    continue
                print(f"SIMULATION, {dataset}, seed {seed}, acceptance {acceptance:g}")
                data = data or protocol.make_data(
                    seed, dataset=dataset, data_dir=FLAGS.data_dir
                )
                for _ in train_again(data, acceptance, known, result):
                    if FLAGS.output:
                        seconds = time.perf_counter() - start
                        write_json(FLAGS.output, record(done, seconds))
