"""Answers from the files that review sheets give."""

import csv
import io

import numpy as np
import pytest

from keras_dc3 import review
from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import told
from tests.review.helpers import (
    HOSTILE,
    answer,
    as_csv,
    make_images,
    make_proposals,
    quiet,
    save,
)

pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("mode", ["none", "classes", "dc3"])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_round_trip(page, tmp_path, mode, form):
    proposals = make_proposals()
    choices = {name: i % 4 - 1 for i, name in enumerate(proposals.ids)}
    choices["img_2.png"] = 2
    path = page(mode=mode, control=0.5, repetitions=0.2)
    file = answer(path, choose=lambda image, proposed: choices[image])
    path = save(tmp_path / f"a.{form}", file)
    if form == "csv":
        path.write_bytes(as_csv(file).encode())
    with told() as texts:
        found = review.read(path, proposals=proposals)
    assert len(texts) == 1 and "8 of 30 images have no valid answer" in texts[0]
    assert found.mode == mode and found.annotations.ids == proposals.ids
    assert found.annotations.class_names == proposals.class_names
    records = found.annotations.records
    rows = {(r["image"], r["repetition"]): r for r in file["annotations"]}
    assert len(records) == len(rows) == len(found.group) > 30
    for i in range(len(records)):
        image = proposals.ids[records.image[i]]
        row = rows[image, bool(found.repetition[i])]
        assert records.label[i] == choices[image]
        shown = row["proposed"]
        assert found.proposed[i] == (
            -1 if shown is None else proposals.class_names.index(shown)
        )
        assert found.group[i] == row["group"]
        assert found.accepted[i] == row["accepted"]
    assert (records.seconds == 1.5).all()
    assert found.annotations.annotators == ("anna",)


def test_the_csv_is_a_table_of_annotations(saved):
    path = saved(name="a.csv")
    table = Annotations.from_csv(path)
    with told():
        assert table.majority.tolist() == [0] * 30
        assert quiet(path, proposals=make_proposals()).annotations.counts[:, 0].all()


def test_hostile_names_come_back(page, tmp_path):
    names = (*HOSTILE, "dog")
    proposals = make_proposals(len(HOSTILE), list(HOSTILE), names)
    file = answer(page(proposals), HOSTILE[0], lambda image, _: HOSTILE.index(image))
    path = save(tmp_path / "a.json", file)
    found = quiet(path, proposals=proposals, images=make_images(len(HOSTILE)))
    assert found.annotations.majority.tolist() == list(range(len(HOSTILE)))
    assert found.annotations.annotators == (HOSTILE[0],)
    path.write_bytes(as_csv(file).encode())
    again = quiet(path, proposals=proposals)
    assert again.annotations == found.annotations


def test_several_people_and_pages(tmp_path):
    proposals = make_proposals(40)
    with told():
        pages = proposals.to_review(
            tmp_path / "r.html", make_images(40), "none", max_images_per_page=15
        )
    paths = [
        save(tmp_path / f"{who}{i}.json", answer(page, who, session=f"{who}{i}"))
        for who in ("anna", "ben")
        for i, page in enumerate(pages)
    ]
    found = quiet(paths, proposals=proposals, images=make_images(40))
    assert found.annotations.counts.sum() == 80
    assert found.annotations.annotators == ("anna", "ben")
    assert quiet(paths).annotations.counts.sum() == 80
    with told() as texts:
        review.read(paths[:2], proposals=proposals)
    assert "13 of 40 images have no valid answer" in texts[0]


def test_a_later_state_of_the_session(saved):
    def later(file):
        file["saved"] = "2026-01-01T12:00:00.000Z"

    def earlier(file):
        file["annotations"] = file["annotations"][:5]
        file["rows"] = 5

    first = saved(earlier, name="1.json")
    last = saved(later, name="2.json", choose=lambda image, proposed: 1)
    for paths in ([first, last], [last, first]):
        with told() as texts:
            found = review.read(paths)
        assert "the later state counts, of " in texts[0] and "2.json" in texts[0]
        assert set(found.annotations.majority) == {1} and found.notes


@pytest.mark.parametrize("form", ["json", "csv"])
def test_clocks_do_not_tell_the_later_state(saved, form):
    """The clock was set back before the last download."""

    def later(file):
        file.update(saved="2026-01-01T09:00:00.000Z", changes=31)

    first = saved(name=f"1.{form}")
    last = saved(later, name=f"2.{form}", choose=lambda image, proposed: 1)
    for paths in ([first, last], [last, first]):
        with told():
            found = review.read(paths, proposals=make_proposals())
        assert set(found.annotations.majority) == {1}
    del_changes = saved(lambda file: file.pop("changes"), name=f"3.{form}")
    assert len(quiet(del_changes, proposals=make_proposals()).group) == 30


def test_times(saved):
    def change(file):
        seconds = [-3.0, 0, 4000.0, None, 3599.0]
        for row, value in zip(file["annotations"], seconds, strict=False):
            row["seconds"] = value

    with told() as texts:
        found = review.read(saved(change))
    assert "3 of 30 times count as unknown: 2 are negative or 0, 1 above" in texts[0]
    times = found.annotations.records.seconds
    assert np.isnan(times).sum() == 4 and np.nanmax(times) == 3599.0
    assert len(times) == 30
    with told() as texts:
        review.read(saved(change), longest_seconds=2.0)
    assert "2 above 2 s" in texts[0]


def test_doubled_rows(saved):
    def twice(file):
        file["annotations"].append(dict(file["annotations"][3]))
        file["rows"] += 1

    with told() as texts:
        found = review.read(saved(twice))
    assert "1 answer stands twice and counts once" in texts[0]
    assert len(found.annotations.records) == 30

    def contradict(file):
        twice(file)
        file["annotations"][-1].update(label=None, accepted=False)

    with pytest.raises(AnnotationError, match=r"annotation 4 and .*annotation 31 con"):
        review.read(saved(contradict))


def test_two_sessions_of_one_name(saved):
    first, second = saved(name="1.json"), saved(name="2.json", session="s2")
    match = r"1\.json' and .*2\.json' are of different sessions.*'anna'.*rename"
    with pytest.raises(AnnotationError, match=match):
        review.read([first, second])
    with pytest.raises(ValueError, match="conflicts"):
        review.read(first, conflicts="first")


@pytest.mark.parametrize("later", ["1.json", "2.json"])
def test_of_two_sessions_the_later_answer_counts_if_asked_for(saved, later):
    files = []
    for name, label in {"1.json": 0, "2.json": 1}.items():
        day = 2 if name == later else 1
        files.append(
            saved(
                lambda file, day=day: file.update(saved=f"2026-01-0{day}T10:00:00Z"),
                name=name,
                session=name,
                annotator="anna" if name == "1.json" else "Anna",
                choose=lambda image, proposed, label=label: label,
            )
        )
    with told() as texts:
        found = review.read(files, people=["ANNA"], conflicts="later")
    assert "30 answers are in both, of which 30 differ" in texts[0]
    assert f"{later}' count, which was saved later" in texts[0]
    assert found.annotations.annotators == ("ANNA",)
    assert len(found.annotations.records) == 30
    assert set(found.annotations.records.label) == {int(later == "2.json")}


@pytest.mark.parametrize("form", ["json", "csv"])
def test_two_names_of_one_session(saved, form):
    """Somebody was renamed in a copy of the file: one person is not two."""
    first = saved(name=f"1.{form}")
    copy = saved(name=f"2.{form}", annotator="Anna", session="session of anna")
    match = rf"1\.{form}' and .*2\.{form}' are of one session.*'anna' and 'Anna'"
    with pytest.raises(AnnotationError, match=match):
        review.read([first, copy], proposals=make_proposals())


def test_formulas_come_back(page, tmp_path):
    """What a spreadsheet would take for a formula is an exact name here."""
    ids = ["=cmd|calc!A0", "+1", "-1", "@x"]
    file = answer(page(make_proposals(4, ids, ("=a", "b", "c"))), "=anna()")
    path = tmp_path / "a.csv"
    path.write_bytes(as_csv(file).encode())
    found = quiet(path, proposals=make_proposals(4, ids, ("=a", "b", "c")))
    assert found.annotations.ids == tuple(ids)
    assert found.annotations.annotators == ("=anna()",)


def test_one_person_in_two_spellings(saved):
    first, second = saved(), saved(name="b.csv", annotator="Anna")
    with pytest.warns(UserWarning, match="differ only in .*'Anna' and 'anna'"):
        review.read([first, second])


def test_a_csv_that_knows_not_all_classes(saved):
    path = saved(name="a.csv")
    with told() as texts:
        found = review.read(path)
    assert set(found.annotations.class_names) == {"cat", "dog", "red deer"}
    assert not texts or "Pass `proposals`" in texts[0]
    text = path.read_text("utf-8").replace("red deer", "cat")
    text = text.replace("accepted", "unread")  # what is renamed may equal the proposal
    path.write_text(text, "utf-8")
    with told() as texts:
        review.read(path)
    assert "names only the classes that occur" in texts[0]


def test_spreadsheets(saved):
    """Semicolons, capital truth values and a byte order mark."""
    path = saved(name="a.csv")
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows(
        [c.upper() if c in ("true", "false") else c for c in row] for row in rows
    )
    before = quiet(path, proposals=make_proposals())
    path.write_bytes(out.getvalue().encode("utf-8-sig"))
    after = quiet(path, proposals=make_proposals())
    assert after.annotations == before.annotations


def test_the_parts_of_a_review_fit(saved):
    found = quiet(saved())
    fields = vars(found)
    with pytest.raises(ValueError, match="`group` must hold one value for each of 30"):
        review.Review(**{**fields, "group": ["x"]})
    with pytest.raises(ValueError, match="`mode`"):
        review.Review(**{**fields, "mode": "x"})
    counts = Annotations.from_counts([[1, 0]], class_names=["a", "b"])
    with pytest.raises(ValueError, match="must have records"):
        review.Review(**{**fields, "annotations": counts})
    with pytest.raises(ValueError, match="read-only"):
        found.proposed[0] = 1
    assert repr(found).startswith(
        "<Review in mode 'dc3': 30 answers by 1 annotator, 3 blind, "
    )
