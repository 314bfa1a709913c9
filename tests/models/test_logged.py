"""What a training logs, by every kind of data."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.models.data_adapters.adapting import adapt_validation
from keras_dc3.models.logged import logged_names
from tests.models.helpers import Batches, arrays, make_model, strategy
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")


class Plain(keras.utils.PyDataset):
    """Batches of plain images and labels."""

    def __init__(self, images, labels):
        super().__init__()
        self.images, self.labels = images, labels

    def __len__(self):
        return 3

    def __getitem__(self, i):
        rows = slice(8 * i, 8 * i + 8)
        return self.images[rows], self.labels[rows]


def kinds():
    x, y = arrays("supervised")
    images, plain = x["labeled"], Plain(x["labeled"], y)
    return {
        "arrays": ((images, y), {"batch_size": 8}),
        "py_dataset": ((plain,), {}),
        "generator": ((plain[i] for i in range(3)), {"steps_per_epoch": 3}),
    }


@pytest.mark.parametrize("kind", ["arrays", "py_dataset", "generator"])
def test_plain_images_log_what_is_computed(kind, make_backbone):
    """The weights never move, so that the loss can be computed afterwards."""
    model = make_model(
        lambda: make_backbone(batch_norm=False),
        strategy("supervised"),
        keras_dc3.DC3Config.vanilla(),
        optimizer=keras.optimizers.SGD(0.0),
    )
    data, options = kinds()[kind]
    data = data if isinstance(data, tuple) else (data,)
    history = model.fit(*data, verbose=0, shuffle=False, **options).history
    assert set(history) == {"loss", "supervised_loss", "accuracy"}
    x, y = arrays("supervised")
    predicted = model.predict(x["labeled"], verbose=0)["classes"]
    loss = -np.log(predicted[np.arange(24), y]).mean()
    assert history["supervised_loss"][-1] == pytest.approx(loss, rel=1e-5)
    assert history["loss"][-1] == pytest.approx(loss, rel=1e-5)
    accuracy = (predicted.argmax(axis=1) == y).mean()
    assert history["accuracy"][-1] == pytest.approx(accuracy)


@pytest.mark.slow
def test_terms_come_back_with_unlabeled_images(make_backbone):
    """Also where the same model was trained on plain images before."""
    x, y = arrays("supervised")
    model = make_model(make_backbone, "supervised", keras_dc3.DC3Config.vanilla())
    for _ in range(2):
        plain = model.fit(x["labeled"], y, batch_size=8, verbose=0).history
        assert "ssl_loss" not in plain and "mask_rate" not in plain
        whole = model.fit(Batches(x, y), verbose=0).history
        assert {"supervised_loss", "ssl_loss", "ambiguous"} <= set(whole)


@pytest.mark.parametrize("soft", few([True, False, None], True))
def test_names_are_known_before_the_first_step(soft, make_backbone):
    x, y = arrays("pi_model")
    model = make_model(make_backbone)
    labels = np.eye(3, dtype="float32")[y] if soft else y
    validation = (x["labeled"], labels) if soft is not None else None
    scored = None if validation is None else adapt_validation(validation)
    names = logged_names(model, False, scored)
    history = model.fit(x, y, batch_size=8, verbose=0, validation_data=validation)
    assert set(names) == set(history.history)
