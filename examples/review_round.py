"""One round: annotations, training, proposals, review, better annotations, training.

    python examples/review_round.py

On handwritten digits made ambiguous (see `quickstart.py`). The pages that people would
open in a browser are written, but scripted annotators answer them, by writing the files
that the pages let people download: nobody real is asked. They draw each answer from the
made-up truth, and accept a proposal whatever they think with `--acceptance`.
"""

import os
import warnings

import keras
import numpy as np
import runner
import scripted_people
from absl import app, flags, logging

import keras_dc3
from keras_dc3 import agreement, metrics
from keras_dc3.annotations import Records

FLAGS = flags.FLAGS
runner.define_flags(output="output/review_round", epochs=10, learning_rate=0.1)
flags.DEFINE_integer("people", 3, "Scripted annotators.", lower_bound=1)
flags.DEFINE_integer("budget", 400, "Clicks or keys to ask of each.", lower_bound=1)
flags.DEFINE_float("acceptance", 0.1, "How often they accept whatever they think.")


def main(argv: list[str]) -> None:
    """Runs the example."""
    del argv
    logging.set_verbosity(logging.WARNING)
    os.makedirs(FLAGS.output, exist_ok=True)
    data = keras_dc3.datasets.load("digits", seed=FLAGS.seed)
    data.batch_size = FLAGS.batch_size
    print("A demonstration: real digits; ambiguity, annotators and answers made up.")

    print("\n1. Annotations of the labeled images")
    part = data.labeled
    first = keras_dc3.Annotations(
        part.ids, part.class_names, records=Records.of_counts(part.counts)
    )
    print(first.summary())

    print("\n2. Training, and proposals for the unlabeled images")

    def backbone() -> keras.Model:
        return keras_dc3.backbones.small_cnn(data.image_shape)

    before, _ = runner.train(data, backbone, FLAGS.method)
    proposals = before.propose(data.unlabeled)
    asked = proposals.next(FLAGS.budget)
    print(asked)

    print("\n3. Review")
    values = data.true_soft_labels["unlabeled"].astype("float64")
    values /= values.sum(axis=1, keepdims=True)
    truth = dict(zip(data.unlabeled.ids, values, strict=True))
    answers = scripted_people.ask(
        asked,
        data.unlabeled,
        truth,
        FLAGS.output,
        people=FLAGS.people,
        acceptance=FLAGS.acceptance,
        seed=FLAGS.seed,
    )
    print(answers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the blind share is left out
        print(agreement.measure(answers))

    print("\n4. Better annotations")
    bias = agreement.fit_bias(answers, asked.proposed)
    print(bias)
    labels = bias.correct(answers)
    real = np.array([truth[name] for name in labels.ids])
    of = dict(zip(proposals.ids, proposals.class_probabilities, strict=True))
    guesses = np.array([of[name] for name in labels.ids])
    print("KL divergence from the truth, in nats:")
    for name, found in {
        "the model's probabilities": guesses,
        "answers": answers.annotations.soft_labels,
        "corrected": labels.soft_labels,
        "corrected, shrunk": labels.shrunk_labels,
    }.items():
        print(f"  {name:26}{scripted_people.divergence(real, found):.3f}")
    merged = first.merge(answers.annotations)
    merged.to_csv(os.path.join(FLAGS.output, "annotations.csv"))
    print(f"All annotations: {merged}")

    print("\n5. Training again")
    reviewed = data.with_labels(labels)
    print(reviewed)
    after, _ = runner.train(reviewed, backbone, FLAGS.method)
    scores, intervals = {}, {}
    for name, model in {"before": before, "after": after}.items():
        scores[name], intervals[name] = runner.score(model, data.validation)
    print(metrics.format_scores(scores, legend=False, intervals=intervals))
    print("Below each score: its 95% interval, over images only.")
    print("So few steps and a single seed do not tell whether the new labels helped.")

    print("\n6. What to ask next")
    # Of all images that people may be asked about: `reviewed.unlabeled` lacks those
    # that have an answer by now, of which some need another.
    proposals = after.propose(data.unlabeled)
    print(agreement.stopping(labels, proposals))
    print(proposals.next(FLAGS.budget, answers))


if __name__ == "__main__":
    app.run(main)
