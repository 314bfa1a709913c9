"""Weights of classes, as users give them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.annotations.class_weights import (
    balanced_class_weights,
    balanced_weights,
    check_class_weights,
    class_weights,
)

NAMES = ("common", "some", "rare")


def test_balanced_by_hand():
    assert balanced_weights([6, 0, 2]) == {0: 8 / 12, 1: 1.0, 2: 8 / 4}
    assert balanced_class_weights([0] * 6 + [2] * 2, 3) == balanced_weights([6, 0, 2])
    soft = np.array([[0.6, 0.4, 0.0], [0.1, 0.1, 0.8], [0.6, 0.4, 0.0]])
    by_soft = class_weights("balanced", soft, 3)
    assert by_soft == class_weights("balanced", np.array([0, 2, 0]), 3)
    assert by_soft == class_weights("balanced", np.array([[0], [2], [0]]), 3)


def test_a_tie_counts_in_part_for_each_of_its_classes():
    soft = np.array([[0.5, 0.5, 0.0], [0.1, 0.1, 0.8], [0.4, 0.2, 0.4]])
    assert class_weights("balanced", soft, 3) == balanced_weights([1.0, 0.5, 1.5])


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize(
    "weights, expected",
    [
        ({"rare": 10.0}, [1, 1, 10]),
        ({"some": 0, "common": np.float32(2)}, [2, 0, 1]),
        ({2: 10}, [1, 1, 10]),
        ({np.int64(1): np.int32(3), 0: 0.5}, [0.5, 3, 1]),
        ([1, 2, 3], [1, 2, 3]),
        ((1.0, 0.0, 3.0), [1, 0, 3]),
        (np.array([1, 2, 3]), [1, 2, 3]),
        (np.array([1, 2, 3], "float16"), [1, 2, 3]),
        ({}, [1, 1, 1]),
    ],
)
def test_names_numbers_and_lists(weights, expected):
    found = check_class_weights(weights, 3, NAMES)
    assert found == dict(enumerate(expected))
    assert all(type(value) is float for value in found.values())


def test_a_series_goes_by_its_index():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series([5.0, 2.0], index=["rare", "common"])
    assert check_class_weights(series, 3, NAMES) == {0: 2.0, 1: 1.0, 2: 5.0}


@pytest.mark.parametrize(
    "weights, message",
    [
        ({"rarely": 10.0}, r"'rarely' in `class_weight` is no class.*0\.\.2.*'rare'"),
        ({"Rare": 10.0}, "'Rare' in `class_weight` is no class"),
        ({7: 10.0}, "7 in `class_weight` is no class"),
        ({-1: 10.0}, "-1 in `class_weight` is no class"),
        ({1.0: 10.0}, r"1\.0 in `class_weight` is no class"),
        ({True: 10.0}, "True in `class_weight` is no class"),
        ({None: 10.0}, "None in `class_weight` is no class"),
        ({("rare",): 1.0}, "in `class_weight` is no class"),
        ({"rare": 10.0, 0: 1.0}, "all names of classes or all their numbers"),
        ({"rare": -1.0}, r"at least 0\. Received: -1\.0 for class 'rare'"),
        ({2: float("nan")}, "Received: nan for class 'rare'"),
        ({2: float("inf")}, "Received: inf for class 'rare'"),
        ({2: 1e39}, r"Received: 1e\+39"),
        ({2: True}, "Received: True"),
        ({2: "10"}, "Received: '10'"),
        ({2: None}, "Received: None"),
        ({2: 1j}, "Received: 1j"),
        ({2: [1.0]}, r"Received: \[1\.0\]"),
        ({0: 0, 1: 0.0, 2: 0}, "`class_weight` is 0 for every class"),
        ([0, 0, 0], "`class_weight` is 0 for every class"),
        ([1, 2], "one weight for each of the 3 classes"),
        ([1, 2, 3, 4], "one weight for each of the 3 classes"),
        ([], "one weight for each of the 3 classes"),
        (np.ones((3, 1)), "one weight for each of the 3 classes"),
        (np.array(3.0), "one weight for each of the 3 classes"),
        ([1, "2", 3], "Received: '2' for class 'some'"),
        (np.array([1, 2, np.nan]), "Received: .*nan.* for class 'rare'"),
    ],
)
def test_anything_else_is_one_error(weights, message):
    with pytest.raises(ValueError, match=message):
        check_class_weights(weights, 3, NAMES)


@pytest.mark.parametrize("weights", [{1, 2, 3}, 3.0, True, iter([1, 2, 3]), object()])
def test_other_types(weights):
    with pytest.raises(TypeError, match="`class_weight` must be a dict"):
        check_class_weights(weights, 3)


def test_names_need_names():
    with pytest.raises(ValueError, match=r"the model knows no names.*`class_names`"):
        check_class_weights({"rare": 2.0}, 3)
    assert check_class_weights({1: 2.0}, 3) == {0: 1.0, 1: 2.0, 2: 1.0}


def test_names_that_are_numbers():
    with pytest.raises(ValueError, match="named '2' or class number 2"):
        check_class_weights({2: 5.0}, 3, ("1", "2", "3"))
    assert check_class_weights({"2": 5.0}, 3, ("1", "2", "3"))[1] == 5.0
    assert check_class_weights({2: 5.0}, 3, ("0", "1", "2"))[2] == 5.0


def test_other_words():
    with pytest.raises(ValueError, match="`class_weight` must be one of"):
        class_weights("ballanced", np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="needs the labels as an array"):
        class_weights("balanced", None, 2)


@given(st.data(), st.integers(2, 12))
def test_by_name_by_number_and_in_order_are_the_same(data, k):
    weights = data.draw(st.lists(st.floats(0, 1e6), min_size=k, max_size=k))
    kept = data.draw(st.sets(st.integers(0, k - 1), min_size=1))
    names = tuple(f"class {i}" for i in range(k))
    filled = [weights[i] if i in kept else 1.0 for i in range(k)]
    if not any(filled):
        return
    by_number = check_class_weights({i: weights[i] for i in kept}, k, names)
    by_name = check_class_weights({names[i]: weights[i] for i in kept}, k, names)
    assert by_number == by_name == check_class_weights(filled, k, names)
    assert by_number == dict(enumerate(filled))
