"""A round of review on predictions that any model has made; nothing is trained.

    python examples/own_predictions.py --predictions predictions.csv --images fish

The table has a line per image: a column that names it, and a column of probabilities
per class; `keras_dc3.Proposals.from_predictions` says what else is taken. It writes
`proposals.csv` and `review.html`, a page on which people label in a browser. With the
files that they send back,

    python examples/own_predictions.py --predictions predictions.csv --images fish \
        --answers anna.json,ben.json

prints whether they agree, and writes `labels.csv` and `next.html`, what to ask next.

Everything else is a flag, too; `--help` lists them.
"""

from __future__ import annotations

import csv
import os
import sys

from absl import app, flags

import keras_dc3
from keras_dc3 import agreement, review
from keras_dc3._validation import check_outside, check_writable_folder

FLAGS = flags.FLAGS
flags.DEFINE_string("predictions", None, "File of the predictions.", required=True)
flags.DEFINE_string("embeddings", None, "File of features of the images, with ids.")
flags.DEFINE_string("images", None, "Folder of the images.", required=True)
flags.DEFINE_list("answers", [], "Files that people have sent back.")
flags.DEFINE_string("id_column", None, "Column of a table that names the images.")
flags.DEFINE_list("classes", None, "Columns of a table that are classes.")
flags.DEFINE_bool("logits", False, "Whether the predictions are logits.")
flags.DEFINE_float("prior", 0.6, "Share of the images to call ambiguous.")
flags.DEFINE_integer("budget", 400, "Clicks or keys to ask for next.", lower_bound=1)
flags.DEFINE_string("output", "output/own_predictions", "Folder of what is written.")


def ask(proposals: keras_dc3.Proposals) -> None:
    """Writes the first review sheet."""
    print(proposals.summary())
    print(f"\n{proposals.cards()}\n")
    proposals.to_csv(os.path.join(FLAGS.output, "proposals.csv"))
    pages = proposals.to_review(os.path.join(FLAGS.output, "review.html"), FLAGS.images)
    print(f"Open in a browser, or send to people: {', '.join(pages)}")


def read(proposals: keras_dc3.Proposals) -> None:
    """Reads what people answered, and writes labels and the next sheet."""
    answers = review.read(FLAGS.answers, proposals=proposals)
    print(agreement.measure(answers))
    bias = agreement.fit_bias(answers, proposals)
    print(bias)
    labels = bias.correct(answers)
    print(agreement.stopping(labels, proposals))
    path = os.path.join(FLAGS.output, "labels.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *labels.class_names])
        for name, row in zip(labels.ids, labels.soft_labels.tolist(), strict=True):
            writer.writerow([name, *row])
    print(f"Soft labels: {path}")
    asked = proposals.next(FLAGS.budget, answers)
    print(asked)
    if len(asked):
        asked.to_review(os.path.join(FLAGS.output, "next.html"), FLAGS.images)


def main(argv: list[str]) -> None:
    """Runs the example."""
    del argv
    try:
        check_outside(FLAGS.output, FLAGS.images)
        check_writable_folder(FLAGS.output)
        proposals = keras_dc3.Proposals.from_predictions(
            FLAGS.predictions,
            FLAGS.embeddings,
            id_column=FLAGS.id_column,
            class_names=FLAGS.classes,
            logits=FLAGS.logits,
            prior=FLAGS.prior,
        )
        (read if FLAGS.answers else ask)(proposals)
    except (ImportError, OSError, ValueError, TypeError) as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    app.run(main)
