"""Images in every kind of source, and what a run has written."""

import csv
import io
from pathlib import Path

import numpy as np

from keras_dc3 import scale

SHAPE = (8, 9, 3)
DAMAGED = "eel/37.png"
SETTINGS = {"batch_size": 4, "images_per_shard": 14, "verbose": False, "threads": 2}


def score(model, source, folder, **options):
    """Scores in small batches and shards, with embeddings."""
    return scale.score(
        model, source, folder, **{"embeddings": True, **SETTINGS, **options}
    )


def pixels(number, shape=SHAPE, seed=0):
    """Images that differ much in brightness."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 128, (number, *shape))
    return (noise + rng.integers(0, 128, (number, 1, 1, 1))).astype("uint8")


def encoded(array, format="PNG"):
    """The bytes of an image file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(array.squeeze()).save(file, format)
    return file.getvalue()


def write_images(folder, number=50):
    """Writes PNG files in two folders; one is damaged."""
    for i, array in enumerate(pixels(number)):
        path = folder / ("cod" if i < 20 else "eel") / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(array))
    damaged = folder / DAMAGED
    if damaged.exists():
        damaged.write_bytes(damaged.read_bytes()[:-30])
    return folder


def contents(folder):
    """Id -> bytes of the image files of a folder, in order."""
    paths = sorted(folder.rglob("*.png"))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


def write_records(path, images, image="image", ids="id"):
    """Writes id -> bytes as TFRecords."""
    import tensorflow as tf

    def feature(value):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, content in images.items():
            name = name if isinstance(name, bytes) else name.encode()
            parts = {image: feature(content), ids: feature(name)}
            example = tf.train.Example(features=tf.train.Features(feature=parts))
            writer.write(example.SerializeToString())
    return path


def write_parquet(path, columns, rows_at_once=10):
    """Writes columns as a Parquet file of small groups of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path, row_group_size=rows_at_once)
    return path


def write_csv(path, columns, separator=","):
    """Writes columns as a CSV file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, delimiter=separator)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
    return path


def written(folder):
    """Name -> bytes of all that a run has written, but the lock."""
    paths = [path for path in Path(folder).iterdir() if path.name != "lock"]
    return {path.name: path.read_bytes() for path in paths}


def rows(folder):
    """Name -> bytes of the shards and the table of failed images of a run.

    The shards' metadata, which name the run, are left out.
    """
    import pyarrow.parquet as pq

    tables = {p.name: pq.read_table(p) for p in sorted(folder.glob("part-*"))}
    found = {name: t.replace_schema_metadata(None) for name, t in tables.items()}
    return {**found, "failed": (folder / "failed.csv").read_text()}
