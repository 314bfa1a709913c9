"""Small inputs for the tests of annotations."""

import csv
import warnings
from collections import Counter, defaultdict
from contextlib import contextmanager

import pytest

LONG = "image,annotator,label\n"


def write(tmp_path, content, name="a.csv", encoding="utf-8"):
    """Writes text or bytes into a file and returns its path."""
    path = tmp_path / name
    is_text = isinstance(content, str)
    path.write_bytes(content.encode(encoding) if is_text else content)
    return path


@contextmanager
def told():
    """Collects what is warned of."""
    texts = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += [str(w.message) for w in caught]


def counted(annotations):
    """Image -> class -> count, without zeros; for images without any, an empty dict."""
    return {
        image: {
            name: number
            for name, number in zip(annotations.class_names, row, strict=True)
            if number
        }
        for image, row in zip(annotations.ids, annotations.counts.tolist(), strict=True)
    }


def tally(answers):
    """The same by a plain loop, from (image, annotator, label): a person weighs one."""
    given = defaultdict(lambda: defaultdict(list))
    for number, (image, annotator, label) in enumerate(answers):
        person = ("nobody knows", number) if annotator is None else annotator
        given[image][person].append(label)
    counts = {}
    for image, people in given.items():
        total = Counter()
        for labels in people.values():
            for label, times in Counter(labels).items():
                total[label] += times / len(labels)
        counts[image] = {k: pytest.approx(v) for k, v in total.items()}
    return counts


def dict_rows(path, delimiter=",", encoding="utf-8-sig"):
    """The rows of a table as dicts."""
    with open(path, encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
