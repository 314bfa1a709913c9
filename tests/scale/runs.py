"""Finished runs of made-up proposals, written without a model."""

import json

import numpy as np

from keras_dc3 import Proposals
from keras_dc3._decision import is_certain
from keras_dc3.proposals import parquet_format, shards


def write_run(folder, proposals, images_per_file=50):
    """Writes what `score` would have, of a model that says this."""
    folder.mkdir(parents=True, exist_ok=True)
    checksums = {}
    starts = range(0, max(len(proposals), 1), images_per_file)
    for number, start in enumerate(starts):
        rows = range(start, min(start + images_per_file, len(proposals)))
        part = proposals.take(rows)
        certain = int(is_certain(part.ambiguity).sum())
        shard = shards.Shard("run", number, len(part), certain)
        path = folder / shards.name_of(number)
        checksum = parquet_format.write(part, path, shard.metadata())
        checksums[path.name] = checksum
    summary = {"run": "run", "shards": len(starts)}
    (folder / shards.SUMMARY).write_text(json.dumps(summary))
    (folder / shards.MANIFEST).write_text(json.dumps({shards.CHECKSUMS: checksums}))
    return folder


def made_up(n, k=3, clusters=4, seed=0, width=None, kind="spread"):
    """Proposals: of a sure network, of one that says the same of many, and others."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(k) * {"sure": 0.1}.get(kind, 1.0), n)
    cluster_probability = rng.random(n)
    if kind == "equal":  # in quarters, and all quite sure in a third of the images
        p = rng.multinomial(4, np.ones(k) / k, n) / 4
        p[rng.random(n) < 1 / 3] = np.eye(k)[0]
        cluster_probability = np.round(cluster_probability, 1)
    places = None
    if width is not None:
        places = rng.normal(size=(n, width)) + 3 * rng.integers(0, 3, (n, 1))
        places = np.round(places) if kind == "equal" else places
    return Proposals.from_columns(
        [f"fish/{i % 3}/{i:04d}.png" for i in range(n)],
        np.round(rng.random(n), 1 if kind == "equal" else 8),
        p,
        rng.integers(0, clusters, n) * 2,
        cluster_probability,
        [f"class {c}" for c in range(k)],
        places,
    )
