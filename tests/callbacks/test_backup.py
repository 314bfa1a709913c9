"""A training that was stopped anywhere goes on as if it had not been."""

import json
import os
import shutil
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.callbacks import Backup
from keras_dc3.models.continuing import model_marks
from tests.callbacks import training
from tests.callbacks.training import make_data, make_model, state_of, train
from tests.processes import run_script
from tests.slow import few
from tests.test_writing import HALF, killed

ROOT = Path(__file__).parents[2]


class Stopped(Exception):
    pass


class Stop(keras.callbacks.Callback):
    """Raises after so many batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Stopped


class Ends(keras.callbacks.Callback):
    """Keeps the loss and the state at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.losses, self.states = {}, {}

    def on_epoch_end(self, epoch, logs=None):
        self.losses[epoch] = logs["loss"]
        self.states[epoch] = state_of(self.model)


def stopped(folder, batches, save_freq="epoch", **kwargs):
    """Trains until it stops after so many batches; the backups stay."""
    with pytest.raises(Stopped):
        train(callbacks=[Stop(batches), Backup(folder, save_freq)], **kwargs)
    return folder


def files(folder):
    return sorted(Path(folder).glob("backup-*.zip"))


def equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def whole():
    """Kind -> the losses and states of a run that was never stopped."""
    known = {}

    def run(kind="epochs"):
        if kind not in known:
            known[kind] = Ends()
            train(kind, [known[kind]])
        return known[kind]

    return run


@pytest.fixture(scope="module")
def backups(tmp_path_factory):
    """A folder with the backups of the first two epochs of a training."""
    return stopped(tmp_path_factory.mktemp("backups") / "b", 7)


@pytest.fixture
def folder(backups, tmp_path):
    return shutil.copytree(backups, tmp_path / "backup")


@pytest.mark.parametrize(
    "kind, save_freq, batches, begins",
    few(
        [("epochs", "epoch", 5, 1), ("steps", 3, 5, 1), ("stream", 2, 6, 1)],
        ("steps", 3, 5, 1),
    ),
)
def test_bit_equal_with_a_run_never_stopped(
    kind, save_freq, batches, begins, whole, tmp_path
):
    """Also from within an epoch, and in streams of batches; with the logs."""
    stopped(tmp_path / "b", batches, save_freq, kind=kind)
    ends = Ends()
    train(kind, [ends, Backup(tmp_path / "b", save_freq)])
    assert list(ends.losses) == list(range(begins, 3))
    for epoch, loss in ends.losses.items():
        assert loss == pytest.approx(whole(kind).losses[epoch], rel=1e-5)
        equal(ends.states[epoch], whole(kind).states[epoch])
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
@pytest.mark.tensorflow
def test_two_steps_in_one_execution(tmp_path):
    """The last execution of an epoch has one step alone."""

    def model():
        keras.utils.set_random_seed(0)
        made = make_model()
        made.compile(keras.optimizers.Adam(0.01), steps_per_execution=2)
        return made

    expected = state_of(train(model=model(), epochs=2))
    stopped(tmp_path / "b", 3, 2, model=model(), epochs=2)
    continued = train(model=model(), epochs=2, callbacks=[Backup(tmp_path / "b", 2)])
    equal(state_of(continued), expected)


def test_the_learning_rate_that_another_callback_sets(tmp_path):
    """It is set at the end of the epoch, before the backup, whatever their order."""

    class Lower(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate.assign(0.001)

    with pytest.raises(Stopped):
        train(callbacks=[Backup(tmp_path / "b"), Lower(), Stop(4)])
    with pytest.warns(UserWarning, match="nothing is left to train"):
        model = train(callbacks=[Backup(tmp_path / "b"), Lower()], epochs=1)
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)


def cut_off(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def with_a_wrong_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def without_its_header(path):
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, b"" if name == "header.json" else content)


DAMAGE = [cut_off, emptied, with_a_wrong_byte, without_its_header]


@pytest.mark.slow
@pytest.mark.parametrize("damage", few(DAMAGE, with_a_wrong_byte))
def test_a_damaged_backup(damage, folder, whole):
    """The one before takes its place; without one, the error says what to do."""
    damage(files(folder)[1])
    message = r"backup-00000002\.zip' is damaged .* one before, with epoch 2, batch 1\."
    with pytest.warns(UserWarning, match=message):
        model = train(callbacks=[Backup(folder, delete_checkpoint=False)], epochs=1)
    equal(state_of(model), whole().states[0])
    (left,) = files(folder)
    damage(left)
    with pytest.raises(ValueError, match=r"is damaged.*no other whole one.*begin anew"):
        train(callbacks=[Backup(folder)])


@pytest.mark.slow
def test_what_a_killed_backup_leaves(folder, whole):
    """An unfinished file beside those that are whole."""
    work = folder / ".backup-00000003.zip.0a1b2c3d.xyz.part"
    (work / "new").mkdir(parents=True)
    (work / "new" / files(folder)[1].name).write_bytes(b"PK")
    model = train(callbacks=[Backup(folder)], epochs=2)
    equal(state_of(model), whole().states[1])


def test_what_a_killed_backup_of_another_number_leaves(folder):
    """No later one has its name, and training must not end with it still there."""
    killed(HALF, folder / "backup-00000001.zip")
    killed(HALF, folder / "backup-00000009.zip")
    train(callbacks=[Backup(folder)], epochs=3)
    assert not folder.exists()


def test_a_leftover_where_nothing_is_left_to_train(folder):
    killed(HALF, folder / "backup-00000001.zip")
    with pytest.warns(UserWarning, match="nothing is left to train"):
        train(callbacks=[Backup(folder)], epochs=2)
    assert not folder.exists()


@pytest.mark.slow
def test_a_folder_in_the_place_of_a_backup(folder, whole):
    """It is passed over as damage is, but not removed."""
    path = files(folder)[1]
    path.unlink()
    path.mkdir()
    message = r"02\.zip' is a folder instead of a file\. Training goes on from the one"
    with pytest.warns(UserWarning, match=message):
        model = train(callbacks=[Backup(folder, delete_checkpoint=False)], epochs=3)
    equal(state_of(model), whole().states[2])
    assert [file.name[-5] for file in files(folder)] == ["2", "3", "4"]
    assert path.is_dir()
    for file in files(folder):
        if file != path:
            file.unlink()
    with pytest.raises(ValueError, match=r"is a folder instead of a file, and there"):
        train(callbacks=[Backup(folder)])


def test_the_last_two_are_kept(tmp_path):
    stopped(tmp_path, 4, 1)
    assert [path.name for path in files(tmp_path)] == [
        "backup-00000002.zip",
        "backup-00000003.zip",
    ]


OTHERS = {
    "another network": {"width": 5},
    "another configuration of the backbone": {"activation": "tanh"},
    "another strategy": {"ssl": "mean_teacher"},
    "another configuration of the obj": {"config": keras_dc3.DC3Config()},
    "`training_steps` is 40, that of this one 50": {"training_steps": 50},
    "its `ema_decay` is": {"ema_decay": 0.8},
    "learning rate is 0.01": {"rate": 0.02},
    "`batch_size` is 4, that of this one 6": {"data": {"batch_size": 6}},
    "`seed` is 5, that of this one 6": {"data": {"seed": 6}},
    "another list of labeled images": {"data": {"labeled": 9}},
    "another content of the labeled images": {"data": {"brighter": 1}},
    "another augmentation": {"data": {"augment": "none"}},
}


@pytest.mark.parametrize("words", OTHERS)
def test_another_training_is_refused(words, folder):
    options = dict(OTHERS[words])
    if "data" in options:
        options["data"] = make_data(**options["data"])
    before = [path.read_bytes() for path in files(folder)]
    with pytest.raises(ValueError, match=f"is of another training: .*{words}") as error:
        train(callbacks=[Backup(folder)], **options)
    assert "name another `backup_dir`, or remove the folder to begin" in str(
        error.value
    )
    assert [path.read_bytes() for path in files(folder)] == before


def test_other_class_weights_are_refused(folder):
    words = r'`class_weight` is null, that of this one {"0": 5\.0}'
    with pytest.raises(ValueError, match=f"another training: its {words}"):
        make_model().fit(
            make_data(),
            epochs=3,
            verbose=0,
            callbacks=Backup(folder),
            class_weight={0: 5},
        )


def test_other_arrays_are_refused(tmp_path):
    """Of the same shapes and labels; also with other weights of the images."""
    images = np.random.default_rng(0).integers(0, 255, (8, 8, 8, 3), "uint8")
    weights = np.linspace(0.5, 1, 8)

    def fit(images, weights):
        backup = Backup(tmp_path / "b", delete_checkpoint=False)
        x = {"labeled": images, "unlabeled": {"first": images, "second": images}}
        y = np.arange(8) % 3
        options = {"batch_size": 4, "verbose": 0, "callbacks": backup}
        make_model().fit(x, y, sample_weight=weights, **options)

    fit(images, weights)
    with pytest.warns(UserWarning, match="nothing is left to train"):
        fit(images.copy(), weights.copy())
    with pytest.raises(ValueError, match="training: another content of the images"):
        fit(255 - images, weights)
    with pytest.raises(ValueError, match="training: another `sample_weight`"):
        fit(images, weights[::-1])
    with pytest.raises(ValueError, match="training: another `sample_weight`"):
        fit(images, None)


def functional(swapped=False):
    """Its parts are joined in one order or the other, which have the same shapes."""
    images = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(images)
    parts = [keras.layers.Dense(2, activation=name)(flat) for name in ("relu", "elu")]
    joined = keras.layers.Concatenate()(parts[::-1] if swapped else parts)
    return keras.Model(images, keras.layers.Softmax()(joined))


def test_configurations_of_functional_backbones():
    """The names of layers, which Keras numbers, are no part of them; links are."""

    def mark(backbone):
        model = keras_dc3.DC3Model(backbone, ssl="pi_model", num_classes=3)
        model.compile(keras.optimizers.Adam(0.01))
        model.build((None, 8, 8, 3))
        return model_marks(model)["configuration of the backbone"]

    keras.backend.clear_session()
    first = mark(functional())
    assert first == mark(functional()) != mark(functional(swapped=True))


def test_another_kind_of_epoch_is_refused(folder):
    with pytest.raises(
        ValueError, match=r"`steps_per_epoch` is null, that of this one"
    ):
        train("steps", [Backup(folder)])


def test_names_that_differ_are_no_other_training(folder, whole):
    """Keras numbers layers and models by what else the process has made."""
    keras.backend.clear_session()
    keras.layers.Dense(3), keras.optimizers.Adam()
    equal(state_of(train(callbacks=[Backup(folder)], epochs=2)), whole().states[1])


def test_more_epochs(folder, whole):
    with pytest.warns(UserWarning, match="end of this training, after epoch 2: "):
        train(callbacks=[Backup(folder, delete_checkpoint=False)], epochs=2)
    model = train(callbacks=[Backup(folder)], epochs=3)
    equal(state_of(model), whole().states[2])


def test_the_next_fit_begins_where_it_is_told(folder):
    """Not at the epoch of the backup, which Keras would remember."""
    again = shutil.copytree(folder, folder.with_name("again"))
    model = train(callbacks=[Backup(folder)], epochs=2)
    assert len(model.fit(make_data(), epochs=1, verbose=0).history["loss"]) == 1
    with pytest.raises(ValueError, match="epoch to begin with"):
        make_model().fit(
            make_data(), initial_epoch=3, epochs=5, verbose=0, callbacks=Backup(again)
        )


def test_only_its_own_files_are_removed(tmp_path):
    (tmp_path / "w1.png").write_text("mine")
    with pytest.warns(
        UserWarning, match="The backup goes into .* holds pictures, such"
    ):
        train(callbacks=[Backup(tmp_path)], epochs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["w1.png"]


def test_arguments(tmp_path):
    for wrong in ("", None, 3):
        with pytest.raises(ValueError, match=r"`backup_dir` must be.*Received"):
            Backup(wrong)
    for wrong in ("batch", 0, -1, 1.5, True, None):
        with pytest.raises(ValueError, match="save_freq"):
            Backup(tmp_path, wrong)
    with pytest.raises(ValueError, match="delete_checkpoint"):
        Backup(tmp_path, delete_checkpoint="no")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file' cannot be written to"):
        train(callbacks=[Backup(tmp_path / "file")])
    plain = keras.Sequential([keras.layers.Dense(1)])
    plain.compile(loss="mse")
    with pytest.raises(ValueError, match=r"Backup` is for `DC3Model\.fit`"):
        plain.fit(np.ones((2, 2)), np.ones(2), callbacks=Backup(tmp_path), verbose=0)


@pytest.mark.slow
def test_the_callback_of_keras(tmp_path):
    """It is told, and its files are not taken for ours."""
    theirs = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    with pytest.warns(UserWarning, match=r"Use `keras_dc3\.callbacks\.Backup\("):
        train(callbacks=[theirs], epochs=1)
    with pytest.raises(
        ValueError, match=r"was written by `keras\.callbacks\.BackupAnd"
    ):
        train(callbacks=[Backup(tmp_path)])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*[Bb]ackup")
        train(callbacks=[Backup(tmp_path / "ours")], epochs=1)


def test_a_backup_of_a_later_release(folder):
    path = files(folder)[1]
    with zipfile.ZipFile(path) as file:
        header = json.loads(file.read("header.json"))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("header.json", json.dumps({**header, "version": 2}))
    with pytest.raises(ValueError, match="is of version 2, but this release"):
        train(callbacks=[Backup(folder)])


def run_kills(*arguments):
    script = ROOT / "tests" / "callbacks" / "kills.py"
    return run_script(script, *arguments, timeout=None, check=True).stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_two_kills_at_random_moments():
    assert "ended bit-equal" in run_kills("--kills", "2", "--save_freq", "3", "--eager")


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("save_freq", ["epoch", "3"])
@pytest.mark.parametrize("kind", training.KINDS)
def test_twenty_kills_at_random_moments(kind, save_freq):
    arguments = ("--kills", "20", "--kind", kind, "--save_freq", save_freq)
    assert "ended bit-equal" in run_kills(*arguments)


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_twenty_kills_while_saving():
    assert "all that was saved loads" in run_kills("--kills", "20", "--saving")
