"""Proposals to test with."""

import numpy as np

from keras_dc3.proposals import Proposals

NAMES = ("cat", "dog", "deer, red")


def make_proposals(
    n=40,
    ids=None,
    names=NAMES,
    seed=0,
    clusters=9,
    ambiguity=None,
    embeddings=None,
):
    """Random proposals of a model: float32, as Keras gives them."""
    rng = np.random.default_rng(seed)
    return Proposals(
        [f"img_{i}" for i in range(n)] if ids is None else ids,
        rng.random(n, "float32") if ambiguity is None else ambiguity,
        rng.dirichlet(np.ones(len(names)), n).astype("float32"),
        rng.dirichlet(np.ones(clusters), n).astype("float32"),
        names,
        embeddings,
    )
