"""One image over the others: large, zoomed, in other light."""

import numpy as np
import pytest

from keras_dc3.proposals import Proposals
from tests.review.driving import answers, begin, seen, write
from tests.review.helpers import content, make_images, make_proposals

pytest.importorskip("PIL.Image")

NAMES = ("cat", "dog", "deer")
SHOWN = """() => {
  const image = document.getElementById("lensimage");
  return {
    open: !document.getElementById("large").hidden,
    url: image.src,
    width: image.naturalWidth,
    scale: new DOMMatrix(getComputedStyle(image).transform).a,
    filter: image.style.filter,
    text: document.getElementById("largetext").textContent,
    scroll: document.getElementById("main").scrollTop,
  };
}"""


def one_group(n=12, side=300):
    """Proposals for a group of `n` images, and their images."""
    classes = np.eye(len(NAMES))[np.zeros(n, int)]
    ids = [str(i) for i in range(n)]
    proposals = Proposals(ids, np.zeros(n), classes, np.ones((n, 1)), NAMES)
    return proposals, make_images(n, side=side)


@pytest.fixture
def group(visit, tmp_path):
    """Opens a page of a group, of which all images are there in 300 pixels."""

    def open_page(hurried=False, full_size=300, **options):
        proposals, images = one_group()
        path, made = write(
            tmp_path, proposals, images=images, control=0.0, full_size=full_size
        )
        page = visit(path, hurried=hurried, **options)
        begin(page)
        page.wait_for_timeout(500)
        return page, made

    return open_page


def test_a_group_is_gone_through_large(group, tmp_path):
    """By keys: neighbors, marks, names, zoom, light; and back to the same place."""
    page, made = group()
    press = page.keyboard.press
    press("ArrowRight")
    press("z")
    page.wait_for_timeout(200)
    now = page.evaluate(SHOWN)
    image = made["steps"][0]["images"]
    assert now["open"] and now["width"] == 300
    assert now["url"] == made["large"][str(image[1])] and "2 of 12" in now["text"]
    assert page.evaluate("document.getElementById('main').inert")
    press("ArrowRight")
    assert page.evaluate(SHOWN)["url"] == made["large"][str(image[2])]
    assert "image 3" in page.text_content("#said")
    press("Space")
    assert "taken out" in page.evaluate(SHOWN)["text"] and seen(page)["marked"] == 1
    press("ArrowRight")
    press("2")  # for this image, not for the marked one, which cannot be seen
    assert seen(page)["badges"][3] == "dog" and seen(page)["marked"] == 1
    assert page.inner_text("#largetext").endswith("dog")
    press("Control+z")
    assert not any(seen(page)["badges"]) and page.evaluate(SHOWN)["open"]
    press("Control+y")
    press("+")
    page.wait_for_timeout(400)
    assert page.evaluate(SHOWN)["scale"] > 1.3
    press("i")
    press(".")
    light = page.evaluate(SHOWN)["filter"]
    assert "invert(1)" in light and "brightness(120%)" in light
    press("ArrowLeft")
    page.wait_for_timeout(100)
    now = page.evaluate(SHOWN)
    assert now["scale"] == 1 and now["filter"] == light  # of all images
    page.focus("#contrast")
    press("ArrowRight")  # for the slider
    assert "3 of 12" in page.evaluate(SHOWN)["text"]
    assert "contrast(101%)" in page.evaluate(SHOWN)["filter"]
    press("3")  # for the image
    assert seen(page)["badges"][2] == "deer" and not seen(page)["marked"]
    press("Escape")
    assert not page.evaluate(SHOWN)["open"]
    focused = "document.activeElement === document.querySelectorAll('.thumb')[2]"
    assert page.evaluate(focused)
    press("Home")
    press("z")
    press("ArrowLeft")
    assert "first image" in page.inner_text("#notices")
    press("Enter")  # accepts the group, here as elsewhere
    assert seen(page)["title"].startswith("All done")
    assert not page.evaluate(SHOWN)["open"]
    found = list(answers(page, tmp_path).values())
    assert sorted(found) == ["cat"] * 10 + ["deer", "dog"]


def test_a_class_for_a_large_image_that_nobody_can_have_seen(group):
    page, _ = group(hurried=True)
    page.evaluate(
        """() => ["z", "ArrowRight", "2"].forEach((key) => document.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))"""
    )
    assert not any(seen(page)["badges"])
    assert "before anyone can have seen this image" in page.inner_text("#notices")
    page.wait_for_timeout(400)
    page.keyboard.press("2")
    assert seen(page)["badges"][1] == "dog"


def test_fingers(group):
    """A long tap shows an image and marks nothing; buttons do the rest."""
    page, _ = group(has_touch=True)
    box = page.locator(".thumb >> nth=4").bounding_box()
    glass = page.context.new_cdp_session(page)
    point = {"x": box["x"] + 20, "y": box["y"] + 20}

    def touch(kind, *points):
        send = {"type": kind, "touchPoints": list(points)}
        glass.send("Input.dispatchTouchEvent", send)

    touch("touchStart", point)
    page.wait_for_timeout(900)
    assert page.evaluate(SHOWN)["open"]
    touch("touchEnd")
    page.wait_for_timeout(100)
    now = page.evaluate(SHOWN)
    assert now["open"] and "5 of 12" in now["text"] and not seen(page)["marked"]
    page.tap("#marklarge")
    assert seen(page)["marked"] == 1
    page.tap("#largenext")
    page.tap('#classes [data-label="1"]')
    assert seen(page)["badges"][5] == "dog" and seen(page)["marked"] == 1
    page.tap("#closelarge")
    assert not page.evaluate(SHOWN)["open"]
    page.tap(".thumb >> nth=0")  # a short tap marks, as ever
    assert seen(page)["marked"] == 2 and not page.evaluate(SHOWN)["open"]


def test_what_is_taken_back_is_seen_large(group):
    """Undo goes to the image that it changes, so that nothing changes unseen."""
    page, _ = group()
    press = page.keyboard.press
    press("z")
    press(" ")
    press("ArrowRight")
    press("2")
    for _ in range(3):
        press("ArrowRight")
    assert "5 of 12" in page.evaluate(SHOWN)["text"]
    for key, place in [("z", 2), ("z", 1), ("y", 1), ("y", 2)]:
        press(f"Control+{key}")
        assert f"{place} of 12" in page.evaluate(SHOWN)["text"], (key, place)
    assert "dog" in page.evaluate(SHOWN)["text"]
    press("Escape")
    assert seen(page)["marked"] == 1 and seen(page)["badges"][1] == "dog"


def test_single_images_stay_large_until_a_group_comes(visit, tmp_path):
    _, images = one_group(40)
    proposals = make_proposals(40, [f"name of image {i}" for i in range(40)])
    path, made = write(tmp_path, proposals, images=images, control=0.2, repetitions=0.0)
    alone = {step["images"][0] for step in made["steps"] if step["kind"] == "blind"}
    page = visit(path)
    begin(page)
    while seen(page)["kind"] != "single":
        page.keyboard.press("n")
    page.click(".single >> text=Large")
    page.wait_for_timeout(200)
    assert page.evaluate(SHOWN)["width"] == 300  # thumbnails have 160 pixels
    seen_by_readers = page.content().split("<script")[0]
    assert not any(made["images"][i] in seen_by_readers for i in alone)
    first = page.evaluate(SHOWN)["url"]
    page.keyboard.press("1")
    page.wait_for_timeout(300)
    now = page.evaluate(SHOWN)
    assert now["open"] and now["url"] != first
    while seen(page)["kind"] == "single":
        page.keyboard.press("p")
    assert seen(page)["kind"] == "group" and not page.evaluate(SHOWN)["open"]


def test_files_beside_the_page(group, tmp_path):
    """Their names tell nothing; where they are gone, the small picture is shown."""
    page, made = group(full_size="beside", expected="ERR_FILE_NOT_FOUND")
    files = sorted((tmp_path / "review-images").iterdir())
    assert len(files) == 12
    assert not {file.stem for file in files} & set(made["images"])
    assert "img-src data: 'self' file:;" in (tmp_path / "review.html").read_text()
    page.keyboard.press("z")
    page.wait_for_timeout(300)
    now = page.evaluate(SHOWN)
    assert now["url"].startswith("file:") and now["width"] == 300
    gone = made["large"][str(made["steps"][0]["images"][3])]
    (tmp_path / gone).unlink()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("#notices p")
    assert "does not lie beside this page" in page.inner_text("#notices")
    page.wait_for_timeout(500)
    assert page.evaluate(SHOWN)["width"] == 160
    page.keyboard.press("ArrowRight")  # the others are there
    page.wait_for_timeout(500)
    assert page.evaluate(SHOWN)["width"] == 300


def test_sizes(tmp_path):
    """Large pictures are there where they are larger; those of blind images alone."""
    proposals, images = one_group(20)
    _, page = write(tmp_path, proposals, images=images, control=0.3)
    assert page["large"] == {}
    grouped = {i for s in page["steps"] if s["kind"] == "group" for i in s["images"]}
    lengths = {i: len(url) for i, url in enumerate(page["pictures"])}
    assert max(lengths[i] for i in grouped) < min(
        length for i, length in lengths.items() if i not in grouped
    )
    _, page = write(tmp_path, proposals, images=images, control=0.3, full_size=200)
    assert set(map(int, page["large"])) == grouped
    small = make_images(20, side=20)
    _, page = write(tmp_path, proposals, images=small, control=0.3, full_size=200)
    assert page["large"] == {}
    for wrong, error in {0: ValueError, 2.5: ValueError, "besides": ValueError}.items():
        with pytest.raises(error, match="`full_size`"):
            write(tmp_path, proposals, images=images, full_size=wrong)


def test_a_page_stays_small_enough_to_pass_on(tmp_path, monkeypatch):
    from keras_dc3.review import gallery

    proposals, images = make_proposals(30), make_images(30, side=200)
    monkeypatch.setattr(gallery, "LIMIT", 200_000)
    with pytest.warns(UserWarning, match=r"30 images make \d pages .* below 0 MB"):
        paths = proposals.to_review(tmp_path / "review.html", images)
    pages = [content(path) for path in paths]
    assert sorted(i for one in pages for i in one["images"]) == sorted(proposals.ids)
    assert max(sum(map(len, one["pictures"])) for one in pages) < 200_000
    monkeypatch.setattr(gallery, "LIMIT", 500_000)
    big = make_images(8, side=500)
    with pytest.warns(
        UserWarning, match=r"alone are at most 240 pixels.*full_size=640"
    ):
        _, page = write(tmp_path, make_proposals(8), "none", images=big)
    assert sum(map(len, page["pictures"])) < 500_000


def test_images_that_are_long_strips(visit, tmp_path):
    rng = np.random.default_rng(0)
    strip = rng.integers(0, 256, (300, 20_000), "uint8")
    named = {"a": strip, "b": strip.T[:4000], "c": strip[:, :300]}
    proposals = Proposals(
        list(named), np.zeros(3), np.eye(3)[[0, 0, 0]], np.ones((3, 1)), NAMES
    )
    path, _ = write(tmp_path, proposals, images=named, control=0.0, full_size=640)
    page = visit(path)
    begin(page)
    page.wait_for_selector(".thumb.strip >> nth=1")
    assert page.locator(".thumb.strip").count() == 2  # the middle of it is shown
    page.keyboard.press("z")
    page.wait_for_timeout(300)
    height = "document.getElementById('lensimage').naturalHeight"
    sizes = []
    for _ in range(3):
        width = page.evaluate(SHOWN)["width"]
        sizes.append((width, page.evaluate(height)))
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
    assert (5120, 77) in sizes and (300, 300) in sizes
    page.keyboard.press("Home")
    for _ in range(12):
        page.keyboard.press("+")
    page.wait_for_timeout(400)
    assert page.evaluate(SHOWN)["scale"] > 8
