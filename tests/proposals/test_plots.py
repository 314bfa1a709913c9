"""The picture of proposals."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_dc3.plots import plot_proposals
from keras_dc3.plots.pixels import drawable
from tests.proposals.helpers import NAMES, make_proposals

pytest.importorskip("matplotlib")


@pytest.fixture
def images(rng):
    pixels = rng.integers(0, 256, (40, 8, 8, 1)).astype("uint8")
    return SimpleNamespace(ids=tuple(f"img_{i}" for i in range(40)), images=pixels)


def texts(figure):
    return " ".join("\n".join(t.get_text() for t in figure.texts).split())


def test_shows_both_sides(images):
    proposals = make_proposals()
    certain = int((proposals.decision == "certain").sum())
    figure = plot_proposals(proposals, images, num=3)
    text = texts(figure)
    assert "What the model proposes for 40 images" in text
    assert f"Certain: {certain} images" in text
    assert f"Ambiguous: {40 - certain} images" in text
    assert text.count("The model's guesses") == 4
    assert "people" not in text
    assert 6 < len(figure.axes) <= 6 + 4 * 3


def test_certain_images_are_the_surest_of_each_class(images):
    proposals = make_proposals()
    surest = [
        min(
            (p for p in proposals if p.decision == "certain" and p.class_name == name),
            key=lambda p: p.ambiguity,
        )
        for name in NAMES
    ]
    figure = plot_proposals(proposals, images, num=3)
    for axes, proposal in zip(figure.axes, surest, strict=False):
        expected = images.images[proposals.ids.index(proposal.id)][..., 0] / 255
        assert np.allclose(axes.get_images()[0].get_array(), expected)
        shown = f"{proposal.class_name} ({proposal.class_probability:.0%})"
        assert shown in texts(figure)


def test_clusters_are_grouped_and_ordered(images):
    proposals = make_proposals()
    rows = [p for p in proposals if p.decision == "ambiguous"]
    clusters = [p.cluster for p in rows]
    largest = max(sorted(set(clusters)), key=clusters.count)
    members = sorted(
        (p for p in rows if p.cluster == largest), key=lambda p: -p.cluster_probability
    )
    figure = plot_proposals(proposals, images, num=2)
    assert f"Cluster {largest} {len(members)} images" in texts(figure)
    for axes, proposal in zip(figure.axes[4:6], members, strict=False):
        expected = images.images[proposals.ids.index(proposal.id)][..., 0] / 255
        assert np.allclose(axes.get_images()[0].get_array(), expected)


def test_soft_labels_by_row_or_id(images):
    proposals = make_proposals()
    soft = np.tile([0.6, 0.4, 0.0], (40, 1))
    by_id = dict(zip(proposals.ids, soft, strict=True))
    for labels in (soft, by_id):
        text = texts(plot_proposals(proposals, images, num=2, soft_labels=labels))
        assert "people: 60% cat, 40% dog" in text


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_one_side_only(images, level):
    proposals = make_proposals(ambiguity=np.full(40, level))
    text = texts(plot_proposals(proposals, images))
    side = "ambiguous" if level == 0 else "certain"
    assert f"No image was judged {side}." in text


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "PNG"])
def test_file_is_written(images, tmp_path, ending):
    path = tmp_path / "new" / f"picture.{ending}"
    plot_proposals(make_proposals(), images, path, num=1)
    assert path.read_bytes()[:4] in (b"\x89PNG", b"%PDF", b"<?xm")
    assert len(list(path.parent.iterdir())) == 1


def test_pyplot_is_left_alone(images, tmp_path):
    pyplot = sys.modules.get("matplotlib.pyplot")
    before = pyplot.get_fignums() if pyplot else None
    plot_proposals(make_proposals(), images, tmp_path / "a.png", num=2)
    assert sys.modules.get("matplotlib.pyplot") is pyplot
    assert before is None or pyplot.get_fignums() == before


def test_odd_class_names_fit(images, tmp_path):
    names = ("$x^2$", "word" * 30, "many words " * 9)
    soft = np.full((40, 3), 1 / 3)
    plot_proposals(
        make_proposals(names=names), images, tmp_path / "a.png", 3, soft_labels=soft
    )


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3), (5, 9, 3)])
@pytest.mark.parametrize(("dtype", "low", "high"), [("uint8", 0, 255), ("f4", -1, 1)])
def test_kinds_of_images(rng, shape, dtype, low, high):
    image = rng.uniform(low, high, shape)
    image.flat[:2] = low, high
    image = image.astype(dtype)
    (shown,) = drawable({"a": image, "unread": None}, ["a"]).values()
    assert shown.shape == (shape if shape[-1] == 3 else shape[:2])
    assert np.allclose(shown.reshape(shape), (image - float(low)) / (high - low))


def test_range_is_one_for_all_images():
    images = {"a": np.full((2, 2), 0.5), "b": np.full((2, 2), -1.0)}
    assert drawable(images, "a")["a"][0, 0] == 0.5
    assert drawable(images, "ab")["a"][0, 0] == 0.75
    images = {"a": np.full((2, 2), 100.0)}
    assert drawable(images, "a")["a"][0, 0] == pytest.approx(100 / 255)
    assert drawable({"a": np.full((2, 2), 3000)}, "a")["a"][0, 0] == 0.0
    assert drawable({}, []) == {}


def test_readers_are_asked_for_what_is_drawn_only():
    asked = []

    def read(positions):
        asked.extend(positions.tolist())
        return np.zeros((len(positions), 2, 2, 3), "uint8")

    reader = SimpleNamespace(ids=("a", "b", "c"), read=read, value_range=(0, 255))
    assert list(drawable(reader, ["c", "a"])) == ["c", "a"]
    assert asked == [2, 0]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros(4), r"An image must have shape .*\(4,\) for the id 'img_"),
        (np.zeros((4, 4, 2)), r"An image must have shape .*\(4, 4, 2\)"),
        (np.zeros((0, 4)), r"An image must have shape .*\(0, 4\)"),
        (np.full((4, 4), np.nan), "must be finite numbers; repair or remove it"),
        (np.full((4, 4), "x"), "must be finite numbers; repair or remove it.*<U1"),
    ],
)
def test_bad_image(image, message):
    images = {f"img_{i}": image for i in range(40)}
    with pytest.raises(ValueError, match=message):
        plot_proposals(make_proposals(), images)


def test_bad_input(images, tmp_path):
    proposals = make_proposals()
    with pytest.raises(ValueError, match="hold no image of the id 'img_"):
        plot_proposals(proposals, {})
    with pytest.raises(ValueError, match=r"one image per proposal.*\(39, 8, 8, 1\)"):
        plot_proposals(proposals, images.images[:-1])
    with pytest.raises(TypeError, match=r"must say which image is which.*list"):
        plot_proposals(proposals, list(images.images))
    with pytest.raises(ValueError, match="`num` must be an integer of at least 1"):
        plot_proposals(proposals, images, num=0)
    with pytest.raises(ValueError, match=r"`path` must end in .*png, .*a.csv"):
        plot_proposals(proposals, images, tmp_path / "a.csv")
    with pytest.raises(ValueError, match="There is nothing to draw"):
        plot_proposals(make_proposals(0), images)
    with pytest.raises(ValueError, match=r"one row per proposal.*\(40, 3\).*\(40, 2\)"):
        plot_proposals(proposals, images, soft_labels=np.full((40, 2), 0.5))
    with pytest.raises(ValueError, match=r"`soft_labels` lack 40 .*such as 'img_0'"):
        plot_proposals(proposals, images, soft_labels={})


def test_without_matplotlib(images, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras_dc3\[demo\]"'):
        plot_proposals(make_proposals(), images)


def test_only_the_rows_of_a_stored_array_that_are_asked_for_are_read():
    class Stored:
        """As an array in an HDF5 file."""

        shape, read = (4, 3, 3), []

        def __len__(self):
            return 4

        def __array__(self):
            raise AssertionError("all of it")

        def __getitem__(self, row):
            self.read.append(row)
            return np.full((3, 3), row, "uint8")

    stored = Stored()
    drawable(stored, ["c", "a"], list("abcd"))
    assert stored.read == [2, 0]
