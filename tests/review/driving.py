"""What a person does on a review sheet, and what is seen then."""

import json

from tests.review.helpers import content, make_images, make_proposals


def write(tmp_path, proposals=None, mode="dc3", name="review.html", **options):
    """Writes a page; returns its path and what stands in it."""
    proposals = make_proposals() if proposals is None else proposals
    images = options.pop("images", make_images(len(proposals)))
    (path,) = proposals.to_review(tmp_path / name, images, mode, **options)
    return path, content(path)


def begin(page, name="Anna"):
    """Gives a name."""
    page.fill("#name", name)
    page.press("#name", "Enter")


def go_on(page, name="Anna"):
    """Goes on with the answers that the browser has kept, by mouse.

    A busy browser hands what another page has kept to a new one a moment late; then a
    person loads the page again.
    """
    button = page.locator(f'[data-annotator="{name}"]')
    for _ in range(10):
        if not button.count():
            page.wait_for_timeout(1000)
            page.reload()
    kept = page.evaluate("Object.keys(localStorage)")
    assert button.count() == 1, f"{page.inner_text('main')!r}; kept: {kept}"
    button.click()


def two_tabs(visit, path):
    """A tab that has fallen behind, as its second answer came in another; and that."""
    first = visit(path)
    begin(first)
    first.keyboard.press("1")
    second = visit(path)
    go_on(second)
    second.keyboard.press("2")
    first.wait_for_selector("#alarm:visible")
    return first, second


def seen(page):
    """What the page shows: kind, title, and the addresses of the images."""
    return page.evaluate(
        """() => ({
          kind: document.querySelector(".grid") ? "group"
            : document.querySelector(".single") ? "single"
            : document.querySelector(".card") ? "card" : "",
          title: document.querySelector("main h2").textContent,
          pictures: [...document.querySelectorAll("main img")].map((i) => i.src),
          badges: [...document.querySelectorAll(".badge")].map((b) => b.textContent),
          marked: document.querySelectorAll(".thumb.marked").length,
          count: document.getElementById("count").textContent,
          target: document.getElementById("target").textContent,
          accept: document.getElementById("accept").textContent,
        })"""
    )


def shown_ids(page, content):
    """The ids of the images that are shown; all images must look different."""
    names = dict(zip(content["pictures"], content["images"], strict=True))
    return [names[url] for url in seen(page)["pictures"]]


def download(page, kind, path):
    """Chooses JSON or CSV in the head of the page and keeps the file."""
    page.click("#download")
    with page.expect_download() as started:
        page.click(f"#{kind}")
    started.value.save_as(path)
    return path


def answers(page, tmp_path):
    """(image, repetition) -> label, as a download tells."""
    path = download(page, "json", tmp_path / "state.json")
    file = json.loads(path.read_text("utf-8"))
    return {(r["image"], r["repetition"]): r["label"] for r in file["annotations"]}
