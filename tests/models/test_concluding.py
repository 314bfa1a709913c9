"""The verdict at the end of `fit`, and where it goes."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.metrics import verdict
from keras_dc3.models import evaluation
from tests.models.helpers import arrays, make_model

pytestmark = pytest.mark.usefixtures("without_graphs")


def validation(n=30, k=3, seed=1):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 8, 8, 3)).astype("uint8")
    return images, (rng.multinomial(5, np.full(k, 1 / k), n) / 5).astype("float32")


def of_predictions(model, images, labels):
    outputs = model.predict(images, verbose=0)
    return verdict(
        labels,
        outputs["classes"],
        outputs["clusters"],
        outputs["ambiguity"] if model.config.predicts_ambiguity else None,
        class_names=model.class_names,
    )


@pytest.fixture
def trained(make_backbone):
    """A model that validated on images with soft labels, and what it printed of it."""
    x, y = arrays("pi_model")
    model = make_model(make_backbone, class_names=["cod", "eel", "ray"])
    model.fit(x, y, 8, validation_data=validation(), epochs=2, verbose=0)
    return model


def test_it_is_that_of_the_validation_images(trained):
    expected = of_predictions(trained, *validation())
    assert trained.verdict.answers == expected.answers
    assert trained.verdict.images == 30
    for finding, other in zip(trained.verdict, expected, strict=True):
        assert finding.value == pytest.approx(other.value, abs=1e-6, nan_ok=True)
    named = [name for name in ("cod", "eel", "ray") if f"'{name}'" in str(expected)]
    assert named


def test_it_is_printed_at_the_end_once(make_backbone, capsys):
    x, y = arrays("pi_model")
    model = make_model(make_backbone)
    model.fit(x, y, 8, validation_data=validation(), epochs=2, verbose=2)
    printed = capsys.readouterr().out
    assert printed.count("Verdict on the model, from 30 validation images") == 1
    assert printed.rstrip().endswith(str(model.verdict).splitlines()[-1])
    model.fit(x, y, 8, validation_data=validation(), epochs=1, verbose=0)
    assert "Verdict" not in capsys.readouterr().out
    assert model.verdict is not None


def test_it_knows_of_the_rounds_of_asking_that_the_data_know_of(make_backbone, capsys):
    images, labels = validation()
    counts = np.rint(5 * labels).astype("int64")
    names = [f"img_{i}" for i in range(len(images))]
    whole = keras_dc3.data.ImageSet(images, names, counts, ["cod", "eel", "ray"])
    data = keras_dc3.data.SemiSupervisedData.from_image_set(
        whole, labeled=12, unlabeled=6, validation=12, batch_size=8
    )
    model = make_model(make_backbone)
    assert data.rounds is None
    data.rounds = 1
    model.fit(data, epochs=1, steps_per_epoch=1, verbose=2)
    assert model.verdict.rounds == 1
    printed = capsys.readouterr().out
    assert "Verdict on the model" in printed and "Not measured" not in printed


@pytest.mark.slow
def test_it_takes_no_pass_of_its_own(make_backbone, monkeypatch):
    seen = []

    def infer(model, images, size):
        seen.append(len(images))
        return outputs(model, images, size)

    outputs = evaluation.infer
    monkeypatch.setattr(evaluation, "infer", infer)
    x, y = arrays("pi_model")
    model = make_model(make_backbone)
    options = {"validation_data": validation(), "validation_batch_size": 15}
    model.fit(x, y, 8, epochs=2, verbose=0, **options)
    assert seen == [15, 15] * 2 and model.verdict.images == 30
    seen.clear()  # the last epoch is not validated: once more
    model.fit(x, y, 8, epochs=3, verbose=0, validation_freq=2, **options)
    assert seen == [15, 15] * 2
    assert model.verdict.answers == of_predictions(model, *validation()).answers


@pytest.mark.slow
def test_it_is_of_the_weights_that_were_restored(make_backbone):
    x, y = arrays("pi_model")
    model = make_model(
        make_backbone, optimizer=keras.optimizers.SGD(0.5), evaluate_with="raw"
    )
    images, labels = validation()

    class First(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.weights = self.model.get_weights()

        def on_train_end(self, logs=None):
            self.model.set_weights(self.weights)

    model.fit(
        x,
        y,
        8,
        epochs=3,
        verbose=0,
        validation_data=(images, labels),
        callbacks=First(),
    )
    expected = of_predictions(model, images, labels)
    for finding, other in zip(model.verdict, expected, strict=True):
        assert finding.value == pytest.approx(other.value, abs=1e-6, nan_ok=True)


@pytest.mark.slow
def test_classes_alone_tell_nothing_of_disagreement(make_backbone):
    x, y = arrays("pi_model")
    images, labels = validation()
    model = make_model(make_backbone)
    classes = labels.argmax(axis=1)[:, None].astype("float32")  # as a table gives them
    model.fit(x, y, 8, validation_data=(images, classes), verbose=0)
    assert model.verdict["ambiguity"].answer == "not measured"
    assert model.verdict["classes"].answer != "not measured"


@pytest.mark.slow
def test_without_images_to_judge_by_there_is_none(make_backbone):
    x, y = arrays("pi_model")
    model = make_model(make_backbone)
    model.fit(x, y, 8, validation_data=validation(), verbose=0)
    assert model.verdict is not None
    model.fit(x, y, 8, verbose=0)  # other weights: the old one holds no more
    assert model.verdict is None

    def generator():
        while True:
            yield validation()

    model.fit(x, y, 8, validation_data=generator(), validation_steps=1, verbose=0)
    assert model.verdict is None


def test_a_vanilla_model_has_one(make_backbone):
    x, y = arrays("supervised")
    model = make_model(make_backbone, "supervised", keras_dc3.DC3Config.vanilla())
    model.fit(x["labeled"], y, 8, validation_data=validation(), verbose=0)
    assert model.verdict["ambiguity"].answer == "not measured"
    assert model.verdict["classes"].answer != "not measured"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*proposals are for images that are not there")
def test_it_is_saved_with_the_model_and_goes_with_proposals(trained, tmp_path):
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.verdict.to_json() == trained.verdict.to_json()
    images, _ = validation()
    proposals = loaded.propose(images, ids=map(str, range(30)), verbose=0)
    assert proposals.verdict is loaded.verdict
    assert proposals.in_order_of(["3", "1"], missing="drop").verdict is loaded.verdict
    assert proposals.summary().startswith("Verdict on the model that proposes, from 30")
    fresh = type(loaded).from_config(loaded.get_config())
    assert fresh.verdict is None  # of other weights
