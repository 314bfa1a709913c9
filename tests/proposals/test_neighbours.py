"""Nearest groups: all distances, and those that faiss leaves, are the same."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.proposals import geometry, neighbours
from tests.proposals.helpers import make_proposals


def plain(points, number, among):
    """The nearest others of each point, by sorting (distance, position)."""
    found = []
    for row, point in enumerate(points):
        others = [(float(np.linalg.norm(points[i] - point)), i) for i in among]
        found.append([i for _, i in sorted(o for o in others if o[1] != row)][:number])
    return found


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 60),
    d=st.integers(1, 5),
    kind=st.sampled_from(["spread", "grid", "alike", "far"]),
)
def test_the_same_with_faiss(seed, n, d, kind):
    """Also among equals, and where float32 cannot tell points from each other."""
    pytest.importorskip("faiss")
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, d))
    if kind == "grid":
        points = np.round(points)
    if kind == "alike":
        points = 1e-9 * points + rng.integers(0, 3, (n, 1))
    if kind == "far":
        points = points + 1e6
    among = np.flatnonzero(rng.random(n) < 0.7)
    exact = neighbours.nearest(points, 3, among)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "MOST_EXACT", 0)
        found = neighbours.nearest(points, 3, among)
    for (rows, distances), (others, far), expected in zip(
        found, exact, plain(points, 3, among), strict=True
    ):
        assert rows.tolist() == others.tolist() == expected
        assert distances.tolist() == far.tolist()


def test_without_faiss_it_takes_longer(rng, monkeypatch):
    points, among = rng.normal(size=(50, 3)), np.arange(50)
    exact = neighbours.nearest(points, 3, among)
    monkeypatch.setattr(neighbours, "MOST_EXACT", 0)
    monkeypatch.setitem(sys.modules, "faiss", None)
    found = neighbours.nearest(points, 3, among)
    assert [rows.tolist() for rows, _ in found] == [r.tolist() for r, _ in exact]


def test_groups_say_which_are_nearest(rng, monkeypatch):
    pytest.importorskip("faiss")
    data = make_proposals(300, clusters=9, embeddings=rng.normal(size=(300, 4)))
    cards = data.cards()
    monkeypatch.setattr(neighbours, "MOST_EXACT", 0)
    assert data.take(range(300)).cards() == cards


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 400),
    d=st.integers(1, 9),
    at=st.data(),
)
def test_a_total_of_parts_is_that_of_all(seed, n, d, at):
    points = np.random.default_rng(seed).normal(size=(n, d)) * 10.0 ** (seed % 5)
    cut = at.draw(st.integers(1, n))
    parts = geometry.total(points[:cut])
    if cut < n:
        parts = geometry.total(points[cut:], parts)
    assert parts.tolist() == geometry.total(points).tolist()
    assert parts == pytest.approx(points.sum(axis=0), abs=1e-9 * 10.0 ** (seed % 5))
