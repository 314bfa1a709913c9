"""SIMULATION: whole projects, from no answer to labels, round after round.

    for d in cifar10h fashionmnist_h shape_texture16; do
      python benchmarks/projects.py --dataset $d --data_dir data \
          --output benchmarks/results/projects-$d.json
    done

Some images of a set have no label. Two scripted people answer, each from the real soft
label of the image (see `ASSUMPTIONS`); in the first round both are asked about the same
images, drawn at random. Then, in each round, a model is trained on all answers so far
(Mean-Teacher, `feature_mlp`, 400 steps; on answers alone once all images have one), it
proposes, people are asked, and labels are made by `agreement.final_labels`, with the
bias of proposals corrected. What people are asked, by way:

    dc3          `Proposals.next`, divided as `keras-dc3 sheet` does: classes of certain
                 images, clusters of ambiguous ones, images alone
    classes      the same, where all images are proposed by their class: no clusters
    uncertainty  images alone, those of the highest entropy first, no proposal
    coverage     images alone, those in the middle of as many clusters (k-means of the
                 features) as are asked about
    blind        images alone at random, those with the fewest answers first; no model:
                 what is known beforehand are the shares of the classes

Of each round: actions (clicks and keys of all people, as the page counts them, "named
together" included), answers, minutes (below), KL from the soft labels of all real
answers to those of the project, in nats, over all images; accuracy of a linear probe
that learned from the project's labels, on images that are in none; what
`agreement.stopping` says.

**Minutes.** An image alone takes 4.2 s, the median time per image of those who made
CIFAR-10N (`--seconds`); one in a group 1 / 2.4 of it, the speed-up that the paper
measured with proposals of DC3 (`--speed_up`; 1 for none).
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import feature_data
import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
WAYS = ("dc3", "classes", "uncertainty", "coverage", "blind")
PEOPLE, OVERLAP, CONTROL = ("person 1", "person 2"), 0.2, 0.1
_LEAST = 1e-5  # probability, in KL

flags.DEFINE_enum(
    "dataset",
    "cifar10h",
    ["cifar10h", "fashionmnist_h", "shape_texture16"],
    "Whose answers are drawn.",
)
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_string("features", None, "File of the features.")
flags.DEFINE_integer("images", 1000, "Images of a project.", lower_bound=100)
flags.DEFINE_integer("first", 200, "Answers of the first round.", lower_bound=50)
flags.DEFINE_integer("budget", 250, "Actions of a later round.", lower_bound=20)
flags.DEFINE_integer("rounds", 6, "Rounds after the first.", lower_bound=1)
flags.DEFINE_integer("blind_rounds", 16, "Of the way without a model.", lower_bound=1)
flags.DEFINE_float("acceptance", 0.1, "How often a proposal is accepted unseen.")
flags.DEFINE_float("seconds", 4.2, "Of an image alone.", lower_bound=0)
flags.DEFINE_float("speed_up", 2.4, "Of an image in a group.", lower_bound=1)
flags.DEFINE_list("ways", list(WAYS), "Which to run.")
flags.DEFINE_integer("seeds", 3, "Projects of each way.", lower_bound=1)
flags.DEFINE_integer("steps", 400, "Of a training.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)


class Project:
    """The images, features, real answers and people of one simulated project.

    Args:
        features: "plain", "weak" and "strong" of a whole set.
        counts: (m, k) real answers.
        seed: of all draws.
    """

    def __init__(self, features: dict[str, np.ndarray], counts: np.ndarray, seed: int):
        rng = np.random.default_rng([seed, 11])
        order = rng.permutation(len(counts))
        rows, self.others = order[: FLAGS.images], order[FLAGS.images :][:2000]
        self.features = {
            name: values[..., rows, :] if values.ndim == 3 else values[rows]
            for name, values in features.items()
        }
        self.other_features = features["plain"][self.others]
        self.other_labels = counts[self.others].argmax(axis=1)
        self.truth = counts[rows] / counts[rows].sum(axis=1, keepdims=True)
        self.ids = [f"image {i}" for i in range(len(rows))]
        self.class_names = [f"class {c}" for c in range(counts.shape[1])]
        self.seed, self.row = seed, {name: i for i, name in enumerate(self.ids)}
        self.first = rng.permutation(len(rows))[: FLAGS.first // len(PEOPLE)]
        self.turns = rng.permutation(len(rows))
        self.rng = np.random.default_rng([seed, 12])

    def own_answer(self, row: int) -> int:
        """Returns what a person thinks of an image."""
        return int(self.rng.choice(len(self.class_names), p=self.truth[row]))


class Answers:
    """What people have said so far, with what was proposed, and what it has cost."""

    def __init__(self, project: Project):
        self.project = project
        self.rows: list[tuple[int, int, int, int, str]] = []
        self.actions = self.alone = self.grouped = 0
        self.proposed: dict[str, str] = {}

    def ask_alone(self, person: int, rows: Any, group: str = "") -> None:
        """Asks about images without a proposal."""
        for row in map(int, rows):
            label = self.project.own_answer(row)
            self.rows.append((row, person, label, -1, group))
        self.actions += len(rows)
        self.alone += len(rows)

    def ask_group(self, person: int, rows: np.ndarray, proposed: int, name: str):
        """Asks about a group with a proposed class."""
        import simulated_people as people

        label = np.full(len(self.project.ids), -1)
        for row in map(int, rows):
            accepts = self.project.rng.random() < FLAGS.acceptance
            label[row] = proposed if accepts else self.project.own_answer(row)
            self.rows.append((row, person, int(label[row]), proposed, name))
        self.actions += people.count_actions([(proposed, rows)], label)[1]
        self.grouped += len(rows)

    def review(self) -> Any:
        """Returns all answers as a review."""
        from keras_dc3.annotations import Annotations, Records
        from keras_dc3.review import Review

        found = sorted(self.rows, key=lambda one: one[0])
        image, person, label, proposed = (
            np.array([one[i] for one in found]) for i in range(4)
        )
        return Review(
            Annotations(
                self.project.ids,
                self.project.class_names,
                annotators=PEOPLE,
                records=Records(image, person, label, np.full(len(image), np.nan)),
            ),
            proposed=proposed,
            group=np.array([one[4] for one in found], dtype=object),
            accepted=(proposed >= 0) & (label == proposed),
            repetition=np.zeros(len(image), bool),
            mode="dc3",
        )

    def known_to(self, person: int) -> set[str]:
        """Returns the ids of the images that a person has answered."""
        return {self.project.ids[one[0]] for one in self.rows if one[1] == person}

    def labels(self) -> Any:
        """Returns labels without the bias of proposals."""
        from keras_dc3 import agreement

        review = self.review()
        if not (review.proposed >= 0).any():
            return review.annotations
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bias = agreement.fit_bias(review, self.proposed, resamples=100)
            return bias.correct(review)

    @property
    def minutes(self) -> float:
        """Returns how long it took."""
        looks = self.alone + self.grouped / FLAGS.speed_up
        return looks * FLAGS.seconds / 60


def train(project: Project, labels: Any, turn: int) -> Any:
    """Returns the proposals of a model that learned from labels, for all images."""
    import keras

    import keras_dc3
    from keras_dc3.project.unseen import as_if_unseen

    names = project.ids
    known = dict(zip(labels.ids, labels.annotated, strict=True))
    data = keras_dc3.datasets.from_embeddings(
        project.features["plain"],
        keras_dc3.Annotations(names, project.class_names, counts=labels.counts),
        ids=names,
        views={name: project.features[name] for name in ("weak", "strong")},
        split={
            "labeled": [name for name in names if known[name]],
            "unlabeled": [name for name in names if not known[name]],
        },
        labels="soft",
        seed=project.seed,
    )
    keras.utils.set_random_seed(100 * project.seed + turn)
    model = keras_dc3.DC3Model(
        keras_dc3.backbones.feature_mlp(data.image_shape),
        ssl="supervised" if data.unlabeled is None else "mean_teacher",
        training_steps=FLAGS.steps,
    )
    model.fit(data, steps_per_epoch=FLAGS.steps, epochs=1, verbose=0)
    images = keras_dc3.data.FeatureSet(project.features["plain"], names)
    return as_if_unseen(model.propose(images, verbose=0), data).proposals


def ask(project: Project, way: str, answers: Answers, proposals: Any, turn: int):
    """Asks what a way asks in a round."""
    if way in ("dc3", "classes"):
        _ask_proposals(project, way, answers, proposals, turn)
        return
    known = np.zeros(len(project.ids))
    for one in answers.rows:
        known[one[0]] += 1
    if way == "blind":
        order = project.turns[np.argsort(known[project.turns], kind="stable")]
    elif way == "uncertainty":
        from keras_dc3.proposals.belief import beliefs

        review = answers.review()
        belief = beliefs(proposals.class_probabilities, review.annotations.counts)
        p = belief / belief.sum(axis=1, keepdims=True)
        order = np.argsort((p * np.log(p)).sum(axis=1), kind="stable")
    else:
        order = _covering(project, known, turn)
    rows = order[: FLAGS.budget]
    for position, row in enumerate(rows):
        person = position % len(PEOPLE)
        if project.ids[row] in answers.known_to(person):
            person = 1 - person
        answers.ask_alone(person, [row], "alone")


def _covering(project: Project, known: np.ndarray, turn: int) -> np.ndarray:
    """Returns images in the middle of clusters, of those with the fewest answers."""
    from sklearn.cluster import KMeans

    left = np.flatnonzero(known == known.min())
    if len(left) < FLAGS.budget:
        fewest = np.argsort(known + 0.5 * project.rng.random(len(known)))
        return fewest[: FLAGS.budget]
    values = project.features["plain"][left].astype("float32")
    means = KMeans(FLAGS.budget, n_init=1, random_state=turn).fit(values)
    far = means.transform(values)
    return left[np.unique(far.argmin(axis=0))]


def _ask_proposals(project, way, answers, proposals, turn) -> None:
    import keras_dc3
    from keras_dc3.review.plan import group_pages

    if way == "classes":  # each image with its class, none in a cluster
        proposals = keras_dc3.Proposals.from_columns(
            proposals.ids,
            np.zeros(len(proposals.ids)),
            proposals.class_probabilities,
            np.zeros(len(proposals.ids), int),
            np.ones(len(proposals.ids)),
            proposals.class_names,
            embeddings=proposals.embeddings,
        )
    asked = proposals.next(FLAGS.budget, answers.review())
    known = {name: answers.known_to(i) for i, name in enumerate(PEOPLE)}
    for person, part in enumerate(asked.divide(PEOPLE, OVERLAP, known).values()):
        groups = [q.step(project.class_names) for q in part if q.kind == "group"]
        alone = [q.ids[0] for q in part if q.kind == "image"]
        if not groups and not alone:
            continue
        seed = 100 * turn + 10 * project.seed + person
        (steps,) = group_pages(groups, CONTROL, 0.0, seed, 10**9, alone)
        for step in steps:
            rows = np.array([project.row[name] for name in step.ids])
            if step.is_group:
                answers.ask_group(person, rows, step.label, step.name)
            else:
                answers.ask_alone(person, rows, step.name)
    answers.proposed = {**asked.proposed, **answers.proposed}


def judge(project: Project, answers: Answers, proposals: Any) -> dict[str, Any]:
    """Returns the figures of a project as it is now."""
    from keras_dc3 import agreement
    from keras_dc3.probes import ClassProbe

    labels = answers.labels()
    final = agreement.final_labels(labels, proposals)
    guess = final.soft_labels.clip(_LEAST)
    truth = project.truth
    kl = (truth * np.log(truth.clip(_LEAST) / guess)).sum(axis=1).mean()
    probe = ClassProbe(seed=0).fit(project.features["plain"], final.soft_labels)
    right = probe.predict(project.other_features).argmax(axis=1)
    told = agreement.stopping(labels, proposals, resamples=0)
    return {
        "actions": answers.actions,
        "answers": len(answers.rows),
        "minutes": round(answers.minutes, 2),
        "kl": round(float(kl), 4),
        "accuracy": round(float((right == project.other_labels).mean()), 4),
        "stop": bool(told.stop),
        "distance": None if np.isnan(told.distance.value) else told.distance.value,
    }


def run(features: dict, counts: np.ndarray, way: str, seed: int) -> list[dict]:
    """Returns the figures after each round of a project."""
    project = Project(features, counts, seed)
    answers, proposals = Answers(project), None
    for person in range(len(PEOPLE)):
        answers.ask_alone(person, project.first, "alone")
    found = [judge(project, answers, None)]
    rounds = FLAGS.blind_rounds if way == "blind" else FLAGS.rounds
    for turn in range(1, rounds + 1):
        if way != "blind":
            proposals = train(project, answers.labels(), turn)
            if turn == 1:  # what the model alone makes of the first answers
                found[0] |= {
                    f"{k}_model": v
                    for k, v in _model(project, answers, proposals).items()
                }
        before = answers.actions
        ask(project, way, answers, proposals, turn)
        if answers.actions == before:
            break  # all is settled
        found.append(judge(project, answers, proposals))
        print(f"  {way} seed {seed} round {turn}: {found[-1]}", flush=True)
    return found


def _model(project: Project, answers: Answers, proposals: Any) -> dict[str, Any]:
    found = judge(project, answers, proposals)
    return {name: found[name] for name in ("kl", "accuracy")}


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    import record
    import simulated_people as people

    folder = feature_data.folder_of(FLAGS.data_dir)
    counts = feature_data.read_counts(folder, FLAGS.dataset).astype("int64")
    path = FLAGS.features or folder / f"{FLAGS.dataset}_features.npz"
    features = feature_data.read_features(path)
    output = Path(FLAGS.output)
    results = json.loads(output.read_text())["results"] if output.exists() else []
    known = {(one["way"], one["seed"]) for one in results}
    names = ("images", "first", "budget", "rounds", "acceptance", "seconds", "speed_up")
    settings = {name: FLAGS[name].value for name in ("dataset", *names, "steps")}
    for seed in range(FLAGS.seeds):
        for way in FLAGS.ways:
            if (way, seed) in known:
                continue
            rounds = run(features, counts, way, seed)
            results.append({"way": way, "seed": seed, "rounds": rounds})
            assumed = {"assumptions": [people.ASSUMPTIONS[i] for i in (0, 1, 2, 3, 4)]}
            packages = ("keras", "tensorflow", "numpy", "scikit-learn")
            record.write(FLAGS.output, results, settings | assumed, packages)


if __name__ == "__main__":
    app.run(main)
