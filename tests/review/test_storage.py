"""What a browser keeps of review sheets: two of them, full or forbidden storage."""

import itertools
import json

import pytest

from keras_dc3 import review
from tests.cases import case
from tests.review.driving import answers, begin, download, go_on, seen, write
from tests.review.helpers import (
    make_images,
    make_proposals,
    write_folder,
)
from tests.slow import few

pytest.importorskip("PIL.Image")


def sets(source, tmp_path):
    """Two folders with the same file names and other pictures."""
    if source == "case":
        root = case("20-two-review-pages-one-browser")
        names = json.loads((root / "expected.json").read_text("utf-8"))["set_a"]
        return root / "set_a", root / "set_b", names
    names = [f"{i:02d}.png" for i in range(12)]
    for seed, name in enumerate(("a", "b")):
        write_folder(tmp_path / name, make_images(12, seed), names)
    return tmp_path / "a", tmp_path / "b", names


@pytest.mark.parametrize("source", few(["made up", "case"], "made up"))
def test_two_pages_in_one_browser(visit, tmp_path, source):
    *folders, ids = sets(source, tmp_path)
    proposals = make_proposals(12, ids)
    paths = [
        write(tmp_path, proposals, "none", f"{i}.html", images=folder, repetitions=0.0)[
            0
        ]
        for i, folder in enumerate(folders)
    ]
    for half in range(2):
        pages = [visit(path) for path in paths]
        if half == 0:
            begin(pages[0], "Ann")
            begin(pages[1], "Ann")
        else:
            go_on(pages[0], "Ann")
            go_on(pages[1], "Ann")
        for _ in range(6):  # in turn: key 1 on the first page, key 2 on the second
            pages[0].keyboard.press("1")
            pages[1].keyboard.press("2")
        for page in pages:
            assert seen(page)["count"] == f"{6 * (half + 1)} of 12"
        if half == 0:
            for page in pages:
                page.close()
    for number, page in enumerate(pages):
        path = download(page, "json", tmp_path / f"{number}.json")
        found = review.read(path, proposals=proposals, images=folders[number])
        assert set(found.annotations.majority) == {number} and len(found.group) == 12
        with pytest.raises(ValueError, match="was made for another set than `images`"):
            review.read(path, proposals=proposals, images=folders[1 - number])
    other_round = make_proposals(12, ids, seed=1)
    for round_, options in (
        (other_round, {"mode": "none"}),
        (other_round, {"mode": "dc3", "seed": 1}),
        (proposals, {"mode": "none", "round_name": "second"}),
    ):
        options = {"repetitions": 0.0, "images": folders[0], **options}
        path, _ = write(tmp_path, round_, name="next.html", **options)
        page = visit(path)
        assert page.is_visible("#name") and "Continue" not in page.inner_text("main")
        begin(page, "Ann")
        assert seen(page)["count"].startswith("0 of ")
    page = visit(paths[0])
    go_on(page, "Ann")
    assert seen(page)["count"] == "12 of 12"


def close(page):
    """Closes a page as people do; returns the kinds of questions that it asked."""
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    return asked


FULL = """Storage.prototype.setItem = () => {
  throw new DOMException("full", "QuotaExceededError");
};"""
FORBIDDEN = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("no", "SecurityError"); },
});"""


DEAF = "Storage.prototype.setItem = () => {};"


@pytest.mark.parametrize(
    ("script", "why"),
    [(FULL, "full"), (FORBIDDEN, "forbidden"), (DEAF, "keeps nothing")],
    ids=["full", "no", "deaf"],
)
def test_told_at_once_where_nothing_is_kept(visit, tmp_path, script, why):
    path, _ = write(tmp_path, mode="none")
    page = visit(path, script=script)
    assert page.is_visible("#alarm") and why in page.inner_text("#alarm")
    assert "preview" not in page.inner_text("#alarm")
    begin(page)
    page.keyboard.press("1")
    assert page.is_visible("#alarm") and page.inner_text("#saved") == "not saved"
    assert list(answers(page, tmp_path).values()) == ["cat"]


def test_a_preview_says_so(visit, tmp_path):
    """One that lets scripts run, but neither keeps answers nor gives them out."""
    write(tmp_path, mode="none")
    preview = tmp_path / "preview.html"
    preview.write_text('<iframe sandbox="allow-scripts" src="review.html"></iframe>')
    page = visit(preview, expected="autofocus")
    alarm = page.frame_locator("iframe").locator("#alarm")
    alarm.wait_for()
    assert "save the file and open it in a browser" in alarm.inner_text()


def test_storage_that_becomes_full(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    begin(page)
    page.keyboard.press("1")
    assert not page.is_visible("#alarm") and page.inner_text("#saved").startswith(
        "saved"
    )
    page.evaluate(f"() => {{ {FULL} }}")
    page.keyboard.press("2")
    assert page.is_visible("#alarm")
    assert sorted(answers(page, tmp_path).values()) == ["cat", "dog"]
    assert close(page) == ["beforeunload"]


def test_stored_answers_that_cannot_be_read(visit, tmp_path):
    path, made = write(tmp_path, mode="none")
    page = visit(path)
    begin(page)
    page.evaluate(
        """() => {
          for (const key of Object.keys(localStorage))
            if (key.includes("/of/")) localStorage.setItem(key, "{");
        }"""
    )
    page.evaluate("Storage.prototype.setItem = () => {}")  # as after a crash
    page.close()
    page = visit(path)
    assert page.is_visible("#name")
    begin(page)
    assert seen(page)["count"] == f"0 of {len(made['steps'])}"
    kept = page.evaluate(
        "Object.keys(localStorage).filter((k) => k.includes('unread'))"
    )
    assert len(kept) == 1


def test_answers_that_were_not_kept_survive_a_change_of_the_annotator(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    begin(page)
    page.keyboard.press("1")
    page.evaluate(f"() => {{ {FULL} }}")
    for _ in range(5):
        page.keyboard.press("2")
    page.click("#who")
    go_on(page)
    assert seen(page)["count"].startswith("6 of")
    page.click("#who")
    assert close(page) == ["beforeunload"]


def test_another_tab_does_not_take_what_was_not_kept(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    first, second = visit(path), visit(path)
    begin(first)
    first.keyboard.press("1")
    first.evaluate(f"() => {{ {FULL} }}")
    for _ in range(5):
        first.keyboard.press("2")
    second.reload()
    go_on(second)
    second.keyboard.press("3")
    first.wait_for_selector("text=Go on here")
    asked = []
    first.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    first.click("text=Go on here")  # asks, and the answer is no
    assert asked == ["confirm"] and len(answers(first, tmp_path)) == 6


@pytest.mark.parametrize("form", few(["json", "csv"], "csv"))
def test_states_of_which_none_came_from_the_other(visit, tmp_path, form):
    """The browser forgot what it could not keep, and the person began there again."""
    proposals = make_proposals(12)
    path, _ = write(tmp_path, proposals, "none", repetitions=0.0)
    page = visit(path)
    begin(page)
    page.evaluate(f"() => {{ {FULL} }}")
    for _ in range(5):
        page.keyboard.press("1")
        page.keyboard.press("Control+z")
    page.keyboard.press("1")
    first = download(page, form, tmp_path / f"1.{form}")
    page.close()
    page = visit(path)
    go_on(page)
    for _ in range(4):
        page.keyboard.press("n")
    for _ in range(3):
        page.keyboard.press("2")
    second = download(page, form, tmp_path / f"2.{form}")
    for files in ([first, second], [second, first]):
        with pytest.warns(UserWarning, match="none came from the other: .* 4 answers"):
            found = review.read(files, proposals=proposals)
        assert found.annotations.counts.sum(axis=0).tolist() == [1, 3, 0]
    page.keyboard.press("2")
    later = download(page, form, tmp_path / f"3.{form}")
    for files in itertools.permutations([first, second, later]):
        with pytest.warns(UserWarning, match="none came from the other: .* 5 answers"):
            found = review.read(files, proposals=proposals)
        assert found.annotations.counts.sum(axis=0).tolist() == [1, 4, 0]
    with pytest.warns(UserWarning, match="the later state counts"):
        found = review.read([second, later], proposals=proposals)
    assert len(found.annotations.records) == 4
    page.keyboard.press("Control+z")  # an answer that was taken back stays so
    last = download(page, form, tmp_path / f"4.{form}")
    with pytest.warns(UserWarning, match="the later state counts"):
        found = review.read([last, later], proposals=proposals)
    assert len(found.annotations.records) == 3
    for _ in range(4):
        page.keyboard.press("p")
    for _ in range(8):
        if seen(page)["count"].startswith("0"):
            break
        page.keyboard.press("p")
    page.keyboard.press("3")
    other = download(page, form, tmp_path / f"5.{form}")
    with pytest.raises(review.reading.AnnotationError, match="contradict each other"):
        review.read([first, other], proposals=proposals)
