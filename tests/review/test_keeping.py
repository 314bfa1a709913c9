"""What browsers keep of a review sheet: several tabs, people, and damage."""

import json

import pytest

from keras_dc3 import review
from tests.annotations.helpers import told
from tests.review.driving import answers, begin, download, go_on, seen, two_tabs, write
from tests.review.helpers import make_images, make_proposals

pytest.importorskip("PIL.Image")


@pytest.mark.slow
def test_a_tab_that_fell_behind_does_not_seem_newer(visit, tmp_path):
    proposals = make_proposals(6)
    path, _ = write(tmp_path, proposals, "none", repetitions=0.0)
    first = visit(path)
    begin(first)
    first.keyboard.press("1")
    second = visit(path)
    go_on(second)
    for _ in range(5):
        second.keyboard.press("2")
    new = download(second, "json", tmp_path / "new.json")
    first.wait_for_selector("#alarm:visible")
    old = {
        form: download(first, form, tmp_path / f"old.{form}")
        for form in ("json", "csv")
    }
    for path in old.values():
        with told():
            found = review.read([new, path], proposals=proposals)
        assert len(found.annotations.records) == 6


@pytest.mark.parametrize("answers", [1, 2])
def test_a_sleeping_tab_overwrites_nothing(visit, tmp_path, answers):
    """It has not heard that another tab went on."""
    path, _ = write(tmp_path, mode="none")
    deaf = """addEventListener("storage", (e) => e.stopImmediatePropagation(), true);"""
    first = visit(path, script=deaf)
    begin(first)
    first.keyboard.press("1")
    second = visit(path)
    go_on(second)
    for _ in range(answers):
        second.keyboard.press("2")
    first.wait_for_timeout(500)  # browsers hand over what tabs keep after a while
    first.keyboard.press("3")
    assert "another tab" in first.inner_text("#alarm")
    second.reload()
    go_on(second)
    assert seen(second)["count"].startswith(f"{1 + answers} of")
    first.click("text=Go on here")
    assert seen(first)["count"].startswith(f"{1 + answers} of")
    assert not first.is_visible("#alarm")
    first.keyboard.press("3")
    assert seen(first)["count"].startswith(f"{2 + answers} of")


def test_the_clock_is_set_back(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(6), "none", repetitions=0.0)
    page = visit(path)
    begin(page)
    page.keyboard.press("1")
    first = download(page, "json", tmp_path / "1.json")
    page.evaluate("Date.prototype.toISOString = () => '2001-01-01T00:00:00.000Z'")
    page.keyboard.press("1")
    last = download(page, "json", tmp_path / "2.json")
    with told():
        assert len(review.read([first, last]).annotations.records) == 2


def test_who_comes_next_is_asked(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    begin(page, "Anna")
    page.keyboard.press("1")
    page.close()
    page = visit(path)
    page.keyboard.press("1")
    assert page.is_visible("text=Who is annotating?") and page.is_visible("#name")
    page.fill("#name", " anna")
    page.keyboard.press("Enter")  # may be another Anna
    assert "Anna has answers on this page" in page.inner_text(".problem")
    assert page.is_visible("#name")
    page.fill("#name", "Ben")
    page.click("text=Start")
    assert page.inner_text("#who") == "Ben" and seen(page)["count"].startswith("0 of")
    page.click("#who")
    begin(page, "Anna")
    page.keyboard.press("Enter")  # "Continue as Anna"
    assert page.inner_text("#who") == "Anna" and seen(page)["count"].startswith("1 of")


def test_a_name_that_nobody_sees(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    for name in ("\u200b", " \ufeff\u2060 ", "\u202e", ""):
        page.fill("#name", name)
        page.click("text=Start")
        assert page.is_visible("#name")
        assert "can be seen" in page.inner_text(".problem")


def test_a_name_is_kept_as_it_is_read(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    page.fill("#name", "\u200b\u00a0😀 Ann\u200dä \ufeff")
    page.click("text=Start")
    page.keyboard.press("1")
    file = download(page, "json", tmp_path / "a.json")
    name = json.loads(file.read_text("utf-8"))["annotator"]
    assert name == "😀 Ann\u200dä"
    with told():
        assert review.read(file).annotations.annotators == (name,)


DAMAGE = """(whole) => {
  for (const key of Object.keys(localStorage))
    if (key.includes("/of/"))
      localStorage.setItem(key, whole || localStorage.getItem(key).slice(0, 200));
  Storage.prototype.setItem = () => {};
}"""


def test_kept_answers_that_were_cut_short(visit, tmp_path):
    path, made = write(tmp_path, mode="none")
    page = visit(path)
    begin(page)
    for _ in range(8):
        page.keyboard.press("1")
    page.evaluate(DAMAGE)
    page.reload()
    assert "damaged" in page.inner_text("#alarm") and "Anna" in page.inner_text(
        "#alarm"
    )
    with page.expect_download() as started:
        page.click("text=Download the remains")
    started.value.save_as(tmp_path / "remains.txt")
    assert '"annotator":"Anna"' in (tmp_path / "remains.txt").read_text("utf-8")
    begin(page)
    assert page.is_visible("#alarm")
    assert seen(page)["count"] == f"0 of {len(made['steps'])}"
    page.click("text=Close")
    page.keyboard.press("1")
    assert not page.is_visible("#alarm") and seen(page)["count"].startswith("1 of")


def test_kept_answers_that_fit_no_image(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    begin(page)
    state = '{"version":1,"annotator":"Anna","session":"s","own":%s,"marked":{},'
    state += '"label":{},"done":{},"seconds":{},"begun":{}}'
    for own in ('{"0":[7,"x"]}', '{"999":[0,"x"]}', '{"0":3}'):
        page.evaluate(DAMAGE, state % own)
        page.reload()
        assert "damaged" in page.inner_text("#alarm")


def test_undo_ends_at_a_reload_and_says_so(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path)
    begin(page)
    page.keyboard.press("1")
    assert page.get_attribute("#undo", "title") == "Undo (Ctrl+Z)"
    page.reload()
    go_on(page)
    assert "since this page was opened" in page.get_attribute("#undo", "title")
    page.keyboard.press("?")
    assert "back to when the page was opened" in page.inner_text("#keyhelp")


def test_a_formula_is_downloaded_as_it_is(visit, tmp_path):
    ids = ["=cmd|calc!A0", "@x"]
    path, _ = write(tmp_path, make_proposals(2, ids), "none", images=make_images(2))
    page = visit(path)
    begin(page)
    page.keyboard.press("1")
    page.keyboard.press("1")
    text = download(page, "csv", tmp_path / "a.csv").read_text("utf-8")
    assert sorted(line.split(",")[0] for line in text.splitlines()[1:]) == ids


def test_a_second_tab_takes_over(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    first, second = two_tabs(visit, path)
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
