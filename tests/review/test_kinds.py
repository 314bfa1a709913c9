"""Answers that are no class of the sheet, split answers, and notes, as files tell."""

import csv
import io
import json
import random
import re

import numpy as np
import pytest

from keras_dc3 import agreement, review
from keras_dc3.annotations import AnnotationError
from tests.annotations.helpers import told
from tests.review.helpers import NAMES, answer, as_csv, make_proposals, quiet, save

pytest.importorskip("PIL.Image")

KINDS = {
    "cannot tell": {"label": None},
    "bad image": {"label": None},
    "none of these": {"label": None},
    "new class": {"label": "fox"},
    "split": {"label": "dog", "split": {"cat": 0.3, "dog": 0.7}},
    "note": {"label": None, "note": "unsure"},
}


def as_kind(row, kind, **changed):
    """Makes a row of a file an answer of a kind."""
    row.update({"split": None, "note": None, **KINDS.get(kind, {}), **changed})
    row["kind"] = kind
    fits = row["label"] is not None and row["label"] == row["proposed"]
    row["accepted"] = fits and kind != "split"


def of_kinds(path, annotator="anna", kinds=(), notes=(), session=None):
    """A file of the second version: its first answers are of some kinds."""
    file = answer(path, annotator, session=session)
    for row in file["annotations"]:
        as_kind(row, "class")
    for row, kind in zip(file["annotations"], kinds, strict=False):
        if isinstance(kind, str):
            as_kind(row, kind)
        else:
            as_kind(row, kind[0], **kind[1])
    for row, note in zip(file["annotations"], notes, strict=False):
        row["note"] = note
    return file | {"version": 2}


@pytest.fixture
def files(page, tmp_path):
    """Writes files of several people on one page; returns their paths."""
    path = page(mode="none", repetitions=0.0)

    def write(form="json", **people):
        paths = []
        for name, options in people.items():
            file = of_kinds(path, name, **options)
            target = save(tmp_path / f"{name}.{form}", file)
            if form == "csv":
                target.write_bytes(as_csv(file).encode())
            paths.append(target)
        return paths

    return write


@pytest.mark.parametrize("form", ["json", "csv"])
def test_each_answer_keeps_its_meaning(files, form):
    (path,) = files(form, anna={"kinds": list(KINDS), "notes": ["=1+1\nx", "'=y"]})
    with told() as texts:
        found = review.read(path, proposals=make_proposals())
    assert "'fox' (1 answer by anna)" in texts[0]
    assert found.annotations.class_names == (*NAMES, "fox")
    assert found.new_classes == ("fox",)
    assert (
        sorted(found.kinds[found.kinds != "class"])
        == sorted(KINDS)[:3]
        + sorted(["new class", "split", "none of these"])[:0]
        + sorted(set(KINDS) - {"note"})[3:]
    )
    records = found.annotations.records
    assert len(records) == 29  # a note alone is no answer
    by_kind = {
        kind: int(np.flatnonzero(found.kinds == kind)[0]) for kind in found.kinds
    }
    assert all(records.label[by_kind[kind]] == -1 for kind in list(KINDS)[:3])
    assert records.reason[[by_kind[k] for k in list(KINDS)[:3]]].tolist() == [1, 2, 3]
    assert records.label[by_kind["new class"]] == 3
    split = records.image[by_kind["split"]]
    assert found.annotations.soft_labels[split] == pytest.approx([0.3, 0.7, 0, 0])
    assert sorted(found.notes_of.values()) == [
        (("anna", "'=y"),),
        (("anna", "=1+1\nx"),),
        (("anna", "unsure"),),
    ]
    assert not found.accepted.any()


def test_the_second_version_of_a_file_without_anything_new(files, saved):
    (path,) = files(anna={})
    assert quiet(path).annotations.counts.sum() == 30


@pytest.mark.parametrize("form", ["json", "csv"])
def test_random_answers_come_back(files, form):
    """Whatever is in a file of either form is what is read."""
    rng = random.Random(7)
    texts = ["é = 😀", "مرحبا", "two\nlines", "  blanks  ", "'", "+1", '"a";b,c']
    for turn in range(10):
        kinds, notes = [], []
        for _ in range(30):
            kind = rng.choice(["class", *KINDS])
            changed = {}
            if kind == "class":
                changed["label"] = rng.choice(NAMES)
            elif kind == "new class":
                changed["label"] = rng.choice(["fox", "狐 😀", "ثعلب", "=a"])
            elif kind == "split":
                first, second = rng.sample([*NAMES, "fox"], 2)
                part = rng.randint(50, 99) / 100
                changed = {"label": first, "split": {first: part, second: 1 - part}}
            kinds.append((kind, changed))
            notes.append(rng.choice([None, *texts]) if kind != "note" else "alone")
        (path,) = files(form, **{f"p{turn}": {"kinds": kinds, "notes": notes}})
        with told():
            found = review.read(path, proposals=make_proposals())
        file_rows = dict(
            zip(order_of(path), zip(kinds, notes, strict=True), strict=True)
        )
        records, names = found.annotations.records, found.annotations.class_names
        seen = {}
        for i in range(len(records)):
            label = None if records.label[i] < 0 else names[records.label[i]]
            split = None
            if records.second[i] >= 0:
                part = float(records.share[i])
                split = {label: part, names[records.second[i]]: 1 - part}
            image = found.annotations.ids[records.image[i]]
            seen[image] = (found.kinds[i], label, split)
        for image, ((kind, changed), note) in file_rows.items():
            assert dict(found.notes_of).get(image, ((None, None),))[0][1] == note
            if kind == "note":
                assert image not in seen
                continue
            values = {**KINDS.get(kind, {}), **changed}
            assert seen[image][:2] == (kind, values["label"])
            assert seen[image][2] == (
                None if kind != "split" else pytest.approx(values["split"])
            )


def order_of(path):
    """The images of the rows of a file."""
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        return [row["image"] for row in json.loads(text)["annotations"]]
    return [row["image"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def typed(*names):
    return {"kinds": [("new class", {"label": name}) for name in names]}


def test_typed_classes_meet(files):
    paths = files(
        anna=typed("fox", "Cat", "wolf cub", "red-deer"),
        ben=typed("Fox", "FOX", "Wolf  cub", "foxx"),
        eve=typed("fox", "ثعلب", "RED DEER"),
    )
    results = []
    for order in (paths, paths[::-1]):
        with told() as texts:
            found = review.read(order, proposals=make_proposals())
        results.append(found.annotations.class_names)
        told_of = texts[0]
        assert "'Cat', as somebody typed it, is the class 'cat'" in told_of
        assert "'FOX', 'Fox', as somebody typed it, is the new class 'fox'" in told_of
        assert "'RED DEER', as somebody typed it, is the class 'red deer'" in told_of
        assert "'fox' is written nearly as 'foxx'" in told_of
        assert "'red-deer' is written nearly as 'red deer'" in told_of
    assert results[0] == results[1]
    assert set(results[0][3:]) == {"fox", "foxx", "red-deer", "Wolf cub", "ثعلب"}


def test_a_typed_class_that_could_be_two(tmp_path, page):
    proposals = make_proposals(names=("Cat", "cat", "dog"))
    path = page(proposals, mode="none", repetitions=0.0)
    file = of_kinds(path, kinds=[("new class", {"label": "CAT"})])
    with told() as texts:
        found = review.read(save(tmp_path / "a.json", file), proposals=proposals)
    assert found.annotations.class_names[3:] == ("CAT",)
    assert "'CAT' is written nearly as 'Cat'" in texts[0]


def test_a_typed_class_that_means_none(files):
    (path,) = files(anna=typed("unknown"))
    with told() as texts:
        review.read(path)
    assert "'unknown' may mean that there is no answer" in texts[0]


SPLIT = {"label": "dog", "split": {"cat": 0.3, "dog": 0.7}}


@pytest.mark.parametrize(
    ("kind", "changed", "match"),
    [
        ("split", {"split": {"cat": 0.5, "dog": 1.0}}, "'split' must give two classes"),
        ("split", {"split": {"cat": 0.3, "dog": 1.2}}, "'split' must give two classes"),
        ("split", {"split": {"cat": 0.8, "dog": 0.2}}, "larger one to the label 'dog'"),
        ("split", {"split": {"dog": 1.0}}, "'split' must give two classes"),
        ("split", {"split": {"cat": 0.3, "eel": 0.7}}, "larger one to the label 'dog'"),
        ("split", {"split": {"cat": "0.3", "dog": 0.7}}, "'split' must give two"),
        ("split", {"split": None}, r"'split' must give two classes.*Received: None"),
        ("split", {"split": [0.3, 0.7]}, "'split' must give two classes"),
        ("class", {"split": {"cat": 0.3, "dog": 0.7}}, "but the answer is 'class'"),
        ("maybe", {}, r"'kind' cannot be 'maybe', only one of 'class', .*Update"),
        (["class"], {}, r"'kind' cannot be \['class'\]"),
        ("bad image", {"label": "cat"}, "the answer is 'bad image', but the label is"),
        ("class", {"label": None}, "the answer is 'class', but the label is None"),
        ("class", {"label": "fox"}, "'fox' is none of the classes"),
        (
            "new class",
            {"label": "x" * 500},
            r"'x{40}\.\.\.' with 500 letters cannot be",
        ),
        ("new class", {"label": "\u200b"}, "cannot be a new class"),
        ("new class", {"label": " fox"}, "cannot be a new class"),
        ("new class", {"label": ""}, "cannot be a new class"),
        ("class", {"note": 5}, "'note' cannot be 5"),
    ],
)
def test_what_no_page_writes_is_refused(files, tmp_path, kind, changed, match):
    (path,) = files(anna={})
    file = json.loads(path.read_text("utf-8"))
    row = file["annotations"][1]
    row.update({**(SPLIT if kind == "split" else {}), **changed}, kind=kind)
    row["accepted"] = False
    with pytest.raises(AnnotationError, match=r"annotation 2[^0-9]") as error:
        review.read(save(path, file))
    assert re.search(match, str(error.value), re.DOTALL)


def test_a_csv_that_was_changed(files):
    (path,) = files("csv", anna={"kinds": ["split"]})
    text = path.read_text("utf-8")
    path.write_text(text.replace('{""cat"":0.3,""dog"":0.7}', "70% dog"), "utf-8")
    with pytest.raises(AnnotationError, match=r"line 2: 'split' must .*'70% dog'"):
        review.read(path, proposals=make_proposals())


@pytest.mark.parametrize("lost", [("note",), ("kind",), ("split", "note")])
def test_a_csv_without_some_of_the_further_columns(files, lost):
    """Else a bad image would be "cannot tell", and a split answer a class."""
    (path,) = files("csv", anna={"kinds": ["bad image", "split"]})
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [column for column in rows[0] if column not in lost]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, kept, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
    with pytest.raises(AnnotationError, match=f"columns .*{lost[0]}.* bad or split"):
        review.read(path, proposals=make_proposals())


def test_a_file_that_was_made_one_of_version_1(files):
    (path,) = files(anna={"kinds": ["cannot tell", "bad image"]})
    save(path, json.loads(path.read_text("utf-8")) | {"version": 1})
    with pytest.raises(AnnotationError, match=r"annotation 1 has one of .* version 1"):
        review.read(path)


def test_two_sessions_that_differ_in_the_kind_alone(page, tmp_path):
    path = page(mode="none", repetitions=0.0)
    first = of_kinds(path, kinds=["bad image"], notes=["dark"])
    later = of_kinds(path, kinds=["none of these"], notes=["a fox"], session="s2")
    later["saved"] = "2027-01-01T11:00:00.000Z"
    paths = [save(tmp_path / f"{i}.json", f) for i, f in enumerate((first, later))]
    with told() as texts:
        found = review.read(paths, conflicts="later")
    assert "30 answers are in both, of which 1 differs" in texts[0]
    assert "none of these" in found.kinds and "bad image" not in found.kinds
    assert list(found.notes_of.values()) == [(("anna", "dark"), ("anna", "a fox"))]


def test_rounds_with_typed_classes_are_merged(page, files):
    first, second = files(anna=typed("fox", "owl"), ben=typed("Fox", "elk", "elk"))
    with told():
        one = review.read(first, proposals=make_proposals())
        two = review.read(second, proposals=make_proposals())
        both = one.merge(two)
    assert both.annotations.class_names[:3] == NAMES
    assert {n.lower() for n in both.annotations.class_names[3:]} == {
        "fox",
        "owl",
        "elk",
    }
    assert len(both.new_classes) == 3
    assert both.annotations.counts[:, 3:].sum() == 5
    known = both.with_classes(
        [*NAMES, "canine", "elk"],
        {
            next(n for n in both.new_classes if n.lower() == "fox"): "canine",
            "owl": None,
        },
    )
    assert known.new_classes == ("canine", "elk")
    assert (known.kinds[known.annotations.records.label < 0] == "new class").all()


def test_what_agreement_and_labels_say(files):
    bad = {"kinds": ["bad image", "none of these", "split"]}
    paths = files(
        anna=bad, ben={"kinds": ["bad image"], "notes": ["too dark"]}, eve=bad
    )
    with told():
        found = review.read(paths, proposals=make_proposals())
        measured = agreement.measure(found, resamples=0)
        labels = agreement.final_labels(found)
    (image,) = found.annotations.bad_images
    assert measured.reasons == {"bad image": 3, "none of these": 2}
    assert "5 more without a class (3 bad image, 2 none of these)" in str(measured)
    assert "1 image: 3 people say bad image; of 1 most people do" in str(measured)
    assert f"therefore: '{image}' (3 of 3 who answered)" in str(measured)
    assert "2 answers split between two classes" in str(measured)
    assert "(2 of 3 who answered)" in str(measured)
    assert len(labels) == 29 and image not in labels.ids
    assert labels.bad_images == (image,) and len(labels.none_of_these) == 1
    assert f"as most people call them bad: 1 image, '{image}'" in str(labels)
    assert "May call for a new class" in str(labels)
    assert labels.notes_of == {image: (("ben", "too dark"),)}
    split = next(i for i in range(30) if found.annotations.counts[i, 1] == 1.4)
    row = labels.ids.index(found.annotations.ids[split])
    assert 0.2 < labels.soft_labels[row, 1] < 0.6 and labels.class_name[row] == "cat"
    assert labels.agreeing[row] == 1  # the others took dog for more likely


def test_a_split_answer_comes_through_the_correction_of_bias(page, tmp_path):
    path = page(control=0.5, repetitions=0.0)
    paths = []
    for name in ("anna", "ben", "eve"):
        kinds = [("class", {"label": NAMES[i % 3]}) for i in range(30)]
        kinds[::5] = ["split"] * 6
        paths.append(save(tmp_path / f"{name}.json", of_kinds(path, name, kinds)))
    with told():
        found = review.read(paths, proposals=make_proposals())
        plain = found.annotations
        labels = agreement.fit_bias(found, make_proposals(), resamples=20).correct(
            found
        )
    rows = np.flatnonzero(plain.records.is_split)
    rows = np.unique(plain.records.image[rows])
    assert len(rows) == 6
    assert labels.counts[rows] == pytest.approx(plain.counts[rows])
    assert labels.counts.sum(axis=1) == pytest.approx([3] * 30)
    assert labels.given[rows, 1].tolist() == [3] * 6
