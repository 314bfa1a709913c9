"""Callbacks that choose an epoch by a logged figure, and those that write figures."""

import csv
import math
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.callbacks.monitored import BEST
from tests.cases import case
from tests.models.helpers import arrays, make_model, strategy
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

CHOOSERS = {
    "stop": lambda path, **kw: keras.callbacks.EarlyStopping(patience=9, **kw),
    "keep": lambda path, **kw: keras.callbacks.ModelCheckpoint(
        str(path / "best.keras"), save_best_only=True, **kw
    ),
    "slow": lambda path, **kw: keras.callbacks.ReduceLROnPlateau(**kw),
}


def fit(make_backbone, *callbacks, soft=True, validated=True, epochs=2, **kwargs):
    x, y = arrays("pi_model")
    model = make_model(
        make_backbone, strategy("pi_model"), optimizer=keras.optimizers.SGD(0.1)
    )
    labels = np.eye(3, dtype="float32")[y] * 0.7 + 0.1 if soft else y
    if validated:
        kwargs["validation_data"] = (x["labeled"], labels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(
            x, y, 8, epochs, verbose=0, callbacks=list(callbacks), **kwargs
        )
    return model, history.history, [str(w.message) for w in caught]


class Written(keras.callbacks.Callback):
    """Gives figures of the logs values of a test's own."""

    def __init__(self, **values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs |= {name: values[epoch] for name, values in self.values.items()}


@pytest.fixture(scope="module")
def trained():
    """Every figure monitored by every kind of callback, in one training."""
    directions = {
        BEST: "max",
        "val_f1": "max",
        "val_d": "min",
        "val_d_minus_f1": "min",
        "val_loss": "auto",  # Keras knows it by itself
        "val_accuracy": "auto",
        "inverse_loss": "min",
    }
    layers = keras.layers

    def backbone():
        return keras.Sequential([layers.Flatten(), layers.Dense(4)])

    with tempfile.TemporaryDirectory() as folder:
        callbacks = {
            (kind, name): CHOOSERS[kind](Path(folder), monitor=name)
            for kind in CHOOSERS
            for name in directions
        }
        _, history, told = fit(backbone, *callbacks.values(), epochs=1)
    return directions, callbacks, history, told


def test_the_direction_of_a_figure_is_known(trained):
    directions, callbacks, history, told = trained
    assert not any("available" in text for text in told)
    for (kind, name), callback in callbacks.items():
        assert name in history
        assert callback.mode == directions[name], (kind, name)
        # None has more than one epoch to choose from.
        assert callback.best == history[name][0] or math.isnan(history[name][0])


def test_figures_of_a_part_of_the_images_are_told(trained):
    told = [text for text in trained[3] if "alone: an epoch in which" in text]
    assert {text.split("`")[3] for text in told} == {
        "val_f1",
        "val_d",
        "val_d_minus_f1",
    }
    assert all(f'monitor="{BEST}"' in text for text in told)


@pytest.mark.parametrize("kind", CHOOSERS)
@pytest.mark.parametrize("name", ["val_ambiguous", "ambiguous", "mask_rate"])
def test_without_a_direction_mode_is_asked_for(kind, name, make_backbone, tmp_path):
    with pytest.raises(ValueError, match=f"monitors `{name}`, of which neither"):
        fit(make_backbone, CHOOSERS[kind](tmp_path, monitor=name))


@pytest.mark.parametrize("mode", ["auto", "max"])
@pytest.mark.parametrize(
    ("name", "changes", "hint"),
    [
        ("val_acuracy", {}, "Did you mean `val_accuracy`"),
        ("val_selective_scor", {}, "Did you mean `val_selective_score`"),
        ("val_loss", {"validated": False}, "There is no validation data"),
        ("val_d", {"soft": False}, "It needs soft validation labels"),
        ("supervised", {}, "does not log"),
    ],
)
def test_an_unknown_figure_is_told_before_training(
    name, changes, hint, mode, make_backbone
):
    callback = keras.callbacks.EarlyStopping(monitor=name, mode=mode)
    with pytest.raises(ValueError, match=hint):
        fit(make_backbone, callback, **changes)


@pytest.mark.parametrize("name", few(["val_kappa", "val_kapa"], "val_kapa"))
def test_a_figure_of_a_callback_of_ones_own(name, make_backbone):
    """It is told as unknown where it never came."""
    written = Written(**{name: [0.1, 0.3, 0.2]})
    stop = keras.callbacks.EarlyStopping(
        monitor="val_kappa", mode="max", patience=9, restore_best_weights=True
    )
    _, _, told = fit(make_backbone, written, stop, epochs=3)
    missing = [t for t in told if "monitors `val_kappa`, which this training" in t]
    assert len(missing) == (name == "val_kapa")
    assert stop.best_epoch == 1 or missing


@pytest.mark.slow
@pytest.mark.parametrize("frequency", few([1, 2], 2))
def test_the_best_epoch_is_kept_through_nan_and_unvalidated_epochs(
    frequency, make_backbone, tmp_path
):
    class Seen(keras.callbacks.Callback):
        weights = []

        def on_epoch_end(self, epoch, logs=None):
            self.weights.append(self.model.get_weights())

    class NaNAtFirst(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            figures = [math.nan, math.nan, 0.2, 0.6, 0.5, 0.4, 0.3]
            if BEST in logs:
                logs[BEST] = figures[epoch]

    seen = Seen()
    seen.weights = []
    keep = CHOOSERS["keep"](tmp_path, monitor=BEST)
    stop = keras.callbacks.EarlyStopping(
        monitor=BEST, patience=9, restore_best_weights=True
    )
    model, _, told = fit(
        make_backbone,
        NaNAtFirst(),
        seen,
        keep,
        stop,
        epochs=7,
        validation_freq=frequency,
    )
    assert not any("available" in text for text in told)
    kept = keras.saving.load_model(tmp_path / "best.keras")
    for best in (kept, model):
        for a, b in zip(best.get_weights(), seen.weights[3], strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_figure_that_is_always_nan_is_told(make_backbone, tmp_path):
    class AlwaysNaN(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_f1"] = math.nan

    keep = CHOOSERS["keep"](tmp_path, monitor="val_f1")
    _, _, told = fit(make_backbone, AlwaysNaN(), keep)
    assert any("was NaN in every epoch" in text for text in told)


def test_one_sided_ambiguity_gains_nothing(make_backbone):
    data = np.load(case("40-") / "toy.npz")
    images, counts = data["images"], data["counts"].astype("float64")
    labels = counts / counts.sum(axis=1, keepdims=True)
    model = keras_dc3.DC3Model(make_backbone(), num_classes=labels.shape[1])
    model.build((None, *images.shape[1:]))
    figures = {}
    for bias in (-99.0, 0.0, 99.0):
        head = model.network.ambiguity_head
        head.set_weights([*head.get_weights()[:-1], np.array(bias)])
        model.average.reset(model.network)
        figures[bias] = model.evaluate(images, labels, verbose=0, return_dict=True)
    agreement = labels[
        np.arange(len(labels)), model.predict(images, verbose=0)["classes"].argmax(1)
    ].mean()
    for bias in (-99.0, 99.0):
        assert figures[bias]["selective_score"] == pytest.approx(agreement, abs=1e-6)
    assert all(np.isfinite(f["selective_score"]) for f in figures.values())


@pytest.mark.slow
@pytest.mark.parametrize("frequency", few([2, [3]], 2))
def test_a_csv_log_has_all_columns(frequency, make_backbone, tmp_path):
    path = tmp_path / "log.csv"

    def train(**kwargs):
        logger = keras.callbacks.CSVLogger(str(path), append=True)
        return fit(
            make_backbone, logger, epochs=3, validation_freq=frequency, **kwargs
        )[1]

    history = train()
    rows = list(csv.DictReader(path.open()))
    assert set(rows[0]) == {"epoch", *history}
    for name, values in history.items():
        written = [row[name] for row in rows if row[name] != "NA"]
        np.testing.assert_allclose([float(v) for v in written], values, rtol=1e-6)
    train()  # goes on in the same file, under the same header
    rows = list(csv.DictReader(path.open()))
    assert len(rows) == 6
    assert None not in rows[-1] and rows[2].keys() == rows[5].keys()
    assert rows[5]["val_f1"] == rows[2]["val_f1"]
