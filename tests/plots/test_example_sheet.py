"""The picture of certain and ambiguous examples."""

import sys

import numpy as np
import pytest

from keras_dc3 import datasets
from keras_dc3.data import ImageSet
from keras_dc3.plots import plot_examples

pytest.importorskip("matplotlib")

NAMES = ["cod", "ling", "hake"]
COUNTS = np.array(
    [
        [9, 0, 0],
        [8, 1, 0],
        [5, 4, 0],
        [4, 5, 0],
        [0, 9, 0],
        [0, 4, 3],
        [0, 0, 5],
        [0, 0, 9],
        [0, 0, 0],
    ]
)


def image_set(counts=COUNTS, names=NAMES, shape=(6, 6, 3)):
    n = len(counts)
    images = (
        np.zeros((n, *shape), "uint8")
        + np.arange(n, dtype="uint8")[:, None, None, None]
    )
    return ImageSet(images, [f"i{i}" for i in range(n)], counts, names)


def texts(figure):
    return [text.get_text() for text in figure.texts]


def shown(figure):
    """The numbers of the images drawn, by the color that each is filled with."""
    arrays = [np.asarray(axes.get_images()[0].get_array()) for axes in figure.axes]
    return [round(float(array.flat[0]) * 255) for array in arrays]


def test_rows_are_the_classes_most_confused():
    figure = plot_examples(image_set(), num=2, pairs=2)
    text = texts(figure)
    assert "cod\nling" in text and "ling\nhake" in text
    assert "7" not in text
    assert "4 of 8 annotated images got different answers." in text[1]
    assert "3 images in between" in text and "1 image in between" in text
    # Row by row: surest cod, divided most evenly, surest ling; no image twice.
    assert shown(figure) == [0, 1, 2, 3, 4, 5, 7, 6]
    assert any("56% cod\n44% ling" in t for t in text)


def test_pairs_and_numbers():
    figure = plot_examples(image_set(), num=1, pairs=1)
    assert shown(figure) == [0, 2, 4]
    figure = plot_examples(image_set(), num=1, pairs=9)
    assert len([t for t in texts(figure) if t.endswith("in between")]) == 4


def test_of_equally_sure_images_those_that_most_people_saw_come_first():
    counts = np.array([[2, 0], [1, 1], [7, 0], [2, 0], [0, 3]])
    assert shown(plot_examples(image_set(counts, NAMES[:2]), num=1))[0] == 2
    counts[2, 0] = 2
    first = {
        shown(plot_examples(image_set(counts, NAMES[:2]), num=1, seed=seed))[0]
        for seed in range(12)
    }
    assert first == {0, 2, 3}


def test_all_parts_of_a_data_set_are_used():
    data = datasets.from_arrays(
        np.arange(9 * 36, dtype="uint8").reshape(9, 6, 6, 1),
        COUNTS + np.array([[1, 0, 0]]) * (COUNTS.sum(axis=1, keepdims=True) == 0),
        class_names=NAMES,
        labeled=4,
        unlabeled=2,
        validation=3,
        name="fish",
    )
    figure = plot_examples(data, num=1, pairs=1)
    assert "fish" in texts(figure)[0]
    assert "of 9 annotated" in texts(figure)[1]
    assert len(figure.axes) == 3


def test_without_disagreement_classes_are_shown_two_by_two():
    figure = plot_examples(image_set(np.eye(3, dtype=int)[[0, 1, 2, 0, 1, 0]]), num=2)
    assert "0 of 6 annotated images" in texts(figure)[1]
    assert "0 images in between" in texts(figure)
    assert set(shown(figure)) < {0, 1, 3, 4, 5}


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_file_is_written(tmp_path, ending):
    path = tmp_path / "new" / f"examples.{ending}"
    plot_examples(image_set(), path, num=1, pairs=1)
    assert path.read_bytes()[:4] in (b"\x89PNG", b"%PDF", b"<?xm")
    assert len(list(path.parent.iterdir())) == 1


def test_odd_names_fit_and_pyplot_is_left_alone():
    pyplot = sys.modules.get("matplotlib.pyplot")
    names = ["$x^2$", "word" * 30, ("many words " * 9).strip()]
    plot_examples(image_set(names=names, shape=(5, 9, 1)), num=1)
    assert sys.modules.get("matplotlib.pyplot") is pyplot


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="carry no annotation counts"):
        plot_examples(ImageSet(np.zeros((2, 4, 4, 1), "uint8"), ["a", "b"]))
    with pytest.raises(ValueError, match=r"at least two classes.*0 annotated"):
        plot_examples(image_set(COUNTS * 0))
    with pytest.raises(ValueError, match=r"at least two classes.*2 annotated"):
        plot_examples(image_set(COUNTS[6:]))
    with pytest.raises(TypeError, match="Received: ndarray"):
        plot_examples(np.zeros((2, 4, 4, 1)))
    with pytest.raises(ValueError, match="`num` must be an integer of at least 1"):
        plot_examples(image_set(), num=0)
    with pytest.raises(ValueError, match="`pairs` must be an integer of at least 1"):
        plot_examples(image_set(), pairs=0)
    with pytest.raises(ValueError, match=r"`path` must end in .*png, .*a.csv"):
        plot_examples(image_set(), tmp_path / "a.csv")


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras_dc3\[demo\]"'):
        plot_examples(image_set())
