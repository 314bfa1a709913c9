"""Odd times, people of one name, reviews, and what is refused."""

import math
import statistics
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import agreement
from keras_dc3.agreement.times import TimeMeasures
from keras_dc3.annotations import Annotations
from tests.agreement.helpers import annotations_of, crowd, measure
from tests.annotations.helpers import told
from tests.cases import case

ODD_TIMES = [
    (f"z{i}", "x", "ring", t)
    for i, t in enumerate([3.1, None, 0.0, 43200.0, 2.7, -4.0, 4.4, 1e9, 5.0, None])
]


def test_odd_times_are_counted_and_told():
    with told() as texts:
        found = agreement.measure(annotations_of(ODD_TIMES), resamples=20)
    assert found.seconds_median.value == pytest.approx(3.75)
    assert found.seconds_mean.value == pytest.approx(3.8)
    assert found.answers == 10 and found.seconds_mean.images == 4
    assert found.times == agreement.TimeCounts(
        used=4, missing=2, zero=1, negative=1, breaks=0, too_long=2
    )
    assert len(texts) == 1
    assert (
        "Times: 2 above 3600 s left out, 1 of 0 s left out, 1 below 0 s left out; "
        "their answers count." in texts[0]
    )
    assert found.notes[-1] in texts[0] and found.notes[-1] in str(found)


def test_times_that_were_left_out_when_read_are_missing():
    """Readers drop odd times first, so that `longest_seconds` cannot count them."""
    with told():
        annotations = Annotations.from_records(ODD_TIMES, class_names=["ring"])
        found = agreement.measure(annotations, longest_seconds=1e12, resamples=20)
    assert found.times.missing == 6 and found.times.used == 4
    told_of = "4 of 10 answers; 6 times are missing, or were left out when read"
    assert found.seconds_mean.note == found.seconds_median.note == told_of
    assert told_of in str(found)


def test_cannot_tell_takes_time_too():
    answers = [("a", "x", "cat", 2.0), ("b", "x", None, 10.0)]
    answers += [("a", "y", "cat", 4.0), ("c", "y", None, 8.0)]
    found = measure(answers, resamples=20)
    assert (found.images, found.answers, found.undecided) == (1, 2, 2)
    assert found.seconds_mean.value == 6 and found.seconds_mean.images == 3
    assert [person.seconds_mean.value for person in found.people] == [6, 6]
    assert [person.seconds_mean.images for person in found.people] == [2, 2]
    assert [person.kappa_between.images for person in found.people] == [1, 1]
    assert found.times.used == 4 and found.raw.value == 1
    assert "2 answers by 2 annotators, 2 more without a class" in str(found)
    assert found.fleiss.note.startswith(("all", "on the 1 of 1 images"))
    quick = [(*answer[:3], 3.0) for answer in answers]
    quick = annotations_of(quick)
    found = agreement.compare(none=annotations_of(answers), quick=quick, resamples=20)
    assert found.speedup["quick"].value == 2


def review_with_repetitions(rng, proposed_again=False):
    """Of 3 people: 30 images with a proposal, 12 blind ones, and these again."""
    answers, shown, again = [], [], []
    for i in range(42):
        for p in range(3):
            rounds = 2 if i >= 30 or (proposed_again and i < 12) else 1
            for r in range(rounds):
                answers.append((f"i{i:02d}", f"p{p}", f"c{rng.integers(0, 2)}"))
                shown.append(-1 if i >= 30 else 0)
                again.append(r > 0)
    return SimpleNamespace(
        annotations=annotations_of(answers, ["c0", "c1"]),
        proposed=np.array(shown),
        repetition=np.array(again),
    )


def test_repetitions_of_a_review_with_proposals_are_blind(rng):
    review = review_with_repetitions(rng)
    with told() as texts:
        found = agreement.measure(review, resamples=60)
    assert "no image came again with a proposal" in texts[0]
    blind = agreement.measure(agreement.control_share(review), resamples=0)
    within = found.kappa_within
    assert within.value == blind.kappa_within.value
    assert within.low < within.value < within.high and within.images == 12
    assert within.note == "3 pairs of rounds with 12 common images; all blind"
    assert found.raw_within.value == blind.raw_within.value
    for mine, other in zip(found.people, blind.people, strict=True):
        assert mine.kappa_within.value == other.kappa_within.value
    # Nothing else rests on them.
    shown = SimpleNamespace(**vars(review))
    rows = np.flatnonzero(review.proposed >= 0)
    shown.annotations = annotations_of(
        [
            (f"i{image:02d}", f"p{person}", f"c{label}")
            for image, person, label in zip(
                *(
                    getattr(review.annotations.records, name)[rows]
                    for name in ("image", "annotator", "label")
                ),
                strict=True,
            )
        ]
    )
    alone = agreement.measure(shown.annotations, resamples=0)
    for name in ("alpha", "fleiss", "raw", "kappa_between"):
        assert getattr(found, name).value == getattr(alone, name).value
        assert getattr(found, name).note == getattr(alone, name).note
    assert found.images == 30 and found.answers == 90
    assert math.isnan(alone.kappa_within.value)
    assert alone.kappa_within.note == "no known annotator answered an image again"
    with told():
        compared = agreement.compare(
            none=agreement.control_share(review), dc3=review, resamples=20
        )
    change = compared.kappa_within_difference["dc3"]
    assert math.isnan(change.value) and "tell nothing of proposals" in change.note


def test_repeated_proposals_are_measured_where_there_are_any(rng):
    review = review_with_repetitions(rng, proposed_again=True)
    with told() as texts:
        found = agreement.measure(review, resamples=0)
    assert "72 blind answers of the control share are left out." in texts[0]
    assert found.kappa_within.note == "3 pairs of rounds with 12 common images"
    blind = agreement.measure(agreement.control_share(review), resamples=0)
    assert found.kappa_within.value != blind.kappa_within.value
    with told():
        compared = agreement.compare(
            none=agreement.control_share(review), dc3=review, resamples=20
        )
    change = compared.kappa_within_difference["dc3"].value
    expected = found.kappa_within.value - blind.kappa_within.value
    assert change == pytest.approx(expected)


def test_odd_times_of_an_export():
    path = case("13-label-studio-times") / "export.json"
    with told():  # the reader leaves odd times out
        found = agreement.measure(Annotations.from_label_studio(path), resamples=20)
    assert found.seconds_median.value == pytest.approx(3.75)
    assert found.answers == 10 and found.times.used == 4


def test_a_break_counts_as_much_as_the_longest_time():
    answers = [("a", "x", "cat", 2.0), ("b", "x", "cat", 4.0), ("c", "x", "cat", 900.0)]
    with told() as texts:
        found = measure(answers, break_seconds=30)
    assert found.seconds_mean.value == pytest.approx(12)
    assert found.seconds_median.value == 4 and found.times.breaks == 1
    assert "1 above 30 s count as that much" in texts[0]


@given(
    times=st.lists(
        st.one_of(st.none(), st.floats(-1e3, 1e6), st.sampled_from([0.0, math.inf])),
        min_size=1,
        max_size=30,
    )
)
def test_any_times(times):
    answers = [(f"i{n // 2}", f"p{n % 2}", f"c{n % 3}", t) for n, t in enumerate(times)]
    with told():
        found = measure(answers)
    counts = found.times
    good = [min(t, 60.0) for t in times if t is not None and 0 < t <= 3600]
    assert (
        counts.used
        == len(good)
        == len(times)
        - sum((counts.missing, counts.zero, counts.negative, counts.too_long))
    )
    assert found.answers == len(times)
    if good:
        assert found.seconds_mean.value == pytest.approx(statistics.mean(good))
        assert found.seconds_median.value == pytest.approx(statistics.median(good))
    else:
        assert math.isnan(found.seconds_mean.value) and found.seconds_mean.note


def test_medians_of_drawn_images_are_those_of_repeated_answers(rng):
    """Weights of images are the same as images that stand several times."""
    image, person = rng.integers(0, 9, 40), rng.integers(-1, 3, 40)
    seconds = rng.random(40)
    weights = rng.integers(0, 4, 9).astype("float64")
    measures = TimeMeasures(image, person, seconds, 9, 3).evaluate(weights)
    again = np.repeat(np.arange(40), weights[image].astype(int))
    expected = [seconds[again].mean(), np.median(seconds[again])]
    people = [seconds[again[person[again] == p]] for p in range(3)]
    expected += [p.mean() for p in people] + [np.median(p) for p in people]
    np.testing.assert_allclose(measures, expected)


def test_two_people_of_one_name():
    answers = [(f"i{i}", "anna", "cat" if i % 2 else "dog") for i in range(8)]
    answers += [(f"i{i}", "Anna", "cat") for i in range(8)]
    with told() as texts:
        measure(answers)
    assert "'anna', 'Anna' count as 2 annotators" in texts[0]
    annotations = annotations_of([*answers[:8], *answers[:3]])
    review = SimpleNamespace(
        annotations=annotations,
        proposed=np.full(11, -1),
        repetition=np.zeros(11, bool),
    )
    with told() as texts:
        found = agreement.measure(review, resamples=0, least_common=1)
    assert "'anna' answered 3 images again that were no hidden" in texts[0]
    assert found.kappa_within.value == 1
    review.repetition = annotations.records.image < 0
    review.repetition[[1, 3, 5]] = True  # the second answers to i0, i1 and i2
    with told() as texts:
        agreement.measure(review, resamples=0)
    assert not texts


def test_a_review_is_measured_on_its_proposals(rng):
    answers = crowd(rng, 60, 3, 3, 0.0)
    annotations = annotations_of(answers)
    proposed = np.where(annotations.records.image < 20, -1, 1)
    review = SimpleNamespace(annotations=annotations, proposed=proposed)
    with told() as texts:
        found = agreement.measure(review, resamples=0)
    assert "60 blind answers of the control share are left out" in texts[0]
    shown = [answer for answer in answers if answer[0] >= "i020"]
    assert found.alpha.value == measure(shown).alpha.value
    blind = agreement.control_share(review)
    assert isinstance(blind, Annotations) and len(blind.records) == 60
    shown = [answer for answer in answers if answer[0] < "i020"]
    found = agreement.measure(blind, resamples=0)
    assert found.alpha.value == measure(shown).alpha.value
    review.proposed = np.full(180, 1)
    with pytest.raises(ValueError, match="None of the 180 answers is blind"):
        agreement.control_share(review)
    with pytest.raises(TypeError, match="must be a review"):
        agreement.control_share(annotations)


def good_review(**changes):
    annotations = annotations_of([(f"i{i}", "x", "cat") for i in range(4)])
    parts = {"proposed": np.zeros(4, int), "repetition": np.zeros(4, bool)}
    return SimpleNamespace(annotations=annotations, **{**parts, **changes})


@pytest.mark.parametrize(
    "given, options, error, message",
    [
        ("labels.csv", {}, TypeError, "must be annotations or a review.*str"),
        (annotations_of([("a", "x", None)], ["c"]), {}, ValueError, "no valid answer"),
        (Annotations(["a"], ["c"], counts=[[0]]), {}, ValueError, "no valid answer"),
        (good_review(proposed=np.zeros(3, int)), {}, ValueError, "of 4 answers.*3"),
        (good_review(proposed=np.full(4, 2)), {}, ValueError, r"in -1\.\.0 for 1 cl"),
        (good_review(proposed=np.zeros(4)), {}, ValueError, "float64"),
        (good_review(repetition=np.zeros(4, int)), {}, ValueError, "True or False"),
        (good_review(), {"break_seconds": 0}, ValueError, "`break_seconds` must be ab"),
        (
            good_review(),
            {"longest_seconds": 9},
            ValueError,
            "at most `longest_seconds`",
        ),
        (good_review(), {"least_common": 0}, ValueError, "`least_common`"),
        (good_review(), {"resamples": -1}, ValueError, "`resamples`"),
        (good_review(), {"seed": 0.5}, ValueError, "`seed`"),
    ],
)
def test_bad_input(given, options, error, message):
    with pytest.raises(error, match=message):
        agreement.measure(given, **options)
