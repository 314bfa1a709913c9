"""No image is judged by its own answers."""

import numpy as np
import pytest

import keras_dc3
from keras_dc3 import Proposals
from keras_dc3.probes import ClassProbe
from keras_dc3.project.unseen import as_if_unseen

CLASSES = ["cod", "eel", "ling"]


def given(features, n=90, labeled=30):
    """Data of which a third is labeled, and proposals that repeat their labels."""
    rng = np.random.default_rng(0)
    truth = np.eye(3)[rng.integers(0, 3, n)]
    soft = 0.8 * truth + 0.2 / 3
    names = [f"img_{i}" for i in range(n)]
    split = {"labeled": names[:labeled], "unlabeled": names[labeled:]}
    if features:
        x = truth @ rng.normal(size=(3, 8)) + 0.7 * rng.normal(size=(n, 8))
        data = keras_dc3.datasets.from_embeddings(
            x, soft, class_names=CLASSES, ids=names, split=split, labels="soft"
        )
    else:
        images = rng.integers(0, 256, (n, 8, 8, 1)).astype("uint8")
        data = keras_dc3.datasets.from_arrays(
            images, soft, class_names=CLASSES, ids=names, split=split, labels="soft"
        )
    p = 0.9 * truth + 0.1 / 3
    p[labeled:] = rng.dirichlet([1, 1, 1], n - labeled)
    ambiguity = np.where(p.max(axis=1) > 0.7, 0.2, 0.8)
    return data, Proposals(names, ambiguity, p, np.ones((n, 1)), CLASSES)


def test_labeled_images_are_judged_by_maps_that_have_not_seen_them():
    data, proposals = given(features=True)
    found = as_if_unseen(proposals, data)
    np.testing.assert_array_equal(
        found.class_probabilities[30:], proposals.class_probabilities[30:]
    )
    np.testing.assert_array_equal(found.ambiguity[30:], proposals.ambiguity[30:])
    features = np.concatenate(list(data.labeled.image_batches(100)))
    held_out = ClassProbe().fit(features, data.labels).held_out
    np.testing.assert_allclose(found.class_probabilities[:30], held_out)
    other = proposals.class_probabilities[30:].max(axis=1)
    least = other[other > 0.7].min()
    certain = np.array(found.decision[:30]) == "certain"
    np.testing.assert_array_equal(certain, held_out.max(axis=1) >= least)


def test_an_answer_does_not_change_what_is_said_of_its_image():
    """The other way round: what is said of an image is the same, whatever it got."""
    data, proposals = given(features=True)
    found = as_if_unseen(proposals, data).class_probabilities[0]
    changed = data.labels.copy()
    changed[0] = [0.0, 0.0, 1.0] if changed[0, 2] < 0.5 else [1.0, 0.0, 0.0]
    data.labels = changed
    again = as_if_unseen(proposals, data).class_probabilities[0]
    # The penalty is chosen by all images, which may move it by a step.
    assert again.argmax() == found.argmax()
    assert np.abs(again - found).max() < 0.25


@pytest.mark.parametrize("certain", [True, False])
def test_from_pixels_nothing_is_known_of_them(certain):
    data, proposals = given(features=False)
    if not certain:
        proposals = Proposals(
            proposals.ids,
            np.full(90, 0.9),
            proposals.class_probabilities,
            np.ones((90, 1)),
            CLASSES,
        )
    found = as_if_unseen(proposals, data)
    shares = (data.labels.sum(axis=0) + 1) / (30 + 3)
    np.testing.assert_allclose(
        found.class_probabilities[:30], np.tile(shares, (30, 1)), rtol=1e-6
    )
    assert (np.array(found.decision[:30]) == "ambiguous").all()
