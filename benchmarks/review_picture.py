"""Draws docs/review.png: a cluster of CIFAR-10H on a review sheet, in Chromium.

    python benchmarks/review_picture.py --data_dir data

It takes the proposals of a run of `benchmarks/table2.py`, whose raw outputs must be
there, prints the cards of its groups, and does on the page what a person would. With

    --features data/cifar10h_features.npz --cluster "cluster 0" \\
        --answer 4 --marked 4,11,13

as for the picture that is there, it takes those of a logistic regression on features
of `benchmarks/embed_features.py`, trained on 1,000 images, for 1,000 others.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags
from PIL import Image
from playwright.sync_api import sync_playwright

import keras_dc3
from keras_dc3.datasets.cifar10h import CLASS_NAMES
from keras_dc3.experiments.records import Cell, StudyFolder

FLAGS = flags.FLAGS
ROOT = Path(__file__).parents[1]
CELL = Cell("mean_teacher", "dc3", 1)
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_string("features", None, "Features to take instead of the outputs.")
flags.DEFINE_string("cluster", "cluster 15", "The group to show.")
flags.DEFINE_string("answer", "0", "The key of the class to name it.")
flags.DEFINE_list("marked", ["4", "9", "13"], "Images to take out.")
flags.DEFINE_string("output", str(ROOT / "docs" / "review.png"), "The picture.")


def screenshot(path: str) -> bytes:
    """Returns the page as it looks when the group was named and images marked."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        page = browser.new_page(viewport={"width": 1060, "height": 860})
        page.goto(Path(path).as_uri())
        page.keyboard.type("Anna")
        page.keyboard.press("Enter")
        for _ in range(100):
            if page.inner_text("main h2").strip() == FLAGS.cluster:
                break
            page.keyboard.press("Enter")
            page.wait_for_timeout(300)  # nobody answers faster
        page.keyboard.press(FLAGS.answer)
        page.wait_for_timeout(300)
        for number in map(int, FLAGS.marked):
            page.locator(".thumb").nth(number).click()
        page.mouse.move(1055, 100)
        page.wait_for_timeout(300)
        return page.screenshot()


def of_run() -> tuple[keras_dc3.Proposals, Any]:
    """Returns the proposals of a run of the paper's protocol, and their images."""
    outputs = StudyFolder(ROOT / "benchmarks/results/reduced-cifar10h").outputs(CELL)
    if outputs is None:
        raise FileNotFoundError(
            f"The raw outputs of {CELL.name} are missing: run benchmarks/table2.py, "
            "with another --output if the record is there already, and put them there; "
            "or pass --features."
        )
    part = keras_dc3.datasets.load(
        "cifar10h", data_dir=FLAGS.data_dir, seed=CELL.seed
    ).validation
    proposals = keras_dc3.Proposals(
        part.ids,
        outputs["ambiguity"],
        outputs["classes"],
        np.eye(outputs["clusters"].max() + 1)[outputs["clusters"]],
        part.class_names,
        embeddings=outputs["features"],
    )
    return proposals, part


def of_features() -> tuple[keras_dc3.Proposals, Any]:
    """Returns the proposals of a regression on features, and their images."""
    from sklearn.linear_model import LogisticRegression

    folder = FLAGS.data_dir or os.environ["KERAS_DC3_DATA"]
    with np.load(os.path.join(folder, "cifar10h.npz")) as stored:
        images, counts = stored["images"], stored["counts"]
    with np.load(FLAGS.features) as stored:
        features = stored["plain"].astype("float32")
    order = np.random.default_rng(CELL.seed).permutation(len(images))
    known, asked = order[:1000], order[1000:2000]
    model = LogisticRegression(C=0.05, max_iter=300)
    model.fit(features[known], counts[known].argmax(axis=1))
    names = CLASS_NAMES
    proposals = keras_dc3.Proposals.from_predictions(
        model.predict_proba(features[asked]),
        features[asked],
        ids=[f"{row:05}.png" for row in asked],
        class_names=names,
    )
    return proposals, images[asked]


def main(argv: list[str]) -> None:
    """Prints the cards, and draws the picture."""
    del argv
    proposals, part = of_features() if FLAGS.features else of_run()
    for group in proposals.groups():
        print(group)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "review.html")
        proposals.to_review(path, part, control=0.0)
        picture = Image.open(io.BytesIO(screenshot(path))).convert("RGB")
    picture.quantize(200, dither=Image.Dither.NONE).save(FLAGS.output, optimize=True)


if __name__ == "__main__":
    app.run(main)
