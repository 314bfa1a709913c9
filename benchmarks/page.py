"""How fast a review page with thousands of thumbnails is, in Chromium.

    python benchmarks/page.py --output benchmarks/results/page.json

The images as `to_review` deals them out, 100 in a group, and all of a page in one
group, as no page shows them unless somebody joins 50 groups. Both are scrolled from end
to end in six seconds; the gaps between frames are those that a person sees.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import record
from absl import app, flags
from playwright.sync_api import Page, sync_playwright

import keras_dc3
from keras_dc3.review import gallery, plan

FLAGS = flags.FLAGS
flags.DEFINE_integer("images", 5000, "On the page.", lower_bound=100)
flags.DEFINE_integer("side", 160, "Of an image, pixels.", lower_bound=16)
flags.DEFINE_string("output", None, "JSON file for the result.")

SCROLL = """async () => {
  const main = document.getElementById("main");
  const gaps = [];
  let last = performance.now();
  let running = true;
  const frame = (time) => {
    gaps.push(time - last);
    last = time;
    if (running) requestAnimationFrame(frame);
  };
  requestAnimationFrame((time) => { last = time; requestAnimationFrame(frame); });
  const end = main.scrollHeight - main.clientHeight;
  for (let turn = 0; turn < 60; turn += 1) {
    main.scrollTop = (end * turn) / 59;
    await new Promise((done) => setTimeout(done, 100));
  }
  running = false;
  return gaps.slice(1);
}"""
ACT = """async (selector) => {
  const start = performance.now();
  document.querySelector(selector).click();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""


def pages(folder: str, largest: int) -> list[str]:
    """Writes the pages of certain images of one class, and returns their paths."""
    number, side = FLAGS.images, FLAGS.side
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (number, 16, 16, 3), "uint8")
    images = small.repeat(side // 16, axis=1).repeat(side // 16, axis=2)
    proposals = keras_dc3.Proposals(
        [f"{i:05}.jpg" for i in range(number)],
        np.zeros(number),
        np.tile([0.9, 0.1], (number, 1)),
        np.ones((number, 1)),
        ["cat", "dog"],
    )
    plan._LARGEST = largest
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list(
            proposals.to_review(
                os.path.join(folder, f"{largest}.html"),
                images,
                control=0.0,
                max_images_per_page=number,
            )
        )


def measured(page: Page, path: str) -> dict[str, Any]:
    """Opens a page, begins, scrolls, marks and accepts; returns the figures."""
    start = time.perf_counter()
    page.goto(Path(path).as_uri())
    page.wait_for_selector("#name")
    opened = time.perf_counter() - start
    page.fill("#name", "Anna")
    begun = page.evaluate(ACT, "form button")
    gaps = page.evaluate(SCROLL)
    marks = [page.evaluate(ACT, f".thumb:nth-child({n})") for n in range(2, 9)]
    return {
        "megabytes": round(os.path.getsize(path) / 1e6, 1),
        "thumbnails": page.locator(".thumb").count(),
        "seconds to open": round(opened, 2),
        "ms to begin": round(begun),
        "frames": len(gaps),
        "ms of a frame while scrolling": {
            "median": round(float(np.median(gaps)), 1),
            "95%": round(float(np.percentile(gaps, 95)), 1),
            "longest": round(max(gaps), 1),
        },
        "share of frames below 50 ms": round(float(np.mean(np.array(gaps) < 50)), 3),
        "ms to mark, median": round(float(np.median(marks)), 1),
    }


def main(argv: list[str]) -> None:
    """Measures both pages and writes the record."""
    del argv
    found = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        settings = {"browser": f"Chromium {browser.version}", "screen": [1366, 768]}
        for name, largest in {"groups of 100": 100, "one group": FLAGS.images}.items():
            paths = pages(folder, largest)
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            found[name] = {"pages": len(paths), **measured(page, paths[0])}
            page.close()
            print(name, found[name])
    settings |= {"images": FLAGS.images, "side": FLAGS.side, "limit": gallery.LIMIT}
    settings["load"] = round(os.getloadavg()[0], 1)  # of the machine, by others, too
    if FLAGS.output:
        record.write(FLAGS.output, found, settings, ("playwright", "pillow"))


if __name__ == "__main__":
    app.run(main)
