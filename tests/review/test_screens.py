"""The review sheet on small screens and for screen readers."""

import pytest

from tests.review.driving import begin, seen, write
from tests.review.helpers import make_proposals

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


@pytest.mark.parametrize("number", [10, 200])
@pytest.mark.parametrize("mode", ["none", "dc3"])
def test_images_and_classes_have_room(visit, tmp_path, number, mode):
    names = tuple(f"species {i}" for i in range(number))
    path, _ = write(tmp_path, make_proposals(60, names=names), mode, control=0.0)
    page = visit(path, has_touch=True)
    begin(page, "Anna-Lena Müller")
    for turn, (width, height) in enumerate(SIZES):
        page.set_viewport_size({"width": width, "height": height})
        found = page.evaluate(LAYOUT)
        assert found["image"] >= 100 and found["classes"] >= 250, width
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
