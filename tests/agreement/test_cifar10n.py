"""The 150,000 real annotations of CIFAR-10N, three people per image."""

import csv
import gzip
import itertools
import statistics
from collections import Counter, defaultdict

import numpy as np
import pytest

from keras_dc3 import agreement
from keras_dc3.annotations import Annotations, Records

RAW, ALPHA, KAPPA = 0.7154, 0.6837, 0.669


@pytest.fixture(scope="module")
def rows(data_dir):
    path = data_dir / "cifar10n_annotations.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def found(rows):
    names = [
        list(dict.fromkeys(row[column] for row in rows))
        for column in ("image", "annotator", "label")
    ]
    number = [{name: n for n, name in enumerate(values)} for values in names]
    columns = zip(("image", "annotator", "label"), number, strict=True)
    positions = [np.array([n[row[c]] for row in rows]) for c, n in columns]
    seconds = np.array([float(row["seconds"]) for row in rows])
    annotations = Annotations(
        names[0], names[2], annotators=names[1], records=Records(*positions, seconds)
    )
    return agreement.measure(annotations, resamples=40)


def test_figures_stated(found):
    assert (found.images, found.answers, len(found.annotators)) == (
        50_000,
        150_000,
        747,
    )
    assert len(found.pairs) == 10_592
    assert found.raw.value == pytest.approx(RAW, abs=5e-5)
    assert found.alpha.value == pytest.approx(ALPHA, abs=5e-5)
    assert found.fleiss.value == pytest.approx(ALPHA, abs=5e-5)
    assert found.kappa_between.value == pytest.approx(KAPPA, abs=5e-4)
    assert found.seconds_mean.value == pytest.approx(4.668, abs=5e-4)
    assert found.seconds_median.value == pytest.approx(4.2)
    for name in ("raw", "alpha", "fleiss", "kappa_between", "seconds_mean"):
        figure = getattr(found, name)
        assert figure.low < figure.value < figure.high
        assert figure.high - figure.low < 0.03


def test_figures_are_those_of_plain_loops(rows, found):
    units = defaultdict(list)
    for row in rows:
        units[row["image"]].append((row["annotator"], row["label"]))
    total = Counter(row["label"] for row in rows)
    pairs = defaultdict(list)
    for unit in units.values():
        for (a, one), (b, two) in itertools.combinations(unit, 2):
            pairs[min(a, b), max(a, b)].append((one, two) if a < b else (two, one))
    agreed = sum(a == b for pair in pairs.values() for a, b in pair)
    assert found.raw.value == pytest.approx(agreed / 150_000)
    # Three answers to each image: every pair of answers weighs the same.
    n = len(rows)
    expected = n * n - sum(c * c for c in total.values())
    alpha = 1 - (n - 1) * (150_000 - agreed) / expected
    assert found.alpha.value == pytest.approx(alpha, abs=1e-12)
    chance = sum((c / n) ** 2 for c in total.values())
    fleiss = (agreed / 150_000 - chance) / (1 - chance)
    assert found.fleiss.value == pytest.approx(fleiss, abs=1e-12)
    weighted, size = 0.0, 0
    for pair in pairs.values():
        one, two = (Counter(column) for column in zip(*pair, strict=True))
        by_chance = sum(one[c] * two[c] for c in one) / len(pair) ** 2
        if by_chance < 1 and len(pair) >= 5:
            same = sum(a == b for a, b in pair) / len(pair)
            weighted += len(pair) * (same - by_chance) / (1 - by_chance)
            size += len(pair)
    assert found.kappa_between.value == pytest.approx(weighted / size, abs=1e-12)
    seconds = [float(row["seconds"]) for row in rows]
    assert found.seconds_mean.value == pytest.approx(statistics.fmean(seconds))
    assert found.seconds_median.value == statistics.median(seconds)


def test_figures_are_those_of_other_packages(rows, found):
    krippendorff = pytest.importorskip("krippendorff")
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    sklearn = pytest.importorskip("sklearn.metrics")
    classes = sorted({row["label"] for row in rows})
    counts = np.zeros((50_000, 10), int)
    image = np.array([int(row["image"]) for row in rows])
    np.add.at(counts, (image, [classes.index(row["label"]) for row in rows]), 1)
    alpha = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    assert found.alpha.value == pytest.approx(alpha, abs=1e-9)
    fleiss = inter_rater.fleiss_kappa(counts)
    assert found.fleiss.value == pytest.approx(fleiss, abs=1e-9)
    given = defaultdict(dict)
    for row in rows:
        given[row["annotator"]][row["image"]] = row["label"]
    for pair in max(found.pairs, key=lambda p: p.images), *found.pairs[:20]:
        one, two = given[pair.first], given[pair.second]
        common = sorted(set(one) & set(two))
        kappa = sklearn.cohen_kappa_score(
            [one[i] for i in common], [two[i] for i in common]
        )
        assert pair.kappa == pytest.approx(kappa, abs=1e-12)
        assert pair.images == len(common)
