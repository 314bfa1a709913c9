"""Slips of the hand on the review sheet: nothing is answered unseen."""

import pytest

from tests.review.driving import answers, begin, seen, write
from tests.review.helpers import make_proposals
from tests.slow import few

pytest.importorskip("PIL.Image")

WAIT = "() => new Promise((done) => setTimeout(done, 700))"


def find(page, text):
    """Searches for a class and returns what the page says before Enter is pressed."""
    page.keyboard.press("/")
    page.keyboard.type(text)
    said = page.inner_text("#asked")
    page.keyboard.press("Enter")
    return said


ANIMALS = ("bobcat", "cat", "dog", "dogfish", "Straße", *(f"x{i}" for i in range(6)))
NUMBERS = tuple(sorted(map(str, range(160))))
CASES = ("Cat", "cat", "COW", "cattle", *(f"x{i}" for i in range(7)))


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (
            ANIMALS,
            {
                **{"cat": "cat", "CAT": "cat", "bob": "bobcat", "dog": "dog"},
                **{"dogf": "dogfish", "STRASSE": None, "straße": "Straße"},
                **dict.fromkeys(["at", "do", "ell", "fish", "unknown"]),
            },
        ),
        (NUMBERS, {"57": "57", "5": "5", "159": "159", "0": "0"}),
        (CASES, {"cat": "cat", "Cat": "Cat", "CAT": None, "cow": "COW"}),
    ],
    ids=["animals", "numbers", "cases"],
)
def test_a_search_answers_what_was_meant(visit, tmp_path, names, texts):
    """The exact name, else the only one that begins so; else it is asked."""
    path, _ = write(tmp_path, make_proposals(9, names=names), "none", repetitions=0.0)
    page = visit(path)
    begin(page)
    meant = []
    for text, label in texts.items():
        said = find(page, text)
        if label is not None:
            assert said == f"Enter: {label}"
            meant.append(label)
            continue
        assert page.input_value("#find") == text
        assert "found" in said or said == "No such class"
        page.keyboard.press("Escape")
        assert page.input_value("#find") == ""
        assert page.locator("#classes button:visible").count() == len(names) + 1
    assert list(answers(page, tmp_path).values()) == meant


def test_a_search_that_is_not_clear_is_answered_by_a_button(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(4, names=ANIMALS), "none")
    page = visit(path)
    begin(page)
    assert find(page, "do") == "2 found: type on, or choose one"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert list(answers(page, tmp_path).values()) == ["dogfish"]
    assert page.input_value("#find") == "" and not page.inner_text("#asked")


def test_a_double_click_accepts_one_group(visit, tmp_path):
    path, made = write(tmp_path, make_proposals(40), control=0.0)
    size = len(made["steps"][0]["images"])
    page = visit(path, hurried=True)
    begin(page)
    page.evaluate(WAIT)
    page.dblclick("#accept")
    assert seen(page)["count"] == f"{size} of 40"
    page.click("#undo")
    page.evaluate(WAIT)
    page.click("#accept")
    page.click("#accept", force=True)
    page.keyboard.press("Enter")
    assert page.locator("#notices p").count() == 1  # said once, as it is the same
    page.click(".thumb >> nth=0")  # a mark counts at once
    assert seen(page)["count"] == f"{size} of 40" and seen(page)["marked"] == 1
    page.evaluate(WAIT)
    page.click("#accept")  # all but the marked one
    size += len(made["steps"][1]["images"]) - 1
    assert seen(page)["count"] == f"{size} of 40"


def test_a_double_click_answers_one_image(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit(path, hurried=True)
    begin(page)
    page.evaluate(WAIT)
    page.dblclick('#classes [data-label="1"]')
    assert seen(page)["count"].startswith("1 of")
    page.evaluate(WAIT)
    page.keyboard.press("1")
    page.keyboard.press("1")
    page.keyboard.press("u")
    assert seen(page)["count"].startswith("2 of")
    page.evaluate(WAIT)
    page.click('#classes [data-label="1"]')
    page.evaluate(WAIT)
    page.click('#classes [data-label="1"]')
    assert seen(page)["count"].startswith("4 of")


def test_two_quick_taps_are_one(visit, tmp_path):
    path, made = write(tmp_path, make_proposals(40), control=0.0)
    page = visit(path, hurried=True, has_touch=True)
    begin(page)
    page.evaluate(WAIT)
    page.tap("#accept")
    page.tap("#accept")
    assert seen(page)["count"] == f"{len(made['steps'][0]['images'])} of 40"


def test_a_tap_is_not_for_what_it_opens(visit, tmp_path):
    """What opens under the finger before the click of the tap comes was not meant."""
    path, _ = write(tmp_path, make_proposals(40), control=0.0)
    page = visit(path, has_touch=True)
    begin(page)
    before = page.inner_text("#main h2"), seen(page)["target"]
    for height in range(560, 860, 40):  # so that each of the menu lies there once
        page.set_viewport_size({"width": 390, "height": height})
        page.tap("#openmore")
        page.wait_for_timeout(50)
        assert page.locator("#more[open]").count() == 1, height
        page.tap("#closemore")
        assert page.locator("dialog[open]").count() == 0, height
        assert (page.inner_text("#main h2"), seen(page)["target"]) == before
        page.tap(".tools button:has-text('Why')")
        page.wait_for_timeout(50)
        assert page.locator("#why[open]").count() == 1, height
        page.tap("#closewhy")
    assert page.get_attribute("#undo", "aria-disabled") == "true"


def test_a_double_click_names_the_marked_images_alone(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(40), control=0.0)
    page = visit(path)
    begin(page)
    before = seen(page)["accept"]
    page.click(".thumb >> nth=1")
    page.dblclick('#classes [data-label="2"]')
    assert seen(page)["badges"][1] == "red deer"
    assert before.split(" as ")[1] in seen(page)["accept"]


@pytest.mark.parametrize("key", few(["u", "1", "Enter", "e", " "], "u", "Enter"))
def test_a_key_that_is_held_acts_once(visit, tmp_path, key):
    mode = "none" if key in "u1" else "dc3"
    path, made = write(tmp_path, make_proposals(40), mode, control=0.0)
    page = visit(path)
    begin(page)
    for _ in range(6):  # all but the first repeat
        page.keyboard.down(key)
    page.keyboard.up(key)
    size = len(made["steps"][0]["images"])
    count, marked = {"e": (0, size), " ": (0, 1), "Enter": (size, 0)}.get(key, (1, 0))
    assert seen(page)["count"].split(" of")[0] == str(count)
    assert seen(page)["marked"] == marked


@pytest.mark.parametrize("selector", ["#accept", '#classes [data-label="1"]'])
def test_enter_that_is_held_on_a_button_acts_once(visit, tmp_path, selector):
    mode = "dc3" if selector == "#accept" else "none"
    path, made = write(tmp_path, make_proposals(40), mode, control=0.0)
    page = visit(path)
    begin(page)
    page.focus(selector)
    for _ in range(6):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    size = len(made["steps"][0]["images"])
    assert seen(page)["count"].split(" of")[0] == str(size)


PRESS = """([key, code, held]) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...held })
)"""


KEYBOARDS = [
    ("-", "Digit6", {}, "f"),  # French
    ("6", "Digit6", {"shiftKey": True}, "f"),
    ("ç", "Digit9", {}, "i"),
    ("à", "Digit0", {}, "j"),
    ("1", "Numpad1", {}, "a"),
    ("\u0433", "KeyU", {}, None),  # Russian
    ("\u05d5", "KeyU", {}, None),  # Hebrew
]


def test_keyboards_of_other_countries(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(names=tuple("abcdefghij")), "none")
    page = visit(path)
    begin(page)
    for key, code, held, _ in KEYBOARDS:
        page.evaluate(PRESS, [key, code, held])
    expected = [answer for *_, answer in KEYBOARDS]
    assert list(answers(page, tmp_path).values()) == expected
    n = len(expected)
    for key, code, held, count in (
        ("-", "Minus", {}, n),
        ("/", "Digit7", {"shiftKey": True}, n),  # German
        ("End", "Numpad1", {}, n),
        ("я", "KeyZ", {"ctrlKey": True}, n - 1),  # Russian
        ("z", "KeyY", {"ctrlKey": True}, n - 2),  # German: no redo
        ("н", "KeyY", {"ctrlKey": True}, n - 1),
    ):
        page.evaluate(PRESS, [key, code, held])
        assert seen(page)["count"].startswith(f"{count} of")


def test_enter_is_for_the_images_after_a_class_was_found_and_clicked(visit, tmp_path):
    """Not for the search, in which the text still stood."""
    names = [f"kind {i}" for i in range(40)]
    path, _ = write(tmp_path, make_proposals(9, names=names), control=0.0)
    page = visit(path)
    begin(page)
    while len(seen(page)["pictures"]) < 2:
        page.keyboard.press("n")
    page.click(".thumb >> nth=0")
    page.click("#find")
    page.keyboard.type("kind 37")
    page.click('#classes button:has-text("kind 37")')
    assert seen(page)["badges"][0] == "kind 37" and page.input_value("#find") == ""
    before = seen(page)["accept"]
    assert "kind 37" not in before
    page.keyboard.press("Enter")
    assert "kind 37" not in set(list(answers(page, tmp_path).values())[1:])


def test_a_button_in_use_keeps_its_keys(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(40), control=0.0)
    page = visit(path)
    begin(page)
    page.focus("#next")
    for _ in range(2):  # two groups on, and nothing is accepted
        page.keyboard.press("Enter")
    assert seen(page)["count"] == "0 of 40"
    page.focus("#accept")
    page.keyboard.press("Enter")
    count = seen(page)["count"]
    assert count != "0 of 40"
    page.focus("#undo")
    for _ in range(3):  # undone once; then there is nothing to undo
        page.keyboard.press("Enter")
    assert seen(page)["count"] == "0 of 40"
    page.focus("#redo")
    page.keyboard.press("Enter")
    assert seen(page)["count"] == count


def test_a_class_renames_where_each_image_has_its_own(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(1), control=0.0)
    page = visit(path)
    begin(page)
    page.keyboard.press("Space")
    page.keyboard.press("2")
    assert "This image is" in seen(page)["target"]
    page.keyboard.press("3")
    assert seen(page)["badges"] == ["red deer"]
    page.keyboard.press("Enter")
    assert list(answers(page, tmp_path).values()) == ["red deer"]
