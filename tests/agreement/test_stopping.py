"""Whether more answers still help: equations, the rule, and what is said of it."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import agreement
from keras_dc3.agreement.concentrations import Concentrations
from keras_dc3.agreement.forecast import Order, distances
from keras_dc3.annotations import Annotations
from keras_dc3.proposals import Proposals
from tests.agreement.helpers import annotations_of, review_of

WEIGHTS = [2.0**power for power in range(-8, 7)]
NAMES = ("cat", "dog", "eel")


def project(n=300, answers=3, concentration=1.0, seed=0):
    """Distributions of people's answers, and so many answers drawn from each."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.full(3, concentration / 3), n)
    counts = np.stack([rng.multinomial(answers, row) for row in truth])
    return truth, counts


def told(counts, proposals=None, **options):
    ids = [f"i{row}" for row in range(len(counts))]
    options = {"resamples": 0, **options}
    given = Annotations(ids, NAMES, counts=np.asarray(counts))
    return agreement.stopping(given, proposals, **options)


def proposed(truth, seed=0):
    """Proposals of a model that is near the truth."""
    noise = np.random.default_rng(seed).dirichlet(np.ones(3), len(truth))
    return Proposals.from_predictions(
        0.6 * truth + 0.4 * noise,
        ids=[f"i{row}" for row in range(len(truth))],
        class_names=NAMES,
    )


def naive(prior, counts, share):
    """Label, error and gain of one image, by plain loops."""

    def posterior(counts):
        chances, means, sizes = [], [], []
        for weight, pi in zip(WEIGHTS, share, strict=True):
            a = [weight * p for p in prior]
            log = math.lgamma(weight) - math.lgamma(weight + sum(counts))
            for one, x in zip(a, counts, strict=True):
                log += math.lgamma(one + x) - math.lgamma(one)
            size = weight + sum(counts)
            chances.append(pi * math.exp(log))
            means.append([(one + x) / size for one, x in zip(a, counts, strict=True)])
            sizes.append(size)
        chances = np.array(chances) / sum(chances)
        return chances, np.array(means), np.array(sizes)

    chances, means, sizes = posterior(counts)
    label = chances @ means
    # E|l|^2 of a Dirichlet distribution: sum a (a + 1) / (A (A + 1)).
    a = means * sizes[:, None]
    squares = (a * (a + 1)).sum(axis=1) / (sizes * (sizes + 1))
    error = chances @ squares - label @ label
    gain = 0.0
    for c in range(len(prior)):
        after = [x + (c == d) for d, x in enumerate(counts)]
        later, means, _ = posterior(after)
        gain += label[c] * ((later @ means - label) ** 2).sum()
    return label, error, gain


@given(
    st.lists(st.integers(0, 6), min_size=3, max_size=3),
    st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
    st.lists(st.floats(0.01, 1), min_size=15, max_size=15),
)
def test_the_moments_are_those_of_a_plain_computation(counts, prior, share):
    prior, share = np.array(prior) / sum(prior), np.array(share) / sum(share)
    found = Concentrations(prior[None], np.array([counts], "float64")).moments(share)
    label, error, gain = naive(prior, counts, share)
    np.testing.assert_allclose(found.label[0], label, atol=1e-9)
    np.testing.assert_allclose(found.error[0], error, atol=1e-9)
    np.testing.assert_allclose(found.gain[0], gain, atol=1e-9)


def test_what_a_label_gives_to_an_answer_that_it_has_not_seen():
    prior, counts = np.array([[0.2, 0.3, 0.5]]), np.array([[3.0, 0.0, 1.0]])
    share = np.full(15, 1 / 15)
    found = Concentrations(prior, counts).held_out(share)
    for c in (0, 2):
        others = counts[0] - np.eye(3)[c]
        label, _, _ = naive(prior[0], others, share)
        assert found[0, c] == pytest.approx(label[c])
    assert np.isnan(found[0, 1])


@pytest.mark.parametrize("concentration", [0.25, 2.0])
def test_the_fit_finds_the_concentration(concentration):
    _, counts = project(2000, 5, concentration)
    shares = Concentrations(np.full((2000, 3), 1 / 3), counts.astype(float)).fit()
    mean = np.exp(shares @ np.log(WEIGHTS))
    assert concentration / 2 < mean < concentration * 2
    assert shares.sum() == pytest.approx(1)


def test_further_answers_of_one_dirichlet_leave_what_the_formula_says():
    """E|l - m|^2 falls as A / (A + j), by simulation and in the forecast."""
    rng = np.random.default_rng(0)
    a = np.array([0.6, 0.3, 1.1])
    truth = rng.dirichlet(a, 200_000)
    label, size = a / a.sum(), a.sum()
    error = ((truth - label) ** 2).sum(axis=1).mean()
    counts = rng.multinomial(4, truth)
    after = (a + counts) / (size + 4)
    left = ((truth - after) ** 2).sum(axis=1).mean()
    assert left == pytest.approx(error * size / (size + 4), rel=0.02)

    one = 1 - (label**2).sum()
    variance = one / (size + 1)
    moments = type("Moments", (), {})()
    moments.error, moments.gain = (
        np.array([variance]),
        np.array([variance / (size + 1)]),
    )
    order = Order(np.zeros(1), decays=False)
    found = distances(moments, order, np.ones(1), np.array([0, 1, 4]))
    expected = [variance * size / (size + j) for j in (0, 1, 4)]
    np.testing.assert_allclose(found, 100 * np.sqrt(np.array(expected) / 2))


@pytest.mark.parametrize("order", ["evenly", "next"])
@pytest.mark.parametrize("concentration", [0.2, 1.5])
def test_distance_and_gain_are_what_they_say(order, concentration):
    """On made-up people: against the truth, which the rule does not see."""
    truth, counts = project(4000, 3, concentration)
    prior = (counts.sum(axis=0) + 1) / (counts.sum() + 3)
    prior = np.broadcast_to(prior, truth.shape)
    beliefs = Concentrations(prior, counts.astype("float64"))
    label = beliefs.moments(beliefs.fit()).label
    found = told(counts, order=order, per=1000, worth=0.01)
    real = 100 * np.sqrt(((label - truth) ** 2).sum(axis=1).mean() / 2)
    assert found.distance.value == pytest.approx(real, rel=0.05)

    rng = np.random.default_rng(1)
    shares, before = beliefs.fit(), ((label - truth) ** 2).sum(axis=1).mean()
    gain, nearer = beliefs.moments(shares).gain, []
    for _ in range(8):
        rows = rng.permutation(4000)[:1000]
        if order == "next":
            rows = np.argsort(-gain)[:1000]
        later = counts.astype("float64")
        later[rows] += [rng.multinomial(1, row) for row in truth[rows]]
        after = Concentrations(prior, later).moments(shares).label
        nearer.append(before - ((after - truth) ** 2).sum(axis=1).mean())
    expected = found.distance.value - 100 * np.sqrt((before - np.mean(nearer)) / 2)
    assert found.gain.value == pytest.approx(
        expected - found.distance.value + real, rel=0.25
    )


def test_the_rule():
    _, counts = project(300, 3)
    found = told(counts, worth=0.3)
    assert (found.limit, found.answers, found.images) == (0.3, 900, 300)
    assert found.stop == (found.gain.value < 0.3) == (found.more.value == 0)
    assert told(counts, worth=2 * found.gain.value).stop
    more = told(counts, worth=found.gain.value / 3)
    assert not more.stop and more.more.value > 0
    tenth = told(counts)
    assert tenth.limit == pytest.approx(0.1 * tenth.first_gain.value)
    assert told(counts, share=0.9).stop

    curve = more.curve
    assert curve.answers[0] == 0 and curve.distance[0] == more.distance.value
    assert (np.diff(curve.distance) <= 0).all()
    after = np.interp(more.more.value + 100, curve.answers, curve.distance)
    there = np.interp(more.more.value, curve.answers, curve.distance)
    assert there - after < more.limit * 1.01


def test_more_answers_bring_less_and_come_to_a_stop():
    truth, counts = project(300, 12)
    rng = np.random.default_rng(0)
    proposals = proposed(truth)
    single = [rng.permutation(np.repeat(np.arange(3), row)) for row in counts]
    stops, gains, before = [], [], []
    for j in range(2, 13, 2):
        so_far = [np.bincount(one[:j], minlength=3) for one in single]
        found = told(so_far, proposals, worth=0.25)
        stops.append(found.stop)
        gains.append(found.gain.value)
        before.append(found.distance.value)
    assert not stops[0] and stops[-1]
    assert (np.diff(gains) < 0).all() and (np.diff(before) < 0).all()


def test_images_that_next_does_not_ask_about_bring_nothing():
    truth = np.eye(3)[np.arange(60) % 3]
    proposals = proposed(truth)
    found = told(np.rint(4 * truth), proposals, worth=0.001)
    assert found.gain.value == 0 and found.stop
    assert told(np.rint(4 * truth), proposals, order="evenly").gain.value > 0


def test_nothing_is_known_of_single_answers():
    _, counts = project(200, 1)
    found = told(counts)
    assert not found.stop and math.isnan(found.distance.value)
    assert "0 images have two answers or more, and 30 are needed" in str(found)
    _, few = project(29, 2)
    assert "not known yet" in str(told(few))
    _, enough = project(30, 2)
    assert "not known yet" not in str(told(enough))


def test_intervals_are_over_images():
    _, counts = project(200, 3)
    found = told(counts, resamples=40)
    for name in ("distance", "gain", "first_gain", "more"):
        one = getattr(found, name)
        assert one.low <= one.value * 1.05 and one.value * 0.95 <= one.high
        assert one.images == 200
    assert found.distance.low < found.distance.value < found.distance.high
    assert (found.curve.low <= found.curve.high).all()
    again = told(counts, resamples=40)
    assert str(found) == str(again)
    wide = told(project(50, 3)[1], resamples=40).distance
    assert wide.high - wide.low > found.distance.high - found.distance.low
    assert math.isnan(told(counts).distance.low)


def test_what_is_printed():
    _, counts = project(300, 3)
    text = str(told(counts, worth=0.3, resamples=20))
    for part in (
        "Answers so far: 900 to 300 images, 300 of which have two or more.",
        "from what all people would say.",
        "The next 100 answers would bring them",
        "100 answers must bring 0.30 points: about",
    ):
        assert part in text, text
    assert "stop here" in str(told(counts, worth=50))
    assert "take about" not in text  # no times are known


def test_where_answers_bring_more_than_at_first_nothing_is_said_of_a_stop():
    _, counts = project(300, 3)
    usual = told(counts)
    assert usual.compares and "answers must bring" in str(usual)
    risen = replace(usual, gain=replace(usual.first_gain, value=1e3))
    text = " ".join(str(risen).split())
    assert "1000.00 points nearer; the first 100 brought" in text
    assert "too early to tell where they cease to" in text
    assert "must bring" not in text and "stop here" not in text
    wanted = told(counts, worth=0.3)
    assert not wanted.compares  # a limit that somebody set means what it says
    assert "must bring 0.30" in str(replace(wanted, gain=risen.gain))


def test_blind_answers_are_held_out():
    rows = [
        (f"i{i:03}", person, NAMES[i % 3 if person != "cem" else (i // 3) % 3], 6.0)
        for i, person in itertools.product(range(90), ("ann", "ben", "cem"))
    ]
    found = agreement.stopping(annotations_of(rows), resamples=0)
    assert 0.4 < found.held_out.value < 1
    assert found.held_out_before.value == pytest.approx(1 / 3, abs=0.01)
    assert found.seconds == 6.0
    assert "To the blind answer of one more person a label gives" in str(found)
    assert "100 answers take about 10.0 minutes" in str(found)


def test_a_review_and_corrected_labels(rng):
    truth = rng.dirichlet(np.full(3, 0.4), 200)
    review = review_of(truth, truth.argmax(axis=1), 3, 0.3, 0.3, rng)
    found = agreement.stopping(review, resamples=0)
    assert found.answers == 600 and 0.3 < found.held_out.value < 1
    proposals = {f"i{i}": int(c) for i, c in enumerate(truth.argmax(axis=1))}
    labels = agreement.fit_bias(review, proposals).correct(review)
    corrected = agreement.stopping(labels, resamples=0)
    assert corrected.answers == 600
    assert math.isnan(corrected.held_out.value)
    assert "No single blind answers" in corrected.held_out.note


def test_images_without_answers_count_where_there_are_proposals():
    truth, counts = project(100, 3)
    proposals = proposed(truth)
    part = Annotations([f"i{i}" for i in range(60)], NAMES, counts=counts[:60])
    found = agreement.stopping(part, proposals, resamples=0)
    assert (found.images, found.answered, found.answers) == (100, 60, 180)
    assert "180 to 60 of 100 images, 60 of which have two or more" in str(found)
    assert found.distance.value > agreement.stopping(part, resamples=0).distance.value


@pytest.mark.parametrize(
    "option, error, match",
    [
        ({"worth": 0}, ValueError, "`worth` must be above 0"),
        ({"share": 1}, ValueError, "`share` must be a number above 0 and below 1"),
        ({"per": 0}, ValueError, "`per` must be"),
        ({"order": "random"}, ValueError, "`order` must be"),
        ({"resamples": -1}, ValueError, "`resamples` must be"),
        ({"seed": -1}, ValueError, "`seed` must be"),
        ({"proposals": "p.csv"}, TypeError, "`proposals` must be"),
    ],
)
def test_wrong_arguments_are_refused(option, error, match):
    with pytest.raises(error, match=match):
        told(project(40, 2)[1], **option)


def test_other_answers_are_refused():
    with pytest.raises(TypeError, match="annotations, a review or corrected labels"):
        agreement.stopping([[1, 2]])
    with pytest.raises(ValueError, match="no valid answer"):
        told(np.zeros((40, 3), int))
