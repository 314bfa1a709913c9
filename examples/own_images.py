"""DC3 on your own images: a folder, and a table of who said what.

    python examples/own_images.py --images fish --annotations answers.csv

The table has a line per answer, with the columns `image` (the path in the folder, with
or without extension), `annotator` and `label`; other names are flags. Without a table
each class needs a folder in the folder, and what has no class yet may lie in one called
"unlabeled". Images without annotation are the unlabeled ones. Folders called "train",
"val", "test" and "unlabeled" are parts, with class folders in them.

Everything else is a flag, too; `--help` lists them.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import os
import re
import sys
from collections.abc import Callable

import keras
import runner
from absl import app, flags

import keras_dc3
from keras_dc3._text import number_of

FLAGS = flags.FLAGS
LEAST_STEPS = 100  # of an epoch: that of few images would be over at once
# Arguments that messages speak of -> their flags, where these have other names.
FLAG_OF = {
    "image": "--image_column (or --image_prefix)",
    "annotator": "--annotator_column (empty if nobody is named)",
    "label": "--label_column",
    "missing": "--drop_missing",
    "on_error": "--skip_damaged",
}


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


flags.DEFINE_string("images", None, "Folder of the images.", required=True)
flags.DEFINE_string("annotations", None, "CSV file with one answer per line.")
flags.DEFINE_string("image_column", "image", "Name or number of the image's column.")
flags.DEFINE_string(
    "annotator_column", "annotator", "Of the annotator's; empty if nobody is named."
)
flags.DEFINE_string("label_column", "label", "Of the class' column.")
flags.DEFINE_string(
    "image_prefix", "", "What the table writes before each path, such as images/."
)
flags.DEFINE_string("separator", None, "Between columns; default: found out.")
flags.DEFINE_string("encoding", "utf-8", "Of the table, such as cp1252.")
flags.DEFINE_list("no_answer", [], "Labels that mean that there is no answer.")
flags.DEFINE_bool("drop_missing", False, "Leave out answers on images not there.")
flags.DEFINE_list("class_names", None, "The classes; default: all that occur.")
flags.DEFINE_list(
    "image_size", None, "Height and width, or one for both; default: as they are."
)
flags.DEFINE_enum("fit", "pad", ["resize", "pad", "crop"], "How images get that size.")
flags.DEFINE_enum("channels", None, ["1", "3"], "Gray or color; default: as they are.")
flags.DEFINE_float("max_value", None, "White, in images of more than 8 bits.")
flags.DEFINE_list(
    "value_range", None, "Black and white there, such as 0,4095; default: found."
)
flags.DEFINE_string(
    "max_pixels",
    str(keras_dc3.data.MAX_PIXELS),
    "Most pixels of an image file; none for no limit.",
)
flags.DEFINE_list(
    "parts",
    None,
    "What folders are, such as train=labeled,old=test,new=unlabeled (or validation; "
    "nothing after = leaves a folder out); empty if each is a class. Default: found "
    "by their names.",
)
flags.DEFINE_bool("skip_damaged", False, "Leave out images that cannot be read.")
flags.DEFINE_string("cache", None, '"memory", or a folder for decoded images.')
flags.DEFINE_string("labeled", None, "Labeled images, such as 0.16 or 200.")
flags.DEFINE_string("unlabeled", None, "Annotated images to hide, such as 0.64.")
flags.DEFINE_string("validation", "0.2", "Validation images, such as 0.2 or 100.")
flags.DEFINE_bool("stratify", False, "Give each part its share of each class.")
flags.DEFINE_string(
    "backbone",
    "small_cnn",
    "small_cnn trains in minutes on a CPU, wide_resnet is the paper's network; or a "
    "network with weights, such as efficientnetv2_b0 (see docs/backbones.md).",
)
flags.DEFINE_string(
    "weights",
    None,
    "Of a network with weights: a file of them, such as `python -m keras_dc3.backbones "
    "fetch` writes; none for random ones. Default: fetched.",
)
flags.DEFINE_string(
    "trainable",
    "none",
    "What of a network with weights is trained: none, all, or a "
    "number of its last blocks.",
)
flags.DEFINE_integer(
    "backbone_size",
    None,
    "Height and width that a network with weights resizes images to; default: its own.",
    lower_bound=1,
)
for part in ("labeled", "unlabeled", "validation"):
    flags.register_validator(
        part,
        lambda text: text is None or re.fullmatch(r"\d+|\d*\.\d+", text),
        message="must be a number of images, such as 200, or a fraction, such as 0.16",
    )
flags.register_validator(
    "trainable",
    lambda part: part in ("none", "all") or part.isdigit(),
    message="must be none, all, or a number of blocks",
)
flags.register_validator(
    "max_pixels",
    lambda text: text == "none" or re.fullmatch("0*[1-9][0-9]*", text),
    message="must be a whole number above 0, or none",
)
flags.register_validator(
    "value_range",
    lambda pair: pair is None or (len(pair) == 2 and all(map(is_number, pair))),
    message="must be two numbers, such as 0,4095",
)
flags.register_validator(
    "parts",
    lambda pairs: pairs is None or all("=" in pair for pair in pairs if pair),
    message="must be folder=part for each folder, such as train=labeled,val=validation",
)
flags.register_validator(
    "image_size",
    lambda sides: sides is None or all(side.isdigit() for side in sides),
    message="must be one or two whole numbers, such as 96 or 96,128",
)
runner.define_flags(output="output/own_images", epochs=16, learning_rate=0.1)
runner.define_labels(None)


def column(text: str) -> str | int | None:
    """Returns a column as `Annotations.from_csv` takes it."""
    return int(text) if text.isdigit() else text or None


def without_prefix(annotations: keras_dc3.Annotations) -> keras_dc3.Annotations:
    """Returns the annotations with `--image_prefix` taken off each image."""
    names = [name.removeprefix(FLAGS.image_prefix) for name in annotations.ids]
    return dataclasses.replace(annotations, ids=names, counts=None)


def size(text: str | None) -> int | float | None:
    """Returns how many images a part gets: a number, or a fraction with a point."""
    if text is None:
        return None
    return int(text) if text.isdigit() else float(text)


def parts() -> dict[str, str | None] | None:
    """Returns what `--parts` says of folders."""
    if FLAGS.parts is None:
        return None
    pairs = [pair.rpartition("=") for pair in FLAGS.parts if pair]
    return {folder: part or None for folder, _, part in pairs}


def read() -> keras_dc3.data.SemiSupervisedData:
    """Reads the images and annotations that the flags name."""
    annotations = None
    if FLAGS.annotations:
        annotations = keras_dc3.Annotations.from_csv(
            FLAGS.annotations,
            image=column(FLAGS.image_column),
            annotator=column(FLAGS.annotator_column),
            label=column(FLAGS.label_column),
            separator=FLAGS.separator,
            encoding=FLAGS.encoding,
            no_answer=["", *FLAGS.no_answer],
            class_names=FLAGS.class_names,
        )
        annotations = without_prefix(annotations)
    sides = FLAGS.image_size and [int(side) for side in FLAGS.image_size]
    if sides and len(sides) == 1:
        sides *= 2
    return keras_dc3.datasets.from_directory(
        FLAGS.images,
        annotations,
        class_names=FLAGS.class_names,
        image_size=sides,
        channels=FLAGS.channels and int(FLAGS.channels),
        fit=FLAGS.fit,
        max_value=FLAGS.max_value,
        value_range=FLAGS.value_range and tuple(map(float, FLAGS.value_range)),
        max_pixels=None if FLAGS.max_pixels == "none" else int(FLAGS.max_pixels),
        parts=parts(),
        cache=FLAGS.cache,
        on_error="skip" if FLAGS.skip_damaged else "raise",
        missing="drop" if FLAGS.drop_missing else "error",
        labeled=size(FLAGS.labeled),
        unlabeled=size(FLAGS.unlabeled),
        validation=size(FLAGS.validation),
        stratify=FLAGS.stratify,
        labels=FLAGS.labels,
        seed=FLAGS.seed,
        batch_size=FLAGS.batch_size,
    )


def in_flags(message: str) -> str:
    """Returns a message about arguments with the names of their flags."""
    words = dict.fromkeys(re.findall(r"[a-z_]+(?==)|(?<=`)[a-z_]+(?=`)", message))
    names = {word: f"--{word}" for word in words if word in FLAGS} | FLAG_OF
    flags_of = [f"`{word}` is {names[word]}" for word in words if word in names]
    return message + (f"\nHere {', '.join(flags_of)}." if flags_of else "")


def backbone_maker() -> Callable[[tuple[int, int, int]], keras.Model]:
    """Returns what makes the backbone that the flags name for images of a shape.

    A network with weights is made at once, so that what is wrong with it is told before
    anything is read; each training begins with a copy of it.
    """
    of_pixels = {
        name: getattr(keras_dc3.backbones, name)
        for name in ("small_cnn", "wide_resnet")
    }
    if FLAGS.backbone in of_pixels:
        return functools.partial(of_pixels[FLAGS.backbone], bn_momentum=0.99)
    blocks = FLAGS.trainable
    try:
        backbone = keras_dc3.backbones.pretrained(
            FLAGS.backbone,
            weights={None: "imagenet", "none": None}.get(FLAGS.weights, FLAGS.weights),
            trainable=int(blocks) if blocks.isdigit() else blocks,
            image_size=FLAGS.backbone_size,
        )
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"\n{error}")

    def copy(image_shape: tuple[int, int, int]) -> keras.Model:
        del image_shape  # it takes any
        copied = keras.models.clone_model(backbone)
        copied.set_weights(backbone.get_weights())
        return copied

    return copy


def main(argv: list[str]) -> None:
    """Runs the example."""
    del argv
    make = backbone_maker()
    data = runner.read_and_tell(
        read,
        ". Ask for fewer `labeled` images, or for some `unlabeled` ones.",
        in_flags,
        os.path.join(FLAGS.output, "examples.png"),
    )
    if FLAGS.steps_per_epoch is None:
        steps = data.steps(keras_dc3.strategies.get(FLAGS.ssl).unlabeled_ratio)
        FLAGS.steps_per_epoch = max(steps, LEAST_STEPS)
    title = (
        f"Images of {FLAGS.images}, annotations of "
        f"{FLAGS.annotations or 'their folders'}; "
        f"{number_of(FLAGS.epochs, 'epoch')} of "
        f"{number_of(FLAGS.steps_per_epoch, 'step')}."
    )
    damaged = ""
    try:
        runner.run(data, lambda: make(data.image_shape), title)
    except keras_dc3.data.ImageFileError as error:
        damaged = str(error)
    if damaged:
        gc.collect()  # a pipeline that is still reading could hang the end of Python
        sys.exit(f"\n{in_flags(damaged)}")


if __name__ == "__main__":
    app.run(main)
