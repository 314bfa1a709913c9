"""Folders of images and tables of answers, made for the tests."""

import csv
import warnings

from keras_dc3 import datasets
from tests.data.image_inputs import picture, save


def write(folder, names, size=(8, 8)):
    for i, name in enumerate(names):
        save(folder / name, picture(size, i), format="PNG")
    return folder


def table(path, rows):
    """Writes a CSV file of (image, annotator, label)."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image", "annotator", "label"), *rows])
    return path


def answers(names, people=3):
    """Three people, who do not agree on every third image."""
    return [
        (name, f"p{p}", "ab"[(i + (p == 2 and i % 3 == 0)) % 2])
        for i, name in enumerate(names)
        for p in range(people)
    ]


def quiet(*args, **kwargs):
    """Returns a data set and the warnings on the way to it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = datasets.from_directory(*args, **kwargs)
    return data, [str(w.message) for w in caught]


def ids(data):
    parts = (data.labeled, data.unlabeled, data.validation)
    return sorted(name for part in parts if part is not None for name in part.ids)


NAMES = [f"{folder}/{i}.png" for folder in ("cod", "haddock") for i in range(10)]
