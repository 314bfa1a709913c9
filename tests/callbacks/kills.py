"""Kills trainings at random moments, and compares them with one that never was.

    PYTHONPATH=. python tests/callbacks/kills.py [--kind epochs|steps|stream]
        [--save_freq epoch|N] [--kills N] [--eager] [--saving]

Each training is a process of its own that ends by SIGKILL, and is started again until
it has come to its end; then all its weights, their average, optimizer, random
generators and step must be bit-equal with those of a training that nobody has killed.
That goes on until so many processes have been killed. `KERAS_BACKEND` chooses the
backend.

With `--saving`, processes instead save and export a model to the same paths again and
again; after each kill, what stands there must load.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

import keras_dc3
from tests.callbacks import training

EPOCHS = 6
FILES = ("model.keras", "model.weights.h5", "exported")


class Ticks(keras.callbacks.Callback):
    """Writes a byte to a pipe when training begins, and after each batch."""

    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe

    def on_epoch_begin(self, epoch, logs=None):
        os.write(self.pipe, b".")

    def on_train_batch_end(self, batch, logs=None):
        os.write(self.pipe, b".")


def killed(run, rng, most):
    """Forks a process that runs `run(pipe)`; returns whether it was killed in it.

    It is killed after a random number of the bytes that it writes, at most `most`, and
    a random part of the time between two of them.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            run(writing)
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    ticks, seconds, last = rng.integers(1, most + 1), 0.05, None
    with open(reading, "rb", buffering=0) as pipe:
        for _ in range(ticks):
            if not pipe.read(1):
                break
            now = time.monotonic()
            seconds, last = now - (last or now - seconds), now
        else:
            time.sleep(rng.uniform(0, 1.2 * seconds))
            os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit("A training has failed.")
    return os.WIFSIGNALED(status)


def train_to(path, options, backup=None, save_freq="epoch", pipe=None):
    """Trains, and writes the final state to a file."""
    callbacks = [] if pipe is None else [Ticks(pipe)]
    if backup is not None:
        callbacks.append(keras_dc3.callbacks.Backup(backup, save_freq))
    model = training.train(callbacks=callbacks, epochs=EPOCHS, **options)
    np.savez(path, *training.state_of(model))


def kill_trainings(folder, kills, save_freq, options, rng):
    """Returns how many trainings came to their end; raises where one differs."""
    whole = folder / "whole.npz"
    assert not killed(lambda _: train_to(whole, options), rng, 10**6)
    expected = np.load(whole)
    done = ended = 0
    while done < kills:
        final, backup = folder / f"{ended}.npz", folder / f"backup-{ended}"
        while killed(
            lambda pipe, final=final, backup=backup: train_to(
                final, options, backup, save_freq, pipe
            ),
            rng,
            4 * training.STEPS,
        ):
            done += 1
            print(f"{done} kills", flush=True)
        found = np.load(final)
        assert sorted(found) == sorted(expected)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
        assert not backup.exists()
        ended += 1
        print(f"{ended} trainings ended bit-equal", flush=True)
    return ended


def save_again_and_again(folder, pipe):
    model = training.make_model(eager=False)
    model.build((None, 8, 8, 3))
    while True:
        model.step.assign(model.step.value + 1)
        for name in FILES:
            if name == "exported":
                if keras.backend.backend() != "tensorflow":
                    continue
                model.export(folder / name)
            else:
                save = model.save_weights if name.endswith("h5") else model.save
                save(folder / name)
            os.write(pipe, b".")


def check_saved(folder):
    """Loads whatever is there; returns how much that is."""
    paths = [path for path in (folder / name for name in FILES) if path.exists()]
    for path in paths:
        if path.suffix == ".keras":
            keras.saving.load_model(path)
        elif path.suffix == ".h5":
            model = training.make_model()
            model.build((None, 8, 8, 3))
            model.load_weights(path)
        else:
            keras.layers.TFSMLayer(path, call_endpoint="serving_default")
    return len(paths)


def kill_saving(folder, kills, rng):
    there = 0
    for done in range(1, kills + 1):
        assert killed(lambda pipe: save_again_and_again(folder, pipe), rng, 4)
        found = []

        def check(pipe, found=found):
            os.write(pipe, b"." * check_saved(folder))

        reading, writing = os.pipe()
        process = os.fork()  # as this process must not start the backend
        if process == 0:
            check(writing)
            os._exit(0)
        os.close(writing)
        with open(reading, "rb") as pipe:
            now = len(pipe.read())
        assert os.waitpid(process, 0)[1] == 0, "What was saved does not load."
        assert now >= there, "What was there is gone."
        there = now
        print(f"{done} kills", flush=True)
    left = [p.name for p in folder.iterdir() if p.name not in FILES]
    assert all(name.endswith(".part") for name in left) and len(left) <= len(FILES)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--kind", choices=training.KINDS, default="epochs")
    parser.add_argument("--save_freq", default="epoch")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--eager", action="store_true")
    parser.add_argument("--saving", action="store_true")
    parser.add_argument("--seed", type=int)
    flags = parser.parse_args()
    rng = np.random.default_rng(flags.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if flags.saving:
            kill_saving(folder, flags.kills, rng)
            print(f"{flags.kills} kills; all that was saved loads.")
            return
        freq = flags.save_freq if flags.save_freq == "epoch" else int(flags.save_freq)
        options = {"kind": flags.kind, "eager": flags.eager}
        ended = kill_trainings(folder, flags.kills, freq, options, rng)
    print(f"{flags.kills} kills or more; {ended} trainings ended bit-equal.")


if __name__ == "__main__":
    main()
