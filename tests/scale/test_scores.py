"""Summary, groups and what to ask next, file by file: what all at once give."""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_dc3 import Annotations, Proposals
from keras_dc3.command_line import main
from keras_dc3.scale import Scores, asking, grouping, kept, layout
from tests.review.helpers import content
from tests.scale.helpers import encoded
from tests.scale.runs import made_up, write_run

pytest.importorskip("pyarrow")


def answers_to(proposals, seed, share=0.4):
    """Answers of three people, in other spellings of some ids, and of other images."""
    rng = np.random.default_rng(seed)
    rows = [
        (name, f"p{person}", proposals.class_names[rng.integers(2)])
        for i, name in enumerate(proposals.ids)
        if rng.random() < share
        for name in [(name, name[:-4], name.rpartition("/")[2], name.upper())[i % 4]]
        for person in range(3)
        if rng.random() < 0.6
    ]
    rows.append(("never/scored.png", "p0", proposals.class_names[0]))
    return Annotations.from_records(rows, class_names=proposals.class_names)


def is_equal(group, other):
    """Whether two groups are the same to the last bit."""
    parts = "kind index name description medoids least_typical class_names"
    parts += " proposed_class nearest suggestion title"
    return (
        all(getattr(group, name) == getattr(other, name) for name in parts.split())
        and group.shares.tobytes() == other.shares.tobytes()
        and group.ids == other.ids
        and group.step() == other.step()
    )


def compare(folder, budgets, answers=None, **options):
    """Asks the folder and all of it at once the same."""
    scores, whole = Scores(folder, **options), Proposals.from_parquet(folder)
    if options.get("embeddings") is False:
        whole.embeddings = None
    assert len(scores) == len(whole)
    assert scores.summary() == whole.summary()
    assert scores.summary(1, with_verdict=False) == whole.summary(1, with_verdict=False)
    for budget in budgets:
        for given_answers in (None, answers):
            found = scores.next(budget, given_answers)
            expected = whole.next(budget, given_answers)
            assert found.questions == expected.questions
            assert found.settled == expected.settled
            assert found.proposals == expected.proposals
            assert str(found) == str(expected)
    groups = zip(scores.groups(), whole.groups(), strict=True)
    assert all(is_equal(*pair) for pair in groups)
    assert scores.cards("cluster") == whole.cards("cluster")
    return scores


@pytest.fixture(scope="module")
def _small_parts():
    """Little is kept, so that few images do what many would."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kept, "_FEW", 5)
        patched.setattr(asking, "_AT_ONCE", 2)
        for module in (layout, grouping):
            patched.setattr(module, "KEPT", 8)
        yield


def checked(seed, n, k, width, kind, budget, size):
    """Compares made-up proposals in files of some size."""
    proposals = made_up(n, k, seed=seed, width=width, kind=kind)
    answers = answers_to(proposals, seed) if n else None
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names that lack something
        write_run(Path(folder), proposals, size)
        compare(folder, (1, budget), answers)


CASES = {
    "seed": st.integers(0, 10_000),
    "n": st.integers(0, 300),
    "k": st.integers(2, 4),
    "width": st.sampled_from([None, None, 1, 3]),
    "kind": st.sampled_from(["spread", "sure", "equal"]),
    "budget": st.integers(1, 60),
    "size": st.integers(10, 80),
}


@pytest.mark.usefixtures("_small_parts")
@given(**CASES)
@example(seed=0, n=0, k=2, width=None, kind="spread", budget=3, size=5)
@example(seed=0, n=0, k=2, width=3, kind="spread", budget=3, size=5)
@example(seed=6, n=250, k=3, width=3, kind="spread", budget=30, size=40)
@settings(max_examples=8, deadline=None)
def test_as_all_at_once(seed, n, k, width, kind, budget, size):
    checked(seed, n, k, width, kind, budget, size)


@pytest.mark.slow
@pytest.mark.usefixtures("_small_parts")
@given(**{**CASES, "n": st.integers(100, 900)})
@settings(max_examples=60, deadline=None)
def test_as_all_at_once_in_many_cases(seed, n, k, width, kind, budget, size):
    checked(seed, n, k, width, kind, budget, size)


@pytest.mark.slow
@pytest.mark.parametrize("width", [None, 8])
def test_a_hundred_thousand_as_all_at_once(width, tmp_path):
    """With what is kept as it is; that is more than a file, and less than a group."""
    proposals = made_up(100_000, 10, 50, width=width, kind="sure")
    write_run(tmp_path, proposals, 8192)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        compare(tmp_path, (1, 300, 5000), answers_to(proposals, 0, share=0.01))


@pytest.mark.tensorflow
def test_a_run_of_a_model(scored):
    """With embeddings, a verdict, an odd class name, and an image that failed."""
    scores = compare(scored, (1, 6))
    assert len(scores) == 49 and scores.verdict is not None
    assert scores.summary().startswith("Verdict on the model")


def test_candidates_out_of_reach_are_dropped(monkeypatch, tmp_path):
    """And what is left of the last action is spent as it would be with all of them."""
    monkeypatch.setattr(kept, "_FEW", 5)
    monkeypatch.setattr(asking, "_AT_ONCE", 2)
    found, kept_rows = [], []
    after, spend = asking.Asking._after, asking.Asking._spend

    def watched_after(self, last):
        found.append(len(after(self, last)))
        return after(self, last)

    def watched(self):
        kept_rows.append(sum(len(one.rows) for one in self._groups))
        return spend(self)

    monkeypatch.setattr(asking.Asking, "_after", watched_after)
    monkeypatch.setattr(asking.Asking, "_spend", watched)
    proposals = made_up(900, 3, 2, kind="sure")
    counts = np.random.default_rng(0).integers(0, 4, (900, 1))
    counts = counts * np.eye(3)[proposals.class_index]  # little is left to be told
    answers = Annotations(proposals.ids, proposals.class_names, counts=counts)
    folder = write_run(tmp_path, proposals, 300)
    whole, options = (
        Proposals.from_parquet(folder),
        {"agreeing": 9, "model_weight": 1.0},
    )
    for budget in (2, 3, 5):
        asked = Scores(folder).next(budget, answers, **options)
        assert asked.questions == whole.next(budget, answers, **options).questions
    assert max(kept_rows) < 400
    assert max(found) > 0


def test_embeddings_of_few_groups_at_once(tmp_path, monkeypatch):
    proposals = made_up(400, 3, 4, seed=6, width=3)
    folder = write_run(tmp_path, proposals)
    gathered = []
    gather = grouping.Grouping._gathered

    def counted(self, numbers):
        gathered.append(numbers)
        return gather(self, numbers)

    monkeypatch.setattr(grouping.Grouping, "_gathered", counted)
    once = compare(folder, (20,))
    assert {group.suggestion for group in once.groups()} > {None}
    most = max(len(group) for group in once.groups())
    before = len(gathered)
    compare(folder, (20,), memory=3 * (4 * 4 * most + 32 * most))
    assert len(gathered) - before > 2
    compare(folder, (20,), embeddings=False)
    with pytest.raises(ValueError, match=r"by their embeddings of 3 numbers takes"):
        Scores(folder, memory=500).groups()
    with pytest.raises(ValueError, match=r"or pass `embeddings=False`"):
        Scores(folder, memory=500).next(20)


def test_ids_are_read_where_they_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "KEPT", 5)
    folder = write_run(tmp_path, made_up(120, 2, 2))
    group = Scores(folder).groups()[0]
    whole = Proposals.from_parquet(folder).groups()[0]
    (folder / "part-00001.parquet").rename(folder / "away")
    assert group.ids[:5] == whole.ids[:5] and group.ids[-5:] == whole.ids[-5:]
    assert group.ids[0] == whole.ids[0] and group.ids[-1] == whole.ids[-1]
    assert str(group) == str(whole) and len(group.ids) == len(whole.ids)
    assert repr(group.ids).startswith(f"<{len(whole):,} ids: '{whole.ids[0]}', ")
    with pytest.raises(ValueError, match=r"part-00001\.parquet' is missing"):
        list(group.ids)
    (folder / "away").rename(folder / "part-00001.parquet")
    assert group.ids == whole.ids and whole.ids[15] in group.ids
    assert group.ids[15:3:-2] == whole.ids[15:3:-2]
    assert group.ids != whole.ids[:-1] and group.ids != "ids"
    with pytest.raises(IndexError):
        group.ids[len(whole)]


def test_names_in_other_spellings(tmp_path):
    """As `Annotations.match`; what is told is told of few as of all."""
    names = [
        "a/1.png",
        "b/1.png",
        "a/2.1.png",
        "u\u0308.png",
        "4",
        "C/5.JPG",
        "d/6.tif",
    ]
    names += [f"other/{i}.png" for i in range(30, 60)]
    proposals = made_up(len(names), 2)
    proposals = proposals.take(range(len(names)), names)
    folder = write_run(tmp_path, proposals, 10)
    whole, scores = Proposals.from_parquet(folder), Scores(folder)

    def told(ask, *said):
        rows = [(name, person, "class 0") for name in said for person in "ab"]
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always")
            answers = Annotations.from_records(rows, class_names=proposals.class_names)
            notes.clear()
            try:
                asked = ask(5, answers)
            except ValueError as error:
                return str(error)
        return asked.questions, asked.settled, [str(note.message) for note in notes]

    for said in (
        ["a/1", "2.1.png", "\u00fc.png", "4.jpeg"],
        [".\\a\\1.png", "c/5.jpg", "6"],
        ["1"],
        ["a/1.png", "a/1"],
        ["never.png", "x/y/d/6.tif"],
    ):
        assert told(scores.next, *said) == told(whole.next, *said)
    strangers = Annotations.from_records(
        [("never.png", "a", "class 0")], class_names=proposals.class_names
    )
    with pytest.warns(UserWarning, match=r"is among the scores: 'never\.png'\. These"):
        assert scores.next(5, strangers).ids == scores.next(5).ids
    assert scores.take(["4", "6.tif"]).ids == ("4", "d/6.tif")
    assert scores.take("4") == whole.take([4])
    with pytest.raises(ValueError, match=r"1 of 2 images have no proposal: 'never'"):
        scores.take(["4", "never"])


def test_damage_is_told_in_a_sentence(tmp_path):
    folder = write_run(tmp_path / "run", made_up(120, 2, 2))
    part = folder / "part-00001.parquet"
    content = part.read_bytes()
    flipped = bytearray(content)
    flipped[40] ^= 1
    part.write_bytes(flipped)
    for ask in (Scores.summary, Scores.groups, lambda scores: scores.next(5)):
        with pytest.raises(ValueError, match=r"part-00001\.parquet' is damaged"):
            ask(Scores(folder))
    part.write_bytes(content[:-100])
    with pytest.raises(ValueError, match=r"part-00001\.parquet' is cut off or damaged"):
        Scores(folder)
    part.write_bytes(content)
    scores = Scores(folder)
    scores.summary()
    part.write_bytes(content[:-100])  # after it was looked at
    with pytest.raises(ValueError, match=r"part-00001\.parquet' is damaged"):
        scores.next(5)
    part.unlink()
    with pytest.raises(ValueError, match=r"lacks part-00001\.parquet"):
        Scores(folder)
    other = write_run(tmp_path / "other", made_up(120, 3, 2))
    (other / "part-00001.parquet").rename(part)
    manifest = folder / "manifest.json"
    kept_sums = json.loads(manifest.read_text())
    with pytest.raises(ValueError, match=r"part-00001\.parquet' is damaged"):
        Scores(folder).summary()
    del kept_sums["checksums"]["part-00001.parquet"]
    manifest.write_text(json.dumps(kept_sums))
    with pytest.raises(ValueError, match="has other classes than 'part-00000"):
        Scores(folder).summary()
    (folder / "part-00002.parquet").rename(folder / "part-00001.parquet")
    (tmp_path / "run/part-00002.parquet").write_bytes(content)
    with pytest.raises(ValueError, match="under another name"):
        Scores(folder)
    (other / "summary.json").write_text(json.dumps({"run": 1, "shards": "3"}))
    (tmp_path / "empty").mkdir()
    for unfinished in (other, tmp_path / "empty"):
        with pytest.raises(ValueError, match=r"holds no finished run"):
            Scores(unfinished)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        Scores(tmp_path / "gone")


def test_what_cannot_be_meant(tmp_path):
    folder = write_run(tmp_path, made_up(60, 2, 2))
    scores = Scores(folder)
    assert repr(scores) == f"<Scores of 60 images in {str(folder)!r}>"
    for call, message in (
        (lambda: Scores(7), r"`folder` must be the one"),
        (lambda: Scores(folder, memory=0), "`memory`"),
        (lambda: Scores(folder, embeddings="no"), "`embeddings`"),
        (lambda: scores.next(0), "`budget`"),
        (lambda: scores.next(5, model_weight=0), "`model_weight`"),
        (lambda: scores.next(5, agreeing=0), "`agreeing`"),
        (lambda: scores.next(5, ["a"]), "`annotations` must be"),
        (lambda: scores.cards("dog"), "`kind` must be"),
        (lambda: scores.next(5).first_groups(0), "`number`"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            call()


OPENED = []
WATCHED = []


def _watch(event, arguments):
    if event == "open" and WATCHED and str(arguments[0]).startswith(WATCHED[0]):
        OPENED.append(str(arguments[0]))


def test_a_page_reads_no_image_but_its_own(tmp_path, capsys):
    """Counted by the interpreter itself: whatever opens a file is seen."""
    pytest.importorskip("PIL")
    proposals = made_up(400, 2, 3, kind="sure")
    for i, name in enumerate(proposals.ids):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(np.full((8, 8, 3), i % 250, "uint8")))
    folder = write_run(tmp_path / "scores", proposals)
    asked = Scores(folder).next(budget=25).first_groups(2)
    assert [question.kind for question in asked] == ["group", "group"]
    assert len(asked.proposals) == len(asked.ids) < 200
    sys.addaudithook(_watch)  # for good, and so it looks at nothing but this
    images = str(tmp_path / "images")
    WATCHED.append(images)
    try:
        asked.to_review(tmp_path / "round.html", images)
        found = {os.path.relpath(path, images) for path in OPENED}
        assert found == set(asked.ids)
        call = ["ask", str(folder), "--budget=25", "--groups=2"]
        assert (
            main([*call, f"--to={tmp_path / 'again.html'}", f"--images={images}"]) == 0
        )
        assert {os.path.relpath(path, images) for path in OPENED} == found
        for path in map(Path, set(OPENED)):  # of 16 bits, whose scale is given
            path.write_bytes(encoded(np.full((8, 8), 4000, "uint16")))
        OPENED.clear()
        assert (
            main(
                [
                    *call,
                    f"--to={tmp_path / 'deep.html'}",
                    f"--images={images}",
                    "--value_range=0,4095",
                ]
            )
            == 0
        )
        assert {os.path.relpath(path, images) for path in OPENED} == found
    finally:
        WATCHED.clear()
        OPENED.clear()
    printed = capsys.readouterr().out
    assert "Proposals for 400 images" in printed and str(asked) in printed
    assert set(content(tmp_path / "again.html")["images"]) == set(asked.ids)


def test_the_command(tmp_path, capsys):
    folder = write_run(tmp_path, made_up(300, 3, 2, width=3))
    assert main(["ask", str(folder), "--budget=9", "--noembeddings"]) == 0
    printed = capsys.readouterr().out
    whole = Proposals.from_parquet(folder)
    whole.embeddings = None
    (tmp_path / "empty").mkdir()
    assert whole.summary() in printed
    assert all(str(question) in printed for question in whole.next(9)[:10])
    for call, message in (
        (["ask"], "Name the folder of the scores"),
        (["ask", str(folder), "--to=a.html"], "`--images` the folder of its images"),
        (["ask", str(tmp_path / "none")], "There is no folder"),
        (["ask", str(tmp_path / "empty")], "no finished run"),
        (
            ["ask", str(folder), "--to=a.csv", f"--images={folder}"],
            "whose name ends in .html",
        ),
    ):
        assert main(call) == 1
        assert message in " ".join(capsys.readouterr().err.split())
