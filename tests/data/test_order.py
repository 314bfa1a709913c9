"""Splits and the order of batches, as functions of seed and epoch."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.data import split
from keras_dc3.data.plan import BatchPlan
from keras_dc3.data.split_files import check_disjoint
from tests.processes import run_script

sizes = st.integers(1, 40)


@given(sizes, sizes, st.integers(1, 9), st.sampled_from([1, 2, 7, 0.5]), sizes)
def test_an_epoch_shows_all_images(labeled, unlabeled, batch, ratio, seed):
    plan = BatchPlan(labeled, unlabeled, batch, ratio, seed)
    first, second = plan.epoch(0), plan.epoch(1)
    full = max(1, round(batch * ratio))
    steps = max(math.ceil(labeled / batch), math.ceil(unlabeled / full))
    assert plan.steps == len(first.unlabeled) == len(first.seeds) == steps
    assert first.labeled.shape == (steps, batch)
    shown = np.bincount(first.labeled.ravel(), minlength=labeled)
    assert shown.max() - shown.min() <= 1 and len(shown) == labeled
    shown = np.bincount(np.concatenate(first.unlabeled), minlength=unlabeled)
    if steps == math.ceil(unlabeled / full):
        assert (shown == 1).all()  # each exactly once
    else:
        assert shown.min() >= 1 and shown.max() - shown.min() <= 1
        assert {len(part) for part in first.unlabeled} == {full}
    assert plan.epoch(0).labeled.tolist() == first.labeled.tolist()
    if unlabeled > 8:
        assert [*map(list, first.unlabeled)] != [*map(list, second.unlabeled)]


@given(sizes, sizes, st.integers(1, 9), st.integers(1, 12))
def test_with_given_steps_an_epoch_goes_on_where_the_last_stopped(
    labeled, unlabeled, batch, steps
):
    plan = BatchPlan(labeled, unlabeled, batch, 2, 3, steps_per_epoch=steps)
    epochs = [plan.epoch(e) for e in range(4)]
    for number, stream in (
        (labeled, [i for e in epochs for i in e.labeled.ravel()]),
        (unlabeled, [i for e in epochs for part in e.unlabeled for i in part]),
    ):
        passes = [stream[i : i + number] for i in range(0, len(stream), number)]
        assert all(sorted(p) == list(range(number)) for p in passes[:-1])
        assert len(set(passes[-1])) == len(passes[-1])


def test_without_unlabeled_images():
    plan = BatchPlan(10, 0, 4)
    assert plan.steps == 3 and all(len(p) == 0 for p in plan.epoch(0).unlabeled)


def test_the_order_is_the_same_in_another_process():
    code = (
        "from keras_dc3.data.plan import BatchPlan;"
        "e = BatchPlan(9, 31, 4, 2, 7).epoch(5);"
        "print(e.labeled.tolist(), [p.tolist() for p in e.unlabeled], e.seeds.tolist())"
    )
    order = BatchPlan(9, 31, 4, 2, 7).epoch(5)
    unlabeled = [p.tolist() for p in order.unlabeled]
    expected = f"{order.labeled.tolist()} {unlabeled} {order.seeds.tolist()}"
    assert run_script(code, check=True).stdout.strip() == expected


@given(st.integers(3, 200), st.integers(0, 99), st.data())
def test_splits_are_exact_disjoint_and_seeded(n, seed, data):
    labeled = data.draw(st.integers(1, n - 2))
    validation = data.draw(st.integers(1, n - labeled - 1))
    parts = split(n, labeled, n - labeled - validation, validation, seed)
    assert [len(p) for p in parts] == [labeled, n - labeled - validation, validation]
    assert sorted(np.concatenate(parts)) == list(range(n))
    again = split(n, labeled, n - labeled - validation, validation, seed)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


def test_split_by_fractions():
    parts = split(1000, 0.16, 0.64, 0.2, 0)
    assert [len(p) for p in parts] == [160, 640, 200]


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ((10, 0.01, 5, 2), "labeled part of 10 images would be empty"),
        ((10, 5, 5, 5), "asks for 15 images but there are only 10"),
        ((10, 1.5, 2, 2), r"must lie in \(0, 1\]"),
        ((10, "3", 2, 2), "must be a number of images or a fraction"),
        ((10, None, 2, 2), "`labeled` must be a number or a fraction"),
    ],
)
def test_impossible_splits(sizes, match):
    with pytest.raises(ValueError, match=match):
        split(*sizes, 0)


def test_overlap_is_named():
    with pytest.raises(ValueError, match=r"1 image is both in a and in b: x"):
        check_disjoint(a=["x", "y"], b=["z", "x"])
    with pytest.raises(ValueError, match="in a twice"):
        check_disjoint(a=["x", "x"])
