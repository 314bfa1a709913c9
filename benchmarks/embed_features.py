"""Writes the features of a data set by a Keras model, for benchmarks that need them.

    python benchmarks/embed_features.py --dataset fashionmnist_h --data_dir data \
        --backbone efficientnet_lite0.keras --divisor 128 --subtract 127 \
        --image_size 64 --folder features/fashionmnist_h \
        --output features/fashionmnist_h.npz

Each image and two weakly and two strongly augmented views of it, as `data.embed` makes
them (seed 0), in the order of the set: "plain" (n, d), "weak" and "strong" (2, n, d),
float16. Those that results are quoted of were made by the network that
`train_extractor.py` trains, or, where a table says so, by EfficientNet-Lite0 with the
weights for ImageNet that its authors published (Apache 2.0), saved as a Keras model.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_string("dataset", "fashionmnist_h", "`<dataset>.npz` in --data_dir.")
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_string("backbone", None, "A `.keras` file.", required=True)
flags.DEFINE_float("divisor", 127.5, "Images are (0..255 - subtract) / divisor.")
flags.DEFINE_float("subtract", 127.5, "See --divisor.")
flags.DEFINE_integer("image_size", None, "Pixels of a side, of the backbone.")
flags.DEFINE_string(
    "folder", None, "Where to keep what is computed, to go on later.", required=True
)
flags.DEFINE_string("output", None, "The `.npz` file.", required=True)


def main(argv: list[str]) -> None:
    """Runs the backbone."""
    del argv
    import keras

    import keras_dc3

    data_dir = Path(FLAGS.data_dir or os.environ.get("KERAS_DC3_DATA", "data"))
    with np.load(data_dir / f"{FLAGS.dataset}.npz") as file:
        images, counts = file["images"], file["counts"]
    names = [f"{i:06}" for i in range(len(images))]
    third = len(images) // 3
    data = keras_dc3.datasets.from_arrays(
        images,
        counts,
        ids=names,
        labeled=third,
        unlabeled=third,
        validation=len(images) - 2 * third,
    )
    scaling = keras_dc3.backbones.Scaling(
        1 / FLAGS.divisor, -FLAGS.subtract / FLAGS.divisor
    )
    backbone = keras_dc3.backbones.from_model(
        keras.saving.load_model(FLAGS.backbone),
        scaling,
        "none",
        image_size=FLAGS.image_size,
    )
    data.embed(backbone, weak=2, strong=2, folder=FLAGS.folder)
    # Kept in the order of the ids, which is that of the set.
    arrays = {
        view: np.load(Path(FLAGS.folder) / f"{view}.npy")
        for view in ("plain", "weak", "strong")
    }
    Path(FLAGS.output).parent.mkdir(parents=True, exist_ok=True)
    np.savez(FLAGS.output, **arrays)
    print({name: array.shape for name, array in arrays.items()})


if __name__ == "__main__":
    app.run(main)
