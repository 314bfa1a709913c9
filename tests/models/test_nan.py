"""A loss that is no longer finite ends training, is explained, and costs nothing."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dc3
from keras_dc3.callbacks import StopOnNaN
from keras_dc3.objective import TERMS, DC3Objective
from tests.models.helpers import Batches, arrays, difference, make_model, strategy
from tests.slow import few

STEPS = 3  # of an epoch
pytestmark = pytest.mark.usefixtures("without_graphs")


class Poisoned(DC3Objective):
    """An objective one term of which becomes NaN after a number of steps."""

    def __init__(self, model, term, after):
        super().__init__(model.config, model.collective, model._partner_seed)
        self.step, self.term, self.after = model.step, term, after

    def __call__(self, *args, **kwargs):
        result = super().__call__(*args, **kwargs)
        poison = ops.where(self.step.value >= self.after, np.nan, 0.0)
        term = getattr(result.terms, self.term) + ops.cast(poison, "float32")
        return result._replace(terms=result.terms._replace(**{self.term: term}))


def poisoned(make_backbone, term="ssl", after=4, **kwargs):
    model = make_model(make_backbone, strategy("pi_model"), **kwargs)
    model.objective = Poisoned(model, term, after)
    return model


def fails(model, match, epochs=3, callbacks=None, x=None, y=None, **kwargs):
    """Trains until the error, which is returned as text."""
    if x is None:
        x, y = arrays("pi_model", n=8 * STEPS)
    options = {"verbose": 0, "shuffle": False, **kwargs}
    with pytest.raises(FloatingPointError, match=match) as error:
        model.fit(Batches(x, y), epochs=epochs, callbacks=callbacks, **options)
    return str(error.value)


def states(model):
    """All variables but those of metrics, as arrays."""
    metrics = {id(v) for metric in model.metrics for v in metric.variables}
    variables = [v for v in model.variables if id(v) not in metrics]
    return [ops.convert_to_numpy(v) for v in variables + model.optimizer.variables]


@pytest.mark.parametrize("term", few(TERMS, TERMS[1]))
def test_the_first_term_is_named(term, make_backbone):
    message = fails(
        poisoned(make_backbone, term),
        rf"^Epoch 2, step 2: the loss became nan\. The first not finite: `{term}`\.",
    )
    assert "images and the network's outputs for them were finite" in message
    assert message.endswith("The model has its state after epoch 1.")


def test_weights_that_grow_too_large(make_backbone):
    model = make_model(make_backbone, optimizer=keras.optimizers.SGD(1e30))
    before = [np.array(w) for w in model.get_weights()]
    message = fails(model, r"^Epoch 1, step 2: the loss became (nan|inf)\.")
    assert "its weights had become NaN or too large in the step before" in message
    assert message.endswith("The model has its state before the first epoch.")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_state_is_good_if_the_step_after_it_is(make_backbone):
    """Finite weights at the end of an epoch may be too large already."""
    model = make_model(make_backbone, optimizer=keras.optimizers.SGD(1e30))
    message = fails(model, "^Epoch 2, step 1: ", steps_per_epoch=1)
    assert message.endswith("The model has its state before the first epoch.")


def regularized(make_backbone, regularizer):
    dense = keras.layers.Dense(8, kernel_regularizer=regularizer)
    return make_model(lambda: keras.Sequential([make_backbone(), dense]))


def test_the_losses_of_layers(make_backbone):
    model = regularized(make_backbone, keras.regularizers.L2(3e38))
    # Read by another thread, it may be NaN by then: the next step's.
    message = fails(model, r"^Epoch 1, step 1: the loss became (inf|nan)\. Every term")
    assert "such as regularizers. The model has" in message


def test_a_gradient_that_is_not_finite(make_backbone):
    """Also in the last step of an epoch, whose loss is still finite."""

    class Root(keras.regularizers.Regularizer):
        def __call__(self, kernel):
            return ops.sqrt(ops.sum(kernel) * 0.0)  # 0, with a gradient of 0 / 0

    for steps, match in (
        (1, r"^Epoch 1: the weights became NaN or infinite\. The loss was finite"),
        (2, r"^Epoch 1, step 2: the loss became nan\. .* weights had become NaN"),
    ):
        model = regularized(make_backbone, Root())
        fails(model, match, steps_per_epoch=steps)
        assert all(np.isfinite(w).all() for w in model.get_weights())


def test_images_made_by_an_augmentation(make_backbone):
    """Also where the next step's are finite, or ReLU hides it from the loss."""

    class Breaks(keras.utils.PyDataset):
        """Batches of a data set's own, which nobody looks through."""

        def __len__(self):
            return STEPS

        def __getitem__(self, i):
            x, y = arrays("pi_model", n=8, dtype="float32")
            x["unlabeled"]["second"][:, 2, 2] *= np.inf if i == 1 else 1.0
            return x, y

    class Data:
        num_classes = 3

        def training_batches(self, views):
            return Breaks()

        def validation_batches(self):
            return None

    model = make_model(make_backbone)
    with pytest.raises(FloatingPointError, match=r"^Epoch 1, step 2: ") as error:
        model.fit(Data(), verbose=0)
    assert "Images of that step hold NaN or infinity: remove" in str(error.value)


def test_a_loss_of_ones_own_is_stopped_too(make_backbone):
    class Own(keras_dc3.DC3Model):
        def compute_loss(self, *args, **kwargs):
            loss = super().compute_loss(*args, **kwargs)
            return loss + ops.where(self.step.value >= 2, np.inf, 0.0)

    model = Own(make_backbone(), ssl="pi_model", num_classes=3)
    message = fails(model, r"^Epoch 1, step 3: the loss became (inf|nan)\. The")
    assert np.isfinite(model.get_weights()[0]).all(), message


def test_plain_images(make_backbone):
    x, y = arrays("supervised")
    optimizer = keras.optimizers.SGD(1e30)
    config = keras_dc3.DC3Config.vanilla()
    model = make_model(make_backbone, "supervised", config, optimizer=optimizer)
    with pytest.raises(FloatingPointError, match=r"step 2: .*`supervised`.* too large"):
        model.fit(x["labeled"], y, batch_size=8, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", few(["float32", "mixed_float16"], "mixed_float16"))
def test_the_model_goes_on_as_if_nothing_had_been(dtype, make_backbone):
    """Weights, average, optimizer, random generators and step are all given back."""
    x, y = arrays("pi_model", n=8 * STEPS)
    options = {
        "optimizer": keras.optimizers.Adam(0.01).get_config(),
        "config": keras_dc3.DC3Config(partner="random", cluster_head="linear"),
        "backbone": {"dropout": 0.3},
        "dtype": dtype,
    }
    models = []
    for after in (99, 2 * STEPS + 1):
        options["optimizer"] = keras.optimizers.Adam(0.01)
        model = poisoned(make_backbone, after=after, **options)
        if after == 99:
            model.fit(Batches(x, y), epochs=2, verbose=0, shuffle=False)
        else:
            fails(model, "^Epoch 3, step 2: ", epochs=9, x=x, y=y)
            assert model.history.epoch == [0, 1]
            assert np.isfinite(model.history.history["loss"]).all()
        models.append(model)
    pairs = list(zip(*map(states, models), strict=True))
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)
    for model in models:
        model.objective.after = 99
        model.train_function = None
        model.fit(Batches(x, y), initial_epoch=2, epochs=3, verbose=0, shuffle=False)
    assert difference(*models) == 0


def test_no_other_callback_sees_it(make_backbone, tmp_path):
    class Spy(keras.callbacks.Callback):
        losses, epochs = [], []

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append(logs["loss"])

        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append(epoch)

    path = tmp_path / "{epoch}.weights.h5"
    saver = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model = poisoned(make_backbone)
    fails(model, "^Epoch 2, step 2: ", callbacks=[saver, Spy()])
    assert len(Spy.losses) == STEPS + 1 and np.isfinite(Spy.losses).all()
    assert Spy.epochs == [0]
    assert [file.name for file in tmp_path.iterdir()] == ["1.weights.h5"]


def test_the_last_good_state_as_a_file(make_backbone, tmp_path):
    path = tmp_path / "new" / "good.keras"
    model = poisoned(make_backbone)
    message = fails(model, "^Epoch 2", callbacks=[StopOnNaN(path)])
    assert message.endswith(f"after epoch 1, written to {str(path)!r}.")
    loaded = keras.saving.load_model(path)
    assert difference(model, loaded) == 0
    assert int(ops.convert_to_numpy(loaded.step.value)) == STEPS
    other = make_model(make_backbone)
    other.fit(*arrays("pi_model"), batch_size=8, verbose=0, callbacks=StopOnNaN(path))


def test_a_file_that_cannot_be_written(make_backbone, tmp_path):
    with pytest.raises(ValueError, match=r"must end with '\.keras'.*good\.h5"):
        StopOnNaN(tmp_path / "good.h5")
    (tmp_path / "file").write_text("")
    x, y = arrays("pi_model")
    model = make_model(make_backbone)
    with pytest.raises(OSError, match="cannot be written to"):
        model.fit(x, y, verbose=0, callbacks=[StopOnNaN(tmp_path / "file" / "a.keras")])


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="refused by Keras")
def test_the_step_is_named_among_several_of_one_execution(make_backbone):
    model = poisoned(
        make_backbone, after=1, compile={"steps_per_execution": 3}, optimizer="sgd"
    )
    fails(model, r"^Epoch 1, step 2: the loss became nan\. The first not finite: `ssl`")


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("term", ["ssl", "ambiguity"])
def test_under_a_strategy(term, mirrored, make_backbone):
    x, y = arrays("pi_model", n=8 * STEPS)
    with mirrored.scope():
        model = poisoned(make_backbone, term, backbone={"batch_norm": False})
    expected = rf"^Epoch 2, step 2: the loss became nan\. The first .*: `{term}`\."
    fails(model, expected, x=x, y=y)
    assert int(model.step.numpy()) == STEPS
    assert all(np.isfinite(w).all() for w in model.get_weights())
    model.objective.after = 99
    model.train_function = None
    model.fit(Batches(x, y), initial_epoch=1, epochs=2, verbose=0)


class Hides(keras.layers.Layer):
    """Makes 0 of NaN, as a maximum with 0 may."""

    def call(self, x):
        return ops.nan_to_num(x)


def test_images_that_a_layer_hides_from_the_loss():
    class Data:
        num_classes = 3

        def training_batches(self, views):
            x, y = arrays("pi_model", n=8 * STEPS, dtype="float32")
            x["unlabeled"]["second"][8:12, 2, 2] = np.nan
            return Batches(x, y)

        def validation_batches(self):
            return None

    backbone = keras.Sequential([Hides(), keras.layers.GlobalAveragePooling2D()])
    model = make_model(lambda: backbone, strategy("pi_model"))
    with pytest.raises(
        FloatingPointError, match=r"^Epoch 1, step 2: something was NaN .* Images of"
    ):
        model.fit(Data(), verbose=0, shuffle=False)
