"""Parts drawn at random: sizes, classes and groups."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keras_dc3.data import Split, split
from tests.cases import case


@st.composite
def sizes(draw, n, parts=3):
    """Numbers or fractions of n images that fit; the first is not None."""
    numbers, left = [], n
    for i in range(parts):
        number = draw(st.integers(1, max(1, left - (parts - 1 - i))))
        left -= number
        form = draw(st.sampled_from(["number", "fraction", "none"]))
        if form == "none" and i:
            numbers.append(None)
        else:
            numbers.append(number if form == "number" else number / n)
    return numbers


def images_asked(n, asked):
    return [
        0 if a is None else round(a * n) if isinstance(a, float) else a for a in asked
    ]


def check_parts(parts, n):
    used = np.concatenate(parts)
    assert len(np.unique(used)) == len(used)
    assert ((used >= 0) & (used < n)).all()
    assert all((np.diff(part) > 0).all() for part in parts)
    assert all(part.dtype == "int64" for part in parts)


@given(st.data(), st.integers(3, 60), st.integers(0, 5))
def test_parts_are_disjoint_and_as_large_as_asked(data, n, seed):
    asked = data.draw(sizes(n))
    parts = split(n, *asked, seed)
    check_parts(parts, n)
    assert [len(part) for part in parts] == images_asked(n, asked)
    again = split(n, *asked, seed)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


def test_the_seed_matters():
    first, second = (split(100, 0.3, 0.3, 0.3, seed) for seed in (0, 1))
    assert (first.labeled != second.labeled).any()
    for options in ({"stratify": [0, 1] * 50}, {"groups": np.arange(100) // 2}):
        first, second = (split(100, 30, 30, 30, seed, **options) for seed in (0, 1))
        assert set(first.labeled) != set(second.labeled)


@given(
    st.data(),
    st.lists(st.integers(3, 30), min_size=1, max_size=6),
    st.integers(0, 5),
)
def test_stratified_parts_have_their_share_of_each_class(data, numbers, seed):
    classes = np.repeat([f"class {i}" for i in range(len(numbers))], numbers)
    n = len(classes)
    classes = np.random.default_rng(seed).permutation(classes)
    asked = data.draw(sizes(n))
    wanted = images_asked(n, asked)
    assume(all(number >= len(numbers) for number in wanted if number))
    parts = split(n, *asked, seed, stratify=classes)
    check_parts(parts, n)
    assert [len(part) for part in parts] == wanted
    # No class is missing, and none has more than its share plus what the rare get.
    for part, number in zip(parts, wanted, strict=True):
        for i, images in enumerate(numbers):
            found = int((classes[part] == f"class {i}").sum())
            assert found >= (number > 0)
            if number * min(numbers) >= n and sum(wanted) == n:
                assert abs(found - number * images / n) < 2


@pytest.mark.parametrize(
    "asked", [(1600, 6400, 2000), (0.16, 0.64, 0.2), (500, 0.5, 1)]
)
def test_stratified_shares_of_a_large_set(asked):
    numbers = np.array([3000, 4, 2500, 1500, 1996, 1000])
    classes = np.random.default_rng(3).permutation(np.repeat(np.arange(6), numbers))
    asked = tuple(12 if a == 1 else a for a in asked)
    parts = split(10_000, *asked, seed=2, stratify=classes)
    for part in parts:
        found = np.bincount(classes[part], minlength=6)
        exact = len(part) * numbers / 10_000
        assert found.min() >= 1
        np.testing.assert_allclose(found, np.maximum(exact, 1), atol=2.5)


@given(
    st.data(),
    st.lists(st.integers(1, 12), min_size=4, max_size=30),
    st.integers(0, 5),
)
def test_groups_stay_together(data, numbers, seed):
    groups = np.random.default_rng(seed).permutation(
        np.repeat(np.arange(len(numbers)), numbers)
    )
    n = len(groups)
    asked = data.draw(sizes(n))
    wanted = images_asked(n, asked)
    try:
        parts = split(n, *asked, seed, groups=groups)
    except ValueError as error:
        assert "groups stay together" in str(error)
        smallest = min(numbers)
        assert any(0 < number < smallest * 12 for number in wanted)
        return
    check_parts(parts, n)
    members = [set(groups[part]) for part in parts]
    for i in range(3):
        assert not members[i] & members[(i + 1) % 3]
        images = np.isin(groups, list(members[i]))
        assert images.sum() == len(parts[i])  # whole groups
        assert bool(len(parts[i])) == bool(wanted[i])
        assert abs(len(parts[i]) - wanted[i]) <= max(numbers)


def test_groups_come_close_to_the_sizes_asked_for():
    rng = np.random.default_rng(5)
    groups = np.repeat([f"animal {i}" for i in range(300)], rng.integers(1, 60, 300))
    n = len(groups)
    parts = split(n, 0.16, 0.64, 0.2, seed=0, groups=groups)
    shares = [len(part) / n for part in parts]
    np.testing.assert_allclose(shares, [0.16, 0.64, 0.2], atol=0.002)
    some = split(n, 0.1, None, 0.1, seed=0, groups=groups)
    np.testing.assert_allclose([len(p) / n for p in some], [0.1, 0, 0.1], atol=0.002)


def test_groups_and_classes_together():
    groups = np.arange(1600) // 10
    classes = np.arange(1600) // 100
    parts = split(1600, 0.16, 0.64, 0.2, seed=1, stratify=classes, groups=groups)
    for part, share in zip(parts, (0.16, 0.64, 0.2), strict=True):
        found = np.bincount(classes[part], minlength=16)
        assert np.abs(found - 100 * share).max() <= 10
    members = [set(groups[part]) for part in parts]
    assert not members[0] & members[2] and not members[0] & members[1]


@pytest.mark.parametrize(
    ("arguments", "options", "match"),
    [
        ((10, 0.2, None, 0.04), {}, r"validation part of 10 images would be empty"),
        ((10, 0.2, None, 0.04), {}, r"at least 1 image or the fraction 0\.1"),
        ((2, 0.2, 0.4, 0.4), {}, r"labeled part of 2 images.*fraction 0\.5"),
        ((4, 5, None, None), {}, "asks for 5 images but there are only 4"),
        ((4, 0, None, None), {}, "labeled part of 4 images would be empty"),
        ((4, 1.5, None, None), {}, r"must lie in \(0, 1\]"),
        ((4, True, None, None), {}, "number of images or a fraction"),
        ((4, None, 2, 2), {}, "`labeled` must be a number"),
        ((4, 2, 2, None), {"stratify": list("aab")}, "one name or number per image"),
        ((4, 2, 2, None), {"stratify": [0, 1, 2.5, 1]}, r"2\.5 at position 2"),
        ((4, 2, 2, None), {"groups": [0, 1, None, 1]}, "None at position 2"),
        ((4, 2, 2, None), {"stratify": list("aaab")}, "'b' has 1 of the 4 images"),
        (
            (9, 1, 8, None),
            {"stratify": list("aaaaaabbb")},
            r"labeled part, of size 1, cannot hold.*2 classes.*2 images or",
        ),
        (
            (6, 2, 2, 2),
            {"groups": list("aaabbb")},
            "are of 2 groups, but each of the 3",
        ),
        (
            (100, 3, None, 50),
            {"groups": np.arange(100) // 20},
            r"labeled part of 100 images would be empty.*smallest of 5 holds 20",
        ),
        (
            (40, 20, None, 20),
            {"groups": np.arange(40) // 10, "stratify": [0] * 30 + [1] * 10},
            r"would hold none of the class 1, as groups stay together and 1 of 4",
        ),
    ],
)
def test_impossible_splits_are_told(arguments, options, match):
    with pytest.raises(ValueError, match=match):
        split(*arguments, seed=0, **options)


def classes_of(source, name):
    """The class of each image: made up, or as its folder in a case from the outside."""
    if source == "made up":
        return {"images": ["common"] * 9 + ["rare"], "two": ["a", "b"]}[name]
    folder = case("07-too-few-for-a-split") / name
    return [path.parent.name for path in sorted(folder.glob("*/*.png"))]


@pytest.mark.parametrize("source", ["made up", "case"])
def test_too_few_images(source):
    classes = classes_of(source, "images")
    for labeled, unlabeled, validation in [(0.2, 0.75, 0.04), (0.04, None, 0.5)]:
        with pytest.raises(ValueError, match=r"would be empty.*fraction 0\.1"):
            split(len(classes), labeled, unlabeled, validation, seed=0)
    for asked in [(0.2, None, 0.2), (2, 6, 2)]:
        with pytest.raises(ValueError, match=r"'rare' has 1 of the 10 images"):
            split(len(classes), *asked, seed=0, stratify=classes)
    # In one part alone a class of one image is in that part.
    alone = split(len(classes), 1.0, None, None, seed=0, stratify=classes)
    assert len(alone.labeled) == 10
    classes = classes_of(source, "two")
    for labeled, validation, part in [(0.2, 0.5, "labeled"), (0.5, 0.05, "validation")]:
        with pytest.raises(ValueError, match=rf"{part} part of 2.*fraction 0\.5"):
            split(len(classes), labeled, None, validation, seed=0)
    with pytest.raises(ValueError, match=r"has 1 of the 2 images"):
        split(len(classes), 1, None, 1, seed=0, stratify=classes)


def test_sizes_without_classes_are_what_they_were():
    """Published splits must not change: a permutation, cut."""
    order = np.random.default_rng(7).permutation(50)
    parts = split(50, 8, 32, 10, seed=7)
    expected = Split(
        *(np.sort(part) for part in np.split(order, [8, 40])[:2]), np.sort(order[40:])
    )
    assert all((a == b).all() for a, b in zip(parts, expected, strict=True))
