"""A verdict: five questions, each answered as the figures allow."""

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from keras_dc3.metrics import Verdict, findings, verdict
from keras_dc3.metrics.groups_of_equal_number import as_many_groups
from tests.metrics.test_score_intervals import made_up

KEYS = ("classes", "certain", "ambiguity", "clusters", "unlabeled")


def of_known_worth(rng, n, useful):
    """Returns arguments of `verdict`: a model that knows the truth, or nothing."""
    group = rng.integers(0, 8, n)  # what people answer depends on it alone
    of_group = np.array(
        [np.roll([0.96, 0.02, 0.02, 0.0], c) for c in range(4)]
        + [np.roll([0.4, 0.3, 0.3, 0.0], c) for c in range(4)]
    )
    soft = np.array([rng.multinomial(20, p) for p in of_group[group]]) / 20
    shown = group if useful else rng.integers(0, 8, n)
    p_n = np.full((n, 4), 0.1) + 0.6 * np.eye(4)[shown % 4]
    p_a = np.where(shown >= 4, 0.9, 0.1)
    other = rng.integers(0, 4, n)
    # Half the images have a wrong class, at more confidence.
    if useful:
        wrong = (rng.random(n) < 0.5) & (group >= 4)
        p_n[wrong] = 0.02 + 0.92 * np.eye(4)[other[wrong]]
    cluster = group if useful else rng.integers(0, 8, n)
    return soft, p_n, cluster, p_a, np.eye(4)[other]


def test_a_model_that_knows_is_told_so(rng):
    soft, p_n, cluster, p_a, other = of_known_worth(rng, 2000, True)
    found = verdict(soft, p_n, cluster, p_a, supervised_probabilities=other)
    assert found.answers == dict.fromkeys(KEYS, "yes")
    assert found.images == 2000
    for finding in found:
        assert 0 < finding.low < finding.value < finding.high
    hits = p_n.argmax(axis=1) == soft.argmax(axis=1)
    share, low, high = found.right_of_certain
    assert share == pytest.approx(hits[p_a < 0.5].mean()) and low < share <= high


def test_a_model_that_guesses_is_told_so(rng):
    soft, p_n, cluster, p_a, other = of_known_worth(rng, 4000, False)
    common = rng.random(4000) < 0.5
    soft[common] = [0.0, 0.0, 1.0, 0.0]
    found = verdict(soft, p_n, cluster, p_a, supervised_probabilities=other)
    assert found.answers["classes"] == found.answers["clusters"] == "no"
    assert "yes" not in found.answers.values()
    assert found["classes"].high < 0


def test_few_images_do_not_tell(rng):
    soft, p_n, cluster, p_a, other = of_known_worth(rng, 29, False)
    found = verdict(soft, p_n, cluster, p_a, supervised_probabilities=other)
    assert found.answers == dict.fromkeys(KEYS, "too few images to tell")


def test_chance_is_rarely_taken_for_a_gain(rng):
    """At most 2.5% of trials, here 4 of 60 in each question."""
    gains = dict.fromkeys(KEYS, 0)
    for seed in range(60):
        soft, p_n, cluster, p_a, other = of_known_worth(rng, 80, False)
        answers = verdict(
            soft, p_n, cluster, p_a, supervised_probabilities=other, seed=seed
        ).answers
        for key in KEYS:
            gains[key] += answers[key] == "yes"
    assert max(gains.values()) <= 4, gains


def test_figures_are_those_of_plain_code(rng):
    soft, p_n, p_o, p_a = made_up(rng, 300)
    found = verdict(soft, p_n, p_o, p_a, class_names=["cod", "ling", "eel", "ray"])
    tied = np.isclose(soft, soft.max(axis=1, keepdims=True))
    truth = tied / tied.sum(axis=1, keepdims=True)
    right = truth[np.arange(300), p_n.argmax(axis=1)]
    commonest = truth.sum(axis=0).argmax()
    gain = right.mean() - truth[:, commonest].mean()
    assert found["classes"].value == pytest.approx(gain)
    assert f"'{['cod', 'ling', 'eel', 'ray'][commonest]}'" in found["classes"].text
    number = (p_a < 0.5).sum()
    surest = np.argsort(-p_n.max(axis=1), kind="stable")[:number]
    gain = right[p_a < 0.5].mean() - right[surest].mean()
    assert found["certain"].value == pytest.approx(gain)


def test_order_of_classes_does_not_matter(rng):
    soft, p_n, p_o, p_a = made_up(rng, 120)
    expected = verdict(soft, p_n, p_o, p_a)
    for order in itertools.islice(itertools.permutations(range(4)), 1, 6):
        order = list(order)
        found = verdict(soft[:, order], p_n[:, order], p_o, p_a)
        for key in ("classes", "certain", "ambiguity"):
            assert found[key].value == pytest.approx(expected[key].value)


def test_one_class_in_validation_tells_nothing_of_classes():
    soft = np.tile([0.9, 0.1], (29, 1))
    finding = verdict(soft, soft, class_names=["cod", "ling"])["classes"]
    assert finding.answer == "too few images to tell"
    assert "all 29 images are 'cod'" in finding.text


@pytest.mark.parametrize("level", [0.0, 0.2, 0.5, 1.0])
def test_a_constant_ambiguity_finds_nothing(rng, level):
    soft, p_n, p_o, _ = made_up(rng, 3000)
    found = verdict(soft, p_n, p_o, np.full(3000, level))
    assert found["ambiguity"].answer == found["certain"].answer == "no"
    if level < 0.5:
        assert found["clusters"].answer == "too few images to tell"


def test_ambiguity_that_is_confidence_is_no_better(rng):
    soft, p_n, p_o, _ = made_up(rng, 50)
    confidence = p_n.max(axis=1)
    p_a = np.where(confidence > np.median(confidence), 0.1, 0.9)
    finding = verdict(soft, p_n, p_o, p_a)["certain"]
    assert finding.answer == "no" and "they are the same images, the " in finding.text


def test_one_class_per_image_measures_no_disagreement(rng):
    soft, p_n, p_o, p_a = made_up(rng, 100)
    found = verdict(soft.argmax(axis=1), p_n, p_o, p_a)
    assert found["ambiguity"].answer == found["clusters"].answer == "not measured"
    assert found["classes"].answer != "not measured" != found["certain"].answer
    one_hot = np.eye(4)[soft.argmax(axis=1)]
    finding = verdict(one_hot, p_n, p_o, p_a)["ambiguity"]
    assert finding.answer == "too few images to tell"
    assert "or each got a single answer" in finding.text


def test_a_vanilla_model_is_not_asked_of_ambiguity(rng):
    soft, p_n, _, _ = made_up(rng, 100)
    answers = verdict(soft, p_n).answers
    for key in ("certain", "ambiguity", "clusters", "unlabeled"):
        assert answers[key] == "not measured"


def test_what_to_run_for_the_unlabeled_images(rng):
    text = str(verdict(*made_up(rng, 40)))
    assert "Not measured: it takes a second model, trained" in " ".join(text.split())
    assert "=" not in text  # no code: who reads it may know none


def test_no_image_at_all():
    none = np.zeros((0, 3))
    found = verdict(none, none, none, [], supervised_probabilities=none)
    assert found.answers == dict.fromkeys(KEYS, "too few images to tell")
    assert "nan" not in str(found)


def test_people_who_agree_on_all_ambiguous_images(rng):
    soft = np.tile([1.0, 0.0], (60, 1))
    found = verdict(soft, soft, rng.integers(0, 3, 60), np.full(60, 0.9))
    assert found["clusters"].answer == "too few images to tell"


def test_text_is_for_people(rng):
    found = verdict(*made_up(rng, 200), class_names=["a", "{ours}", "c\nd", "100%"])
    lines = str(found).splitlines()
    assert lines[0].startswith("Verdict on the model, from 200 validation images")
    assert "over images only" in " ".join(lines[:2])
    assert max(map(len, lines)) <= 88
    assert len([line for line in lines if line.startswith("- ")]) == 5
    for finding in found:
        assert finding.question in findings.QUESTIONS.values()


def test_round_trip_and_damaged_text(rng):
    for arguments in (made_up(rng, 80), made_up(rng, 80)[:2]):
        found = verdict(*arguments)
        text = found.to_json()
        assert Verdict.from_json(text).to_json() == text
        assert Verdict.from_json(text.encode()).answers == found.answers
        assert "NaN" not in text
    for damaged in ("", "{}", "[]", '{"images": 3}', text[:-4]):
        with pytest.raises(ValueError, match="verdict that is kept here cannot be"):
            Verdict.from_json(damaged)
    wrong = json.loads(text)
    wrong["findings"][0]["answer"] = "maybe"
    with pytest.raises(ValueError, match="'maybe'"):
        Verdict.from_json(json.dumps(wrong))
    with pytest.raises(KeyError, match="no question 'd'"):
        found["d"]


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ("yes", "among 30 validation images: check it at a glance"),
        ("no", "no better than always the commonest class: do not rely on it"),
        ("too few images to tell", "too few validation images tell"),
        ("not measured", "whether it is right was not measured"),
    ],
)
def test_what_to_do_with_certain_images(answer, advice):
    finding = findings.Finding("classes", answer, "")
    found = Verdict(30, (finding,), (0.9, 0.8, 0.95))
    text = findings.of_certain_images(found)
    assert advice in text and ("at a glance" in text) == (answer == "yes")
    if answer != "not measured":
        assert "right for 90.0% (80.0-95.0) of the certain ones among 30" in text
    assert "not measured" in findings.of_certain_images(None)


def test_what_rounds_of_asking_leave_is_harder():
    found = Verdict(30, (findings.Finding("classes", "yes", ""),), (0.9, 0.8, 0.95), 0)
    text = findings.of_certain_images(found)
    assert "30 validation images drawn from the first answers: check it" in text
    later = replace(found, rounds=2)
    text = findings.of_certain_images(later)
    assert "fewer will be right" in text and "at a glance" not in text
    assert Verdict.from_json(later.to_json()) == later


def test_a_project_tells_what_it_measured(rng):
    found = replace(verdict(*made_up(rng, 40)), rounds=0)
    assert found["unlabeled"] not in found.measured
    assert len(found.measured) == 4 and "Not measured" not in str(found)


@pytest.mark.parametrize(
    ("answer", "value", "right", "reason"),
    [
        ("yes", 0.2, 0.9, ""),
        ("no", 0.01, 0.9, "no better than always the commonest class; of 30 valid"),
        ("too few images to tell", -0.1, 0.9, "no better than always the commonest"),
        ("too few images to tell", 0.0, 0.9, "no better than always the commonest"),
        ("too few images to tell", 0.1, 0.9, ""),
        ("too few images to tell", 0.1, 0.1, "its class is right for 10.0% (8.0-"),
        ("not measured", math.nan, math.nan, ""),
    ],
)
def test_models_of_little_use(answer, value, right, reason):
    finding = findings.Finding("classes", answer, "figures", value)
    found = Verdict(30, (finding,), (right, 0.08, 0.95))
    text = findings.of_little_use(found)
    assert reason in text and bool(text) == bool(reason)
    assert findings.of_little_use(None) == ""


def test_groups_are_cut_into_as_many(rng):
    groups = np.repeat([3, 5, 9], [50, 8, 2])
    cuts = as_many_groups(groups, 9, rng)
    for cut in cuts:
        found, sizes = np.unique(cut, return_counts=True)
        assert len(found) == 9 and sizes.max() - sizes.min() <= 6
        for part in found:  # no part mixes groups
            assert len(set(groups[cut == part])) == 1
    assert any((a != b).any() for a, b in itertools.pairwise(cuts))
    assert len(np.unique(as_many_groups(groups, 60, rng)[0])) == 60
    assert as_many_groups(groups, 3, rng)[0] is groups


SOFT = [[0.6, 0.4], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((SOFT, [0, 1]), {}, "`class_probabilities` must be probabilities"),
        (([0, 2], SOFT), {}, "`soft_labels` must lie in 0..1"),
        (([0.5, 1.0], SOFT), {}, "`soft_labels` must be integers"),
        (([[0.5, 0.4]] * 2, SOFT), {}, "`soft_labels` must be a distribution"),
        (([[0.5, 0.4, 0.1]] * 2, SOFT), {}, "as many columns as `soft_labels`"),
        ((SOFT[:1], SOFT), {}, "same number of images.*soft_labels: 1"),
        ((SOFT, SOFT, [0], [0.1, 0.9]), {}, "same number of images.*clusters: 1"),
        ((SOFT, SOFT, [0, 1], [0.1, 1.9]), {}, r"`ambiguity` must be in .0, 1"),
        ((SOFT, SOFT), {"class_names": ["a"]}, "`class_names` must name each column"),
        ((SOFT, SOFT), {"seed": -1}, "`seed` must be an integer"),
        ((SOFT, SOFT), {"human_threshold": 2}, "`human_threshold` must be"),
        (
            (SOFT, SOFT),
            {"supervised_probabilities": SOFT[:1]},
            "same number of images.*supervised_probabilities: 1",
        ),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        verdict(*arguments, **options)
