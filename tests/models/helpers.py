"""Small data and models shared by the tests of the model."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import strategies
from tests.cases import case
from tests.processes import run_script

STRATEGIES = strategies.names()
# Those whose mask has a fixed threshold, too high for networks that are not trained.
WITH_THRESHOLD = ("pseudo_label", "fixmatch", "uda", "flexmatch")


def strategy(name, **changes):
    """A strategy without ramp, so that its loss counts from the first step."""
    return type(strategies.get(name))(**{"ramp_steps": 0, **changes})


def arrays(ssl, n=24, k=3, size=8, channels=3, seed=0, dtype="uint8"):
    """A whole training set as a dict of arrays, and integer labels."""
    rng = np.random.default_rng(seed)

    def images():
        pixels = rng.integers(0, 256, (n, size, size, channels))
        return pixels.astype(dtype) if dtype == "uint8" else pixels / 127.5 - 1.0

    views = strategies.get(ssl).views
    x = {"labeled": images(), "unlabeled": {view: images() for view in views}}
    return x, rng.permutation(np.arange(n) % k).astype("int32")


def make_model(make_backbone, ssl="pi_model", config=None, seed=7, **kwargs):
    """A built model whose weights are a function of the seed."""
    image_shape = kwargs.pop("image_shape", (8, 8, 3))
    keras.utils.set_random_seed(seed)
    backbone = make_backbone(**kwargs.pop("backbone", {}))
    optimizer = kwargs.pop("optimizer", "auto")
    compiled = kwargs.pop("compile", {})
    kwargs = {"num_classes": 3, "training_steps": 10, **kwargs}
    model = keras_dc3.DC3Model(backbone, ssl=ssl, config=config, **kwargs)
    if model.num_classes is not None:
        model.build((None, *image_shape))
    if optimizer != "auto" or compiled:
        model.compile(optimizer=optimizer, **compiled)
    return model


def fitted(model, data, optimizer="auto", **options):
    """The model after an epoch without graphs, which TensorFlow takes long to make."""
    eager = keras.backend.backend() == "tensorflow"
    model.compile(optimizer, run_eagerly=eager)
    model.fit(data, **{"epochs": 1, "verbose": 0, **options})
    return model


def difference(first, second):
    """The largest difference between the weights of two models."""
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return max(float(np.abs(np.float64(a) - np.float64(b)).max()) for a, b in pairs)


class Batches(keras.utils.PyDataset):
    """Batches of a training set, in order."""

    def __init__(self, x, y, batch_size=8):
        super().__init__()
        self.x, self.y, self.batch_size = x, y, batch_size

    def __len__(self):
        return -(-len(self.y) // self.batch_size)

    def __getitem__(self, i):
        rows = slice(i * self.batch_size, (i + 1) * self.batch_size)
        unlabeled = {view: part[rows] for view, part in self.x["unlabeled"].items()}
        return {"labeled": self.x["labeled"][rows], "unlabeled": unlabeled}, self.y[
            rows
        ]


def run_case(name):
    """Runs the script of a case from outside, which fails where there is a fault."""
    done = run_script(case(name) / "try.py")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-2000:]}"


def litert(path):
    """What answers images=(n, h, w, c) as a LiteRT file says."""
    reason = "needs keras_dc3[litert]"
    module = pytest.importorskip("ai_edge_litert.interpreter", reason=reason)
    return module.Interpreter(model_path=str(path)).get_signature_runner()
