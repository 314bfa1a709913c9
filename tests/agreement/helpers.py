"""Small inputs for the tests of agreement."""

import itertools
from collections import Counter
from types import SimpleNamespace

import numpy as np

from keras_dc3 import agreement
from keras_dc3.annotations import Annotations, Records


def annotations_of(answers, class_names=None):
    """Annotations of (image, annotator or None, label or None[, seconds])."""
    rows = [(*answer, None)[:4] for answer in answers]
    images = sorted({row[0] for row in rows})
    people = sorted({row[1] for row in rows} - {None})
    classes = class_names or sorted({row[2] for row in rows} - {None})
    records = Records(
        np.array([images.index(row[0]) for row in rows]),
        np.array([-1 if row[1] is None else people.index(row[1]) for row in rows]),
        np.array([-1 if row[2] is None else classes.index(row[2]) for row in rows]),
        np.array([np.nan if row[3] is None else row[3] for row in rows], "float64"),
    )
    return Annotations(images, classes, annotators=people, records=records)


def draw(rng, shares):
    """One class for each row of shares (n, k)."""
    below = shares.cumsum(axis=1) < rng.random((len(shares), 1))
    return below.sum(axis=1).clip(0, shares.shape[1] - 1)


def measure(answers, **options):
    """Figures without intervals, as most tests want them."""
    options = {"resamples": 0, "least_common": 1, **options}
    return agreement.measure(annotations_of(answers), **options)


def crowd(rng, images=60, people=4, classes=3, gaps=0.3, rounds=1, correct=0.7):
    """(image, annotator, label, seconds) of people who do not answer everything."""
    truth = rng.integers(0, classes, images)
    answers = []
    for i, p, _ in itertools.product(range(images), range(people), range(rounds)):
        if rng.random() >= gaps:
            right = rng.random() < correct
            label = truth[i] if right else rng.integers(0, classes)
            time = float(np.round(rng.lognormal(1, 0.5), 2))
            answers.append((f"i{i:03d}", f"p{p}", f"c{label}", time))
    return answers


def review_of(shares, proposed, people, delta, control, rng, same_control=False):
    """A review of images with distributions (n, k), by people who accept with delta.

    `delta` is a number or (k,), by proposed class. Each person sees a share `control`
    blind, all the same images if `same_control`.
    """
    n, k = shares.shape
    delta = np.broadcast_to(delta, k)
    blind = rng.random((1 if same_control else people, n)) < control
    blind = np.broadcast_to(blind, (people, n))
    own = np.stack([draw(rng, shares) for _ in range(people)])
    accepts = ~blind & (rng.random((people, n)) < delta[proposed])
    label = np.where(accepts, proposed, own)
    shown = np.where(blind, -1, proposed)
    # By image, as annotations order their records.
    records = Records(
        np.repeat(np.arange(n), people),
        np.tile(np.arange(people), n),
        label.T.ravel(),
        np.full(n * people, np.nan),
    )
    annotations = Annotations(
        [f"i{i}" for i in range(n)],
        [f"c{c}" for c in range(k)],
        annotators=[f"p{p}" for p in range(people)],
        records=records,
    )
    shown = shown.T.ravel()
    return SimpleNamespace(
        annotations=annotations,
        proposed=shown,
        repetition=np.zeros(len(shown), bool),
        accepted=shown == records.label,
        group=np.where(shown < 0, "", "class"),
        mode="classes",
    )


def naive_kappa(first, second):
    """Cohen's kappa by plain loops; None where chance agreement is perfect."""
    n = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    one, two = Counter(first), Counter(second)
    chance = sum(one[c] * two[c] for c in one) / n**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def naive_alpha(units):
    """Krippendorff's alpha, nominal, over all pairs of values; lists of labels."""
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    n = len(values)
    observed = sum(
        sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
        for unit in units
    )
    counts = Counter(values)
    expected = sum(counts[a] * counts[b] for a in counts for b in counts if a != b)
    return 1 - (n - 1) * observed / expected


def by_image(answers):
    """Image -> labels, the first of each person."""
    units = {}
    for image, person, label, *_ in answers:
        units.setdefault(image, {}).setdefault(person, label)
    return {image: list(given.values()) for image, given in units.items()}


def by_person(answers):
    """Person -> image -> labels in order."""
    given = {}
    for image, person, label, *_ in answers:
        given.setdefault(person, {}).setdefault(image, []).append(label)
    return given
