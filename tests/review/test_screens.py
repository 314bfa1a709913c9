"""The review sheet on small screens and for screen readers."""

import numpy as np
import pytest

from keras_dc3.proposals import Proposals
from tests.review.driving import (
    begin,
    seen,
    write,
)
from tests.review.helpers import (
    NAMES,
    make_images,
    make_proposals,
)
from tests.slow import crossed

pytest.importorskip("PIL.Image")

LAYOUT = """() => {
  const main = document.getElementById("main").getBoundingClientRect();
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    const width = Math.min(box.right, main.right) - Math.max(box.left, main.left);
    const height = Math.min(box.bottom, main.bottom) - Math.max(box.top, main.top);
    return width > 0 ? Math.min(width, height) : 0;
  };
  const classes = document.getElementById("classes").getBoundingClientRect();
  const page = document.documentElement;
  const small = [...document.querySelectorAll("footer button, header button")].filter(
    (b) => b.offsetParent && (b.offsetHeight < 40 || b.offsetWidth < 40),
  );
  const inside = [...document.querySelectorAll("#moves button")].every((b) => {
    const box = b.getBoundingClientRect();
    return !b.offsetParent || (box.right <= innerWidth && box.bottom <= innerHeight);
  });
  return {
    image: Math.max(...[...document.querySelectorAll("main img")].map(shown)),
    classes: classes.width,
    wide: page.scrollWidth > page.clientWidth || page.scrollHeight > page.clientHeight,
    small: small.length,
    inside,
  };
}"""


SIZES = [(320, 568), (740, 340), (390, 844), (1280, 860)]


@pytest.mark.parametrize(("number", "mode"), crossed([10, 200], ["none", "dc3"]))
def test_images_and_classes_have_room(visit, tmp_path, number, mode):
    names = tuple(f"species {i}" for i in range(number))
    path, _ = write(tmp_path, make_proposals(60, names=names), mode, control=0.0)
    page = visit(path, has_touch=True)
    begin(page, "Anna-Lena Müller")
    for turn, (width, height) in enumerate(SIZES):
        page.set_viewport_size({"width": width, "height": height})
        found = page.evaluate(LAYOUT)
        least = 100 if mode == "none" else 64  # of a group, more are in sight
        assert found["image"] >= least and found["classes"] >= 250, width
        assert not found["wide"] and not found["small"] and found["inside"], width
        page.tap(f'#classes [data-label="{turn}"]')
        if mode == "dc3":
            assert f"species {turn}" in seen(page)["accept"]
        else:
            assert seen(page)["count"].startswith(f"{turn + 1} of")


def test_the_chosen_class_can_be_seen(visit, tmp_path):
    names = tuple(f"species {i}" for i in range(200))
    path, made = write(tmp_path, make_proposals(60, names=names), control=0.0)
    page = visit(path)
    page.set_viewport_size({"width": 320, "height": 568})
    begin(page)
    label = made["steps"][0]["label"]
    inside = """(label) => {
      const of = (found) => document.querySelector(found).getBoundingClientRect();
      const [outer, box] = [of("#classes"), of(`[data-label="${label}"]`)];
      return box.left >= outer.left - 1 && box.right <= outer.right + 1
        && box.top >= outer.top - 1 && box.bottom <= outer.bottom + 1;
    }"""
    assert label > 5 and page.evaluate(inside, label)


def test_a_screen_reader_is_told_each_image(visit, tmp_path):
    """But never its name, from which its class may be guessed."""
    proposals = make_proposals(10)
    path, _ = write(tmp_path, proposals, "none", repetitions=0.0)
    page = visit(path)
    begin(page)
    for number in range(1, 4):
        text = f"{number} of 10: What is this?"
        assert page.text_content("#said") == text
        assert page.get_attribute("#main", "aria-label") == text
        assert page.get_attribute("main img", "alt") == f"Image {number} of 10"
        assert not any(
            name in page.content().split("<script")[0] for name in proposals.ids
        )
        page.keyboard.press("1")
    assert page.get_attribute("#said", "role") == "status"


def test_a_screen_reader_is_told_each_group(visit, tmp_path):
    path, made = write(tmp_path, make_proposals(40), control=0.0)
    page = visit(path)
    begin(page)
    step = made["steps"][0]
    said = page.text_content("#said")
    assert step["title"] in said and made["classes"][step["label"]] in said
    assert f"{len(step['images'])} image" in said
    assert page.evaluate(
        "[...document.querySelectorAll('img')].every((i) => i.hasAttribute('alt'))"
    )
    assert page.get_attribute(".thumb >> nth=0", "aria-label") == "image 1"
    for _ in made["steps"]:
        page.keyboard.press("Enter")
    assert page.text_content("#said").startswith("All done")


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


def test_colors_chosen_by_the_system(visit, tmp_path):
    """Lines tell where the keys act, as shadows are not drawn."""
    path, _ = write(tmp_path, make_proposals(12), control=0.0)
    page = visit(path, forced_colors="active")
    begin(page)
    while len(seen(page)["pictures"]) < 3:
        page.keyboard.press("n")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    styles = page.evaluate(
        """() => [...document.querySelectorAll(".thumb")].map((box) => {
          const style = getComputedStyle(box);
          return [style.outlineStyle, style.outlineWidth].join(" ");
        })"""
    )
    assert styles[0] == "solid 1px" and styles[1] == "dashed 4px"
