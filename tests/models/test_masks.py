"""Nothing is confident, or everything is: masks at their ends."""

import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from tests.cases import case
from tests.models.helpers import make_model, strategy
from tests.slow import crossed, few


def toy(source):
    """Images of three classes with counts; made up, or a case from the outside."""
    if source == "case":
        loaded = np.load(case("16-nothing-is-confident") / "toy.npz")
        return loaded["images"], loaded["counts"]
    rng = np.random.default_rng(16)
    labels = np.arange(36) % 3
    images = rng.integers(60, 140, (36, 16, 16, 3)) + 35 * labels[:, None, None, None]
    counts = 4 * np.eye(3, dtype=int)[labels]
    counts[np.arange(36), rng.integers(0, 3, 36)] += 1
    return images.astype("uint8"), counts


def fit(make_backbone, ssl, source="made up", batch_size=4, dtype="float32", **changes):
    images, counts = toy(source)
    data = keras_dc3.datasets.from_arrays(
        images,
        counts,
        labeled=12,
        unlabeled=24,
        validation=None,
        batch_size=batch_size,
        unlabeled_ratio=changes.pop("unlabeled_ratio", 1),
    )
    model = make_model(
        make_backbone,
        ssl,
        dtype=dtype,
        image_shape=(16, 16, 3),
        optimizer=keras.optimizers.SGD(0.01),
        **changes,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(data, epochs=2, steps_per_epoch=5, verbose=0).history
    told = [str(w.message) for w in caught if "pseudo-label" in str(w.message)]
    assert all(np.isfinite(values).all() for values in history.values())
    assert all(np.isfinite(w).all() for w in model.get_weights())
    return model, history, told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ssl", "batch_size", "dtype", "source"),
    crossed(
        ["fixmatch", "pseudo_label"],
        [4, 1],
        ["float32", "mixed_float16"],
        ["made up", "case"],
    ),
)
def test_nothing_is_confident(ssl, batch_size, dtype, source, make_backbone):
    ssl = strategy(ssl, threshold=0.999999)
    _, history, told = fit(make_backbone, ssl, source, batch_size, dtype)
    assert history["ssl_loss"] == [0.0, 0.0] and history["mask_rate"] == [0.0, 0.0]
    assert len(told) == 1 and "no pseudo-label was used (mask_rate 0.0)" in told[0]


@pytest.mark.parametrize("ssl", few(["fixmatch", "pseudo_label"], "pseudo_label"))
def test_everything_is_confident(ssl, make_backbone):
    _, history, told = fit(make_backbone, strategy(ssl, threshold=0.0))
    assert history["mask_rate"] == [1.0, 1.0] and min(history["ssl_loss"]) > 0
    assert len(told) == 1 and "every pseudo-label was used (mask_rate 1.0)" in told[0]


@pytest.mark.slow
@pytest.mark.parametrize("ssl", few(["fixmatch", "pseudo_label"], "fixmatch"))
def test_without_confidence_the_step_is_the_supervised_one(ssl, make_backbone):
    """The dead unlabeled term moves no weight: weight 0 gives the same model."""
    config = keras_dc3.DC3Config.vanilla()
    weights = []
    for changes in ({"threshold": 0.999999}, {"threshold": 0.0, "weight": 0.0}):
        model, _, _ = fit(make_backbone, strategy(ssl, **changes), config=config)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_strategies_without_a_mask_tell_nothing(make_backbone):
    _, history, told = fit(make_backbone, "pi_model")
    assert history["mask_rate"] == [1.0, 1.0] and not told
