"""Trains the network whose features stand in for a pretrained one, without a download.

    python benchmarks/train_extractor.py --data_dir data --output extractor.keras
    for d in fashionmnist_h shape_texture16; do
      python benchmarks/embed_features.py --dataset $d --data_dir data \
          --backbone extractor.keras --image_size 32 --folder features/$d \
          --output data/${d}_features.npz
    done

A residual network (256 features) learns the soft labels of all 10,000 images of
CIFAR-10H, flipped and shifted, and keeps all but its last layer. It has never seen the
images of the other sets: a backbone that was trained on other things, as those are that
people download, but a far weaker one.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import networks
import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
SIZE, BATCH = 32, 128
if __name__ == "__main__":
    flags.DEFINE_integer("epochs", 20, "Times that all images are seen.")
    flags.DEFINE_integer("seed", 0, "Of the weights and the order.")


def main(argv: list[str]) -> None:
    """Trains and saves it."""
    del argv
    with np.load(Path(FLAGS.data_dir) / "cifar10h.npz") as file:
        images, counts = file["images"], file["counts"]
    keras.utils.set_random_seed(FLAGS.seed)
    backbone = networks.residual((SIZE, SIZE, 3), width=64)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomTranslation(0.125, 0.125, fill_mode="constant"),
            backbone,
            layers.Dense(counts.shape[1], activation="softmax"),
        ]
    )
    steps = FLAGS.epochs * -(-len(images) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=0.1, warmup_steps=steps // 10
    )
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-4),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        (images - 127.5) / np.float32(127.5),
        counts / counts.sum(axis=1, keepdims=True),
        batch_size=BATCH,
        epochs=FLAGS.epochs,
        verbose=2,
    )
    backbone.save(FLAGS.output)


if __name__ == "__main__":
    app.run(main)
