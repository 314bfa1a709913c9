"""Who is asked what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Proposals
from keras_dc3.proposals.dividing import whole_budget


def asked(n=120, seed=0, budget=60):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([0.5] * 3, n)
    clusters = np.eye(4)[rng.integers(0, 4, n)]
    names = [f"img_{i}" for i in range(n)]
    proposals = Proposals(names, rng.random(n), p, clusters, ["a", "b", "c"])
    return proposals.next(budget)


@given(
    people=st.integers(1, 4),
    overlap=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    seed=st.integers(0, 5),
)
def test_everything_is_asked_and_the_overlap_by_all(people, overlap, seed):
    questions = asked(seed=seed)
    names = [f"person {i}" for i in range(people)]
    parts = questions.divide(names, overlap)
    assert list(parts) == names
    ids = {name: set(part.ids) for name, part in parts.items()}
    assert set.union(*ids.values()) == set(questions.ids)
    common = set.intersection(*ids.values())
    for image in questions.ids:
        holders = sum(image in found for found in ids.values())
        assert holders in ({people} if image in common else {1})
    work = sum(q.actions for q in questions if set(q.ids) <= common)
    if people > 1:
        assert work <= overlap * questions.actions + 1e-6
    if overlap == 1:
        assert common == set(questions.ids)
    costs = [part.actions for part in parts.values()]
    largest = max(q.actions for q in questions)
    assert max(costs) - min(costs) <= largest + 1e-6


def test_nobody_is_asked_about_an_image_a_second_time():
    questions = asked()
    known = set(questions.ids[::2])
    parts = questions.divide(["ann", "ben"], 0.5, {"ann": known})
    assert not known & set(parts["ann"].ids)
    assert known <= set(parts["ben"].ids)
    everything = dict.fromkeys(["ann", "ben"], questions.ids)
    parts = questions.divide(list(everything), 0.5, everything)
    assert not any(part.ids for part in parts.values())


@pytest.mark.parametrize(
    ("people", "overlap", "message"),
    [([], 0.2, "at least one"), (["a", "a"], 0.2, "a"), (["a"], 1.5, "overlap")],
)
def test_wrong_arguments(people, overlap, message):
    with pytest.raises(ValueError, match=message):
        asked().divide(people, overlap)


def test_the_budget_is_that_of_each_person():
    assert whole_budget(100, 2, 0.0) == 200
    assert whole_budget(100, 2, 1.0) == 100
    assert whole_budget(60, 2, 0.2) == 100  # 20 by both, and 40 more each
