"""`examples/own_predictions.py`: a round of review on a table, and nothing trained."""

import sys

import numpy as np
import pytest

import keras_dc3
from tests.examples.test_examples import run
from tests.review.helpers import answer, make_images, save, write_folder

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def test_own_predictions(tmp_path):
    pytest.importorskip("PIL", reason="needs keras_dc3[images]")
    rng = np.random.default_rng(0)
    ids = [f"img_{i}.png" for i in range(40)]
    rows = [
        f"{name},{x:.4f},{1 - x:.4f}"
        for name, x in zip(ids, rng.random(40), strict=True)
    ]
    (tmp_path / "p.csv").write_text("\n".join(["file,cat,dog", *rows]))
    write_folder(tmp_path / "fish", make_images(40), ids)
    out = tmp_path / "out"
    flags = (f"--predictions={tmp_path / 'p.csv'}", f"--images={tmp_path / 'fish'}")
    result = run("own_predictions.py", *flags, f"--output={out}")
    assert result.returncode == 0, result.stderr[-3000:]
    assert "cluster 0: between" in result.stdout
    assert len(keras_dc3.Proposals.from_csv(out / "proposals.csv")) == 40
    people = []
    for name in ("anna", "ben"):
        said = answer(out / "review.html", name, lambda *_: int(rng.integers(2)))
        people.append(str(save(tmp_path / f"{name}.json", said)))
    more = (*flags, f"--output={out}", "--budget=10")
    result = run("own_predictions.py", *more, f"--answers={','.join(people)}")
    assert result.returncode == 0, result.stderr[-3000:]
    assert "alpha" in result.stdout
    assert len((out / "labels.csv").read_text().splitlines()) == 41
    assert (out / "next.html").exists()
    wrong = run("own_predictions.py", *more, "--classes=cat,cow")
    assert wrong.returncode != 0
    assert "'cow'" in wrong.stderr
    assert sys.executable not in wrong.stderr  # no traceback
