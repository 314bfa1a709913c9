"""What is done soon after something else counts, or the page says that it does not."""

import numpy as np
import pytest

from keras_dc3.proposals import Proposals
from tests.review.driving import answers, begin, go_on, seen, two_tabs, write
from tests.review.hands import LOOK
from tests.review.helpers import make_proposals
from tests.slow import few

pytest.importorskip("PIL.Image")

NAMES = ("cat", "dog", "deer", "horse", "frog", "bird", "ship", "truck", "plane", "car")
GAPS = (50, 100, 150, 200, 240)  # milliseconds


def two_groups(names=NAMES, n=12, ids=None):
    """`n` certain images of the first class, and as many of the second one."""
    classes = np.eye(len(names))[np.repeat([0, 1], n)]
    ids = [str(i) for i in range(2 * n)] if ids is None else ids
    return Proposals(ids, np.zeros(2 * n), classes, np.ones((2 * n, 1)), names)


@pytest.fixture
def sheet(visit, tmp_path):
    """Opens a page of two groups of twelve, which somebody has looked at."""

    def open_page(proposals=None, mode="classes", **options):
        proposals = two_groups() if proposals is None else proposals
        path, _ = write(tmp_path, proposals, mode, control=0.0, repetitions=0.0)
        page = visit(path, hurried=True, **options)
        begin(page)
        page.wait_for_timeout(500)
        return page

    return open_page


def told(page, where="#notices"):
    """What the page calls ignored, without the signs that set names apart."""
    texts = page.locator(f"{where} p").all_inner_texts()
    return [text.replace("\u2068", "").replace("\u2069", "") for text in texts]


def named(page):
    """Number of the image -> what it was named."""
    return {n: name for n, name in enumerate(seen(page)["badges"]) if name}


@pytest.mark.parametrize("touch", [False, True], ids=["mouse and keys", "touch"])
@pytest.mark.parametrize("gap", few(GAPS, 50))
def test_an_image_is_marked_soon_after_others_were_named(sheet, tmp_path, gap, touch):
    page = sheet(has_touch=touch)
    press = page.tap if touch else page.click

    def choose(label):
        if touch:
            page.tap(f'#classes [data-label="{label}"]')
        else:
            page.keyboard.press(str(label + 1))

    press(".thumb >> nth=2")
    choose(4)
    page.wait_for_timeout(gap)
    press(".thumb >> nth=7")
    choose(7)
    assert named(page) == {2: "frog", 7: "truck"}
    assert "Accept 10 as cat" in seen(page)["accept"] and not told(page)
    page.wait_for_timeout(gap)
    if touch:
        page.tap("#accept")
    else:
        page.keyboard.press("Enter")
    found = list(answers(page, tmp_path).values())
    assert sorted(found) == sorted(["cat"] * 10 + ["frog", "truck"])


@pytest.mark.parametrize("touch", [False, True], ids=["mouse and keys", "touch"])
@pytest.mark.parametrize("gap", few(GAPS, 50))
def test_a_group_is_accepted_soon_after_images_were_named(sheet, tmp_path, gap, touch):
    page = sheet(has_touch=touch)
    if touch:
        page.tap(".thumb >> nth=2")
        page.tap('#classes [data-label="4"]')
        page.wait_for_timeout(gap)
        page.tap("#accept")
    else:
        page.click(".thumb >> nth=2")
        page.keyboard.press("5")
        page.wait_for_timeout(gap)
        page.keyboard.press("Enter")
    assert seen(page)["count"] == "12 of 24" and not told(page)
    assert sorted(answers(page, tmp_path).values()) == ["cat"] * 11 + ["frog"]


def test_a_class_for_the_whole_group_too_soon_is_told(sheet):
    page = sheet()
    page.click(".thumb >> nth=2")
    page.keyboard.press("5")
    page.keyboard.press("8")
    assert "Accept 11 as cat" in seen(page)["accept"]
    (text,) = told(page)
    assert text.startswith("Ignored: “truck” for the whole group") and "Repeat" in text
    assert page.get_attribute("#notices", "role") == "status"  # for screen readers
    assert page.locator("#notices p").is_visible()
    page.wait_for_timeout(400)
    page.keyboard.press("8")
    assert "Accept 11 as truck" in seen(page)["accept"] and named(page) == {2: "frog"}


@pytest.mark.parametrize("away", ["click", "Control+z"])
def test_a_class_right_after_the_last_mark_was_taken_away(sheet, away):
    page = sheet()
    page.click(".thumb >> nth=2")
    page.click(".thumb >> nth=2") if away == "click" else page.keyboard.press(away)
    page.keyboard.press("8")
    assert "Accept 12 as cat" in seen(page)["accept"] and len(told(page)) == 1


def test_marks_count_at_once_on_a_new_group(sheet, tmp_path):
    page = sheet()
    page.keyboard.press("Enter")
    page.click(".thumb >> nth=3")
    page.keyboard.press("5")
    page.keyboard.press("Space")  # the image that was clicked is marked again
    assert seen(page)["marked"] == 1
    page.keyboard.press("6")
    assert named(page) == {3: "bird"} and not told(page)
    page.keyboard.press("Enter")
    assert len(told(page)) in (0, 1)  # by how fast this machine is
    page.wait_for_timeout(500)
    if seen(page)["kind"] == "group":
        page.keyboard.press("Enter")
    found = list(answers(page, tmp_path).values())
    assert found.count("dog") == 11 and found.count("bird") == 1


def press_all(page, keys):
    """Presses keys without waiting for the page in between."""
    page.evaluate(
        """(keys) => keys.forEach((key) => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))""",
        keys,
    )


@pytest.mark.parametrize("key", few(["Enter", "3", "u"], "Enter"))
def test_a_late_key_does_not_hit_the_next_group(sheet, tmp_path, key):
    page = sheet()
    press_all(page, ["Enter", key])
    now = seen(page)
    assert now["count"] == "12 of 24" and "Accept 12 as dog" in now["accept"]
    assert len(told(page)) == 1 and "before anyone can have seen" in told(page)[0]
    assert set(answers(page, tmp_path).values()) == {"cat"}


def test_a_late_key_does_not_hit_marks_of_the_next_group(sheet):
    page = sheet()
    page.keyboard.press("n")
    page.click(".thumb >> nth=3")
    page.keyboard.press("p")
    press_all(page, ["Enter", "5"])
    assert seen(page)["marked"] == 1 and not named(page) and len(told(page)) == 1
    page.wait_for_timeout(400)
    page.keyboard.press("5")
    assert named(page) == {3: "frog"}


def test_a_late_key_does_not_hit_the_next_image(sheet, tmp_path):
    page = sheet(mode="none")
    press_all(page, ["1", "1", "2", "Enter"])
    assert list(answers(page, tmp_path).values()) == ["cat"]
    assert len(told(page)) == 3 and "“dog”" in told(page)[1]


def test_a_late_key_waits_while_a_slow_machine_makes_the_next_group(sheet):
    page = sheet()
    page.evaluate(
        """() => {
          const real = HTMLElement.prototype.focus;
          HTMLElement.prototype.focus = function (...options) {
            const start = performance.now();
            while (performance.now() - start < 700);
            real.apply(this, options);
          };
        }"""
    )
    press_all(page, ["Enter", "Enter"])
    assert seen(page)["count"] == "12 of 24" and len(told(page)) == 1


def test_who_goes_back_answers_at_once(sheet, tmp_path):
    """The images are known to who has looked at them before."""
    page = sheet(mode="none")
    press_all(page, ["1"])
    page.keyboard.press("Control+z")
    press_all(page, ["2"])
    assert list(answers(page, tmp_path).values()) == ["dog"]
    page.keyboard.press("p")
    press_all(page, ["3"])
    assert list(answers(page, tmp_path).values()) == ["deer"] and not told(page)
    page.wait_for_timeout(400)
    page.keyboard.press("n")
    press_all(page, ["4"])  # nobody has seen this one
    assert len(answers(page, tmp_path)) == 1 and len(told(page)) == 1


def test_undo_right_after_naming(sheet):
    page = sheet()
    page.click(".thumb >> nth=2")
    press_all(page, ["5"])
    page.keyboard.press("Control+z")
    press_all(page, ["8"])
    assert named(page) == {2: "truck"} and not told(page)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert len(told(page)) == 1 and "Undo" in told(page)[0]


def middle(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_key_while_the_mouse_is_still_down(sheet):
    """The order of presses counts, not when the hand lifts."""
    page = sheet()
    page.mouse.move(*middle(page, ".thumb >> nth=2"))
    page.mouse.down()
    page.keyboard.press("5")
    page.mouse.move(*middle(page, ".thumb >> nth=4"))  # already on the way
    page.mouse.up()
    assert named(page) == {2: "frog"} and seen(page)["marked"] == 0 and not told(page)
    page.mouse.move(*middle(page, ".thumb >> nth=2"), steps=2)
    page.click(".thumb >> nth=5")
    assert seen(page)["marked"] == 1


def test_two_keys_at_once(sheet):
    page = sheet()
    page.click(".thumb >> nth=2")
    page.keyboard.down("5")
    page.keyboard.down("ArrowRight")
    page.keyboard.down(" ")
    page.keyboard.up("5")
    page.keyboard.down("8")
    assert named(page) == {2: "frog", 3: "truck"} and not told(page)


def test_two_fingers_at_once(sheet):
    """Browsers call neither a click."""
    page = sheet(has_touch=True)
    glass = page.context.new_cdp_session(page)

    def fingers(kind, *names):
        points = [
            dict(zip("xy", middle(page, name), strict=True), id=number)
            for number, name in names
        ]
        send = {"type": kind, "touchPoints": points}
        glass.send("Input.dispatchTouchEvent", send)

    image, frog = (1, ".thumb >> nth=2"), (2, '#classes [data-label="4"]')
    fingers("touchStart", image)
    fingers("touchStart", image, frog)
    fingers("touchMove", image)  # the second finger is lifted first
    fingers("touchEnd")
    assert named(page) == {2: "frog"} and seen(page)["marked"] == 0 and not told(page)
    page.tap(".thumb >> nth=3")
    assert seen(page)["marked"] == 1


def test_to_scroll_by_a_finger_marks_nothing(sheet):
    page = sheet(two_groups(n=60), has_touch=True)
    x, y = middle(page, ".thumb >> nth=12")
    glass = page.context.new_cdp_session(page)
    for step in range(0, 200, 20):
        kind = "touchMove" if step else "touchStart"
        point = {"x": x, "y": y - step}
        glass.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    glass.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(200)
    assert page.evaluate("document.getElementById('main').scrollTop") > 50
    assert seen(page)["marked"] == 0


def test_a_click_that_browsers_did_not_see_begin(sheet):
    """As aids for disabled people make it."""
    page = sheet()
    page.evaluate("document.querySelectorAll('.thumb')[2].click()")
    page.evaluate("""document.querySelector('#classes [data-label="4"]').dispatchEvent(
      new MouseEvent("click", { bubbles: true, detail: 1 }))""")
    assert named(page) == {2: "frog"}


def test_shift_that_is_still_down(sheet):
    """After a range, for which it was needed."""
    page = sheet()
    page.click(".thumb >> nth=2")
    page.keyboard.down("Shift")
    page.click(".thumb >> nth=4")
    for key in ("Digit5", "Space", "KeyE"):
        page.keyboard.press(key)
    page.keyboard.up("Shift")
    assert named(page) == {2: "frog", 3: "frog"} and seen(page)["marked"] == 8


@pytest.mark.parametrize(
    ("mode", "keys", "words"),
    few(
        [
            ("none", ["Enter"], "single image needs a class"),
            ("none", ["e"], "single image needs a class"),
            ("none", ["Space"], "single image needs a class"),
            ("none", ["p"], "Nothing comes before"),
            ("none", ["Control+z"], "Nothing was done"),
            ("none", ["Control+y"], "Nothing was undone"),
            ("classes", ["n", "n", "1"], "no image here"),
            ("classes", ["n", "n", "Enter"], "no image here"),
            ("classes", ["n", "n", "n"], "Nothing comes after"),
            ("classes", ["Control+3"], "while Ctrl is held down"),
            ("classes", ["Alt+3"], "while Alt is held down"),
            ("classes", ["/"], "more than ten"),
        ],
        ("none", ["Enter"], "single image needs a class"),
        ("classes", ["n", "n", "1"], "no image here"),
        ("classes", ["Control+3"], "while Ctrl is held down"),
    ),
)
def test_keys_that_do_nothing_here_say_why(sheet, mode, keys, words):
    page = sheet(mode=mode)
    for key in keys:
        page.keyboard.press(key)
    assert len(told(page)) == 1 and words in told(page)[0]
    assert seen(page)["count"] == "0 of 24"


def test_a_key_without_a_class_says_so(sheet):
    page = sheet(two_groups(NAMES[:3]))
    page.keyboard.press("7")
    assert told(page) == ["Ignored: 7. No class has this key."]


@pytest.mark.parametrize("key", few(["5", "Enter", " ", "e"], "5", "Enter"))
def test_a_key_that_is_held_says_so_once(sheet, key):
    page = sheet()
    for _ in range(5):
        page.keyboard.down(key)
    assert len(told(page)) == 1 and "held down" in told(page)[0]


def test_keys_while_the_help_is_open(sheet):
    page = sheet()
    page.click(".thumb >> nth=2")
    page.keyboard.press("?")
    page.keyboard.press("5")
    assert "Close this first" in told(page, "#helpnotices")[0]
    page.keyboard.press("Escape")
    page.keyboard.press("5")
    assert named(page) == {2: "frog"} and not told(page)


def test_enter_twice_in_the_search(sheet):
    names = tuple(f"kind {i}" for i in range(40))
    page = sheet(two_groups(names))
    page.click(".thumb >> nth=2")
    page.keyboard.press("/")
    page.keyboard.type("kind 37")
    press_all(page, ["Enter", "Enter"])
    assert named(page) == {2: "kind 37"} and seen(page)["count"] == "1 of 24"
    assert "Enter, pressed twice" in told(page)[0]
    page.keyboard.press("/")
    page.keyboard.press("Enter")
    assert "empty search" in told(page)[1]
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    assert seen(page)["count"] == "12 of 24"


def test_a_search_that_comes_too_soon_keeps_its_text(sheet, tmp_path):
    names = tuple(f"kind {i}" for i in range(40))
    page = sheet(two_groups(names), "none")
    press_all(page, ["1", "/"])
    page.evaluate("document.getElementById('find').value = 'kind 37'")
    press_all(page, ["Enter"])
    assert page.input_value("#find") == "kind 37" and len(told(page)) == 1
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    assert list(answers(page, tmp_path).values()) == ["kind 0", "kind 37"]


def test_a_click_that_comes_after_the_images_have_changed(sheet):
    page = sheet(mode="none")
    x, y = middle(page, ".frame")
    page.mouse.click(x, y)
    assert "cannot be marked" in told(page)[0]


def test_back_in_the_browser(sheet, tmp_path):
    page = sheet()
    page.click(".thumb >> nth=2")
    page.keyboard.press("5")
    page.click(".thumb >> nth=3")
    page.goto("about:blank")
    page.go_back()
    if page.locator("#name").count():
        go_on(page)
    assert named(page) == {2: "frog"} and seen(page)["marked"] == 1


def test_a_notice_lies_over_the_images_and_takes_no_click(sheet):
    page = sheet(two_groups(n=60))
    page.keyboard.press("7")
    press_all(page, ["Enter", "Enter"])
    x, y = middle(page, "#notices p")
    number = page.evaluate(
        """([x, y]) => [...document.querySelectorAll(".thumb")].indexOf(
          document.elementFromPoint(x, y).closest(".thumb"))""",
        [x, y],
    )
    assert number >= 0
    page.mouse.click(x, y)
    assert seen(page)["marked"] == 1


def test_answers_that_another_tab_changes(visit, tmp_path):
    path, _ = write(tmp_path, make_proposals(6), "none", repetitions=0.0)
    first, _ = two_tabs(visit, path)
    first.keyboard.press("3")
    assert "another tab" in told(first)[0]


SIZES = [(1280, 860), (1024, 768), (390, 844), (320, 568), (740, 340)]


@pytest.mark.parametrize("number", few([10, 60], 10))
def test_nothing_moves_under_the_hand(sheet, number):
    """Neither images nor buttons, as long as the same images are shown."""
    names = tuple(
        f"species {i}" if i % 3 else f"Species {i} of i" for i in range(number)
    )
    ids = [f"{'folder/' * (i % 9)}image {i}.png" for i in range(24)]
    page = sheet(two_groups(names, ids=ids))
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("document.getElementById('main').scrollTop = 0")
        page.evaluate("document.getElementById('classes').scrollTop = 0")
        page.evaluate("document.getElementById('classes').scrollLeft = 0")
        page.wait_for_timeout(50)
        before = page.evaluate(LOOK)
        first, *_, last = [name for name in before if name.startswith("class")]
        for act in range(9):
            if act in (0, 1, 5):
                page.mouse.click(*before[f"image {act % 2}"])
            elif act in (2, 6):
                page.mouse.click(*before[last])
            elif act == 3:
                page.wait_for_timeout(300)
                page.mouse.click(*before[first])
            else:
                page.keyboard.press("Control+z" if act > 6 else "4")
            now = page.evaluate(LOOK)
            moved = {
                name: (at, now[name])
                for name, at in before.items()
                if name in now and now[name] != pytest.approx(at, abs=0.6)
            }
            assert not moved and now.keys() == before.keys(), (width, act, moved)
        while page.get_attribute("#undo", "aria-disabled") == "false":
            page.keyboard.press("Control+z")
