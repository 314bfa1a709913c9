"""What is shown of a training in a project."""

import io
from contextlib import redirect_stdout

import pytest
from keras.callbacks import CallbackList, ProgbarLogger

from keras_dc3.project.progress import TimeLeft

LOGS = {"supervised_loss": 0.5, "loss": 0.75, "ambiguous": 0.1}


def shown(verbose, epochs=2, limit=None):
    """What a training of three steps an epoch prints."""
    progress, out = TimeLeft(limit), io.StringIO()
    progress.set_params({"verbose": verbose, "epochs": epochs, "steps": 3})
    with redirect_stdout(out):
        progress.on_train_begin()
        for epoch in range(epochs):
            progress.on_epoch_begin(epoch)
            for batch in range(3):
                progress.on_train_batch_end(batch, LOGS)
            progress.on_epoch_end(epoch, {**LOGS, "val_f1": 0.5, "val_d": 0.4})
        progress.on_train_end()
    return out.getvalue()


def test_a_line_for_each_epoch():
    first, second = shown(2).splitlines()
    assert first == (
        "Epoch 1/2: loss 0.750, F1 of certain validation images 0.500. About 0 s of "
        "training left."
    )
    assert second == "Epoch 2/2: loss 0.750, F1 of certain validation images 0.500."


def test_a_bar_shows_few_figures_and_ends_before_the_time_left():
    printed = shown(1)
    lines = printed.splitlines()
    assert "Epoch 1/2" in lines and lines.count("About 0 s of training left.") == 1
    assert "loss: 0.7500" in printed and "val_f1: 0.5000" in printed
    for name in ("supervised_loss", "ambiguous", "val_d"):
        assert name not in printed


@pytest.mark.parametrize("verbose", [1, 2])
def test_keras_takes_it_in_place_of_its_own_bar(verbose):
    options = {"verbose": verbose, "epochs": 1, "steps": 3}
    kept = CallbackList([TimeLeft()], add_progbar=True, **options)
    bars = [one for one in kept.callbacks if isinstance(one, ProgbarLogger)]
    assert [type(one) for one in bars] == [TimeLeft]
