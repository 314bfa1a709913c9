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
from tests.cases import case
from tests.review.driving import (
    answers,
    begin,
    download,
    go_on,
    seen,
    shown_ids,
    write,
)
from tests.review.helpers import (
    HOSTILE,
    NAMES,
    as_csv,
    make_images,
    make_proposals,
    write_folder,
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
    begin(page)
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


@pytest.mark.parametrize("source", ["made up", "case"])
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
    begin(page)
    page.keyboard.press("1")
    assert page.is_visible("#alarm") and page.inner_text("#saved") == "not saved"
    assert list(answers(page, tmp_path).values()) == ["cat"]


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
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]


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


def visit_with_clock(visit, path):
    """Opens a page whose time stands still, but for `page.clock.run_for`."""
    page = visit(path, hurried=True)
    page.clock.install(time=0)
    page.reload()
    page.clock.pause_at(600)
    begin(page)
    return page


def test_breaks_are_cut_off(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit_with_clock(visit, path)
    for wait in (4, 600, 0.5):
        page.clock.run_for(wait * 1000)
        page.keyboard.press("1")
    file = json.loads(download(page, "json", tmp_path / "a.json").read_text("utf-8"))
    by_time = sorted(file["annotations"], key=lambda row: row["ended"])
    assert [row["seconds"] for row in by_time] == pytest.approx([4, 30, 0.5], abs=0.01)
    assert all(row["started"] <= row["ended"] for row in by_time)
    assert by_time[0]["ended"] == "1970-01-01T00:10:04.000Z"


def test_the_time_of_a_group_is_shared(visit, tmp_path):
    proposals = make_proposals(8)
    path, made = write(tmp_path, proposals, "classes", control=0.0)
    page = visit_with_clock(visit, path)
    page.clock.run_for(8000)
    page.keyboard.press("Enter")
    file = json.loads(download(page, "json", tmp_path / "a.json").read_text("utf-8"))
    size = len(made["steps"][0]["images"])
    assert len(file["annotations"]) == size and not file["finished"]
    times = {row["seconds"] for row in file["annotations"]}
    assert len(times) == 1 and times.pop() == pytest.approx(8 / size, abs=0.01)


def test_a_second_tab_takes_over(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    first = visit(path)
    begin(first)
    first.keyboard.press("1")
    second = visit(path)
    go_on(second)
    second.keyboard.press("2")
    first.wait_for_selector("#alarm:visible")
    assert "another tab" in first.inner_text("#alarm")
    first.keyboard.press("3")
    first.click('#classes [data-label="0"]')
    assert seen(first)["count"].startswith("1 of")
    assert seen(second)["count"].startswith("2 of")
    first.click("text=Go on here")
    first.wait_for_function("document.getElementById('count').textContent[0] === '2'")


def test_two_people_at_one_browser(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    begin(page, "Anna")
    page.keyboard.press("1")
    page.click("#who")
    begin(page, "Ben")
    assert seen(page)["count"].startswith("0 of")
    page.keyboard.press("2")
    page.keyboard.press("2")
    page.reload()
    go_on(page, "Ben")
    assert page.inner_text("#who") == "Ben" and seen(page)["count"].startswith("2 of")
    page.click("#who")
    page.click("text=Continue as Anna")
    assert list(answers(page, tmp_path).values()) == ["cat"]


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


@pytest.mark.parametrize("size", [(768, 1024), (1024, 768), (390, 844)])
def test_on_a_tablet(visit, tmp_path, size):
    proposals = make_proposals(40)
    path, _ = write(tmp_path, proposals, control=0.0)
    page = visit(path, has_touch=True)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    begin(page)
    page.tap(".thumb >> nth=1")
    page.tap('#classes [data-label="1"]')
    assert seen(page)["badges"][1] == "dog"
    page.tap("#accept")
    assert seen(page)["count"] != "0 of 40"
    fits = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    small = page.evaluate(
        """() => [...document.querySelectorAll("footer button, .thumb, header button")]
          .filter((b) => b.offsetParent && (b.offsetHeight < 40 || b.offsetWidth < 40))
          .length"""
    )
    room = page.evaluate("document.getElementById('main').clientHeight")
    assert fits and not small and room > 200


@pytest.mark.slow
@pytest.mark.parametrize("groups", [1, 25])
def test_two_thousand_images_are_fluent(visit, tmp_path, groups):
    n = 2000
    rng = np.random.default_rng(0)
    images = np.repeat(np.repeat(make_images(n, side=10), 16, axis=1), 16, axis=2)
    cluster = np.eye(groups)[rng.integers(0, groups, n)]
    proposals = Proposals(
        [str(i) for i in range(n)],
        np.ones(n),
        rng.dirichlet(np.ones(3), n),
        cluster,
        NAMES,
    )
    path, _ = write(tmp_path, proposals, images=images, control=0.0)
    page = visit(path)
    shown = page.evaluate("performance.now()")  # since the page was asked for
    assert page.is_visible("#name") and shown < 3000
    page.keyboard.type("A")
    frame = "() => new Promise((r) => requestAnimationFrame(() => setTimeout(r)))"
    spent = """async (act) => {
      const start = performance.now();
      document.querySelector(act).click();
      await new Promise((r) => requestAnimationFrame(() => setTimeout(r)));
      return performance.now() - start;
    }"""
    assert page.evaluate(spent, "form button") < 3000
    page.evaluate(frame)
    clicks = [page.evaluate(spent, f".thumb:nth-child({i})") for i in range(2, 9)]
    assert np.median(clicks) < 250
    assert (
        page.evaluate("document.querySelectorAll('*').length")
        < 200 + 3 * n / groups * 2
    )
    assert page.evaluate(spent, "#accept") < 1000
