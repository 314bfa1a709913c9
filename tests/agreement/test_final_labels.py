"""The labels of all images: equations, intervals, files."""

import csv
import json

import numpy as np
import pytest

from keras_dc3 import Annotations, Proposals, agreement
from keras_dc3.annotations import Records


def proposals_of(p, names=None):
    n, k = p.shape
    names = names or [f"img_{i}.png" for i in range(n)]
    return Proposals(names, np.full(n, 0.5), p, np.ones((n, 1)), list("abcdef")[:k])


def answers_of(counts, p):
    records = [
        (f"img_{i}.png", f"person {j}", "abcdef"[c])
        for i, row in enumerate(counts)
        for j, c in enumerate(np.repeat(np.arange(len(row)), row))
    ]
    return Annotations.from_records(records, class_names=list("abcdef")[: p.shape[1]])


@pytest.fixture
def given():
    rng = np.random.default_rng(1)
    truth = rng.dirichlet([0.4] * 3, 300)
    p = np.array([rng.dirichlet(2 * t + 0.3) for t in truth])
    number = [0, 1, 3] * 100
    counts = np.array(
        [rng.multinomial(m, t) for m, t in zip(number, truth, strict=True)]
    )
    return truth, p, counts


def test_without_answers_the_model_is_all_that_is_known(given):
    _, p, counts = given
    labels = agreement.final_labels(answers_of(counts, p), proposals_of(p))
    nobody = counts.sum(axis=1) == 0
    np.testing.assert_array_equal(labels.source == "model", nobody)
    prior = 0.9 * p + 0.1 / 3  # a tenth of it spread evenly, as networks are too sure
    np.testing.assert_allclose(labels.soft_labels[nobody], prior[nobody], atol=1e-9)
    np.testing.assert_array_equal(labels.answers, counts.sum(axis=1))
    rows = np.arange(len(p))
    np.testing.assert_array_equal(labels.agreeing, counts[rows, labels.label])
    np.testing.assert_allclose(labels.share, labels.soft_labels.max(axis=1))
    guessed = labels.share[nobody].mean()
    assert (
        "The class of 100 images is the model's guess, right in about "
        f"{guessed:.0%} of cases by its own probabilities: more answers make labels "
        "of these."
    ) in str(labels)
    everybody = agreement.final_labels(answers_of(counts + 1, p), proposals_of(p))
    assert "guess" not in str(everybody)


def test_answers_bring_labels_nearer_and_intervals_hold_the_truth(given):
    truth, p, counts = given
    labels = agreement.final_labels(answers_of(counts, p), proposals_of(p))
    error = ((labels.soft_labels - truth) ** 2).sum(axis=1)
    number = counts.sum(axis=1)
    assert error[number == 3].mean() < error[number == 0].mean()
    share = truth[np.arange(len(p)), labels.label]
    held = (labels.low <= share) & (share <= labels.high)
    assert held.mean() > 0.85
    width = labels.high - labels.low
    assert width[number == 3].mean() < width[number == 0].mean()


def test_the_interval_is_that_of_the_mixture(given):
    """Against a mixture of Beta distributions that is integrated on a grid."""
    from scipy import stats

    from keras_dc3.agreement.concentrations import _WEIGHTS, Concentrations

    _, p, counts = given
    labels = agreement.final_labels(answers_of(counts, p), proposals_of(p))
    prior = 0.9 * p + 0.1 / 3
    beliefs = Concentrations(prior, counts.astype(float))
    shares = beliefs.fit()
    grid = np.linspace(0, 1, 4001)
    for row in (0, 1, 2, 50):
        c, x = labels.label[row], counts[row]
        log = [
            sum(
                stats.betabinom.logpmf(
                    x[j],
                    x[j:].sum(),
                    w * prior[row, j],
                    w * prior[row, j + 1 :].sum(),
                )
                for j in range(len(x) - 1)
            )
            for w in _WEIGHTS
        ]
        chance = shares * np.exp(log)
        chance /= chance.sum()
        own = _WEIGHTS * prior[row, c] + x[c]
        rest = _WEIGHTS + x.sum() - own
        terms = zip(chance, own, rest, strict=True)
        cdf = sum(r * stats.beta.cdf(grid, a, b) for r, a, b in terms)
        low, high = (grid[np.searchsorted(cdf, q)] for q in (0.025, 0.975))
        assert labels.low[row] == pytest.approx(low, abs=0.05)
        assert labels.high[row] == pytest.approx(high, abs=0.05)


def test_without_proposals_only_answered_images_get_a_label(given):
    _, p, counts = given
    answers = answers_of(counts, p)
    labels = agreement.final_labels(answers)
    assert labels.ids == answers.ids
    with pytest.raises(TypeError, match=r"keras_dc3\.Proposals"):
        agreement.final_labels(answers, "proposals.csv")


def test_files_say_who_answered_and_how_sure_it_is(given, tmp_path):
    _, p, counts = given
    labels = agreement.final_labels(answers_of(counts, p), proposals_of(p))
    labels.save(tmp_path / "labels.csv")
    with open(tmp_path / "labels.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 300
    assert rows[2]["annotators"] == "person 0;person 1;person 2"
    assert rows[0]["annotators"] == ""
    assert rows[0]["source"] == "model"
    soft = [[float(row[f"p({name})"]) for name in "abc"] for row in rows]
    np.testing.assert_allclose(soft, labels.soft_labels, atol=1e-6)
    labels.save(tmp_path / "labels.jsonl")
    with open(tmp_path / "labels.jsonl", encoding="utf-8") as file:
        first = json.loads(file.readline())
    assert first["image"] == "img_0.png"
    assert first["soft_label"].keys() == {"a", "b", "c"}
    pq = pytest.importorskip("pyarrow.parquet")
    labels.save(tmp_path / "labels.parquet")
    table = pq.read_table(tmp_path / "labels.parquet").to_pydict()
    assert table["class"] == list(labels.class_name)
    with pytest.raises(ValueError, match=r"\.csv, \.jsonl, \.parquet"):
        labels.save(tmp_path / "labels.txt")


def test_folders_of_classes(given, tmp_path):
    _, p, counts = given
    labels = agreement.final_labels(answers_of(counts, p), proposals_of(p))
    (tmp_path / "fish").mkdir()
    for name in labels.ids:
        (tmp_path / "fish" / name).write_bytes(name.encode())
    number = labels.to_folders(tmp_path / "out", tmp_path / "fish")
    assert sum(number.values()) == 300
    for name, label in zip(labels.ids, labels.class_name, strict=True):
        assert (tmp_path / "out" / label / name).read_bytes() == name.encode()
    with pytest.raises(ValueError, match="is not empty"):
        labels.to_folders(tmp_path / "out", tmp_path / "fish")
    (tmp_path / "fish" / "img_7.png").unlink()
    with pytest.raises(FileNotFoundError, match="img_7"):
        labels.to_folders(tmp_path / "other", tmp_path / "fish")
    assert not (tmp_path / "other").exists()


def test_a_corrected_answer_is_no_sign_that_people_differ():
    """An answer that is spread over the classes for bias is still one answer."""
    n, rng = 200, np.random.default_rng(0)
    truth = np.eye(3)[rng.integers(0, 3, n)]
    given = np.concatenate([2 * truth[:150], truth[150:]])
    number = given.sum(axis=1, keepdims=True)
    counts = 0.85 * given + 0.15 * number / 3
    names = tuple(f"img_{i}.png" for i in range(n))
    labels = agreement.CorrectedLabels(
        names, tuple("abc"), counts, counts / number, 1.0, given
    )
    p = 0.6 * truth + 0.4 / 3
    found = agreement.final_labels(labels, proposals_of(p))
    as_given = agreement.final_labels(labels.as_given, proposals_of(p))
    # All agree, so that the model counts for little, and the answers for much.
    assert as_given.share[:150].mean() > 0.95
    np.testing.assert_allclose(found.share[:150].mean(), 0.9, atol=0.03)
    np.testing.assert_array_equal(found.agreeing, number[:, 0])
    stopping = agreement.stopping(labels, proposals_of(p), resamples=0)
    plain = agreement.stopping(labels.as_given, proposals_of(p), resamples=0)
    assert stopping.distance.value == plain.distance.value


def test_people_who_change_their_mind_are_no_sign_that_people_differ():
    """Two people, each asked twice: labels are nearer the truth than asked once."""
    rng = np.random.default_rng(0)
    truth = rng.dirichlet([0.3] * 4, 400)
    rows = np.repeat(np.arange(400), 4)
    label = np.concatenate([rng.choice(4, 4, p=p) for p in truth])
    person = np.tile([0, 0, 1, 1], 400)
    names = [f"img_{i}" for i in range(400)]

    def labels(keep):
        records = Records(
            rows[keep], person[keep], label[keep], np.full(keep.sum(), np.nan)
        )
        given = Annotations(
            names, ["a", "b", "c", "d"], annotators=["x", "y"], records=records
        )
        return given, agreement.final_labels(given)

    def off(found):
        return np.square(found.soft_labels - truth).sum(axis=1).mean()

    once, few = labels(np.tile([True, False] * 2, 400))
    twice, many = labels(np.ones(1600, bool))
    assert once.as_given is once and twice.counts.dtype.kind == "f"
    last = labels(np.tile([False, True] * 2, 400))[0]
    np.testing.assert_array_equal(twice.as_given.counts, last.counts)
    assert off(many) < 0.85 * off(few)
    told = [agreement.stopping(one, resamples=0) for one in (last, twice)]
    assert told[0].distance.value == pytest.approx(told[1].distance.value)
