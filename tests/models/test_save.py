"""`.keras` files hold the whole model."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import strategies
from tests.models.helpers import STRATEGIES, arrays, difference, make_model, strategy
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")


@keras.saving.register_keras_serializable("tests")
class Sharpened(strategies.SSLStrategy):
    """A strategy of a user's own, with a setting and a state."""

    views = {"weak": "student", "strong": "student"}
    anchor, partner = "weak", "strong"

    def __init__(self, temperature=0.5, **kwargs):
        super().__init__(**kwargs)
        self.temperature = temperature
        self.mean_confidence = self.add_weight(
            name="mean_confidence", shape=(), initializer="zeros", trainable=False
        )

    def unlabeled_loss(self, logits):
        ops = keras.ops
        target = ops.stop_gradient(ops.softmax(logits["weak"] / self.temperature))
        self.mean_confidence.assign(ops.mean(ops.max(target, axis=-1)))
        return ops.categorical_crossentropy(target, logits["strong"], from_logits=True)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}


@pytest.mark.parametrize("ssl", few([*STRATEGIES, Sharpened], Sharpened))
def test_round_trip(ssl, make_backbone, tmp_path):
    ssl = strategy(ssl) if isinstance(ssl, str) else ssl(temperature=0.3)
    x, y = arrays("fixmatch")
    x["unlabeled"] = {view: x["unlabeled"]["weak"] for view in ssl.views}
    config = keras_dc3.DC3Config.paper(prior=0.4, partner="mean")
    model = make_model(
        make_backbone,
        ssl,
        config,
        class_names=["ring", "bar", "not sure / other"],
        num_clusters=7,
        ema_decay=0.7,
        batch_norm="per_view",
        rescale=False,
        training_steps=33,
    )
    model.fit(x, y, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert difference(model, loaded) == 0
    ours, theirs = model.get_config(), loaded.get_config()
    # Keras' own Sequential models note differently how they were built.
    del ours["backbone"], theirs["backbone"]
    assert ours == theirs
    assert loaded.config == config and loaded.num_clusters == 7
    assert loaded.class_names == ("ring", "bar", "not sure / other")
    assert type(loaded.ssl) is type(ssl)
    assert loaded.ssl.get_config() == ssl.get_config()
    pairs = zip(model.optimizer.variables, loaded.optimizer.variables, strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))
    outputs, again = (m.predict(x["labeled"], verbose=0) for m in (model, loaded))
    for name in outputs:
        np.testing.assert_array_equal(outputs[name], again[name])
    schedule = loaded.optimizer._learning_rate
    assert schedule.get_config() == {
        "initial_learning_rate": 0.01,
        "steps": 33,
        "warmup_steps": 0,
    }
    loaded.fit(x, y, batch_size=8, verbose=0)
    if isinstance(ssl, Sharpened):
        assert float(keras.ops.convert_to_numpy(ssl.mean_confidence)) > 0.3


def test_classes_found_by_fit_are_saved(make_backbone, tmp_path):
    x, y = arrays("pi_model")
    model = make_model(make_backbone, num_classes=None)
    model.fit(x, np.eye(3, dtype="float32")[y], batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").num_classes == 3


def test_an_unbuilt_model_is_saved_by_its_config(make_backbone):
    model = make_model(make_backbone, num_classes=None)
    again = keras_dc3.DC3Model.from_config(model.get_config())
    assert again.get_config() == model.get_config() and not again.built


def test_weights_file_keeps_optimizer_and_step(make_backbone, tmp_path):
    x, y = arrays("pi_model")
    model = make_model(make_backbone, optimizer="adam")
    model.fit(x, y, batch_size=8, verbose=0)
    model.save_weights(tmp_path / "m.weights.h5")
    other = make_model(make_backbone, optimizer="adam", seed=99)
    other.load_weights(tmp_path / "m.weights.h5")
    assert difference(model, other) == 0
    iterations = keras.ops.convert_to_numpy(other.optimizer.iterations)
    assert int(iterations) == int(keras.ops.convert_to_numpy(other.step.value)) == 3
