"""Files from real projects, each read by a few lines, against a plain loop.

They are not part of this project; the same kinds of fault are made up in the other
tests of this folder.
"""

import csv
import inspect
import json
from collections import Counter, defaultdict

import numpy as np
import pytest

from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import counted, dict_rows, tally, told

EDGES = ("edges_subject-01.csv", "edges_subject-02.csv")
SHEET = "enhance_students_2017_g01.csv"
READ = {}


def reads(*files):
    """Registers how to read a file, and what to compare it with."""

    def register(function):
        for file in files:
            READ[file] = function
        return function

    return register


# -- what a user writes: at most 8 lines each


@reads("bluebirds_answer_long.csv", "face4_answer.csv")
def read_answers(path):
    return Annotations.from_csv(
        path, image="question", annotator="worker", label="answer"
    )


@reads("bluebirds_truth.csv", "dogs_truth.csv", "face4_truth.csv")
def read_truth(path):
    return Annotations.from_csv(path, image="question", annotator=None, label="truth")


@reads("cifar10s_soft_labels.json")
def read_percentages(path):
    counts, best = defaultdict(Counter), "Most Probable Class"
    for image, given in json.loads(path.read_text()).items():
        for a in given:
            first, second = a[f"{best} Prob"], a[f"Second {best} Prob"] or 0
            counts[image][a[best]] += first / (first + second)
            counts[image][a[f"Second {best}"]] += second / (first + second)
    return Annotations.from_counts(counts)


@reads("dogs_label.tsv")
def read_without_header(path):
    return Annotations.from_csv(path, image=0, annotator=1, label=2)


@reads("ducks_labels.txt")
def read_behind_a_first_line(path):
    return Annotations.from_csv(
        path, image=0, annotator=1, label=2, separator=" ", skip=1
    )


@reads(*EDGES)
def read_one_file_per_person(path):
    return Annotations.from_csv(
        [path.with_name(name) for name in EDGES],
        image=lambda row: row["imagename"].rsplit("_", 1)[1],
        annotator="subj",
        label="object_response",
        seconds="rt",
        no_answer=["na"],
    )


@reads("enhance_crowd_asymmetry.csv")
def read_places(path):
    return Annotations.from_wide(path, image="ID", anonymous=True)


@reads(SHEET)
def read_one_question(path):
    people = [f"Asymmetry_1_{i}" for i in (1, 2, 3)]
    return Annotations.from_wide(path, image="ID", annotators=people)


@reads("fashionmnist_h_counts.csv")
def read_counts(path):
    return Annotations.from_counts(np.loadtxt(path, int, delimiter=","))


@reads("labelme_answers_matrix.txt")
def read_matrix(path):
    return Annotations.from_matrix(np.loadtxt(path, int), rows="images")


@reads("labelme_truth.txt")
def read_one_label_per_line(path):
    return Annotations.from_csv(path, image=None, annotator=None, label=0)


@reads("labelstudio_choices.json", "labelstudio_rectangles.json")
def read_label_studio(path):
    return Annotations.from_label_studio(path)


@reads("mturk_batch_wide10.csv")
def read_ten_images_per_row(path):
    names = [f"Answer.category_{i}" for i in range(10)]
    return Annotations.from_records(
        (r[f"Input.image_url_{i}"], r["WorkerId"], r.get(n) or r[f"{n}.label"])
        for r in csv.DictReader(path.open())
        for i, n in enumerate(names)
    )


@reads("peerannot_krippendorff.json")
def read_nested(path):
    items = json.loads(path.read_text())
    return Annotations.from_records(
        (item, person, label)
        for item, given in items.items()
        for person, label in given.items()
    ).select(list(items), missing="empty")


@reads("shape_texture16_trials.csv")
def read_trials(path):
    return Annotations.from_csv(
        path,
        image="imagename",
        annotator="subj",
        label="object_response",
        seconds="rt",
        no_answer=["na"],
    )


@reads("toloka_memes.tsv")
def read_toloka(path):
    return Annotations.from_csv(
        path,
        image="INPUT:image",
        annotator="ASSIGNMENT:worker_id",
        label="OUTPUT:exploitable",
    )


@reads("via_headpose.csv")
def read_via(path):
    return Annotations.from_csv(
        path, image="filename", annotator=None, label="region_attributes"
    )


@reads("zooniverse_stellerwatch.csv")
def read_zooniverse(path):
    return Annotations.from_csv(
        path,
        image="subject_ids",
        annotator="user_name",
        label="val",
        no_answer=["null"],
    )


# -- what stands there, by a plain loop


def columns(image, annotator, label, no_answer=()):
    def count(path):
        rows = dict_rows(path, "\t" if path.suffix == ".tsv" else ",")
        answers = [
            (r[image], annotator and r[annotator], r[label])
            for r in rows
            if r[label] not in no_answer
        ]
        return {r[image]: {} for r in rows} | tally(answers)

    return count


def lines(path):
    rows = [line.split() for line in path.read_text().splitlines()]
    return tally((i, a, label) for i, a, label in rows[path.suffix == ".txt" :])


def percentages(path):
    counts = {}
    for image, given in json.loads(path.read_text()).items():
        total = defaultdict(float)
        for a in given:
            first, second = (
                a["Most Probable Class Prob"],
                a["Second Most Probable Class Prob"],
            )
            whole = first + (second or 0)
            total[a["Most Probable Class"]] += first / whole
            if second:
                total[a["Second Most Probable Class"]] += second / whole
        counts[image] = {k: pytest.approx(v) for k, v in total.items()}
    return counts


def edges(path):
    answers = [
        (row["imagename"].split("_")[-1], row["subj"], row["object_response"])
        for name in EDGES
        for row in dict_rows(path.with_name(name))
    ]
    return {i: {} for i, _, _ in answers} | tally(a for a in answers if a[2] != "na")


def sheet(names, delimiter=","):
    def count(path):
        rows = dict_rows(path, delimiter)
        return {row["ID"]: dict(Counter(row[n] for n in names)) for row in rows}

    return count


def count_rows(path):
    rows = [line.split(",") for line in path.read_text().split()]
    return {
        str(i): {str(c): int(n) for c, n in enumerate(row) if int(n)}
        for i, row in enumerate(rows)
    }


def matrix(path):
    rows = [line.split() for line in path.read_text().splitlines()]
    return {
        str(i): dict(Counter(v for v in row if v != "-1")) for i, row in enumerate(rows)
    }


def choices(path):
    counts = {}
    for task in json.loads(path.read_text()):
        labels = [a["result"][0]["value"]["choices"][0] for a in task["annotations"]]
        counts[task["data"]["image"].split("/")[-1]] = dict(Counter(labels))
    return counts


def turk(path):
    answers = [
        (
            row[f"Input.image_url_{i}"],
            row["WorkerId"],
            row.get(f"Answer.category_{i}", "") + row[f"Answer.category_{i}.label"],
        )
        for row in dict_rows(path)
        for i in range(10)
    ]
    return {i: {} for i, _, _ in answers} | tally(a for a in answers if a[2])


def nested(path):
    items = json.loads(path.read_text())
    return {i: dict(Counter(map(str, given.values()))) for i, given in items.items()}


EXPECTED = {
    "bluebirds_answer_long.csv": columns("question", "worker", "answer"),
    "bluebirds_truth.csv": columns("question", None, "truth"),
    "cifar10s_soft_labels.json": percentages,
    "dogs_label.tsv": lines,
    "dogs_truth.csv": columns("question", None, "truth"),
    "ducks_labels.txt": lines,
    EDGES[0]: edges,
    EDGES[1]: edges,
    "enhance_crowd_asymmetry.csv": sheet(["i", "ii", "iii"]),
    SHEET: sheet([f"Asymmetry_1_{i}" for i in (1, 2, 3)], ";"),
    "face4_answer.csv": columns("question", "worker", "answer"),
    "face4_truth.csv": columns("question", None, "truth"),
    "fashionmnist_h_counts.csv": count_rows,
    "labelme_answers_matrix.txt": matrix,
    "labelme_truth.txt": matrix,
    "labelstudio_choices.json": choices,
    "labelstudio_rectangles.json": "only results of the types rectanglelabels: they",
    "mturk_batch_wide10.csv": turk,
    "peerannot_krippendorff.json": nested,
    "shape_texture16_trials.csv": columns(
        "imagename", "subj", "object_response", ["na"]
    ),
    "toloka_memes.tsv": columns(
        "INPUT:image", "ASSIGNMENT:worker_id", "OUTPUT:exploitable"
    ),
    "via_headpose.csv": "labels regions, not images: .*not said who gave them",
    "zooniverse_stellerwatch.csv": columns("subject_ids", "user_name", "val", ["null"]),
}


def genuine(data_dir, name):
    path = data_dir / "annotations" / name
    if not path.is_file():
        pytest.skip(f"{path} does not exist")
    return path


def test_there_is_a_reader_for_each():
    assert set(READ) == set(EXPECTED) and len(READ) == 23
    for function in READ.values():
        body = inspect.getsource(function).split(":\n", 1)[1].rstrip()
        assert len(body.splitlines()) <= 8, function.__name__


@pytest.mark.parametrize("name", EXPECTED)
def test_genuine_file(data_dir, name):
    path, expected = genuine(data_dir, name), EXPECTED[name]
    if isinstance(expected, str):
        with pytest.raises(AnnotationError, match=expected):
            READ[name](path)
        return
    with told():
        annotations = READ[name](path)
    expected = expected(path)
    assert counted(annotations) == expected
    if name != SHEET and "truth" not in name:
        assert list(annotations.ids) == list(expected)  # in the order of the file
    one_each = all(
        sum(map(float, c.values())) <= 1 for c in counted(annotations).values()
    )
    assert annotations.cannot_disagree == one_each


@pytest.mark.filterwarnings("ignore:.* have a tie")
def test_what_is_known_of_these_files(data_dir):
    """Figures that were counted when the files were collected."""

    def read(name):
        with told():
            return READ[name](genuine(data_dir, name))

    answers, truth = read("labelme_answers_matrix.txt"), read("labelme_truth.txt")
    assert len(answers.annotators) == 59
    assert answers.annotations_per_image.mean() == pytest.approx(2.55, abs=0.01)
    assert (answers.majority == truth.majority).mean() == pytest.approx(0.78, abs=0.02)
    assert truth.cannot_disagree
    trials = read("shape_texture16_trials.csv")
    assert (trials.records.label < 0).sum() == 187 and len(trials.annotators) == 10
    assert np.isnan(trials.records.seconds).sum() == 187  # the same ones
    turk = read("mturk_batch_wide10.csv")
    assert len(turk) == 100 and turk.counts.sum() == 490
    assert turk.ambiguous_fraction == pytest.approx(0.74, abs=0.01)
    assert read("toloka_memes.tsv").ambiguous_fraction == pytest.approx(0.74, abs=0.01)
    zooniverse = read("zooniverse_stellerwatch.csv")
    assert len(zooniverse.records) == 4000 and "590 times" in zooniverse.notes[0]
    assert read("face4_answer.csv").counts.sum() == 5242
    assert read("peerannot_krippendorff.json").unannotated == ("1", "13")


def test_regions_as_images(data_dir):
    """Where somebody says that a region stands for its image, they may."""
    path = genuine(data_dir, "via_headpose.csv")
    options = {"image": "filename", "annotator": None}
    broken = lambda row: json.loads(row["region_attributes"])["Label"]  # noqa: E731
    with pytest.raises(AnnotationError, match=r"line \d+: the function `label` fails"):
        Annotations.from_csv(path, **options, label=broken)
    with pytest.warns(UserWarning, match="removed from 14 labels"):
        annotations = Annotations.from_csv(
            path,
            **options,
            label=lambda row: row["region_attributes"][9:-1].strip('"'),
            no_answer=["undefined"],
        )
    rows = dict_rows(path)
    labels = Counter(r["region_attributes"][10:-2].strip() for r in rows)
    assert labels.pop("ndefine") == 1
    totals = annotations.counts.sum(axis=0).tolist()
    assert dict(zip(annotations.class_names, totals, strict=True)) == labels
