"""Validation data that never end, or do not say where: one error, no waiting."""

import itertools
import warnings

import keras
import pytest

from tests.models.helpers import arrays, make_model

pytestmark = [
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
    pytest.mark.usefixtures("without_graphs"),
]
X, Y = arrays("pi_model")


@pytest.fixture
def few(monkeypatch):
    """Many and most batches are 10 and 20 here."""
    monkeypatch.setattr("keras_dc3.models.messages._MANY_BATCHES", 10)
    monkeypatch.setattr("keras_dc3.models.messages._MOST_BATCHES", 20)


@pytest.fixture
def model(make_backbone):
    return make_model(make_backbone, training_steps=3)


def fit(model, validation, **kwargs):
    return model.fit(
        X, Y, batch_size=8, verbose=0, validation_data=validation, **kwargs
    )


def without_end():
    return ((X["labeled"][:8], Y[:8]) for _ in itertools.count())


def dataset(repeated=None, size=4):
    import tensorflow as tf

    images = tf.data.Dataset.from_tensor_slices((X["labeled"], Y))
    # A filter hides how many there are.
    return images.repeat(repeated).filter(lambda x, y: True).batch(size)


@pytest.mark.slow
def test_a_generator_needs_validation_steps(model):
    with pytest.raises(ValueError, match="pass `validation_steps`"):
        fit(model, without_end())
    with pytest.raises(ValueError, match="pass `validation_steps`"):
        fit(model, iter([(X["labeled"], Y)]))
    assert int(model.step.value) == 0
    history = fit(model, without_end(), validation_steps=2, epochs=2).history
    assert len(history["val_loss"]) == 2


def test_a_generator_to_evaluate_is_stopped(model, few):
    fit(model, None)
    assert "loss" in model.evaluate(
        (batch for batch in [(X["labeled"], Y)] * 3), verbose=0, return_dict=True
    )
    with (
        pytest.warns(UserWarning, match="has taken 10 batches.*at 20.*pass `steps`"),
        pytest.raises(ValueError, match=r"stopped after 20 batches.*pass `steps`"),
    ):
        model.evaluate(without_end(), verbose=0)


@pytest.mark.slow
def test_batches_by_number_are_not_watched(model, few):
    class Many(keras.utils.PyDataset):
        def __len__(self):
            return 25

        def __getitem__(self, i):
            return X["labeled"][:8], Y[:8]

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "Your `PyDataset` class")
        assert "val_loss" in fit(model, Many()).history


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_dataset_of_unknown_length_is_stopped(model, few):
    with (
        pytest.warns(UserWarning, match="has taken 10 batches"),
        pytest.raises(ValueError, match=r"stopped after 20 .*`validation_steps`"),
    ):
        fit(model, dataset())
    with (
        pytest.warns(UserWarning, match="has taken 10 batches"),
        pytest.raises(ValueError, match="stopped after 20 batches"),
    ):
        model.evaluate(dataset(), verbose=0)
    assert "val_loss" in fit(model, dataset(), validation_steps=2).history


@pytest.mark.graph
@pytest.mark.tensorflow
def test_a_dataset_that_ends_is_evaluated(model, few):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        history = fit(model, dataset(1, size=8), epochs=2).history
    assert len(history["val_f1"]) == 2
