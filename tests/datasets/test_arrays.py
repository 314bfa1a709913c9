"""Data sets from arrays in memory."""

import warnings

import numpy as np
import pytest

from keras_dc3 import datasets

IMAGES = np.zeros((40, 4, 4, 1), "uint8")
SHARES = np.array([[60.0, 40.0], [20.0, 80.0], [100.0, 0.0], [5.0, 95.0]] * 10)


def made(annotations):
    """Returns a data set and the warnings on the way to it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = datasets.from_arrays(IMAGES, annotations, labeled=0.2, unlabeled=0.6)
    return data, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("without", [0, 3])
def test_whole_percentages_are_told(without):
    shares = SHARES.copy()
    shares[:without] = 0
    _, told = made(shares)
    assert len(told) == 1 and "If they are percentages, divide them by 100" in told[0]
    with pytest.warns(UserWarning, match="`validation annotations` are whole"):
        datasets.from_parts(IMAGES, np.arange(40) % 2, None, (IMAGES, SHARES))


@pytest.mark.parametrize(
    "annotations",
    [
        SHARES / 100,  # soft labels
        SHARES.astype("int64"),  # counts beyond doubt
        SHARES / 10 // 1,
        SHARES + np.arange(40)[:, None],
    ],
)
def test_what_is_no_percentage_is_not(annotations):
    assert not made(annotations)[1]


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (np.ma.array(SHARES, mask=SHARES > 50), "some are masked"),
        (np.ma.array(np.arange(40) % 2, mask=np.arange(40) == 3), "some are masked"),
        ([[1, 2]] * 39 + [[1]], "rows of several lengths"),
        (["cod"] * 40, "must be integer classes"),
    ],
)
def test_gaps_and_rows_of_several_lengths(annotations, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_arrays(IMAGES, annotations, num_classes=2)


@pytest.mark.parametrize("number", [20, 33, 47])
@pytest.mark.parametrize("without", [0, 3])
@pytest.mark.parametrize("validation", [0.1, 0.2, 0.3, 0.5, 2, 5, np.int64(4), None])
def test_labeled_and_unlabeled_share_what_validation_leaves(
    number, without, validation
):
    images = np.zeros((number + without, 2, 2, 1), "uint8")
    classes = np.r_[np.arange(number) % 2, np.full(without, -1)]
    data = datasets.from_arrays(
        images, classes, num_classes=2, validation=validation, stratify=True
    )
    held = 0 if data.validation is None else len(data.validation)
    wanted = validation or 0
    wanted = wanted * number if isinstance(wanted, float) else wanted
    assert abs(held - wanted) <= 1
    hidden = 0 if data.unlabeled is None else len(data.unlabeled) - without
    assert len(data.labeled) + hidden + held == number
    if without:
        assert not hidden
    else:
        assert abs(len(data.labeled) - (number - held) / 5) < 1


@pytest.mark.parametrize("validation", [1.0, 40, 41, 1.5, -1, 0, "x", True])
def test_validation_that_leaves_nothing(validation):
    with pytest.raises(ValueError, match=r"validation='?[\d.x\-T]"):
        datasets.from_arrays(
            IMAGES, np.arange(40) % 2, num_classes=2, validation=validation
        )


def test_answers_that_are_left_out_are_told():
    counts = np.array([[2, 1], [0, 3]] * 20)
    told = "All 40 images have answers: 6 of them are labeled, the answers of 26 are"
    with pytest.warns(UserWarning, match=told) as caught:
        data = datasets.from_arrays(IMAGES, counts)
    assert len(caught) == 1 and "`labeled=0.8` takes them all" in str(caught[0].message)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="`labeled=30` takes them all"):
        datasets.from_arrays(IMAGES, counts, validation=10)
    ids = data.labeled.ids
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(datasets.from_arrays(IMAGES, counts, labeled=0.8).labeled) == 32
        datasets.from_arrays(IMAGES, counts, labeled=0.2, unlabeled=0.6)
        datasets.from_arrays(IMAGES, counts, split={"validation": ids})
        counts[0] = 0  # one image to propose for
        data = datasets.from_arrays(IMAGES, counts)
    assert (len(data.labeled), data.unlabeled.ids) == (31, ("0",))


def test_validation_images_that_are_trained_on_are_told(rng):
    images = rng.integers(0, 256, (12, 4, 4, 1)).astype("uint8")
    classes = np.arange(12) % 2

    def parts(first):
        held_out = images[first : first + 6], classes[:6]
        return datasets.from_parts(
            images[:6], classes[:6], None, held_out, class_names=["a", "b"]
        )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts(6), parts(3)
    with pytest.warns(UserWarning, match="4 of the 6 validation images are labeled"):
        parts(2)
