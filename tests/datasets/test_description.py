"""What a data set is made of."""

import numpy as np
import pytest

from keras_dc3 import datasets
from keras_dc3.data import ImageSet, SemiSupervisedData

NAMES = ["cod", "ling", "the other"]
COUNTS = np.array([[3, 0, 0], [1, 2, 0], [0, 3, 0], [0, 0, 0], [2, 2, 0], [0, 0, 4]])


def image_set(counts=COUNTS, names=NAMES, prefix="i", dtype="uint8"):
    n = len(counts)
    images = np.zeros((n, 8, 6, 3), dtype)
    return ImageSet(images, [f"{prefix}{i}" for i in range(n)], counts, names)


def test_of_images_by_hand(capsys):
    about = datasets.describe(image_set())
    assert about.image_shape == (8, 6, 3) and about.class_names == tuple(NAMES)
    (part,) = about.parts.values()
    assert (part.images, part.annotated) == (6, 5)
    assert part.class_counts.tolist() == [1.5, 2.5, 1]  # a tie counts in equal parts
    assert part.tied == about.total.tied == 1 / 5
    assert part.ambiguous == 2 / 5 and part.annotations_per_image == 17 / 5
    printed = capsys.readouterr().out
    assert printed == str(about) + "\n"
    assert "6 images 8x6x3 (uint8), 3 classes" in printed
    assert "images       6          5                    3.4      40.0%" in printed
    assert "Smallest class: the other, 20.00%. Largest class: ling, 50.00%." in printed
    assert "Ties: for 1 image (20.0% of the annotated ones)" in printed
    lines = [line for line in printed.splitlines() if line]
    heading = next(i for i, line in enumerate(lines) if line.startswith("class "))
    assert {len(line) for line in lines[heading : heading + 5]} == {len(lines[heading])}


def test_parts_add_up_to_the_whole(rng):
    counts = rng.multinomial(4, [0.5, 0.3, 0.2], size=200)
    data = datasets.from_arrays(
        np.zeros((200, 4, 4, 1), "uint8"), counts, class_names=NAMES, name="fish"
    )
    about = datasets.describe(data)
    assert about.name == "fish" and list(about.parts) == [
        "labeled",
        "unlabeled",
        "validation",
    ]
    most = counts == counts.max(axis=1, keepdims=True)
    shares = (most / most.sum(axis=1, keepdims=True)).sum(axis=0)
    np.testing.assert_allclose(about.total.class_counts, shares)
    np.testing.assert_allclose(about.class_shares, shares / 200)
    assert about.total.tied == (most.sum(axis=1) > 1).mean() > 0
    assert about.class_shares.sum() == pytest.approx(1.0)
    assert about.total.ambiguous == ((counts > 0).sum(axis=1) > 1).mean()
    assert about.total.annotations_per_image == 4
    assert (
        sum(part.images for part in about.parts.values()) == about.total.images == 200
    )
    for name, part in about.parts.items():
        assert part.ambiguous == getattr(data, name).ambiguous.mean()


def test_names_of_classes_gain_nothing_by_ties():
    counts = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    about = datasets.describe(image_set(counts))
    assert about.total.tied == 1.0
    np.testing.assert_allclose(about.class_shares, 1 / 3)


def test_without_ties_nothing_is_said(capsys):
    about = datasets.describe(image_set(np.array([[2, 0, 0], [1, 2, 0]])))
    assert about.total.tied == 0.0 and "Ties" not in capsys.readouterr().out


def test_one_annotation_per_image_measures_no_ambiguity(capsys):
    about = datasets.describe(image_set(np.eye(3, dtype=int)))
    assert np.isnan(about.total.ambiguous) and about.total.annotations_per_image == 1
    printed = capsys.readouterr().out
    assert "No image was annotated twice" in printed and "nan" not in printed


def test_soft_labels_do_not_say_how_many_people(capsys):
    about = datasets.describe(image_set(np.array([[0.5, 0.5, 0], [1, 0, 0]])))
    assert np.isnan(about.total.annotations_per_image) and about.total.ambiguous == 0.5
    assert "nan" not in capsys.readouterr().out


def test_without_annotations(capsys):
    images = np.zeros((3, 4, 4, 1), "float32")
    about = datasets.describe(ImageSet(images, list("abc")))
    assert about.total.annotated == 0 and about.class_names == ()
    printed = capsys.readouterr().out
    assert "3 images 4x4x1 (float32), no classes" in printed
    assert "No image is annotated." in printed and "nan" not in printed
    about = datasets.describe(ImageSet(images, list("abc"), class_names=NAMES))
    assert about.total.class_counts.tolist() == [0, 0, 0]


def test_labels_of_parts_put_together_by_hand_count():
    data = SemiSupervisedData(
        ImageSet(np.zeros((3, 4, 4, 1), "uint8"), list("abc"), None, NAMES),
        [0, 2, 2],
        ImageSet(np.zeros((2, 4, 4, 1), "uint8"), list("de")),
    )
    about = datasets.describe(data)
    assert about.parts["labeled"].class_counts.tolist() == [1, 0, 2]
    assert about.parts["unlabeled"].annotated == 0
    assert about.total.annotations_per_image == 1 and np.isnan(about.total.ambiguous)


def test_many_classes_are_cut_short():
    counts = np.eye(200, dtype=int)
    text = str(datasets.describe(image_set(counts, [f"c\n{i}" for i in range(200)])))
    assert "and 185 smaller classes" in text
    assert len(text.splitlines()) < 30 and "c 7 " in text


def test_what_is_no_data_set():
    with pytest.raises(TypeError, match=r"`data` must be a data set.*ndarray"):
        datasets.describe(np.zeros(3))


def test_the_picture_is_drawn_too(tmp_path):
    pytest.importorskip("matplotlib")
    datasets.describe(image_set(), tmp_path / "examples.png")
    assert (tmp_path / "examples.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("name", "ambiguous", "annotations", "smallest", "largest"),
    [
        ("cifar10h", 0.5607, 51.1, 0.0981, 0.1015),
        ("fashionmnist_h", 0.9965, 66.7, 0.0352, 0.1625),
        ("shape_texture16", 0.607, 9.88, 0.0449, 0.0760),
    ],
)
def test_real_data(name, ambiguous, annotations, smallest, largest, data_dir):
    about = datasets.describe(datasets.load(name, data_dir=data_dir))
    assert about.total.ambiguous == pytest.approx(ambiguous, abs=0.005)
    assert about.total.annotations_per_image == pytest.approx(annotations, abs=0.06)
    shares = about.class_shares
    assert shares.min() == pytest.approx(smallest, abs=1e-4)
    assert shares.max() == pytest.approx(largest, abs=1e-4)


def test_classes_of_one_share_are_not_compared(capsys):
    images = np.zeros((4, 8, 8, 1), "uint8")
    counts = [[3, 0], [1, 2], [0, 3], [3, 0]]
    datasets.describe(ImageSet(images, list("abcd"), counts, ["cod", "ling"]))
    told = capsys.readouterr().out
    assert "Each class has the same share, 50.00%." in told and "Smallest" not in told


def test_classes_that_labels_teach_little_or_nothing_of(capsys):
    counts = np.array([[3, 0, 1, 0], [0, 3, 1, 0]])
    labels = counts / counts.sum(axis=1, keepdims=True)
    labeled = image_set(counts, [*NAMES, "none"])
    about = datasets.describe(SemiSupervisedData(labeled, labels))
    assert about.untaught == ("none",)
    told = capsys.readouterr().out
    assert "none is of the class 'none': nothing can be learned of it." in told
    assert "none is of the class 'the other': some answers name it, never most" in told
