"""`Proposals` in memory."""

import copy
import inspect
import pickle

import numpy as np
import pytest

from keras_dc3.proposals import Proposal, Proposals
from tests.proposals.helpers import NAMES, make_proposals

GOOD = {
    "ids": ["a", "b"],
    "ambiguity": [0.1, 0.8],
    "class_probabilities": [[0.9, 0.1], [0.4, 0.6]],
    "cluster_probabilities": [[0.2, 0.7, 0.1], [0.0, 0.0, 1.0]],
    "class_names": ["cat", "dog"],
}


def test_by_hand():
    proposals = Proposals(**GOOD)
    assert len(proposals) == 2
    assert list(proposals) == [
        Proposal("a", 0.1, "certain", 0, "cat", 0.9, 1, 0.7),
        Proposal("b", 0.8, "ambiguous", 1, "dog", 0.6, 2, 1.0),
    ]
    assert proposals["b"] == list(proposals)[1]
    assert "a" in proposals
    assert "c" not in proposals
    assert repr(proposals) == (
        "<Proposals for 2 images: 1 certain, 1 ambiguous, 2 classes>"
    )


def test_derived_arrays():
    proposals = make_proposals()
    classes, clusters = proposals.class_probabilities, proposals.cluster_probabilities
    for row, one in enumerate(proposals):
        p, q = classes[row].tolist(), clusters[row].tolist()
        assert one.decision == ("certain" if one.ambiguity < 0.5 else "ambiguous")
        assert one.class_index == p.index(max(p)) == proposals.class_index[row]
        assert one.class_name == NAMES[one.class_index] == proposals.class_name[row]
        assert one.class_probability == max(p) == proposals.class_probability[row]
        assert one.cluster == q.index(max(q)) == proposals.cluster[row]
        assert one.cluster_probability == max(q) == proposals.cluster_probability[row]
        assert one == proposals[one.id]
        assert [type(v) for v in one] == [str, float, str, int, str, float, int, float]


def test_threshold_and_ties():
    proposals = Proposals(
        ["a", "b"],
        np.array([0.5, np.nextafter(np.float32(0.5), np.float32(0))], "float32"),
        [[0.5, 0.5], [0.0, 1.0]],
        [[0.25] * 4] * 2,
        ["x", "y"],
    )
    assert proposals.decision.tolist() == ["ambiguous", "certain"]
    assert proposals.class_name.tolist() == ["x", "y"]
    assert proposals.cluster.tolist() == [0, 0]


def test_arrays_are_copies_that_cannot_be_written_to():
    ambiguity = np.array([0.1, 0.8])
    proposals = Proposals(**{**GOOD, "ambiguity": ambiguity})
    ambiguity[0] = 0.9
    assert proposals.ambiguity[0] == 0.1
    for name, value in vars(proposals).items():
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable, name
    with pytest.raises(ValueError, match="read-only"):
        proposals.ambiguity[0] = 0.7


def test_rounding_beyond_one_is_clipped():
    proposals = Proposals(**{**GOOD, "class_probabilities": [[1 + 1e-7, 0], [0, 1]]})
    assert proposals.class_probability.max() == 1.0


def test_equality():
    assert make_proposals() == make_proposals()
    assert make_proposals() != make_proposals(seed=1)
    assert make_proposals() != make_proposals(ids=[f"x{i}" for i in range(40)])
    assert make_proposals() != make_proposals(names=("cat", "dog", "deer"))
    assert make_proposals() != make_proposals(n=39)
    assert make_proposals() != "proposals"
    assert copy.deepcopy(make_proposals()) == make_proposals()
    assert pickle.loads(pickle.dumps(make_proposals())) == make_proposals()


def test_from_columns_needs_no_cluster_probabilities():
    whole = make_proposals()
    proposals = Proposals.from_columns(
        whole.ids,
        whole.ambiguity,
        whole.class_probabilities,
        whole.cluster,
        whole.cluster_probability,
        whole.class_names,
    )
    assert proposals == whole
    assert proposals.cluster_probabilities is None
    assert list(proposals) == list(whole)


def test_numpy_strings_become_plain_text():
    proposals = Proposals(**{**GOOD, "ids": np.array(["007", "08"])})
    assert proposals.ids == ("007", "08")
    assert {type(name) for name in proposals.ids} == {str}


def test_unknown_id():
    with pytest.raises(KeyError, match=r"no image 'c' among the 2 proposals.*'a', 'b'"):
        Proposals(**GOOD)["c"]
    with pytest.raises(TypeError, match=r"looked up by the id.*Received: 0"):
        Proposals(**GOOD)[0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ids": ["a"]}, ValueError, "same number of images. Received: ids: 1, ambi"),
        (
            {"ids": ["a", "a"]},
            ValueError,
            "`ids` must differ, but 'a' stands at .* 0 a",
        ),
        ({"ids": ["a", 7]}, TypeError, "`ids` must be non-empty strings.*7 at positio"),
        ({"ids": ["a", ""]}, TypeError, "`ids` must be non-empty strings"),
        (
            {"ids": "ab"},
            TypeError,
            "`ids` must be a list of strings, not one text. Received: 'ab'",
        ),
        ({"ambiguity": [0.1]}, ValueError, "same number of images.*ambiguity: 1"),
        ({"ambiguity": [0.1, 1.2]}, ValueError, "`ambiguity` must be in .0, 1.*1.2 at"),
        ({"ambiguity": [np.nan, 1]}, ValueError, "`ambiguity` must be in .0, 1.*nan a"),
        ({"ambiguity": [[0.1], [1]]}, ValueError, r"`ambiguity` must be numbers.*2, 1"),
        ({"ambiguity": ["x", "y"]}, ValueError, "`ambiguity` must be numbers"),
        (
            {"class_probabilities": [[0.5, 0.6], [0.4, 0.6]]},
            ValueError,
            "row of `class_probabilities` must be .* row 0 is .0.5, 0.6",
        ),
        (
            {"class_probabilities": [[1.0, 0.0], [np.inf, 0.6]]},
            ValueError,
            "row of `class_probabilities` must be .* row 1 is",
        ),
        (
            {"class_probabilities": [0.5, 0.6]},
            ValueError,
            r"`class_probabilities` must be probabilities, shape \(images, classes\)",
        ),
        (
            {"cluster_probabilities": [[1.0, 1.0], [0.4, 0.6]]},
            ValueError,
            "row of `cluster_probabilities` must be",
        ),
        (
            {"cluster_probabilities": [3, 4]},
            ValueError,
            r"`cluster_probabilities` must be probabilities, shape \(images, clusters",
        ),
        (
            {"cluster_probabilities": [[1.0]]},
            ValueError,
            "same number of images.*cluster: 1",
        ),
        ({"class_names": ["cat"]}, ValueError, "`class_names` must name each.*1 names"),
        ({"class_names": ["x", "x"]}, ValueError, "`class_names` must differ, but 'x'"),
        ({"class_names": [0, 1]}, TypeError, "`class_names` must be non-empty strings"),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        Proposals(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("cluster", "probability", "message"),
    [
        ([0.5, 1.0], [1, 1], "`cluster` must be integers"),
        ([0, -1], [1, 1], "`cluster` must be at least 0"),
        ([0, 1], [1, 2], "`cluster_probability` must be in"),
        ([0], [1, 1], "same number of images"),
    ],
)
def test_bad_columns(cluster, probability, message):
    arguments = {k: v for k, v in GOOD.items() if k != "cluster_probabilities"}
    with pytest.raises(ValueError, match=message):
        Proposals.from_columns(
            cluster=cluster, cluster_probability=probability, **arguments
        )


def test_summary_by_hand():
    proposals = Proposals.from_columns(
        [f"i{n}" for n in range(8)],
        [0.1, 0.2, 0.3, 0.4, 0.9, 0.9, 0.9, 0.9],
        np.eye(3)[[0, 0, 0, 2, 0, 1, 1, 1]],
        [5, 5, 5, 5, 3, 3, 3, 12],
        np.ones(8),
        NAMES,
    )
    verdict, rest = proposals.summary().split("\n\n", 1)
    assert verdict.startswith("Verdict: not measured")
    assert rest.splitlines() == [
        "Proposals for 8 images",
        "  certain          4 ( 50.0%): a class is proposed",
        "  ambiguous        4 ( 50.0%): a cluster of look-alikes is proposed",
        "",
        "Each gets a class; whether it is right was not measured: check a sample.",
        "",
        "Certain images per class (share of the certain images)",
        "  cat              3 ( 75.0%)",
        "  dog              0 (  0.0%)",
        "  deer, red        1 ( 25.0%)",
        "",
        "Clusters of ambiguous images: 2 used",
        "  cluster 3        3 images, which the model would call 2 dog, 1 cat",
        "  cluster 12        1 image, which the model would call dog",
    ]


def test_summary_without_the_verdict():
    proposals = make_proposals(30)
    text = proposals.summary(with_verdict=False)
    assert text.startswith("Proposals for 30 images")
    assert proposals.summary().endswith("\n\n" + text)


def test_summary_tells_numbers_of_images_from_names_of_classes():
    proposals = Proposals.from_columns(
        list("abcdefgh"),
        np.ones(8),
        np.eye(3)[[0, 0, 1, 1, 1, 0, 2, 2]],
        [0, 0, 0, 0, 0, 1, 2, 2],
        np.ones(8),
        ["7", "14", "2b"],
    )
    text = proposals.summary()
    assert "would call 3 of class 14, 2 of class 7" in text
    assert "1 image, which the model would call class 7" in text
    assert "would call both of class 2b" in text


def test_summary_of_many_clusters():
    text = make_proposals(300, clusters=20).summary(num_clusters=3)
    assert text.count("which the model would call") == 3
    assert "20 of 20 used" in text
    assert "and 17 smaller ones with" in text


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_summary_of_one_side(level):
    text = make_proposals(5, ambiguity=np.full(5, level)).summary()
    assert ("Certain images per class" in text) == (level == 0.0)
    assert ("Clusters of ambiguous" in text) == (level == 1.0)


def test_summary_without_any_image():
    none = Proposals([], [], np.zeros((0, 2)), np.zeros((0, 3)), ["a", "b"])
    assert len(none) == 0
    assert "Proposals for 0 images" in none.summary().splitlines()


def test_take_keeps_all_that_is_known_of_some_images():
    proposals = make_proposals(12)
    rows = [7, 2, 9]
    taken = proposals.take(rows)
    assert taken.ids == tuple(proposals.ids[row] for row in rows)
    for name in (
        "ambiguity",
        "class_probabilities",
        "cluster_probabilities",
        "cluster",
    ):
        expected = getattr(proposals, name)[rows]
        np.testing.assert_array_equal(getattr(taken, name), expected)
    assert [proposals.row_of[name] for name in taken.ids] == rows
    other = proposals.take(rows, ["x", "y", "z"])
    assert other.ids == ("x", "y", "z")
    np.testing.assert_array_equal(other.ambiguity, taken.ambiguity)
    with pytest.raises(ValueError, match=r"positions in 0\.\.11, .* Received: 12"):
        proposals.take([0, 12])


def test_methods_stand_in_their_class():
    """Where `help` and a reader's search look for them."""
    for name, value in inspect.getmembers(Proposals, callable):
        if not name.startswith("_"):
            assert value.__qualname__ in {f"Proposals.{name}", f"ProposalData.{name}"}
