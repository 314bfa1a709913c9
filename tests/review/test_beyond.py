"""Answers beyond the classes of the list, on the page."""

import json

import pytest

from keras_dc3 import review
from tests.annotations.helpers import told
from tests.review.driving import begin, download, go_on, seen, shown_ids, write
from tests.review.helpers import NAMES, as_csv, make_proposals
from tests.review.test_browser import both_files

pytest.importorskip("PIL.Image")


def rows_of(page, tmp_path):
    """Image -> its row in a download as JSON."""
    file = json.loads(download(page, "json", tmp_path / "rows.json").read_text("utf-8"))
    assert file["version"] == 2 and file["rows"] == len(file["annotations"])
    return {row["image"]: row for row in file["annotations"]}


def test_every_kind_of_answer_by_keys(visit, tmp_path):
    proposals = make_proposals(14)
    path, made = write(tmp_path, proposals, "none", repetitions=0.0)
    page = visit(path)
    begin(page)
    press, expected = page.keyboard.press, {}

    def here():
        return shown_ids(page, made)[0]

    def typed(text):
        press("t")
        page.keyboard.type(text)

    for key, kind in {
        "u": "cannot tell",
        "b": "bad image",
        "x": "none of these",
    }.items():
        expected[here()] = (None, kind, None)
        press(key)
    # A new class; then the same in capitals, by the button that it has got, by its key.
    expected[here()] = ("red fox 狐", "new class", None)
    typed("  red   fox 狐")
    press("Enter")
    assert page.locator("#ask[open]").count() == 0
    assert page.inner_text("#said") == "New class: red fox 狐. 5 of 14: What is this?"
    expected[here()] = ("red fox 狐", "new class", None)
    typed("RED FOX 狐")
    press("Enter")
    expected[here()] = ("red fox 狐", "new class", None)
    page.click('#classes [data-label="3"]')
    expected[here()] = ("red fox 狐", "new class", None)
    press("4")
    # A name that is there is that class, in other capitals, too.
    expected[here()] = ("cat", "class", None)
    typed("CAT")
    press("Enter")
    expected[here()] = (None, "bad image", None)
    typed("Bad  image")
    press("Enter")
    # What cannot be a class says why, and asks again.
    typed("\u200b")
    for text, why in {
        "": "can be seen",
        "\u200b": "can be seen",
        "x" * 101: "at most 100 letters",
        "=1+1": "cannot begin with",
    }.items():
        page.fill("#ask input", text)
        press("Enter")
        assert why in page.inner_text("#ask .problem")
    page.fill("#ask input", "dogg")
    assert page.locator("#ask .near button").all_inner_texts() == ["dog"]
    expected[here()] = ("dog", "class", None)
    page.click("#ask .near button")
    # Two classes: 70% of the first, unless it is changed.
    expected[here()] = ("cat", "split", {"cat": 0.7, "dog": 0.3})
    press("s")
    assert page.inner_text("#ask output") == "70% cat, 30% dog"
    press("Enter")
    expected[here()] = ("red fox 狐", "split", {"red fox 狐": 0.75, "dog": 0.25})
    press("s")
    page.select_option("#ask select >> nth=0", "1")
    page.select_option("#ask select >> nth=1", "1")
    page.fill("#ask input", "25")
    press("Enter")
    assert "two different classes" in page.inner_text("#ask .problem")
    page.select_option("#ask select >> nth=1", "3")
    page.click("#ask .primary")
    expected[here()] = ("cat", "class", None)
    press("m")
    page.keyboard.type("=two\nof them?")
    press("Control+Enter")
    assert "Note: =two" in page.inner_text("#given")
    press("1")
    noted = list(expected)[-1]
    silent = here()  # a note alone
    press("m")
    page.keyboard.type("later")
    page.click("#ask .primary")
    rows = rows_of(page, tmp_path)
    assert {i: (r["label"], r["kind"], r["split"]) for i, r in rows.items()} == (
        expected | {silent: (None, "note", None)}
    )
    assert rows[noted]["note"] == "=two\nof them?" and rows[silent]["note"] == "later"
    assert rows[noted]["seconds"] > 0
    while seen(page)["kind"] != "card":
        press("n")
    both_files(page, tmp_path, proposals)
    csv_text = download(page, "csv", tmp_path / "x.csv").read_text("utf-8")
    assert ',"\'=two\nof them?"' in csv_text.replace("\r", "")
    # Undo takes back the note, then the answer before; a reload keeps all else.
    press("Control+z")
    assert silent not in rows_of(page, tmp_path)
    press("Control+y")
    page.reload()
    go_on(page)
    again = rows_of(page, tmp_path)
    again[silent]["seconds"] = rows[silent]["seconds"]
    assert again == rows
    assert page.inner_text('#classes [data-label="3"]').endswith("red fox 狐")


def test_undo_of_a_new_class_takes_its_button_away(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(6), "none", repetitions=0.0)
    page = visit(path)
    begin(page)
    page.keyboard.press("t")
    page.keyboard.type("ثعلب")
    page.keyboard.press("Enter")
    assert page.locator("#classes .typed").count() == 1
    page.keyboard.press("Control+z")
    assert page.locator("#classes .typed").count() == 0
    page.keyboard.press("4")
    assert "No class has this key" in page.inner_text("#notices")
    page.keyboard.press("Control+y")
    page.click(".typed")
    found = rows_of(page, tmp_path)
    assert [row["label"] for row in found.values()] == ["ثعلب"] * 2
    page.click("#who")
    begin(page, "Ben")
    assert page.locator("#classes .typed").count() == 0


AS_BEFORE = """() => {
  const key = Object.keys(localStorage).find((one) => one.endsWith("/of/Anna"));
  const state = JSON.parse(localStorage[key]);
  for (const map of ["added", "notes", "joined"]) delete state[map];
  const change = CHANGE;
  change(state);
  localStorage[key] = JSON.stringify(state);
}"""


def test_what_a_browser_has_kept_of_an_earlier_release(visit, tmp_path):
    """It goes on; an answer that no release can have written is told as damaged."""
    path, _ = write(tmp_path, make_proposals(6), "none", repetitions=0.0)
    page = visit(path)
    begin(page)
    page.keyboard.press("1")
    page.goto("about:blank")  # a page that is left keeps its answers once more
    page.goto(f"file://{path}")
    page.evaluate(AS_BEFORE.replace("CHANGE", "() => {}"))
    page.reload()
    go_on(page)
    page.keyboard.press("b")
    assert seen(page)["count"] == "2 of 6"
    for damage in ("[1, 1, 70]", "[0, 1, 150]", "[0, 9, 70]", "-4"):
        other = visit(path, name=damage)
        begin(other)
        other.keyboard.press("1")
        other.goto("about:blank")
        other.goto(f"file://{path}")
        change = f"(state) => {{ state.own[0][0] = {damage}; }}"
        other.evaluate(AS_BEFORE.replace("CHANGE", change))
        other.reload()
        assert "damaged" in other.inner_text("#alarm"), damage


def test_the_menu_does_all_of_it_by_touch(visit, tmp_path):
    proposals = make_proposals(40)
    path, made = write(tmp_path, proposals, control=0.0)
    groups = [[made["images"][i] for i in s["images"]] for s in made["steps"]]
    page = visit(path, has_touch=True)
    begin(page)

    def more(name):
        page.tap("#openmore")
        page.tap(f"#morelist button:has-text('{name}')")

    page.tap(".thumb >> nth=1")
    more("Bad image")
    page.tap(".thumb >> nth=2")
    more("New class")
    page.fill("#ask input", "fox")
    page.tap("#ask .primary")
    assert seen(page)["badges"][1:3] == ["bad image", "fox"]
    more("Note")
    page.fill("#ask textarea", "is it?")
    page.tap("#ask .primary")
    assert page.locator(".thumb.noted").count() == 1
    assert "note: is it?" in page.get_attribute(".thumb >> nth=2", "aria-label")
    last = len(groups[0]) - 2
    page.tap(f".thumb >> nth={last}")
    more("From here to the end")
    assert seen(page)["target"] == f"From image {last + 1} on, 2 are"
    assert page.locator(".thumb.rest").count() == 2
    page.tap('#classes [data-label="1"]')
    assert seen(page)["badges"][last:] == ["dog", "dog"]
    assert f"2 images, from image {last + 1} to the end: dog" in page.inner_text(
        "#said"
    )
    more("Two classes")
    # The current image is a dog, but this is for the group, and begins with its class.
    assert "all images of the group" in page.inner_text("#ask .forwhom")
    first = page.input_value("#ask select >> nth=0")
    assert first == str(made["steps"][0]["label"])
    page.tap("#ask button:has-text('Cancel')")
    more("Join the next group")
    assert len(seen(page)["pictures"]) == len(groups[0]) + len(groups[1])
    page.tap("#accept")
    rows = rows_of(page, tmp_path)
    assert set(rows) == {*groups[0], *groups[1]}
    names = [s["name"] for s in made["steps"]]
    label = NAMES[made["steps"][0]["label"]]
    for image in groups[1]:
        assert rows[image]["group"] == names[1] and rows[image]["label"] == label
        proposed = NAMES[made["steps"][1]["label"]]
        assert rows[image]["proposed"] == proposed
        assert rows[image]["accepted"] == (proposed == label)


def test_from_here_on_is_one_act(visit, tmp_path):
    path, made = write(tmp_path, make_proposals(40), control=0.0)
    size = len(made["steps"][0]["images"])
    page = visit(path)
    begin(page)
    press = page.keyboard.press
    for _ in range(3):
        press("ArrowRight")
    press("h")
    press("Enter")
    assert "Accept, while a class for the images from here on" in page.inner_text(
        "#notices"
    )
    press("ArrowRight")  # the beginning goes along
    press("2")
    assert [b == "dog" for b in seen(page)["badges"]] == [n > 3 for n in range(size)]
    press("Control+z")
    assert not any(seen(page)["badges"])
    press("Control+y")
    press("h")
    press("h")
    assert "The whole group is" in seen(page)["target"] or size == 4
    press("Home")
    press("h")
    press("s")
    press("Enter")
    assert all("70%" in badge for badge in seen(page)["badges"])
    press("h")
    press("Escape")
    assert seen(page)["target"] == "This image is"
    assert len(rows_of(page, tmp_path)) == size


def test_joined_groups(visit, tmp_path):
    """Undone and taken apart; nothing is accepted unseen; seconds are kept."""
    proposals = make_proposals(40)
    path, made = write(tmp_path, proposals, control=0.0)
    sizes = [len(s["images"]) for s in made["steps"]]
    page = visit(path)
    begin(page)
    press = page.keyboard.press

    def number():
        return len(seen(page)["pictures"])

    press("n")
    page.click(".thumb >> nth=0")  # a mark in the group that is joined stays
    press("p")
    press("j")
    assert number() == sizes[0] + sizes[1] and seen(page)["marked"] == 1
    assert page.inner_text("h2 >> nth=0").count(" + ") == 1
    assert f"{sizes[0] + sizes[1]} images" in page.inner_text("#said")
    press("j")
    assert number() == sum(sizes[:3])
    press("Control+z")
    assert number() == sum(sizes[:2])
    press("Control+y")
    assert number() == sum(sizes[:3])
    press("Shift+J")
    assert number() == sizes[0]
    press("Control+z")
    press("Enter")
    assert seen(page)["count"] == f"{sum(sizes[:3]) - 1} of 40"
    press("p")
    press("j")  # what joins an accepted group was not seen when it was accepted
    assert seen(page)["count"] == "0 of 40"
    page.reload()
    go_on(page)
    assert number() == sum(sizes[:4])
    press("Enter")
    rows = rows_of(page, tmp_path)
    assert len(rows) == sum(sizes[:4]) - 1
    assert len({row["group"] for row in rows.values()}) == 4
    label = NAMES[made["steps"][0]["label"]]
    assert {row["label"] for row in rows.values()} == {label}
    with told():
        found = review.read(tmp_path / "rows.json", proposals=proposals)
    assert found.accepted.sum() == sum(row["accepted"] for row in rows.values())
    spent = sum(row["seconds"] for row in rows.values())
    kept = page.evaluate("JSON.parse(Object.values(localStorage)[0]).seconds")
    share = kept["1"] / sizes[1]  # of the marked image, which is still open
    share += kept["0"] / sum(sizes[:4])
    whole = sum(kept[step] for step in "013")
    assert spent + share == pytest.approx(whole, abs=0.1)
    press("j")
    press("b")
    page.click("#undo")
    assert as_csv(json.loads((tmp_path / "rows.json").read_text("utf-8")))


def test_slips_with_new_acts(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(40), control=0.0)
    page = visit(path, hurried=True)
    begin(page)
    page.keyboard.press("b")
    assert "before anyone can have seen this group" in page.inner_text("#notices")
    page.wait_for_timeout(700)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("h")
    page.keyboard.press("1")
    page.keyboard.press("1")
    assert "for the whole group, when no image" in page.inner_text("#notices")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(700)
    page.keyboard.press("t")
    page.keyboard.type("fox")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert "Enter, pressed twice" in page.inner_text("#notices")
    assert seen(page)["count"] == "0 of 40"
    page.wait_for_timeout(700)
    page.keyboard.press("j")
    page.keyboard.press("Enter")  # images that have just come
    assert seen(page)["count"] == "0 of 40"
    for key in "tsm":
        page.keyboard.press(key)
        assert page.locator("#ask[open]").count() == 1
        page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.keyboard.press("x")
    assert "first, by Esc" in page.inner_text("#helpnotices")
    page.keyboard.press("Escape")
    page.click("#openmore")
    page.keyboard.press("1")
    assert "first, by Esc" in page.inner_text("#more .notices")
    page.wait_for_timeout(700)
    page.keyboard.press("x")  # as its list says
    assert "as none of these" in seen(page)["accept"]


def test_beside_the_large_view_and_other_orders(visit, tmp_path):
    """What is answered there is for the image that is seen; joining keeps the order."""
    path, made = write(tmp_path, make_proposals(40), control=0.0)
    sizes = [len(s["images"]) for s in made["steps"]]
    page = visit(path)
    begin(page)
    press = page.keyboard.press
    press("ArrowRight")
    press("z")
    press("b")
    assert [b for b in seen(page)["badges"] if b] == ["bad image"]
    press("m")
    page.keyboard.type("dark")
    press("Control+Enter")
    assert page.inner_text("#largetext").endswith("bad image · Note: dark")
    press("s")
    press("Enter")
    assert "70% " in page.inner_text("#largetext")
    press("t")
    page.keyboard.type("fox")
    press("Enter")
    assert "fox" in page.inner_text("#largetext")
    assert not page.locator("#notices p").count()
    press("Escape")
    assert [b for b in seen(page)["badges"] if b] == ["fox"]
    page.select_option("select[aria-label='Order of the images']", "name")
    press("j")
    images = shown_ids(page, made)
    assert len(images) == sizes[0] + sizes[1]
    assert images == sorted(images, key=lambda name: int(name[4:-4]))
    first = made["images"][made["steps"][1]["images"][0]]
    assert (
        images[
            page.evaluate(
                "[...document.querySelectorAll('.thumb')].findIndex("
                "(box) => box.classList.contains('here'))"
            )
        ]
        == first
    )
    press("h")
    press("2")
    at = images.index(first)
    rows = rows_of(page, tmp_path)
    assert all(rows[image]["label"] == "dog" for image in images[at:])
    press("g")
    tiles = page.locator("#overview .tile")
    assert tiles.count() == len(sizes) - 1  # two groups are one
    assert " + " in tiles.first.inner_text()
