"""Summaries of studies, from records written by hand."""

import math

import numpy as np
import pytest

from keras_dc3 import experiments, metrics
from keras_dc3.experiments.records import Cell, StudyFolder, read_json, write_json

SEEDS = (1, 2, 3)


def scores(f1, d, accuracy, degenerated=False):
    return {
        "f1": f1,
        "d": d,
        "d_minus_f1": d - f1,
        "ambiguous": 0.5,
        "degenerated": degenerated,
        "accuracy": accuracy,
    }


def write_study(path, cells):
    """Writes a study with these {(strategy, config): [scores of each seed]}."""
    folder = StudyFolder(path)
    manifest = {
        "epochs": 1,
        "steps_per_epoch": None,
        "strategies": {strategy: strategy for strategy, _ in cells},
        "configs": {config: {} for _, config in cells},
        "seeds": SEEDS,
    }
    write_json(folder.manifest_path, manifest)
    for (strategy, config), runs in cells.items():
        weight = 0.0 if config == "vanilla" else 1.0
        for seed, of_run in zip(SEEDS, runs, strict=False):
            cell = Cell(strategy, config, seed)
            record = {
                "cell": cell._asdict(),
                "scores": of_run,
                "seconds": {"fit": 1.0, "total": 2.0},
                "settings": {
                    "config": {"inverse_weight": weight, "ambiguity_weight": weight}
                },
            }
            write_json(folder.record_path(cell), record)
    return folder


BASELINE = [scores(0.5, 0.7, a) for a in (0.50, 0.52, 0.54)]


def test_best_mean_spread_and_degenerated(tmp_path):
    runs = [
        scores(0.8, 0.6, 0.6),
        scores(0.9, 0.6, 0.6),
        scores(0.99, 0.1, 0.6, degenerated=True),
    ]
    write_study(tmp_path, {("supervised", "vanilla"): BASELINE, ("pi", "dc3"): runs})
    summary = experiments.summarize(tmp_path)
    row = summary.content["rows"]["pi"]["dc3"]
    assert row["best_seed"] == 2 and row["degenerated"] == 1
    assert summary.best("pi", "dc3")["f1"] == 0.9
    values = [0.8, 0.9, 0.99]
    assert row["mean"]["f1"] == pytest.approx(np.mean(values))
    assert row["std"]["f1"] == pytest.approx(np.std(values, ddof=1))
    assert read_json(tmp_path / "summary.json")["rows"]["pi"]["dc3"]["best_seed"] == 2
    text = str(summary)
    assert "3 runs, 1 degenerated; F1 ±9.5" in text
    assert text.index("Mean over all runs") < text.index("Best run by d - F1")


def test_all_degenerated_has_no_best(tmp_path):
    write_study(tmp_path, {("pi", "dc3"): [scores(math.nan, 0.1, 0.6, True)] * 3})
    summary = experiments.summarize(tmp_path)
    assert summary.best("pi", "dc3") is None
    assert math.isnan(summary.content["rows"]["pi"]["dc3"]["mean"]["f1"])
    assert "Best run" not in str(summary)
    assert "cannot be told: the study has no" in summary.helped[0]


@pytest.mark.parametrize(
    "accuracies, expected",
    [
        (
            (0.60, 0.62, 0.64),
            "pi dc3: the unlabeled images helped: accuracy 62.0 against 52.0 of "
            "supervised vanilla (+10.0 points, 8.0 beyond the spread of the seeds, "
            "2.0; 3 seeds).",
        ),
        (
            (0.40, 0.42, 0.44),
            "pi dc3: the unlabeled images did harm: accuracy 42.0 against 52.0 of "
            "supervised vanilla (-10.0 points, 8.0 beyond the spread of the seeds, "
            "2.0; 3 seeds).",
        ),
        (
            (0.45, 0.53, 0.61),
            "pi dc3: the unlabeled images made no difference beyond the spread of the "
            "seeds: accuracy 53.0 against 52.0 of supervised vanilla (+1.0 points; the "
            "seeds spread by 8.0; 3 seeds).",
        ),
        (
            (0.60,),
            "pi dc3: accuracy 60.0 against 50.0 of supervised vanilla (+10.0 points, "
            "one seed): whether the unlabeled images helped cannot be told from one "
            "seed; train three or more.",
        ),
    ],
)
def test_the_verdict(tmp_path, accuracies, expected):
    runs = [scores(0.8, 0.6, accuracy) for accuracy in accuracies]
    write_study(tmp_path, {("supervised", "vanilla"): BASELINE, ("pi", "dc3"): runs})
    assert experiments.summarize(tmp_path).helped == [expected]


def test_scores_beside_the_strategy_alone(tmp_path):
    """They are computed from the raw outputs of both cells."""
    folder = write_study(
        tmp_path, {("pi", "vanilla"): BASELINE[:1], ("pi", "dc3"): BASELINE[:1]}
    )
    rng = np.random.default_rng(0)
    labels = rng.dirichlet(np.ones(3), 40)
    outputs = {}
    for config in ("vanilla", "dc3"):
        outputs[config] = {
            "soft_labels": labels.astype("float32"),
            "classes": rng.dirichlet(np.ones(3), 40).astype("float32"),
            "clusters": rng.integers(0, 6, 40),
            "features": rng.normal(size=(40, 4)).astype("float16"),
        }
    ambiguity = outputs["dc3"]["ambiguity"] = rng.random(40)
    for config, content in outputs.items():
        folder.write_outputs(Cell("pi", config, 1), content)
    rows = experiments.summarize(tmp_path).content["rows"]["pi"]
    found = {name: values[0] for name, values in rows["dc3"]["scores"].items()}
    majority = labels.argmax(axis=1)
    alone = outputs["vanilla"]["classes"]
    expected = metrics.f1_of_most_confident(majority, alone, (ambiguity < 0.5).mean())
    assert found["f1_confident_reference"] == pytest.approx(expected)
    least = np.argsort(alone.max(axis=1), kind="stable")[:24]
    clusters = outputs["dc3"]["clusters"][least]
    expected = metrics.mean_inner_distance(labels[least], clusters)
    assert found["common_d"] == pytest.approx(expected, abs=1e-6)
    expected = metrics.size_weighted_inner_distance(labels[least], clusters)
    assert found["common_d_size_weighted"] == pytest.approx(expected, abs=1e-6)
    assert {"common_d_class", "common_d_k_means", "common_d_shuffled"} <= set(found)
    assert not {"common_d_minus_f1", "common_degenerated"} & set(found)


def outputs_of(seed, labels=None):
    rng = np.random.default_rng(seed)
    labels = rng.dirichlet(np.ones(3), 40) if labels is None else labels
    return {
        "soft_labels": labels.astype("float32"),
        "classes": rng.dirichlet(np.ones(3), 40).astype("float32"),
        "clusters": rng.integers(0, 6, 40),
        "features": rng.normal(size=(40, 4)).astype("float16"),
    }


def write_outputs(folder, cells):
    """The images of a seed are the same for all cells."""
    for number, cell in enumerate(cells):
        labels = outputs_of(cell.seed)["soft_labels"]
        folder.write_outputs(cell, outputs_of(10 * number + 7, labels))


def test_a_score_that_some_seeds_lack_stays_with_its_seed(tmp_path):
    runs = {("pi", "vanilla"): BASELINE, ("pi", "dc3"): BASELINE}
    folder = write_study(tmp_path, runs)
    cells = [Cell("pi", c, s) for c in ("vanilla", "dc3") for s in SEEDS]
    write_outputs(folder, cells)
    row = experiments.summarize(tmp_path, write=False).content["rows"]["pi"]["dc3"]
    whole = row["scores"]["f1_confident_reference"]
    assert len(set(whole)) == 3
    folder.record_path(Cell("pi", "vanilla", 1)).unlink()
    row = experiments.summarize(tmp_path, write=False).content["rows"]["pi"]["dc3"]
    found = row["scores"]["f1_confident_reference"]
    assert math.isnan(found[0]) and found[1:] == whole[1:]
    assert row["mean"]["f1_confident_reference"] == pytest.approx(np.mean(whole[1:]))


def test_scores_stay_where_raw_outputs_are_not_kept(tmp_path):
    """As in a copy of the folder without the large files."""
    runs = {("pi", "vanilla"): BASELINE[:1], ("pi", "dc3"): BASELINE[:1]}
    folder = write_study(tmp_path, runs)
    cells = [Cell("pi", "vanilla", 1), Cell("pi", "dc3", 1)]
    write_outputs(folder, cells)
    experiments.summarize(tmp_path)
    before = read_json(tmp_path / "summary.json")
    written = [folder.record_path(cell).stat().st_mtime_ns for cell in cells]
    experiments.summarize(tmp_path)
    assert written == [folder.record_path(cell).stat().st_mtime_ns for cell in cells]
    assert "common_d" in before["rows"]["pi"]["dc3"]["scores"]
    for cell in cells:
        folder.outputs_path(cell).unlink()
        experiments.summarize(tmp_path)
        after = read_json(tmp_path / "summary.json")
        np.testing.assert_equal(after["rows"], before["rows"])


def test_runs_of_a_seed_are_scored_on_the_same_images(tmp_path):
    runs = {("pi", "vanilla"): BASELINE[:1], ("pi", "dc3"): BASELINE[:1]}
    folder = write_study(tmp_path, runs)
    folder.write_outputs(Cell("pi", "vanilla", 1), outputs_of(1))
    folder.write_outputs(Cell("pi", "dc3", 1), outputs_of(2))
    with pytest.raises(ValueError, match="must be scored on the same images"):
        experiments.summarize(tmp_path)


def test_damaged_records_are_named(tmp_path):
    folder = write_study(tmp_path, {("pi", "dc3"): BASELINE})
    path = folder.record_path(Cell("pi", "dc3", 1))
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"pi-dc3-1\.json' is damaged"):
        experiments.summarize(tmp_path)


def test_runs_of_one_row_must_have_been_trained_alike(tmp_path):
    folder = write_study(tmp_path, {("supervised", "vanilla"): BASELINE})
    for seed in SEEDS:
        path = folder.record_path(Cell("supervised", "vanilla", seed))
        record = read_json(path)
        optimizer = {"learning_rate": 0.1 * (1 + (seed == 2)), "name": f"sgd_{seed}"}
        record["settings"]["optimizer"] = optimizer
        write_json(path, record)
    with pytest.raises(ValueError, match=r"-vanilla-1 and .*-2 differ in optimizer"):
        experiments.summarize(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("backbone", "wide"), ("class_names", ["a"]), ("batch_size", 9)]
)
def test_all_runs_must_be_of_the_same_data_and_network(tmp_path, name, value):
    runs = {("supervised", "vanilla"): BASELINE, ("pi", "dc3"): BASELINE}
    folder = write_study(tmp_path, runs)
    cells = [Cell(*row, seed) for row in runs for seed in SEEDS]
    for cell in cells[1:]:  # the first was recorded by a version that did not tell
        record = read_json(folder.record_path(cell))
        record["settings"][name] = value if cell.seed == 2 else "other"
        write_json(folder.record_path(cell), record)
    with pytest.raises(ValueError, match=rf" differ in {name}: "):
        experiments.summarize(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "null", "[]", '{"cell": {}}'])
@pytest.mark.parametrize("name", ["study.json", "cells/supervised-vanilla-2.json"])
def test_damaged_files_are_named(tmp_path, name, content):
    write_study(tmp_path, {("supervised", "vanilla"): BASELINE})
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=rf"{name}' is damaged \(.*remove it"):
        experiments.summarize(tmp_path)


def test_damaged_outputs_are_named(tmp_path):
    folder = write_study(tmp_path, {("supervised", "vanilla"): BASELINE})
    cell = Cell("supervised", "vanilla", 2)
    folder.write_outputs(cell, {"classes": np.ones((4, 2))})
    path = folder.outputs_path(cell)
    whole = path.read_bytes()
    for part in (b"", whole[:40], whole[: len(whole) // 2]):
        path.write_bytes(part)
        with pytest.raises(ValueError, match=r"-vanilla-2\.npz' is damaged"):
            experiments.summarize(tmp_path)
