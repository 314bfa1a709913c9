"""Draws the pictures of a review sheet in docs/: CIFAR-10H, in Chromium.

    python benchmarks/review_picture.py --data_dir data

It makes the proposals of `page_work.py`, prints the cards of their groups, and does on
the page what a person would.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import page_proposals
from absl import app, flags
from PIL import Image
from playwright.sync_api import sync_playwright

from keras_dc3.review.page import content_of

FLAGS = flags.FLAGS
ROOT = Path(__file__).parents[1]
DESK = {"viewport": {"width": 1060, "height": 860}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_string("proposals", None, "NPZ file to keep the proposals in, or to read.")
flags.DEFINE_string("cluster", None, "The group to show; default: see `most_mixed`.")
flags.DEFINE_string("output", str(ROOT / "docs"), "Folder of the pictures.")


def most_mixed(proposals: Any) -> str:
    """Returns the cluster of 12 images or more whose two first classes are closest."""
    row = {name: n for n, name in enumerate(proposals.ids)}
    gaps = {}
    for group in proposals.groups():
        if group.kind == "cluster" and len(group.ids) >= 12:
            rows = [row[name] for name in group.ids]
            mean = np.sort(proposals.class_probabilities[rows].mean(axis=0))
            gaps[group.name] = mean[-1] - mean[-2]
    return min(gaps, key=gaps.__getitem__)


def pause(page: Any) -> None:
    """Waits: nobody answers faster."""
    page.wait_for_timeout(300)


def named(page: Any, label: np.ndarray) -> None:
    """The group is named as most of it is, and other images are marked."""
    most = int(np.bincount(label).argmax())
    page.keyboard.press(str((most + 1) % 10))
    pause(page)
    for number in np.flatnonzero(label != most):
        page.locator(".thumb").nth(int(number)).click()
    page.mouse.move(5, 100)


def large(page: Any, label: np.ndarray) -> None:
    """An image in the large view."""
    del label
    page.keyboard.press("z")


def overview(page: Any, label: np.ndarray) -> None:
    """All groups; some are accepted."""
    del label
    page.keyboard.press("g")
    page.evaluate("document.getElementById('overview').scrollTop = 0")


# Name -> options of the browser, and what is done.
PICTURES: dict[str, tuple[dict[str, Any], Callable[[Any, np.ndarray], None]]] = {
    "review": (DESK, named),
    "review-large": (DESK, large),
    "review-overview": (DESK, overview),
    "review-phone": (PHONE, named),
    "review-dark": ({**DESK, "color_scheme": "dark"}, named),
}


def screenshot(
    browser: Any,
    path: str,
    cluster: str,
    options: dict[str, Any],
    act: Callable[[Any, np.ndarray], None],
    label: dict[str, int],
) -> bytes:
    """Returns the page as it looks after an act at the group.

    Args:
        browser: Chromium.
        path: of the page.
        cluster: the group.
        options: of the browser's context.
        act: what is done there.
        label: id -> class that most people gave an image.
    """
    page = browser.new_context(**options).new_page()
    page.goto(Path(path).as_uri())
    page.fill("#name", "Anna")
    page.press("#name", "Enter")
    for _ in range(6):  # some groups are accepted
        pause(page)
        page.keyboard.press("Enter")
    while (title := page.inner_text("main h2").strip()) != cluster:
        if page.is_hidden("#next"):
            raise ValueError(f"`--cluster` is no group of the page, up to {title!r}.")
        pause(page)
        page.keyboard.press("n")
    content = content_of(Path(path).read_text("utf-8"))
    (step,) = (s for s in content["steps"] if s.get("name") == cluster)
    shown = [label[content["images"][image]] for image in step["images"]]
    pause(page)
    act(page, np.array(shown))
    page.wait_for_timeout(600)
    return page.screenshot()


def main(argv: list[str]) -> None:
    """Prints the cards, and draws the pictures."""
    del argv
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        kept = Path(FLAGS.proposals or Path(folder) / "proposals.npz")
        if not kept.exists():
            page_proposals.make(kept, FLAGS.data_dir, 1000)
        proposals, images, counts = page_proposals.read(kept)
        most = counts.argmax(axis=1).tolist()
        label = dict(zip(proposals.ids, most, strict=True))
        for group in proposals.groups():
            print(group)
        cluster = FLAGS.cluster or most_mixed(proposals)
        print(f"Shown: {cluster}")
        path = os.path.join(folder, "review.html")
        proposals.to_review(path, images, control=0.0)
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        for name, (options, act) in PICTURES.items():
            taken = screenshot(browser, path, cluster, options, act, label)
            found = io.BytesIO(taken)
            picture = Image.open(found).convert("RGB")
            output = Path(FLAGS.output) / f"{name}.png"
            # Few pixels have the colors of buttons and bars, which must not be lost.
            method = Image.Quantize.MAXCOVERAGE
            picture = picture.quantize(256, method, kmeans=3, dither=0)
            picture.save(output, optimize=True)


if __name__ == "__main__":
    app.run(main)
