"""What is trained for the tables of the paper, at full length and reduced.

paper     the paper's network and length: a wide residual network of the size of
          WRN-28-2, 16,384 steps of 64 labeled images; for a GPU
reduced   a small residual network and 1,600 steps: about 3 minutes of a CPU core per
          cell, where nothing else runs beside it. FixMatch and its successors see 1
          instead of 7 unlabeled images per labeled one. Everything else is the same for
          all cells of a table.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_dc3
from keras_dc3 import optimizers, strategies

STRATEGIES = ("supervised", "mean_teacher", "pi_model", "pseudo_label", "fixmatch")
DATASETS = ("cifar10h", "fashionmnist_h")


class Protocol(NamedTuple):
    """The settings that all cells of a table share."""

    backbone: str
    filters: int
    bn_momentum: float
    learning_rate: float
    warmup_fraction: float
    ema_decay: float
    fixmatch_ratio: int
    epochs: int
    steps_per_epoch: int
    validation_freq: int


PROTOCOLS = {
    "paper": Protocol(
        backbone="wide_resnet",
        filters=32,
        bn_momentum=0.999,
        learning_rate=0.01,
        warmup_fraction=0.0,
        ema_decay=0.999,
        fixmatch_ratio=7,
        epochs=64,
        steps_per_epoch=256,
        validation_freq=4,
    ),
    "reduced": Protocol(
        backbone="small_cnn",
        filters=24,
        bn_momentum=0.99,
        learning_rate=0.1,
        warmup_fraction=0.05,
        ema_decay=0.99,
        fixmatch_ratio=1,
        epochs=16,
        steps_per_epoch=100,
        validation_freq=4,
    ),
}


def make_data(seed: int, *, dataset: str, data_dir: str | None) -> Any:
    """Returns the data of a cell: 1,600 labeled, 6,400 unlabeled, 2,000 to validate."""
    return keras_dc3.datasets.load(
        dataset, data_dir=data_dir, seed=seed, labels="sampled"
    )


def make_model(
    data: Any, ssl: Any, config: Any, training_steps: int, *, protocol: str
) -> keras_dc3.DC3Model:
    """Returns the compiled model of a cell."""
    settings = PROTOCOLS[protocol]
    make_backbone = getattr(keras_dc3.backbones, settings.backbone)
    model = keras_dc3.DC3Model(
        make_backbone(
            data.image_shape, settings.filters, bn_momentum=settings.bn_momentum
        ),
        ssl=ssl,
        config=config,
        training_steps=training_steps,
        ema_decay=settings.ema_decay,
    )
    rate = optimizers.SevenSixteenthsCosine(
        settings.learning_rate,
        training_steps,
        warmup_steps=round(settings.warmup_fraction * training_steps),
    )
    model.compile(optimizers.KernelDecaySGD(rate))
    return model


def make_strategies(names: list[str], protocol: str) -> dict[str, Any]:
    """Returns name -> strategy as the protocol wants it."""
    ratio = PROTOCOLS[protocol].fixmatch_ratio
    found = {name: strategies.get(name) for name in names}
    return {
        name: type(ssl)(unlabeled_ratio=ratio) if ssl.unlabeled_ratio > 1 else name
        for name, ssl in found.items()
    }
