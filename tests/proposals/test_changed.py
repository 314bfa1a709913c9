"""Proposals of other classes, and without some images."""

import numpy as np
import pytest

from keras_dc3.proposals import Proposals
from tests.proposals.helpers import make_proposals


def test_probabilities_are_carried_and_the_rest_stays():
    before = make_proposals()
    names = before.class_names
    new = ("new", *names[2:], "both")
    after = before.with_classes(new, {names[0]: "both", names[1]: "both"})
    p = before.class_probabilities
    expected = np.hstack([np.zeros((len(p), 1)), p[:, 2:], p[:, :1] + p[:, 1:2]])
    np.testing.assert_allclose(after.class_probabilities, expected)
    assert after.ids == before.ids and after.class_names == new
    for name in ("ambiguity", "decision", "cluster", "cluster_probability"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    np.testing.assert_array_equal(
        after.cluster_probabilities, before.cluster_probabilities
    )
    assert after.verdict is None
    assert before.with_classes(names) is before
    assert len(after.groups()) and after.next(5).ids


def test_what_a_class_had_that_is_left_out_goes_to_the_others():
    before = Proposals(
        ["a", "b"], [0.9, 0.9], [[0.5, 0.3, 0.2], [1, 0, 0]], np.eye(2), list("xyz")
    )
    after = before.with_classes(["y", "z"], {"x": None})
    np.testing.assert_allclose(after.class_probabilities, [[0.6, 0.4], [0.5, 0.5]])


def test_withdrawn_images_have_no_proposal():
    before = make_proposals()
    first, second = before.ids[0], before.ids[4]
    after = before.without([second, first])
    assert after.ids == tuple(i for i in before.ids if i not in (first, second))
    assert after[before.ids[1]] == before[before.ids[1]]
    with pytest.raises(ValueError, match=r"1 of 2 images have no proposal: 'nowhere'"):
        before.without([first, "nowhere"])
    assert before.without([]).ids == before.ids
