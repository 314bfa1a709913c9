"""Proposals in groups, and what their cards tell."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.metrics import k_means
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.geometry import has_gap, medoids
from keras_dc3.proposals.groups import describe
from tests.proposals.helpers import NAMES, make_proposals


def placed(embeddings, cluster, p=None, names=("cat", "dog"), ambiguity=0.9):
    """Ambiguous images at given places, by default half cat and half dog."""
    n = len(embeddings)
    return Proposals.from_columns(
        [f"img_{i}" for i in range(n)],
        np.full(n, ambiguity),
        np.full((n, len(names)), 1 / len(names)) if p is None else p,
        cluster,
        np.linspace(1, 0.5, n),
        names,
        embeddings,
    )


def divided(points):
    """Whether two-means finds a gap between points."""

    def two_means(rows):
        (first, second), _ = k_means(points[rows], 2)
        return first, second

    return has_gap(points, two_means)


def sums_of_distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1).sum(axis=1)


@given(
    n=st.integers(0, 60),
    seed=st.integers(0, 1000),
    clusters=st.integers(1, 9),
    dimensions=st.integers(0, 4),
)
def test_every_image_stands_in_one_group(n, seed, clusters, dimensions):
    rng = np.random.default_rng(seed)
    proposals = Proposals(
        [f"img_{i}" for i in range(n)],
        rng.random(n),
        rng.dirichlet(np.ones(3), n),
        rng.dirichlet(np.ones(clusters), n),
        NAMES,
        # Few different places, so that there are ties.
        rng.integers(0, 3, (n, dimensions)) if dimensions else None,
    )
    groups = proposals.groups()
    assert sorted(name for g in groups for name in g.ids) == sorted(proposals.ids)
    kinds = [group.kind for group in groups]
    assert kinds == sorted(kinds)  # classes first
    for kind in ("class", "cluster"):
        sizes = [len(group) for group in groups if group.kind == kind]
        assert sizes == sorted(sizes, reverse=True)
    known = {(group.kind, group.index) for group in groups}
    assert len(known) == len(groups)
    for group in groups:
        rows = [proposals.ids.index(name) for name in group.ids]
        of = proposals.class_index if group.kind == "class" else proposals.cluster
        decision = "certain" if group.kind == "class" else "ambiguous"
        assert {(decision, group.index)} == {
            (str(proposals.decision[row]), int(of[row])) for row in rows
        }
        mean = proposals.class_probabilities[rows].mean(axis=0)
        np.testing.assert_allclose(group.shares, mean)
        expected = group.index if group.kind == "class" else int(group.shares.argmax())
        assert group.proposed_class == expected
        assert len(group.medoids) == len(set(group.medoids)) == min(3, len(group))
        assert group.ids[0] == group.medoids[0]
        assert not set(group.least_typical) & set(group.medoids)
        assert len(group.nearest) == min(3, len(groups) - 1)
        assert {near[:2] for near in group.nearest} <= known - {
            (group.kind, group.index)
        }
        distances = [distance for _, _, distance in group.nearest]
        assert distances == sorted(distances)
        assert group.name in str(group)
    assert proposals.groups() is groups  # kept
    assert proposals.cards().count("\n\n") == max(0, len(groups) - 1)


@given(n=st.integers(1, 40), dimensions=st.integers(1, 5), seed=st.integers(0, 1000))
def test_medoids_have_the_smallest_sums(n, dimensions, seed):
    points = np.random.default_rng(seed).normal(size=(n, dimensions)) + 1000
    expected = np.argsort(sums_of_distances(points), kind="stable")[:3]
    assert medoids(points).tolist() == expected.tolist()


def test_medoids_of_many_in_parts(rng, monkeypatch):
    points = rng.normal(size=(700, 3))
    expected = np.argsort(sums_of_distances(points), kind="stable")[:3]
    monkeypatch.setattr("keras_dc3.proposals.geometry._MOST_DISTANCES", 7000)
    assert medoids(points).tolist() == expected.tolist()
    monkeypatch.setattr("keras_dc3.proposals.geometry._MOST_PAIRS", 50 * 700)
    assert medoids(points).tolist() == expected.tolist()


def test_medoids_of_equals_are_the_first():
    assert medoids(np.ones((5, 2))).tolist() == [0, 1, 2]
    assert medoids(np.full((1, 2), 7.0)).tolist() == [0]


def test_order_is_that_of_the_distances():
    places = np.array([[0.0], [4.0], [1.0], [9.0], [2.0]])
    (group,) = placed(places, np.zeros(5, int)).groups()
    assert group.ids == ("img_4", "img_2", "img_0", "img_1", "img_3")
    assert group.medoids == ("img_4", "img_2", "img_1")  # sums 12, 13, 14
    assert group.least_typical == ("img_3", "img_0")


def test_order_without_embeddings_is_that_of_the_probability():
    proposals = make_proposals()
    for group in proposals.groups():
        one = [proposals[name] for name in group.ids]
        by_class = group.kind == "class"
        p = [i.class_probability if by_class else i.cluster_probability for i in one]
        assert p == sorted(p, reverse=True)
        assert group.medoids == group.ids[:3]
        assert group.suggestion is None


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.54, 0.38, 0.08], "between cat and dog (54/38%)"),
        ([0.1, 0.3, 0.6], "between deer, red and dog (60/30%)"),
        ([0.4, 0.35, 0.25], "between cat, dog and deer, red (40/35/25%)"),
        ([0.05, 0.9, 0.05], "mostly dog (90%)"),
        ([0.0, 0.0, 1.0], "mostly deer, red (100%)"),
        ([0.75, 0.2, 0.05], "between cat and dog (75/20%)"),
    ],
)
def test_descriptions(shares, expected):
    assert describe("cluster", np.array(shares), NAMES) == expected


def test_descriptions_of_many_classes():
    names = tuple("abcdefghij")
    text = describe("cluster", np.full(10, 0.1), names)
    assert text == "of many classes, most often a (10%)"
    one = np.array([0.78, *[0.22 / 9] * 9])
    assert describe("cluster", one, names) == "of many classes, most often a (78%)"
    assert describe("class", one, names) == "a, mean probability 78%"
    assert describe("cluster", np.ones(1), ("a",)) == "mostly a (100%)"


@pytest.mark.parametrize("dimensions", [1, 2, 16, 128])
@pytest.mark.parametrize("number", [10, 40, 300])
def test_one_gaussian_is_never_divided(number, dimensions):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert not divided(rng.normal(size=(number, dimensions)))
        assert not divided(rng.random((number, dimensions)))
        # As long as it likes.
        scale = 1 / np.arange(1, dimensions + 1)
        assert not divided(rng.normal(size=(number, dimensions)) * scale)


@pytest.mark.parametrize("dimensions", [2, 16])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_two_gaussians_are_divided(dimensions, share):
    for seed in range(5):
        points = np.random.default_rng(seed).normal(size=(300, dimensions))
        points[: int(300 * share), 0] += 6
        assert divided(points)


def test_a_few_outliers_are_no_second_part(rng):
    points = rng.normal(size=(300, 4))
    points[:6] += 40
    assert not divided(points)


def test_a_cluster_of_two_parts_is_to_be_split(rng):
    places = rng.normal(size=(400, 8))
    places[200:300] += 8
    cluster = np.repeat([0, 3], 200)
    groups = placed(places, cluster).groups()
    assert {group.index: group.suggestion for group in groups} == {0: None, 3: "split"}
    assert sum("  suggestion      split" in str(group) for group in groups) == 1


def test_halves_of_one_are_to_be_merged(rng):
    places = rng.normal(size=(300, 4))
    cluster = np.where(places[:, 0] < 0, 1, 2)
    cluster[:50], places[:50] = 5, places[:50] + 30
    groups = placed(places, cluster).groups()
    assert {group.index: group.suggestion for group in groups} == {
        1: "merge with cluster 2",
        2: "merge with cluster 1",
        5: None,
    }
    assert {group.nearest[0][1] for group in groups if group.index != 5} == {1, 2}


def test_unlike_or_distant_clusters_are_left_alone(rng):
    places = rng.normal(size=(300, 4))
    cluster = np.where(places[:, 0] < 0, 1, 2)
    p = np.where(cluster[:, None] == 1, [0.8, 0.2], [0.2, 0.8])
    assert {g.suggestion for g in placed(places, cluster, p).groups()} == {None}
    # Near compared with their spread in all directions, but with a gap between them.
    places = rng.normal(size=(400, 64))
    places[200:, 0] += 7
    cluster = np.repeat([0, 1], 200)
    assert {g.suggestion for g in placed(places, cluster).groups()} == {None}


def test_classes_get_no_suggestion(rng):
    places = rng.normal(size=(300, 2))
    places[150:] += 10
    (group,) = placed(places, np.zeros(300, int), ambiguity=0.1).groups()
    assert group.kind == "class" and group.suggestion is None


def test_cards(rng):
    places = np.concatenate([rng.normal(size=(5, 2)), rng.normal(size=(5, 2)) + 9])
    p = np.array([[0.54, 0.38, 0.08]] * 5 + [[0.0, 1.0, 0.0]] * 5)
    ambiguity = [0.9] * 5 + [0.1] * 5
    proposals = Proposals.from_columns(
        [*"abcdefghi", "with a\nnewline"],
        ambiguity,
        p,
        np.full(10, 4),
        np.ones(10),
        NAMES,
        places,
    )
    text = proposals.cards()
    assert text.startswith("class dog: dog, mean probability 100%, 5 images\n")
    cluster = proposals.cards("cluster")
    assert cluster in text and "class dog:" not in cluster
    assert cluster.startswith("cluster 4: between cat and dog (54/38%), 5 images\n")
    assert "the model says  54% cat, 38% dog, 8% deer, red" in cluster
    assert "nearest         class dog (" in cluster
    assert cluster.splitlines()[1].startswith("  typical         ")
    assert "with a newline" in proposals.cards("class")
    with pytest.raises(ValueError, match=r"`kind` must be .*Received: kind='clusters'"):
        proposals.cards("clusters")


def test_embeddings_change_neither_equality_nor_the_csv(tmp_path, rng):
    plain = make_proposals()
    args = (
        plain.ids,
        plain.ambiguity,
        plain.class_probabilities,
        plain.cluster_probabilities,
        plain.class_names,
    )
    whole = Proposals(*args, embeddings=rng.normal(size=(40, 7)))
    assert whole == plain
    assert whole.embeddings.dtype == np.float32 and plain.embeddings is None
    with pytest.raises(ValueError, match="read-only"):
        whole.embeddings[0, 0] = 1
    whole.to_csv(tmp_path / "whole.csv")
    plain.to_csv(tmp_path / "plain.csv")
    written = (tmp_path / "whole.csv").read_bytes()
    assert written == (tmp_path / "plain.csv").read_bytes()
    assert whole.groups()[0].ids
    again = pickle.loads(pickle.dumps(copy.deepcopy(whole)))
    np.testing.assert_array_equal(again.embeddings, whole.embeddings)
    assert [g.ids for g in again.groups()] == [g.ids for g in whole.groups()]


def test_the_embeddings_given_may_change_later():
    given = np.zeros((40, 2), "float32")
    plain = make_proposals()
    proposals = placed(given, plain.cluster)
    given[:] = 1
    assert not proposals.embeddings.any()


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.zeros(40), r"must be numbers, shape .* average.*Received: shape \(40,\)"),
        (np.zeros((40, 2, 2, 3)), r"must be numbers.*Received: shape \(40, 2, 2, 3\)"),
        (np.zeros((40, 0)), "must be numbers, shape"),
        ([["a", "b"]] * 40, "must be numbers, shape .*dtype <U1"),
        (np.zeros((39, 2)), "one row per image. Received: 39 rows for 40 images"),
        (np.full((40, 2), np.nan), "must be finite in float32, but 40 rows"),
        (np.full((40, 2), 1e300), "must be finite in float32, but 40 rows"),
    ],
)
def test_bad_embeddings(embeddings, message):
    with pytest.raises(ValueError, match=f"`embeddings` {message}|{message}"):
        placed_at = make_proposals()
        Proposals.from_columns(
            placed_at.ids,
            placed_at.ambiguity,
            placed_at.class_probabilities,
            placed_at.cluster,
            placed_at.cluster_probability,
            placed_at.class_names,
            embeddings,
        )
