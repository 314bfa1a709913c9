"""The review sheet for eyes and hands of all kinds: contrast, fingers, odd names."""

import pytest

from tests.review.driving import begin, seen, write
from tests.review.helpers import make_images, make_proposals
from tests.review.test_overview import NAMES, labeled, several

pytest.importorskip("PIL.Image")

SCREENS = ("start", "group", "large", "overview", "why", "help", "more")
SCREENS += ("single", "end")
IN_SIGHT = """() => {
  const main = document.getElementById("main").getBoundingClientRect();
  return [...document.querySelectorAll(".thumb")].filter((box) => {
    const { top, bottom } = box.getBoundingClientRect();
    return top >= main.top - 1 && bottom <= main.bottom + 1;
  }).length;
}"""


# Contrast of the edge of a button with what lies around it.
EDGE = """(place) => {
  const bright = (color) => {
    const [r, g, b] = color.match(/[0-9.]+/g).map((value) => {
      const one = Number(value) / 255;
      return one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = (element) => getComputedStyle(element);
  const ground = style(document.querySelector("header")).backgroundColor;
  const edge = style(document.querySelector(place)).borderTopColor;
  const [low, high] = [bright(edge), bright(ground)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


def screens(page):
    """Goes through all that the page can show, and yields the name of each."""
    press = page.keyboard.press
    yield "start"
    begin(page)
    press("c")
    page.click(".thumb >> nth=1")
    page.keyboard.press("2")
    page.click(".thumb >> nth=2")
    press("v")
    yield "group"
    for name, key in {"large": "z", "overview": "g", "why": "w", "help": "?"}.items():
        press(key)
        page.wait_for_timeout(100)
        yield name
        press("Escape")
    page.click("#openmore")
    yield "more"
    press("Escape")
    while seen(page)["kind"] != "single":
        press("p")
    press("1")
    press("p")
    yield "single"
    while seen(page)["kind"] != "card":
        press("n")
    yield "end"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_axe_calls_serious(visit, tmp_path, scheme):
    """Contrast, names of fields and buttons, roles: by axe-core, on every screen."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    examples, embeddings = labeled()
    path, _ = write(
        tmp_path,
        several(),
        control=0.2,
        examples=examples,
        example_embeddings=embeddings,
        class_descriptions={"cat": "It purrs."},
    )
    page = visit(path, color_scheme=scheme, bypass_csp=True)
    page.set_viewport_size({"width": 1366, "height": 768})
    found, checked = [], []
    for name in screens(page):
        checked.append(name)
        told = axe.Axe().run(page).response
        assert any(rule["id"] == "color-contrast" for rule in told["passes"])
        for fault in told["violations"]:
            if fault["impact"] in ("serious", "critical"):
                places = [node["html"][:120] for node in fault["nodes"][:3]]
                found.append((name, fault["id"], fault["help"], places))
    assert not found and tuple(checked) == SCREENS
    edges = {place: page.evaluate(EDGE, place) for place in ("#undo", "#json", "#who")}
    assert min(edges.values()) >= 3, edges


def test_fingers_have_room_and_no_hints_for_keys(visit, tmp_path):
    names = tuple(f"species {i}" for i in range(12))
    proposals = make_proposals(60, names=names, clusters=1)
    path, _ = write(tmp_path, proposals, images=make_images(60), control=0.0)
    page = visit(path, has_touch=True)
    begin(page)
    page.keyboard.press("c")
    assert len(seen(page)["pictures"]) >= 20
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    foot = "document.getElementById('footer').offsetHeight"
    page.set_viewport_size({"width": 1024, "height": 768})
    assert page.evaluate(foot) <= 768 / 4
    assert not page.locator("button kbd:visible, #keys:visible").count()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(100)
    assert page.evaluate(IN_SIGHT) >= 20
    box = page.locator("#accept").bounding_box()
    assert box["y"] > 844 * 0.85 and box["x"] + box["width"] > 390 * 0.9
    assert box["height"] >= 48 and box["width"] > 390 * 0.4
    page.tap(".thumb >> nth=19")
    assert seen(page)["marked"] == 1
    assert page.evaluate(IN_SIGHT) >= 20  # nothing moves by a mark


ODD = (
    "Pseudocalanus elongatus (female, with eggs, seen from the left side, stained) 1",
    "نجم البحر الشائك ذو الأذرع الكثيرة",
    "קיפוד ים",
    *(f"species number {i} of a long list" for i in range(97)),
)


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_long_names_many_classes_and_other_directions(visit, tmp_path, size):
    assert len(ODD) == 100 and len(ODD[0]) == 79
    told = {name: "What it is. " * 20 for name in ODD[:3]}
    proposals = make_proposals(60, names=ODD, clusters=2)
    path, _ = write(tmp_path, proposals, control=0.1, class_descriptions=told)
    page = visit(path)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wide = """() => ["html", "main", "#overview", "#keyhelp"].filter((place) => {
      const one = document.querySelector(place);
      return one && one.scrollWidth > one.clientWidth + 1;
    })"""
    assert not page.evaluate(wide)
    begin(page)
    page.keyboard.press("c")
    for label in (0, 1, 2, 99):
        page.click(f'#classes [data-label="{label}"]')
        assert ODD[label] in seen(page)["accept"]
        assert not page.evaluate(wide), label
        box = page.locator("#accept").bounding_box()
        assert box["x"] + box["width"] <= size[0]
    page.keyboard.press("v")
    for key in "zg?":
        page.keyboard.press(key)
        page.wait_for_timeout(100)
        assert not page.evaluate(wide), key
        page.keyboard.press("Escape")


def test_marked_and_named_differ_by_more_than_color(visit, tmp_path):
    path, _ = write(tmp_path, several(), control=0.0)
    page = visit(path)
    begin(page)
    page.keyboard.press("c")
    page.click(".thumb >> nth=1")
    page.keyboard.press("2")
    page.click(".thumb >> nth=2")
    style = """(n) => {
      const box = document.querySelectorAll(".thumb")[n];
      const sign = getComputedStyle(box, "::after").content;
      return [getComputedStyle(box).outlineStyle, sign, box.innerText.trim(),
        getComputedStyle(box.querySelector("img")).opacity];
    }"""
    assert page.evaluate(style, 1) == ["none", "none", NAMES[1], "1"]
    assert page.evaluate(style, 2) == ["dashed", '"✕"', "", "1"]
