"""The scripts of the paper's tables run, and their results are drawn."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.processes import run_script

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import evidence  # noqa: E402
import evidence_figure  # noqa: E402
import paired  # noqa: E402


def run(script, folder, data_dir, **settings):
    settings = {
        "strategies": "mean_teacher",
        "seeds": "1",
        "epochs": 1,
        "steps_per_epoch": 2,
        "data_dir": data_dir,
        "output": folder,
        **settings,
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    return run_script(BENCHMARKS / script, *options, cwd=folder, check=True).stdout


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_reduced_protocol_runs(tmp_path, data_dir):
    run("table4.py", tmp_path, data_dir, configs="measured_prior")
    cells = sorted(path.name for path in (tmp_path / "cells").glob("*.json"))
    assert cells == ["mean_teacher-measured_prior-1.json"]
    record = json.loads((tmp_path / "cells" / cells[0]).read_text("utf-8"))
    settings = record["settings"]
    assert settings["config"]["prior"] == 0.32 and settings["batch_size"] == 64
    assert settings["backbone"] == "small_cnn"
    assert "1600 labeled (one of several answers each), 6400 un" in settings["data"]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_paper_protocol_runs_for_a_few_steps(tmp_path, data_dir):
    names = "supervised,mean_teacher,pi_model,pseudo_label"
    run(
        "table2.py",
        tmp_path,
        data_dir,
        protocol="paper",
        strategies=names,
        configs="vanilla,dc3",
    )
    assert len(list((tmp_path / "cells").glob("*.json"))) == 8
    record = (tmp_path / "cells" / "pi_model-dc3-1.json").read_text("utf-8")
    assert json.loads(record)["settings"]["backbone"] == "wide_resnet"


OTHERS = (
    "ambiguous",
    "accuracy",
    "d_size_weighted",
    "d_class",
    "d_k_means",
    "auroc_softmax",
    "f1_confident",
)


def row(f1, d, degenerated=(False, False), vanilla=False):
    scores = {
        "f1": f1,
        "d": d,
        "d_minus_f1": [b - a for a, b in zip(f1, d, strict=True)],
        "degenerated": list(degenerated),
        **{name: [0.5, 0.5] for name in OTHERS},
    }
    right = [i for i in range(2) if not degenerated[i]]
    best = min(right, key=lambda i: scores["d_minus_f1"][i], default=None)
    return {
        "vanilla": vanilla,
        "seeds": [1, 2],
        "scores": scores,
        "mean": {name: float(np.mean(v)) for name, v in scores.items()},
        "std": {name: float(np.std(v, ddof=1)) for name, v in scores.items()},
        "best_seed": None if best is None else best + 1,
        "degenerated": sum(degenerated),
    }


SUMMARY = {
    "rows": {
        "mean_teacher": {
            "vanilla": row([0.6, 0.62], [0.5, 0.51], vanilla=True),
            "dc3": row([0.7, 0.9], [0.45, 0.1], degenerated=(False, True)),
        },
        "pi_model": {
            "vanilla": row([0.5, 0.5], [0.5, 0.5], vanilla=True),
            "dc3": row([0.6, 0.7], [0.5, 0.7]),
        },
        "fixmatch": {"dc3": row([0.6, 0.7], [0.5, 0.7])},
    },
    "helped": ["It helped."],
}


def test_the_headline_compares_best_runs():
    # mean_teacher: 0.62 -> 0.70 and 0.51 -> 0.45; pi_model: 0.5 -> 0.6 and 0.5 -> 0.5.
    assert evidence.headline(SUMMARY) == (
        "Best runs, mean over 2 strategies: F1 +9.0, d -3.0, d - F1 -12.0 points "
        "against the strategy alone; d - F1 is better for 2 of 2; 1 of 4 runs "
        "degenerated."
    )


def test_the_headline_names_strategies_that_are_lost():
    lost = {**SUMMARY["rows"]["pi_model"]["dc3"], "best_seed": None, "degenerated": 2}
    of_pi_model = {**SUMMARY["rows"]["pi_model"], "dc3": lost}
    found = evidence.headline({"rows": {**SUMMARY["rows"], "pi_model": of_pi_model}})
    assert "over 2 strategies but pi_model, of which all runs have degener" in found
    assert "better for 1 of 2" in found


def test_tables_show_the_runs():
    table = evidence.table_2(SUMMARY, with_paper=True)
    line = (
        "| mean_teacher | DC3, default | 70.0 | 45.0 | -25.0 | 1 of 2 | 85.1 | 52.4 |"
    )
    assert line in table
    assert "| fixmatch | DC3, default | 60.0 | 50.0 | -10.0 | 0 of 2 | 83.1 |" in table
    ablation = evidence.table_4(SUMMARY, with_paper=False)
    # F1 of the four runs with DC3.
    values = np.array([0.7, 0.9, 0.6, 0.7])
    spread = f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f}"
    assert f"| DC3, default | {spread} |" in ablation
    runs = evidence.all_runs(SUMMARY).splitlines()
    assert len(runs) == 2 + 10 and runs[5].startswith("| mean_teacher | DC3, default |")


@pytest.mark.parametrize("dataset", ["cifar10h", "fashionmnist_h"])
def test_every_section_can_be_drawn(dataset):
    for draw in evidence.sections(dataset).values():
        assert "nan" not in draw(SUMMARY)


def test_the_figure_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    evidence_figure.draw({"reduced-cifar10h": SUMMARY}, str(tmp_path / "figure.png"))
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_runs_are_compared_one_by_one():
    nan = float("nan")
    scores = {
        "pi_model": {"f1": [0.8, 0.6, nan], "f1_confident": [0.7, 0.7, 0.1]},
        "fixmatch": {"f1": [0.9], "f1_confident": [0.5]},
        "supervised": {"f1": [0.9]},
    }
    rows = {name: {"dc3": {"scores": of_row}} for name, of_row in scores.items()}
    lines = evidence.overall({"rows": rows}).splitlines()
    assert lines[2:] == ["| F1 | 76.7 | F1 confident | 63.3 | 2 of 3 |"]


@pytest.mark.slow
def test_what_a_stopped_study_had_reached(tmp_path):
    epoch = "{n}/2 - 1s - {ms}ms/step - loss: 1.5000e+00 - ambiguous: 0.5"
    lines = ["Epoch 1/3", epoch.format(n=2, ms=90), "Epoch 2/3"]
    lines += [epoch.format(n=2, ms=50) + " - val_f1: nan - val_d: 0.2500", "Epoch 3/3"]
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "pi_model-dc3-1.log").write_text("\n".join(lines))
    (tmp_path / "study.json").write_text('{"epochs": 3, "steps_per_epoch": 2}')
    flags = ["--study=.", "--device=a card", "--output=out.json"]
    run_script(BENCHMARKS / "unfinished.py", *flags, cwd=tmp_path, check=True)
    record = json.loads((tmp_path / "out.json").read_text())
    cell = record["cells"]["pi_model-dc3-1"]
    assert record["device"] == "a card" and record["planned_epochs"] == 3
    assert cell["epochs"] == 2 and cell["median_ms_per_step"] == 70
    np.testing.assert_equal(
        cell["history"], {"epoch": [2], "val_f1": [np.nan], "val_d": [0.25]}
    )


def test_only_runs_that_both_objectives_have_are_paired():
    def row(seeds, f1):
        return {"seeds": seeds, "scores": dict.fromkeys(paired.SCORES, f1)}

    nan = float("nan")
    rows = {
        "mean_teacher": {
            "cc": row([1, 2, 3], [0.5, 0.6, nan]),
            "dc3": row([2, 1, 3], [0.8, 0.4, 0.1]),
        },
        "pi_model": {"cc": row([1], [0.9])},
        "supervised": {"cc": row([1], [0.9]), "dc3": row([1], [0.1])},
    }
    found = paired.differences({"rows": rows}, "cc", "dc3", "f1")
    assert sorted(found) == pytest.approx([-0.2, 0.1])
    lines = paired.draw({"rows": rows}).splitlines()
    assert len(lines) == 2 + len(paired.PAIRS)
    assert lines[3].startswith("| + CC less DC3, default | -5.0 (1 of 2 above) |")
    assert lines[4].count("- (0 of 0 above)") == len(paired.SCORES)
