"""`embed`: the features behind the heads."""

import warnings

import keras
import numpy as np
import pytest
from keras import ops

from tests.experiments import tiny
from tests.models.helpers import make_model


def test_the_heads_see_what_embed_returns(make_backbone, rng):
    """By the averaged weights, as `predict`; by the raw ones where asked for."""
    model = make_model(make_backbone)
    images = rng.integers(0, 256, (5, 8, 8, 3)).astype("uint8")
    head = model.network.class_head
    head.kernel.assign(head.kernel + 1.0)  # unlike its average now
    for weights in ("ema", "raw"):
        model.evaluate_with = weights
        features = model.embed(images, batch_size=2, verbose=0)
        assert features.dtype == np.float32 and features.ndim == 2
        kernel, bias = (ops.convert_to_numpy(v.value) for v in head.weights)
        if weights == "ema":
            averages = model.average.values(model.network)
            at = [id(v) for v in model.network.trainable_variables]
            kernel, bias = (
                ops.convert_to_numpy(averages[at.index(id(v))]) for v in head.weights
            )
        expected = ops.softmax(features @ kernel + bias)
        found = model.predict(images, verbose=0)["classes"]
        np.testing.assert_allclose(found, ops.convert_to_numpy(expected), atol=1e-5)


@pytest.mark.slow
def test_parts_of_a_data_set_without_a_false_warning():
    data = tiny.make_data(0)
    model = tiny.make_model(data, "supervised", None, 10)
    model.set_classes(3)
    model.build((None, *data.image_shape))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        features = model.embed(data.validation, batch_size=5, verbose=0)
        outputs = model.predict(data.validation, batch_size=5, verbose=0)
        some = model.predict(data.validation, batch_size=5, steps=1, verbose=0)
    assert features.shape == (12, 5) and outputs["clusters"].shape == (12, 15)
    assert some["ambiguity"].shape == (5,)
    whole = model.embed(data.validation.images, verbose=0)
    np.testing.assert_allclose(features, whole, atol=1e-5)


def test_bad_input(make_backbone):
    with pytest.raises(ValueError, match="not trained or loaded yet"):
        make_model(make_backbone, num_classes=None).embed(np.zeros((2, 8, 8, 3)))
    model = make_model(make_backbone)
    with pytest.raises(ValueError, match="shape"):
        model.embed(np.zeros((2, 9, 9, 3), "uint8"))


def test_embedding_leaves_the_model_as_it_was(make_backbone, tmp_path, rng):
    model = make_model(make_backbone)
    images = rng.integers(0, 256, (4, 8, 8, 3)).astype("uint8")
    before = len(model.weights), len(model.layers)
    first = model.embed(images, verbose=0)
    assert (len(model.weights), len(model.layers)) == before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.embed(images, verbose=0), first)


def test_proposals_keep_the_features_of_the_same_pass(make_backbone, rng, monkeypatch):
    model = make_model(make_backbone, compile={"run_eagerly": True})
    images = rng.integers(0, 256, (5, 8, 8, 3)).astype("uint8")
    ids = [f"image {i}" for i in range(5)]
    passes, infer = [], model.network_outputs

    def counted(*args, **kwargs):
        passes.append(args)
        return infer(*args, **kwargs)

    monkeypatch.setattr(model, "network_outputs", counted)
    before = len(model.weights), len(model.layers)
    proposals = model.propose(images, ids=ids, batch_size=2, verbose=0)
    assert len(passes) == 3
    assert (len(model.weights), len(model.layers)) == before
    features = model.embed(images, verbose=0)
    np.testing.assert_allclose(proposals.embeddings, features, atol=1e-5)
    for group in proposals.groups():
        rows = [ids.index(name) for name in group.ids]
        distances = np.linalg.norm(features[rows] - features[rows[0]], axis=1)
        assert group.medoids[0] == group.ids[0]
        assert (np.diff(distances) >= -1e-5).all()
    plain = model.propose(images, ids=ids, batch_size=2, verbose=0, embeddings=False)
    assert plain.embeddings is None
    for name in ("ambiguity", "class_probabilities", "cluster_probabilities"):
        found = getattr(proposals, name)
        np.testing.assert_allclose(found, getattr(plain, name), atol=1e-6)
    with pytest.raises(ValueError, match="`embeddings` must be one of"):
        model.propose(images, ids=ids, embeddings="yes")
