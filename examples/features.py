"""DC3 on features of images, whatever network has computed them.

    python examples/features.py --features embeddings.parquet \
        --annotations answers.csv --images fish

The features are a `.npy`, `.npz` or `.parquet` file with one vector per image;
`keras_dc3.datasets.from_embeddings` says what it holds. The table has a line per answer
with the columns `image` (its id), `annotator` and `label`. Images without
annotation are the unlabeled ones. The folder of the images is for people alone: without
it there are proposals, but no pictures of them; images that are not in it are left out
of the picture.

Everything else is a flag, too; `--help` lists them.
"""

from __future__ import annotations

import runner
from absl import app, flags

import keras_dc3
from keras_dc3._text import number_of

FLAGS = flags.FLAGS
flags.DEFINE_string("features", None, "File of the features.", required=True)
flags.DEFINE_string("annotations", None, "CSV file of the answers.", required=True)
flags.DEFINE_string("ids", None, "Text file with the id of each image, one a line.")
flags.DEFINE_string("id_column", "id", "Column of a Parquet file with the ids.")
flags.DEFINE_list("feature_columns", None, "Columns of a Parquet file to train on.")
flags.DEFINE_string("weak", None, "`.npy` file of weakly augmented views.")
flags.DEFINE_string("strong", None, "`.npy` file of strongly augmented views.")
flags.DEFINE_string("images", None, "Folder of the images, for the pictures.")
flags.DEFINE_bool("drop_missing", False, "Leave out answers without features.")
flags.DEFINE_float("labeled", None, "Share of the answered images to train on.", 0, 1)
flags.DEFINE_float("unlabeled", None, "Share of those whose answers to hide.", 0, 1)
flags.DEFINE_integer("units", 128, "Of the dense layer before the heads.", 1)
runner.define_flags(output="output/features", epochs=16, learning_rate=0.1)
runner.define_labels(None)


def read() -> keras_dc3.data.SemiSupervisedData:
    """Reads what the flags name."""
    ids = None
    if FLAGS.ids:
        with open(FLAGS.ids, encoding="utf-8") as file:
            ids = file.read().splitlines()
    views = {"weak": FLAGS.weak, "strong": FLAGS.strong}
    views = {name: path for name, path in views.items() if path}
    return keras_dc3.datasets.from_embeddings(
        FLAGS.features,
        FLAGS.annotations,
        ids=ids,
        views=views or None,
        images=FLAGS.images,
        id_column=FLAGS.id_column,
        feature_columns=FLAGS.feature_columns,
        missing="drop" if FLAGS.drop_missing else "error",
        labeled=FLAGS.labeled,
        unlabeled=FLAGS.unlabeled,
        seed=FLAGS.seed,
        batch_size=FLAGS.batch_size,
        labels=FLAGS.labels,
        name=FLAGS.features,
    )


def main(argv: list[str]) -> None:
    """Runs the example."""
    del argv
    advice = ": put features of images without answers into the file."
    data = runner.read_and_tell(read, advice)
    if FLAGS.steps_per_epoch is None:
        FLAGS.steps_per_epoch = 100
    runner.run(
        data,
        lambda: keras_dc3.backbones.feature_mlp(data.image_shape, FLAGS.units),
        f"Features of {FLAGS.features}, annotations of {FLAGS.annotations}; "
        f"{number_of(FLAGS.epochs, 'epoch')} of "
        f"{number_of(FLAGS.steps_per_epoch, 'step')}.",
    )


if __name__ == "__main__":
    app.run(main)
