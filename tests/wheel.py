"""Tries an installed keras_dc3. `.ci/run` calls it.

    cd "$(mktemp -d)" && python <checkout>/tests/wheel.py

Without extras it reads a table and makes a model; with [images] it writes a page, too.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

import keras_dc3

ROOT = Path(__file__).parents[1]
PACKAGE = Path(keras_dc3.__file__).parent


def main() -> None:
    """Reads a table, makes proposals of it, and a model."""
    assert PACKAGE != ROOT / "keras_dc3", "this is the checkout, and not installed"
    assert (PACKAGE / "py.typed").exists()
    rows = ["image,annotator,label", "a.png,ann,cod", "b.png,ann,eel", "b.png,ben,cod"]
    Path("answers.csv").write_text("\n".join(rows))
    answers = keras_dc3.Annotations.from_csv("answers.csv")
    assert answers.counts.tolist() == [[1, 0], [1, 1]]

    images = np.zeros((2, 8, 8, 3), "uint8")
    if find_spec("PIL"):
        p = [[0.9, 0.1], [0.4, 0.6]]
        proposals = keras_dc3.Proposals(["a", "b"], [0.1, 0.8], p, p, ["cod", "eel"])
        (page,) = proposals.to_review("review.html", images)
        assert "<script>" in Path(page).read_text("utf-8")

    backbone = keras_dc3.backbones.small_cnn((8, 8, 3))
    outputs = keras_dc3.DC3Model(backbone, num_classes=2).predict(images, verbose=0)
    assert outputs["classes"].shape == (2, 2)
    print(f"keras_dc3 {keras_dc3.__version__} works as installed in {PACKAGE.parent}.")


if __name__ == "__main__":
    main()
