"""Does all with a data set that a user may, alone or as one of several workers.

Arguments: as for `train_script.py`; what is written are arrays to compare.
"""

import contextlib
import json
import sys
from pathlib import Path

import keras
import numpy as np

import keras_dc3
from keras_dc3.data import ImageSet
from tests.models.helpers import make_model, strategy
from tests.workers.cluster import join
from tests.workers.network import backbone

READ = []


def record():
    """Notes which images are read from now on, by their rows in the whole array."""
    read = ImageSet.read

    def recorded(images, indices):
        READ.extend(images._rows[np.asarray(indices)].tolist())
        return read(images, indices)

    ImageSet.read = recorded


def positions(part):
    """Returns which images of a part were read."""
    places = {row: place for place, row in enumerate(part._rows.tolist())}
    return np.array([places[row] for row in READ if row in places])


def make_data():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (90, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(1, [0.5, 0.3, 0.2], size=90)
    return keras_dc3.datasets.from_arrays(
        images, counts, labeled=20, unlabeled=51, validation=19, batch_size=10
    )


def main():
    settings, worker, path = sys.argv[1:]
    settings = json.loads(Path(settings).read_text())
    folder, scope = Path(path).parent, contextlib.nullcontext
    if worker != "alone":
        scope = join(settings["addresses"], int(worker)).scope
    with scope():
        model = make_model(backbone, strategy("mean_teacher"), ema_decay=0.9)
    data = make_data()
    record()
    history = model.fit(data, epochs=1, class_weight="balanced", verbose=0).history
    names = ("unlabeled", "validation")
    reads = {f"read_{name}": positions(getattr(data, name)) for name in names}
    options = {"class_weight": "balanced", "verbose": 0}
    later = model.fit(data, initial_epoch=1, epochs=3, **options).history
    logs = model.evaluate(data, return_dict=True, verbose=0)
    given = data.validation
    images = given.read(np.arange(19))
    arrays = model.evaluate(images, given.targets, return_dict=True, verbose=0)
    predicted = model.predict(images, verbose=0)
    if worker in ("alone", "1"):  # one alone
        with scope():
            proposals = model.propose(data.unlabeled, verbose=0)
        predicted["proposed"] = proposals.class_probabilities
        predicted["embeddings"] = proposals.embeddings
    name = "alone" if worker == "alone" else "together"
    model.save(file := folder / f"{name}.keras")
    model.export(folder / f"{name}-export", verbose=False)
    model.collective.joined(np.zeros(1))  # until the first worker has written
    if worker == "1":  # which the first one alone does
        model.save(folder / "other.keras")
        model.export(folder / "other-export")
        assert not list(folder.glob("other*"))
    with scope():
        loaded = keras.saving.load_model(file)
    loaded.fit(data, initial_epoch=3, epochs=4, **options)
    np.savez(
        path,
        told=json.dumps(
            {"first": history, "later": later, "logs": logs, "arrays": arrays}
        ),
        verdict=str(model.verdict),
        **{f"weight_{i}": value for i, value in enumerate(model.get_weights())},
        **{f"later_{i}": value for i, value in enumerate(loaded.get_weights())},
        **predicted,
        **reads,
    )


if __name__ == "__main__":
    main()
