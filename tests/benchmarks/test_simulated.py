"""The simulation of Table 3: people, actions, savings, a whole run, its tables."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_dc3 import agreement
from keras_dc3.experiments.records import Cell, StudyFolder
from keras_dc3.proposals import Proposals
from tests.agreement.helpers import naive_kappa
from tests.processes import run_script

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import simulated_conditions as conditions  # noqa: E402
import simulated_people as people  # noqa: E402
import simulated_table  # noqa: E402

NAMES = ("cat", "dog", "eel")


def made_up(rng, n=90):
    """Real soft labels, and proposals that are right more often than not."""
    truth = rng.dirichlet([0.3, 0.2, 0.3], n)
    p = 0.7 * truth + 0.3 * rng.dirichlet([1, 1, 1], n)
    proposals = Proposals.from_columns(
        [f"i{i}" for i in range(n)],
        rng.random(n),
        p,
        rng.integers(0, 7, n),
        np.ones(n),
        NAMES,
    )
    return truth, proposals


def plain_actions(steps, label, together):
    """All ways to name groups anew and change the others, one by one."""
    total = 0
    for proposed, rows in steps:
        if proposed < 0:
            total += len(rows)
            continue
        ways = []
        for name in range(len(NAMES)):
            others = [label[row] for row in rows if label[row] != name]
            keys = len(set(others)) if together else len(others)
            ways.append(1 + (name != proposed) + len(others) + keys)
        total += min(ways)
    return total


def test_actions_are_those_of_the_sheet(rng):
    steps = [(-1, np.array([0])), (1, np.array([1, 2, 3, 4]))]
    assert people.count_actions(steps, np.array([0, 1, 1, 1, 1])) == (2, 2)
    assert people.count_actions(steps, np.array([0, 1, 1, 0, 0])) == (6, 5)
    assert people.count_actions(steps, np.array([0, 2, 2, 2, 2])) == (3, 3)  # renamed
    for _ in range(50):
        _, proposals = made_up(rng, 30)
        steps = people.make_sheet(proposals, "dc3", 0.2, 1).steps
        label = rng.integers(0, 3, 30)
        assert people.count_actions(steps, label) == (
            plain_actions(steps, label, False),
            plain_actions(steps, label, True),
        )


@pytest.mark.parametrize("mode", ["none", "classes", "dc3"])
def test_a_sheet_asks_for_each_image_once(rng, mode):
    _, proposals = made_up(rng)
    sheet = people.make_sheet(proposals, mode, 0.1, 3)
    rows = np.concatenate([rows for _, rows in sheet.steps])
    assert sorted(rows) == list(range(len(proposals)))
    shown = sheet.proposed
    assert (shown < 0).sum() == (len(proposals) if mode == "none" else 9)
    if mode == "classes":
        seen = shown >= 0
        assert (shown[seen] == proposals.class_index[seen]).all()
    if mode == "dc3":
        for group in proposals.groups():
            at = [proposals.ids.index(name) for name in group.ids]
            assert set(shown[at]) <= {-1, group.proposed_class}


def test_people_answer_from_the_real_soft_labels_and_accept():
    truth = np.tile([0.2, 0.5, 0.3], (4000, 1))
    crowd = people.Crowd(truth, 2, 0)
    shares = np.bincount(crowd.own[0, 0], minlength=3) / 4000
    assert shares == pytest.approx([0.2, 0.5, 0.3], abs=0.03)
    shown = np.zeros(4000, int)
    accepted = (crowd.answer(shown, 0, 0.4) == 0).mean()
    assert accepted == pytest.approx(0.4 + 0.6 * 0.2, abs=0.03)
    blind = crowd.answer(np.full(4000, -1), 0, 0.4)
    assert np.array_equal(blind, crowd.own[0, 0])
    again = people.Crowd(truth, 2, 0)
    assert np.array_equal(again.own, crowd.own)
    assert not np.array_equal(crowd.own[0, 0], crowd.own[1, 0])


def test_a_condition_is_a_review(rng):
    truth, proposals = made_up(rng)
    crowd = people.Crowd(truth, 3, 1)
    condition = conditions.Condition(crowd, proposals, "dc3", 0.3, 0.2, 1)
    review = condition.review(3, people.ROUNDS)
    assert len(review.annotations.records) == 3 * 2 * len(truth)
    assert (review.proposed[~review.repetition] < 0).sum() == 3 * 18
    counts = np.zeros((len(truth), 3))
    for person in range(3):
        counts[np.arange(len(truth)), condition.labels[0, person]] += 1
    assert (condition.review(3).annotations.counts == counts).all()
    assert agreement.fit_bias(review, proposals).blind_answers


def test_kappa_is_that_of_a_plain_computation(rng):
    truth, proposals = made_up(rng)
    condition = conditions.Condition(
        people.Crowd(truth, 2, 1), proposals, "none", 0.0, 0.0, 1
    )
    labels = condition.labels
    found = condition.kappa(2)
    assert found["between"] == pytest.approx(naive_kappa(*labels[0].tolist()))
    within = [naive_kappa(*labels[:, p].tolist()) for p in range(2)]
    assert found["within"] == pytest.approx(np.mean(within))


def test_divergence():
    truth = np.array([[0.5, 0.5], [1.0, 0.0]])
    guess = np.array([[0.25, 0.75], [0.0, 1.0]])
    first = 0.5 * np.log(2) + 0.5 * np.log(0.5 / 0.75)
    assert conditions.divergence(truth, guess) == pytest.approx(
        (first + np.log(1e5)) / 2
    )
    assert conditions.divergence(truth, truth) == pytest.approx(0, abs=1e-4)


def test_savings():
    blind, numbers = [0.8, 0.4, 0.2], [1, 2, 4]
    same = conditions.saved(blind, blind, [0.5, 1.0, 2.0], numbers)
    assert same == pytest.approx([0.5, 0.5, 0.5])
    # 0.4 lies halfway between 0.8 and 0.2 in ln KL.
    between = conditions.saved(blind, [0.8, 0.2], [0.5, 1.5], numbers)
    assert between == pytest.approx([0.5, 0.5, 1 - 1.5 / 4])
    worse = conditions.saved(blind, [0.9, 0.7, 0.6], [0.5, 1.0, 2.0], numbers)
    assert worse[0] > 0 and worse[1:] == [None, None]


def write_study(folder, rng, seeds):
    for seed, config in itertools.product(seeds, ("vanilla", "dc3")):
        draws = np.random.default_rng(seed)
        truth, proposals = made_up(draws)
        outputs = {
            "soft_labels": truth.astype("float32"),
            "classes": proposals.class_probabilities.astype("float32"),
            "clusters": proposals.cluster.astype("int32"),
        }
        if config == "dc3":
            outputs["ambiguity"] = proposals.ambiguity.astype("float32")
        StudyFolder(folder).write_outputs(Cell("mean_teacher", config, seed), outputs)


def run(*options):
    return run_script(BENCHMARKS / "table3_simulated.py", *options)


@pytest.mark.slow
def test_a_whole_run(tmp_path, rng):
    write_study(tmp_path / "reduced-made_up", rng, (1, 2))
    options = ("--seeds=1,2", "--acceptance=0,0.1", "--people=4", "--kappa_people=3")
    path = tmp_path / "result.json"
    done = run(f"--study={tmp_path / 'reduced-made_up'}", *options, f"--output={path}")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "SIMULATION" in done.stdout and people.ASSUMPTIONS[2] in done.stdout
    record = json.loads(path.read_text("utf-8"))
    assert "SIMULATION" in record["what"]
    assert record["assumptions"] == list(people.ASSUMPTIONS)
    one = record["results"]["made_up"]["1"]
    assert one["answers"] == [1, 2, 3, 4]
    unbiased = one["acceptance 0"]
    for mode in ("classes", "dc3"):
        assert unbiased[mode]["kl"]["raw"] == pytest.approx(one["none"]["kl"]["raw"])
        assert unbiased[mode]["actions_named_together"] <= unbiased[mode]["actions"]
    assert len(unbiased["order"]["next"]) == len(unbiased["order"]["actions"])
    text = simulated_table.draw(record)
    assert text.count("SIMULATION") >= 5 and "nan" not in text
    assert "| DC3 proposals | 0.1 | corrected, shrunk |" in text
    pytest.importorskip("matplotlib")
    simulated_table.figure(record, str(tmp_path / "figure.png"))
    assert (tmp_path / "figure.png").stat().st_size > 5000


@pytest.mark.slow
def test_a_missing_study_is_told(tmp_path):
    done = run(f"--study={tmp_path / 'reduced-none'}")
    assert done.returncode != 0
    assert "mean_teacher-vanilla-1.npz is missing" in done.stderr


@pytest.mark.slow
def test_training_again(tmp_path, data_dir):
    path = tmp_path / "again.json"
    options = (
        "--train_again",
        "--study=reduced-cifar10h",
        f"--data_dir={data_dir}",
        "--seeds=1",
        "--acceptance=0.1",
        "--epochs=1",
        f"--output={path}",
    )
    done = run(*options, "--steps_per_epoch=2")
    assert done.returncode == 0, done.stderr[-3000:]
    other = run(*options, "--steps_per_epoch=3")
    assert other.returncode != 0
    assert "steps_per_epoch=2, and steps_per_epoch=3 is asked for" in other.stderr
    record = json.loads(path.read_text("utf-8"))
    scores = record["results"]["cifar10h"]["1"]["acceptance 0.1"]
    names = ["model_classes", "model_dc3", "labeled", "none raw", "none raw_shrunk"]
    for mode in ("classes", "dc3"):
        names += [f"{mode} {n}" for n in ("raw", "corrected", "corrected_shrunk")]
    assert list(scores) == [*names, "real"]
    assert scores["real"]["labels_kl"] == pytest.approx(0, abs=1e-3)
    assert scores["none raw"]["actions"] == 3.0
    other = {**record, "results": {"fashionmnist_h": record["results"]["cifar10h"]}}
    text = simulated_table.draw_retrained(record, other)
    assert text.count("| 0.1 | supervised: DC3 proposals, corrected, shrunk |") == 2
