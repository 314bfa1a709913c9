"""No image is judged by its own answers."""

import numpy as np
import pytest

import keras_dc3
from keras_dc3 import Proposals
from keras_dc3.probes import ClassProbe
from keras_dc3.project import stored_proposals
from keras_dc3.project.unseen import Unseen, as_if_unseen

CLASSES = ["cod", "eel", "ling"]
pytestmark = pytest.mark.filterwarnings("ignore:60 unlabeled images of `split` have")


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
    found, unjudged = as_if_unseen(proposals, data)
    assert unjudged == ()
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
    found = as_if_unseen(proposals, data).proposals.class_probabilities[0]
    changed = data.labels.copy()
    changed[0] = [0.0, 0.0, 1.0] if changed[0, 2] < 0.5 else [1.0, 0.0, 0.0]
    data.labels = changed
    again = as_if_unseen(proposals, data).proposals.class_probabilities[0]
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
    found, unjudged = as_if_unseen(proposals, data)
    assert unjudged == tuple(data.labeled.ids)
    shares = (data.labels.sum(axis=0) + 1) / (30 + 3)
    np.testing.assert_allclose(
        found.class_probabilities[:30], np.tile(shares, (30, 1)), rtol=1e-6
    )
    assert (np.array(found.decision[:30]) == "ambiguous").all()


def test_from_pixels_a_model_from_before_the_answers_is_believed():
    data, proposals = given(features=False)
    rng = np.random.default_rng(3)
    p = rng.dirichlet([1, 1, 1], 90)
    order = rng.permutation(90)
    ids = [proposals.ids[i] for i in order]
    names = list(proposals.ids)
    earlier = Unseen(
        Proposals(ids, np.full(90, 0.9), p[order], np.ones((90, 1)), CLASSES),
        tuple(names[:10]),
    )
    earlier = earlier._replace(
        proposals=earlier.proposals.without(names[25:27])  # they came later
    )
    found, unjudged = as_if_unseen(proposals, data, earlier)
    assert unjudged == (*names[:10], *names[25:27])
    known = [*range(10, 25), *range(27, 30)]
    np.testing.assert_allclose(found.class_probabilities[known], p[known], rtol=1e-6)
    np.testing.assert_array_equal(
        found.class_probabilities[30:], proposals.class_probabilities[30:]
    )
    judged = Unseen(found, unjudged).judged
    assert list(judged.ids) == [name for name in names if name not in unjudged]


def test_what_is_known_of_them_is_stored(tmp_path):
    _, proposals = given(features=False)
    path = tmp_path / "propose.npz"
    for unjudged in ((), ("img_3", "img_5")):
        stored_proposals.write(path, proposals, unjudged)
        found = stored_proposals.read_unseen(path)
        assert found.proposals == stored_proposals.read(path) == proposals
        assert found.unjudged == unjudged
