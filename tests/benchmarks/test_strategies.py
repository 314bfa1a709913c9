"""Strategies compared: the script runs, and its tables compare seed by seed."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.processes import run_script

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import feature_data  # noqa: E402
import strategies_table  # noqa: E402
from paired_seeds import Difference  # noqa: E402

NAMES = {"shapes": "Shapes"}


def test_answers_are_given_to_labeled_images_alone():
    counts = np.random.default_rng(0).integers(0, 9, (50, 4)) + 1
    given, parts = feature_data.divide(counts, labeled=12, answers=3, seed=1)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(50))
    assert [len(parts[n]) for n in ("validation", "labeled", "unlabeled")] == [
        *(10, 12, 28)
    ]
    labeled = parts["labeled"]
    assert (given[labeled].sum(axis=1) == 3).all()
    assert (given[labeled] <= counts[labeled]).all()
    others = np.delete(np.arange(50), labeled)
    np.testing.assert_array_equal(given[others], counts[others])
    again = feature_data.divide(counts, labeled=12, answers=3, seed=1)[0]
    np.testing.assert_array_equal(given, again)


@pytest.mark.parametrize("values", [[0.01, 0.03, 0.02], [0.01, -0.02, 0.03, 0.02]])
def test_intervals_are_those_of_student(values):
    weightstats = pytest.importorskip("statsmodels.stats.weightstats")
    found = Difference.of(values)
    low, high = weightstats.DescrStatsW(values).tconfint_mean(alpha=0.05)
    np.testing.assert_allclose(found, [np.mean(values), low, high])


def test_what_leaves_0_out_is_bold():
    assert str(Difference(0.012, 0.004, 0.02)) == "**+1.2 [+0.4, +2.0]**"
    assert str(Difference(-0.012, -0.02, -0.004)) == "**-1.2 [-2.0, -0.4]**"
    assert str(Difference(0.012, -0.004, 0.028)) == "+1.2 [-0.4, +2.8]"


@pytest.mark.parametrize("values", [[0.02], [0.02, 0.02]])
def test_few_seeds_have_no_interval(values):
    found = Difference.of(values)
    assert str(found) == "+2.0" and found.sign == 0 and math.isnan(found.low)


def test_0_has_no_sign():
    assert str(Difference.of([0.0004, -0.0006])) == "0.0"


def figures(accuracy, **changes):
    common = dict.fromkeys(("macro_f1", "f1", "d_class", "d_k_means"), accuracy)
    uncertain = {"softmax": 0.6, "entropy": 0.7, "margin": 0.5}
    return {"accuracy": accuracy, "mask_rate": 0.25, **common, **uncertain, **changes}


def run(strategy, seed, alone, dc3=None, labeled=200):
    cell = {"strategy": strategy, "unlabeled_ratio": 1, "labeled": labeled}
    cell |= {"answers": 3, "steps": 400, "seed": seed}
    found = {"cell": cell, "alone": figures(alone)}
    if dc3 is not None:
        found["dc3"] = figures(dc3, p_a=0.75, certain=0.4, d=dc3 - 0.1)
    return found


RECORD = {
    "settings": {"dataset": "shapes"},
    "results": [
        run("linear_probe", 0, 0.6),
        run("supervised", 0, 0.50, 0.50),
        run("fixmatch", 0, 0.54, 0.60),
        # In another order, and of one more seed than there is of `supervised`.
        run("fixmatch", 2, 0.99, 0.99),
        run("fixmatch", 1, 0.62, 0.66),
        run("supervised", 1, 0.60, 0.64),
        run("supervised", 0, 0.7, 0.7, labeled=1600),
    ],
}


def test_strategies_are_compared_seed_by_seed():
    few, many = strategies_table.settings(NAMES, [RECORD])
    assert (few.labeled, many.labeled) == (200, 1600)
    assert few.strategies == ["supervised", "fixmatch"]
    gain = few.over_supervised("accuracy", "fixmatch")
    np.testing.assert_allclose(gain, Difference.of([0.04, 0.02]))
    assert few.over_supervised("accuracy", "supervised") is None
    assert many.over_supervised("accuracy") is None


def test_dc3_is_compared_with_the_strategy_alone():
    few, _ = strategies_table.settings(NAMES, [RECORD])
    gain = few.gain(strategies_table.ACCURACY, "fixmatch")
    np.testing.assert_allclose(gain, Difference.of([0.06, 0.04, 0.0]))
    # p_a beside the best of three uncertainties of the strategy alone.
    assert few.gain(strategies_table.AUROC, "fixmatch").mean == pytest.approx(0.05)
    # Of all strategies: the average of each seed that all of them have.
    gain = few.gain(strategies_table.ACCURACY)
    np.testing.assert_allclose(gain, Difference.of([0.03, 0.04]))


def test_tables_show_differences_and_what_they_are_of():
    found = strategies_table.sections(NAMES, [RECORD])
    lines = found["strategies accuracy"].splitlines()
    titles = "Shapes, 200 labeled (2 seeds) | Shapes, 1,600 labeled (1 seed)"
    assert [lines[0], *lines[2:]] == [
        f"| strategy alone | {titles} |",
        "| linear probe | 60.0, +10.0 | - |",
        "| `supervised` | 55.0 | 70.0 |",
        "| `fixmatch` | 71.7, +3.0 | - |",
        "",
        lines[-1],
    ]
    few = "| Shapes, 200 labeled (2 seeds) |"
    line = f"{few} `fixmatch` | 71.7 / 75.0 | 40 | 71.7 / 75.0 | 70.0 / 75.0 "
    assert line + "| 65.0 / 75.0 / 75.0 / 71.7 |" in found["strategies levels"]
    assert f"{few} mean of all | +3.5 |" in found["strategies dc3"]
    unlabeled = found["strategies unlabeled"].splitlines()
    assert unlabeled[4].startswith(f"{few} `fixmatch` | 71.7 | +3.0 |")
    assert unlabeled[4].endswith(" | 25 |")
    assert "without intervals, which take 3 seeds" in unlabeled[-1]
    assert unlabeled[5].startswith(f"{few} mean of all |  | +3.0 |")


def test_the_summary_names_what_is_clear():
    results = [run("supervised", seed, 0.5 + seed / 100, 0.5) for seed in range(3)]
    results += [run("uda", s, 0.55 + s / 100 + s / 1e4, 0.5) for s in range(3)]
    results += [run("pi_model", s, 0.45 + s / 100 + s / 1e4, 0.5) for s in range(3)]
    record = {**RECORD, "results": results}
    summary = strategies_table.sections(NAMES, [record])["strategies summary"]
    told = "* Shapes, 200 labeled (3 seeds): better `uda` +5.0; worse `pi_model` -5.0; "
    assert told + "mean of all 0.0 [" in summary
    assert "95% intervals over seeds" in summary


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", ["features", "pixels"])
def test_the_script_goes_on_where_it_was(tmp_path, kind):
    rng = np.random.default_rng(0)
    n, classes = 200, rng.integers(0, 3, 200)
    counts = rng.multinomial(6, np.eye(3)[classes] * 0.7 + 0.1)
    images = rng.integers(0, 9, (n, 8, 8, 1)) + 80 * classes[:, None, None, None]
    np.savez(tmp_path / "shapes.npz", counts=counts, images=images.astype("uint8"))
    plain = np.eye(3)[classes] @ rng.normal(size=(3, 8)) + rng.normal(size=(n, 8)) / 3
    views = {
        view: plain + rng.normal(size=(2, n, 8)) / 9 for view in ("weak", "strong")
    }
    np.savez(tmp_path / "shapes_features.npz", plain=plain, **views)
    flags = ["--datasets=shapes", "--data_dir=.", "--output=found", "--labeled=40"]
    flags += ["--seeds=1", "--steps=3", f"--input={kind}"]

    def results(strategies):
        options = [*flags, f"--strategies={strategies}"]
        script = BENCHMARKS / "compare_strategies.py"
        printed = run_script(script, *options, cwd=tmp_path, check=True).stdout
        record = json.loads((tmp_path / "found-shapes.json").read_text("utf-8"))
        return printed, record["results"]

    _, first = results("linear_probe")
    assert set(first[0]) == {"cell", "alone"} and first[0]["alone"]["accuracy"] > 0.8
    printed, both = results("linear_probe,fixmatch")
    assert both[0] == first[0] and printed.startswith("1/1 shapes")
    alone, dc3 = both[1]["alone"], both[1]["dc3"]
    assert both[1]["cell"]["unlabeled_ratio"] == 1
    assert {"p_a", "certain", "d"} == set(dc3) - set(alone)
