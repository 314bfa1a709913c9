"""The benchmark of an accelerator measures cell by cell, wherever Keras runs."""

import json
from pathlib import Path

import pytest

from tests.processes import run_script

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "accelerator.py"


@pytest.mark.slow
def test_cells_are_kept_and_the_next_ones_added(tmp_path):
    flags = ["--backbone=small_cnn", "--size=8", "--steps=2", "--turns=3"]
    flags += ["--strategies=pi_model", "--precisions=float32"]
    flags.append(f"--output={tmp_path / 'a.json'}")
    cells = []
    for batches in ("8", "8,4"):
        run_script(SCRIPT, *flags, f"--batches={batches}", check=True)
        cells.append(json.loads((tmp_path / "a.json").read_text())["results"])
    assert list(cells[1]) == ["pi_model/8/float32", "pi_model/4/float32"]
    assert cells[1]["pi_model/8/float32"] == cells[0]["pi_model/8/float32"]
    for found in cells[1].values():
        assert found["images_per_second"] > 0 < found["dc3_to_vanilla"]
        assert len(found["all_seconds"]["dc3"]) == 3
    done = run_script(SCRIPT, *flags, "--size=16")
    assert done.returncode and "take another file" in done.stdout + done.stderr
