"""Proposals for the images that are there."""

import warnings

import numpy as np
import pytest

from keras_dc3.proposals import Proposals
from tests.proposals.helpers import make_proposals


def test_order_is_that_of_the_images(rng):
    plain = make_proposals()
    proposals = Proposals(
        plain.ids,
        plain.ambiguity,
        plain.class_probabilities,
        plain.cluster_probabilities,
        plain.class_names,
        rng.normal(size=(40, 3)),
    )
    rows = rng.permutation(40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = proposals.in_order_of([proposals.ids[row] for row in rows])
    assert list(found) == [proposals[name] for name in found.ids]
    for name in ("class_probabilities", "cluster_probabilities", "embeddings"):
        expected = getattr(proposals, name)[rows]
        np.testing.assert_array_equal(getattr(found, name), expected)
        assert not getattr(found, name).flags.writeable
    assert found.in_order_of(proposals.ids) == proposals


def test_lost_images_and_missing_proposals_are_told():
    proposals = make_proposals(5)
    images = ["img_3", "new_a", "img_0"]
    message = (
        r"3 of 5 proposals are for images that are not there: 'img_1', 'img_2', "
        r"'img_4'. 1 of 3 images have no proposal: 'new_a'."
    )
    fix = 'Propose anew, or pass `missing="drop"`'
    with pytest.raises(ValueError, match=f"{message} {fix}"):
        proposals.in_order_of(images)
    with pytest.warns(UserWarning, match=f"{message} They were left out."):
        found = proposals.in_order_of(images, missing="drop")
    assert found.ids == ("img_3", "img_0")
    assert list(found) == [proposals["img_3"], proposals["img_0"]]


@pytest.mark.parametrize("missing", ["error", "drop"])
def test_nothing_in_common_is_an_error(missing):
    with pytest.raises(ValueError, match=r"5 of 5 prop.*Make the names agree\.$"):
        make_proposals(5).in_order_of(["a", "b"], missing)


def test_no_images():
    none = make_proposals(0)
    assert len(none.in_order_of([])) == 0
    with pytest.raises(ValueError, match="2 of 2 images have no proposal"):
        none.in_order_of(["a", "b"])


def test_bad_arguments():
    with pytest.raises(ValueError, match="`ids` must differ, but 'a' stands"):
        make_proposals(5).in_order_of(["a", "a"])
    with pytest.raises(ValueError, match="`missing` must be one of"):
        make_proposals(5).in_order_of(["img_1"], "ignore")
    with pytest.raises(TypeError, match=r"`ids` must be ids.*Received: ids=None"):
        make_proposals(5).in_order_of(None)


def test_a_file_with_rows_missing(tmp_path):
    path = tmp_path / "p.csv"
    proposals = make_proposals(5)
    proposals.to_csv(path)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:2] + lines[4:]), "utf-8")
    message = r"^2 of 5 images have no proposal: 'img_1', 'img_2'\. Propose anew"
    with pytest.raises(ValueError, match=message):
        Proposals.from_csv(path).in_order_of(proposals.ids)
