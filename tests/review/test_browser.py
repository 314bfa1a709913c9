"""The review sheet in a real browser."""

import csv
import io
import json
from collections import defaultdict

import numpy as np
import pytest

from keras_dc3 import review
from keras_dc3.proposals import Proposals
from tests.annotations.helpers import told
from tests.review.driving import (
    answers,
    begin,
    download,
    seen,
    shown_ids,
    write,
)
from tests.review.helpers import (
    HOSTILE,
    NAMES,
    as_csv,
    make_proposals,
)

pytest.importorskip("PIL.Image")


def both_files(page, tmp_path, proposals):
    """Reads both downloads, which must say the same, and returns the review."""
    json_path = download(page, "json", tmp_path / "all.json")
    csv_path = download(page, "csv", tmp_path / "all.csv")
    file = json.loads(json_path.read_text("utf-8"))
    table = csv_path.read_bytes().decode("utf-8")
    times = {row["saved"] for row in csv.DictReader(io.StringIO(table, newline=""))}
    assert len(times) == 1 and as_csv(file | {"saved": times.pop()}) == table
    with told():
        one = review.read(json_path, proposals=proposals)
        other = review.read(csv_path, proposals=proposals)
    assert one.annotations == other.annotations
    assert one.accepted.sum() == sum(row["accepted"] for row in file["annotations"])
    for name in ("proposed", "group", "accepted", "repetition"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    return one


def check(found, expected, proposals):
    """Compares (image, repetition) -> position of a class with a review."""
    records = found.annotations.records
    got = {
        (proposals.ids[i], bool(again)): label
        for i, again, label in zip(
            records.image.tolist(),
            found.repetition.tolist(),
            records.label.tolist(),
            strict=True,
        )
    }
    assert got == expected
    assert (records.seconds > 0).all() and (records.seconds < 30).all()


def test_a_whole_annotation_by_mouse(visit, tmp_path):
    """Hostile names throughout, and a reload in the middle."""
    names = (*HOSTILE, "dog")
    ids = [*HOSTILE, *(f"{i}.png" for i in range(22))]
    proposals = make_proposals(30, ids, names)
    path, made = write(tmp_path, proposals, control=0.2, repetitions=0.4, title=ids[0])
    page = visit(path)
    page.click("#name")
    page.keyboard.type("Änna </script>")
    page.click("text=Start")
    expected, reloaded = {}, False
    while not (now := seen(page))["title"].startswith("All done"):
        images = shown_ids(page, made)
        if now["kind"] == "single":
            again = (images[0], False) in expected
            expected[images[0], again] = len(expected) % 9 - 1
            page.click(f'#classes [data-label="{expected[images[0], again]}"]')
            continue
        step = next(
            s
            for s in made["steps"]
            if [made["images"][i] for i in s["images"]] == images
        )
        assert now["title"] == step["title"]
        expected |= {(image, False): step["label"] for image in images}
        if not reloaded and len(images) > 3:
            page.click(".thumb >> nth=1")
            page.reload()
            page.click("text=Continue as")
            assert seen(page)["marked"] == 1 and shown_ids(page, made) == images
            page.click('#classes [data-label="8"]')
            page.click(".thumb >> nth=2")
            page.click(".thumb >> nth=3")
            assert seen(page)["target"] == "2 marked are"
            page.click(".thumb >> nth=3")
            expected[images[1], False] = 8
            del expected[images[2], False]  # taken out: comes again at the end
            reloaded = "left", images[2]
        assert "Accept" in seen(page)["accept"]
        page.click("#accept")
    assert reloaded and (reloaded[1], False) in expected
    assert page.evaluate("window.hacked") is None
    assert page.title() == ids[0]
    found = both_files(page, tmp_path, proposals)
    check(found, expected, proposals)
    assert found.annotations.annotators == ("Änna </script>",)
    blind = {image for image, again in expected if again}
    assert blind and all(
        (found.proposed[i] < 0) for i in np.flatnonzero(found.repetition)
    )
    out = proposals.ids.index(reloaded[1])
    (row,) = np.flatnonzero(found.annotations.records.image == out)
    assert found.proposed[row] >= 0 and found.group[row]


def test_a_whole_annotation_by_keyboard(visit, tmp_path):
    """No mouse at all: marks, names, undo and redo, and a reload in the middle."""
    proposals = make_proposals(40)
    path, made = write(tmp_path, proposals, repetitions=0.25)
    page = visit(path)
    press = page.keyboard.press
    page.keyboard.type("Anna")
    press("Enter")
    expected, done = {}, False
    while (now := seen(page))["kind"] != "card":
        images = shown_ids(page, made)
        if now["kind"] == "single":
            again = (images[0], False) in expected
            label = len(expected) % 4 - 1
            expected[images[0], again] = label
            press("u" if label < 0 else str(label + 1))
            continue
        step = next(
            s
            for s in made["steps"]
            if s["kind"] == "group"
            and ([made["images"][i] for i in s["images"]] == images)
        )
        label = step["label"]
        expected |= {(image, False): label for image in images}
        if not done and len(images) > 4:
            done = True
            other = (label + 1) % 3
            press("ArrowRight")
            press("Space")
            press("End")
            press("Space")
            press(str(other + 1))
            assert seen(page)["badges"][1] == NAMES[other]
            press("Control+z")
            assert seen(page)["marked"] == 2 and not any(seen(page)["badges"])
            press("Control+y")
            press("Home")
            press("Space")
            page.reload()
            begin(page)
            press("Enter")  # "Continue as Anna"
            press("u")
            expected[images[1], False] = expected[images[-1], False] = other
            expected[images[0], False] = -1
            press(str(other + 1))  # nothing is marked: the whole group
            assert f"as {NAMES[other]}" in seen(page)["accept"]
            for image in images[2:-1]:
                expected[image, False] = other
            press("Enter")
            press("p")
            assert seen(page)["badges"][0] == "cannot tell"
            press("Control+z")  # takes the acceptance back
            assert "accepted" not in page.inner_text("main")
            press("Control+Shift+z")
        else:
            press("Enter")
    assert done and seen(page)["title"].startswith("All done")
    found = both_files(page, tmp_path, proposals)
    check(found, expected, proposals)
    assert found.repetition.sum() == 1


def test_one_by_one(visit, tmp_path):
    """Nothing tells that an image comes again, and all is blind."""
    proposals = make_proposals(10)
    path, made = write(tmp_path, proposals, "none", repetitions=0.5)
    assert len(made["steps"]) == 15
    page = visit(path)
    begin(page)
    texts = defaultdict(set)
    expected = {}
    for turn in range(15):
        (image,) = shown_ids(page, made)
        again = (image, False) in expected
        texts[image].add(page.inner_text("main"))
        assert not set(proposals.ids) & set(page.inner_text("body").split())
        expected[image, again] = turn % 3
        page.keyboard.press(str(turn % 3 + 1))
    assert all(len(found) == 1 for found in texts.values())
    found = both_files(page, tmp_path, proposals)
    check(found, expected, proposals)
    assert (found.proposed == -1).all() and not found.accepted.any()
    assert found.mode == "none" and found.repetition.sum() == 5


def test_ranges_and_gaps(visit, tmp_path):
    proposals = Proposals(
        [str(i) for i in range(20)],
        np.zeros(20),
        np.tile([1.0, 0.0], (20, 1)),
        np.ones((20, 1)),
        ["cat", "dog"],
    )
    path, _ = write(tmp_path, proposals, control=0.0)
    page = visit(path)
    begin(page)
    page.click(".thumb >> nth=2")
    page.click(".thumb >> nth=5", modifiers=["Shift"])
    assert seen(page)["marked"] == 4
    page.keyboard.press("2")
    page.click(".thumb >> nth=17")
    page.keyboard.press("e")
    assert seen(page)["marked"] == 3 and "Accept 13 as cat" in seen(page)["accept"]
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("n")
    assert seen(page)["title"] == "The end, with gaps"
    page.click("text=Go to the first gap")
    for _ in range(3):
        page.keyboard.press("2")
    assert seen(page)["title"].startswith("All done")
    found = answers(page, tmp_path)
    assert [found[str(i), False] for i in range(20)].count("dog") == 7


def test_many_classes_are_found_by_name(visit, tmp_path):
    names = [f"kind {i}" for i in range(40)]
    proposals = make_proposals(20, names=tuple(names))
    path, _ = write(tmp_path, proposals, "none")
    page = visit(path)
    begin(page)
    page.keyboard.press("/")
    page.keyboard.type("KIND 37")
    page.keyboard.press("Enter")
    page.keyboard.press("0")
    assert sorted(answers(page, tmp_path).values()) == ["kind 37", "kind 9"]
