"""What the scripts of the paper's tables share: objectives, flags, and a run.

All cells of a protocol and a data set stand in one folder, so that a cell that several
tables show is trained once.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence

import protocol
from absl import flags, logging

from keras_dc3 import DC3Config, experiments

FLAGS = flags.FLAGS
RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")
# The share of images that people disagree on. CIFAR-10H: the paper's figure. On
# Fashion-MNIST-H, where of 66 people nearly always one differs (99.5% of the images),
# the share of which the most frequent answer has less than 80%.
MEASURED = {"cifar10h": 0.32, "fashionmnist_h": 0.51}


def configs(dataset: str) -> dict[str, DC3Config]:
    """Returns the objectives that the tables compare."""
    return {
        "vanilla": DC3Config.vanilla(),
        "dc3": DC3Config(),
        "reference": DC3Config.reference(),
        "paper": DC3Config.paper(),
        "linear": DC3Config(cluster_head="linear"),
        "ce_inverse": DC3Config.ce_inverse_only(),
        "cc": DC3Config.cc_only(),
        "measured_prior": DC3Config(prior=MEASURED[dataset]),
    }


def define_flags(strategies: Sequence[str], objectives: Sequence[str]) -> None:
    """Defines the flags that all tables take."""
    flags.DEFINE_enum(
        "protocol", "reduced", list(protocol.PROTOCOLS), "See benchmarks/protocol.py."
    )
    flags.DEFINE_enum("dataset", "cifar10h", list(MEASURED), "What to train on.")
    flags.DEFINE_string(
        "data_dir", None, "Folder of the data; default $KERAS_DC3_DATA."
    )
    flags.DEFINE_list("strategies", list(strategies), "The strategies to train.")
    flags.DEFINE_list("configs", list(objectives), "The objectives to train.")
    flags.DEFINE_list("seeds", ["1", "2", "3"], "Seeds of split, weights and order.")
    flags.DEFINE_integer("processes", 1, "Cells trained side by side.", lower_bound=1)
    flags.DEFINE_integer("threads", None, "Threads of each; default: all cores.")
    flags.DEFINE_integer("epochs", None, "Instead of the protocol's, to try it out.")
    flags.DEFINE_integer("steps_per_epoch", None, "Likewise.")
    flags.DEFINE_string(
        "output", None, "Default: benchmarks/results/<protocol>-<dataset>."
    )


def run() -> None:
    """Trains the cells that are not finished, and prints the summary."""
    logging.set_verbosity(logging.WARNING)
    settings = protocol.PROTOCOLS[FLAGS.protocol]
    data_dir = None if FLAGS.data_dir is None else os.path.abspath(FLAGS.data_dir)
    known = configs(FLAGS.dataset)
    study = experiments.Study(
        functools.partial(protocol.make_data, dataset=FLAGS.dataset, data_dir=data_dir),
        functools.partial(protocol.make_model, protocol=FLAGS.protocol),
        strategies=protocol.make_strategies(FLAGS.strategies, FLAGS.protocol),
        configs={name: known[name] for name in FLAGS.configs},
        seeds=[int(seed) for seed in FLAGS.seeds],
        epochs=FLAGS.epochs or settings.epochs,
        steps_per_epoch=FLAGS.steps_per_epoch or settings.steps_per_epoch,
        validation_freq=settings.validation_freq,
    )
    folder = os.path.join(RESULTS, f"{FLAGS.protocol}-{FLAGS.dataset}")
    summary = study.run(
        FLAGS.output or folder, processes=FLAGS.processes, threads=FLAGS.threads
    )
    print(f"\n{summary}", flush=True)
