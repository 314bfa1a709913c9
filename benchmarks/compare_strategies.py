"""Where do unlabeled images help, and where does DC3, on features and from pixels?

    python benchmarks/compare_strategies.py --data_dir data \
        --output benchmarks/results/strategies
    python benchmarks/compare_strategies.py --input pixels --data_dir data \
        --output benchmarks/results/strategies_pixels

Trains every strategy of `keras_dc3.strategies.names()`, on stored features with
`feature_mlp` or from pixels with `small_cnn` of 16 filters, alone
(`DC3Config.vanilla()`) and with DC3, on the answers of so many people to so many
images, as soft labels, each by its name alone and the optimizer for
features or for pixels. The two start from the same weights and see the same images in
the same order. Of each pair of trainings, on a fifth of the set, which neither was
trained on and whose answers of about 50 people are known:

    accuracy, macro_f1    against the most frequent answer
    softmax, entropy, margin, p_a    AUROC, for images whose most frequent answer has
                  less than 80%; p_a of DC3 only
    certain       share of the images that DC3 calls certain
    f1            weighted F1 of as many images: those that DC3 calls certain, and those
                  which the strategy alone is most confident of
    d, d_class, d_k_means    distances of soft labels in the clusters (eq. 4, weighted
                  by size) of the images that DC3 calls ambiguous, by p_o (DC3 only),
                  and by class and by k-means on features of the model itself
    mask_rate     share of the unlabeled images that took part in the strategy's loss

Strategies that take more unlabeled images than labeled ones by default, `fixmatch` and
its successors, take as many here, as in the reduced protocol of Table 2; other numbers
by `--unlabeled_ratio`. `linear_probe` is `probes.ClassProbe` on the same features or
pixels. Features stand in `<dataset>_features.npz` in `--data_dir`, as
`embed_features.py` makes them. One seed is finished before the next begins; cells that
the output files have are not trained again.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import feature_data
import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
FEATURES, PIXELS = "features", "pixels"
DATASETS = ("cifar10h", "fashionmnist_h")
FILTERS = 16
NETWORKS = {
    FEATURES: {
        "cifar10h": "ResNet-9",
        "fashionmnist_h": "residual network (CIFAR-10H)",
    },
    PIXELS: dict.fromkeys(DATASETS, f"small_cnn, {FILTERS} filters"),
}
STEPS = {FEATURES: 400, PIXELS: 1600}  # as `fit` picks them at least
PROBE = "linear_probe"
UNCERTAINTIES = ("softmax", "entropy", "margin")

flags.DEFINE_enum("input", FEATURES, [FEATURES, PIXELS], "What is trained on.")
flags.DEFINE_list("datasets", list(DATASETS), "The sets, each a file in --data_dir.")
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_list("strategies", None, "Default: the linear probe, and all there are.")
flags.DEFINE_integer(
    "unlabeled_ratio",
    1,
    "Unlabeled images per labeled one, of strategies with more than one by default.",
    lower_bound=1,
)
flags.DEFINE_list("labeled", ["200", "1600"], "Numbers of labeled images.")
flags.DEFINE_integer("answers", 3, "Answers to each.", lower_bound=1)
flags.DEFINE_integer("seeds", 5, "Trainings of each cell.", lower_bound=1)
flags.DEFINE_integer(
    "steps", None, f"Steps of a training; default {STEPS}.", lower_bound=1
)
flags.DEFINE_string(
    "output", None, "Beginning of the files: <output>-<dataset>.json.", required=True
)


def ratio_of(strategy: str) -> int:
    """Returns how many unlabeled images a strategy takes per labeled one."""
    from keras_dc3 import strategies

    return min(strategies.get(strategy).unlabeled_ratio, FLAGS.unlabeled_ratio)


class Source:
    """What a set is trained on, and the answers to its images."""

    def __init__(self, folder: Path, dataset: str):
        self.counts = feature_data.read_counts(folder, dataset)
        if FLAGS.input == FEATURES:
            path = folder / f"{dataset}_features.npz"
            self.features = feature_data.read_features(path)
        else:
            with np.load(folder / f"{dataset}.npz") as file:
                self.images = file["images"]

    def data_of(self, cell: dict[str, Any]) -> Callable[[], Any]:
        """Returns what makes the data set of a cell anew, always the same."""
        seed = cell["seed"]
        counts, parts = feature_data.divide(
            self.counts, cell["labeled"], cell["answers"], seed
        )
        if FLAGS.input == FEATURES:
            make, inputs = feature_data.make_data, self.features
        else:
            make, inputs = feature_data.make_pixel_data, self.images
        return functools.partial(make, inputs, counts, parts, seed)


def train(
    strategy: str, config: Any, data: Any, cell: dict[str, Any]
) -> tuple[Any, dict]:
    """Returns what a trained model proposes, and the figures of its training."""
    import keras

    import keras_dc3

    keras.utils.clear_session()
    keras.utils.set_random_seed(cell["seed"])
    ssl: Any = strategy  # by name, as its weight may be another on features
    given = keras_dc3.strategies.get(strategy)
    if given.unlabeled_ratio > 1:
        ssl = type(given)(unlabeled_ratio=FLAGS.unlabeled_ratio)
    if FLAGS.input == FEATURES:
        backbone = keras_dc3.backbones.feature_mlp(data.image_shape)
    else:
        backbone = keras_dc3.backbones.small_cnn(data.image_shape, filters=FILTERS)
    model = keras_dc3.DC3Model(
        backbone, ssl=ssl, config=config, training_steps=cell["steps"]
    )
    start = time.perf_counter()
    history = model.fit(
        data,
        steps_per_epoch=cell["steps"],
        epochs=1,
        validation_freq=2,  # never: the figures are computed once, below
        verbose=0,
    ).history
    told = {
        "mask_rate": float(history["mask_rate"][-1]),
        "seconds": time.perf_counter() - start,
    }
    return model.propose(data.validation, verbose=0), told


def of_classes(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Returns how good class probabilities are, and how well they tell ambiguity."""
    from sklearn.metrics import f1_score

    from keras_dc3 import metrics

    context = metrics.honest_context(labels, probabilities)
    macro_f1 = f1_score(
        labels.argmax(axis=1), probabilities.argmax(axis=1), average="macro"
    )
    aurocs = {name: context[f"auroc_{name}"] for name in UNCERTAINTIES}
    return {"accuracy": context["accuracy"], "macro_f1": macro_f1, **aurocs}


def of_pair(labels: np.ndarray, alone: Any, dc3: Any) -> dict[str, dict[str, float]]:
    """Returns the figures of what a strategy proposes alone, and with DC3."""
    from keras_dc3 import metrics

    context = metrics.honest_context(
        labels,
        dc3.class_probabilities,
        dc3.ambiguity,
        reference_probabilities=alone.class_probabilities,
    )
    figures = {}
    for name, found in (("alone", alone), ("dc3", dc3)):
        scores = metrics.proposal_scores(
            labels,
            found.class_probabilities,
            dc3.cluster_probabilities,
            dc3.ambiguity,
            features=found.embeddings,
        )
        figures[name] = of_classes(labels, found.class_probabilities)
        for kind in ("d_class", "d_k_means"):
            figures[name][kind] = scores[f"{kind}_size_weighted"]
    figures["alone"]["f1"] = context["f1_confident_reference"]
    figures["dc3"] |= {
        "p_a": context["auroc_ambiguity"],
        "certain": 1 - scores["ambiguous"],
        "f1": scores["f1"],
        "d": scores["d_size_weighted"],
    }
    return figures


def run_cell(
    make_data: Callable[[], Any], cell: dict[str, Any]
) -> dict[str, dict[str, float]]:
    """Returns the figures of a cell: "alone" and, of a strategy, "dc3"."""
    import keras_dc3
    from keras_dc3.probes import ClassProbe

    data, strategy = make_data(), cell["strategy"]
    labels = data.validation.soft_labels
    if strategy == PROBE:
        start = time.perf_counter()
        probe = ClassProbe().fit(feature_data.plain_features(data.labeled), data.labels)
        found = probe.predict(feature_data.plain_features(data.validation))
        seconds = time.perf_counter() - start
        return {"alone": {**of_classes(labels, found), "seconds": seconds}}
    alone, told = train(strategy, keras_dc3.DC3Config.vanilla(), data, cell)
    dc3, told_of_dc3 = train(strategy, keras_dc3.DC3Config(), make_data(), cell)
    figures = of_pair(labels, alone, dc3)
    return {"alone": figures["alone"] | told, "dc3": figures["dc3"] | told_of_dc3}


def rounded(figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Returns figures with so many digits as tell something."""
    return {
        name: {key: round(float(value), 5) for key, value in of_model.items()}
        for name, of_model in figures.items()
    }


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    import record

    from keras_dc3 import strategies

    folder = feature_data.folder_of(FLAGS.data_dir)
    networks = NETWORKS[FLAGS.input]
    paths = {name: Path(f"{FLAGS.output}-{name}.json") for name in FLAGS.datasets}
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in paths}
    for name, path in paths.items():
        if not path.exists():
            continue
        before = json.loads(path.read_text("utf-8"))
        known, network = before["settings"]["network"], networks.get(name, "features")
        if known != network:
            raise app.UsageError(
                f"{path} is of {known!r}, not of {network!r}. Name another --output."
            )
        results[name] = before["results"]
    sources = {name: Source(folder, name) for name in paths}
    cells = [
        (
            dataset,
            {
                "strategy": strategy,
                "unlabeled_ratio": 0 if strategy == PROBE else ratio_of(strategy),
                "labeled": int(labeled),
                "answers": FLAGS.answers,
                "steps": FLAGS.steps or STEPS[FLAGS.input],
                "seed": seed,
            },
        )
        for seed, labeled, dataset, strategy in itertools.product(
            range(FLAGS.seeds),
            FLAGS.labeled,
            paths,
            FLAGS.strategies or (PROBE, *strategies.names()),
        )
    ]
    # Those beyond the labeled ones have answers, too, which are not trained on.
    warnings.filterwarnings("ignore", ".* unlabeled images of `split` have answers")
    known = {name: [run["cell"] for run in runs] for name, runs in results.items()}
    cells = [(name, cell) for name, cell in cells if cell not in known[name]]
    start = time.perf_counter()
    for i, (dataset, cell) in enumerate(cells, start=1):
        found = rounded(run_cell(sources[dataset].data_of(cell), cell))
        results[dataset].append({"cell": cell, **found})
        network = networks.get(dataset, "features")
        settings = {"dataset": dataset, "input": FLAGS.input, "network": network}
        packages = ("keras", "tensorflow", "numpy")
        record.write(str(paths[dataset]), results[dataset], settings, packages)
        shown = " -> ".join(f"{m['accuracy']:.3f}" for m in found.values())
        seconds = time.perf_counter() - start
        print(
            f"{i}/{len(cells)} {dataset} {cell['labeled']:5,} {cell['strategy']:13}"
            f"seed {cell['seed']}: accuracy {shown}; {seconds:.0f} s, "
            f"{seconds / i * (len(cells) - i) / 60:.0f} min left",
            flush=True,
        )


if __name__ == "__main__":
    app.run(main)
