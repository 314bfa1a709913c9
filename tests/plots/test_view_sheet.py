"""The picture of what augmentation does."""

import sys

import keras
import numpy as np
import pytest

from keras_dc3.data import ImageSet, NoAugmentation, SemiSupervisedData, Strong, Weak
from keras_dc3.data.augment_numpy import augment
from keras_dc3.data.plan import stream_number
from keras_dc3.plots import plot_views
from keras_dc3.strategies import FixMatch, PiModel

pytest.importorskip("matplotlib")


def make_images(n=12, shape=(8, 8, 3), dtype="uint8", prefix="img"):
    pixels = np.random.default_rng(0).integers(0, 256, (n, *shape))
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 255
    if dtype != "uint8":
        pixels = pixels / 127.5 - 1
    names = [f"{prefix}_{i}" for i in range(n)]
    return ImageSet(pixels.astype(dtype), names, class_names=["cat", "dog"])


def make_data(unlabeled=True, **options):
    return SemiSupervisedData(
        make_images(4, prefix="labeled"),
        [0, 1, 0, 1],
        make_images() if unlabeled else None,
        **options,
    )


def texts(figure):
    return [text.get_text() for text in figure.texts]


def shown(figure):
    return [np.asarray(axes.get_images()[0].get_array()) for axes in figure.axes]


def names_of_rows(figure, prefix="img_"):
    return [text for text in texts(figure) if text.startswith(prefix)]


def test_shows_every_view_of_a_strategy():
    figure = plot_views(make_data(), FixMatch(), num=5, draws=2)
    text = texts(figure)
    assert "5 of 12 images, as they are" in text[1]
    for title in ("original", "labeled", "weak", "strong"):
        assert text.count(title) == 1
    assert text.count("draw 1") == text.count("draw 2") == 3
    assert text.count("Weak(flip=True, max_shift=0.125)") == 2
    described = " ".join(next(t for t in text if t.startswith("Strong(")).split())
    assert "num_ops=2, cutout=0.5, fill=0.5)" in described
    assert len(figure.axes) == 5 * (1 + 3 * 2)
    assert len(set(names_of_rows(figure))) == 5


@pytest.mark.slow
def test_names_and_strategies_mean_the_same():
    data = make_data()
    default = shown(plot_views(data))
    for views in (
        ("weak", "strong"),
        FixMatch,
        {"weak": "student", "strong": "x"}.keys(),
    ):
        np.testing.assert_array_equal(shown(plot_views(data, views)), default)
    text = texts(plot_views(data, PiModel()))
    assert "first" in text and "second" in text and "strong" not in text


def test_augmentation_is_that_of_the_data():
    given = {"labeled": "none", "weak": Weak(flip=False), "strong": Weak(max_shift=0)}
    data = make_data(augment=given)
    assert data.policies(("weak", "strong", "third")) == {
        "labeled": NoAugmentation(),
        "weak": Weak(flip=False),
        "strong": Weak(max_shift=0),
        "third": Weak(flip=False),
    }
    figure = plot_views(data, num=1, draws=1)
    original, labeled, _, strong = shown(figure)
    np.testing.assert_array_equal(original, labeled)
    assert (strong == original).all() or (strong == original[:, ::-1]).all()
    assert "NoAugmentation()" in texts(figure)


def test_pixels_are_those_of_the_augmentation():
    """Columns of one view, drawn anew from what the training batches use."""
    images = make_images(dtype="float32")
    seeds = []

    def spy(pixels, seed):
        seeds.append(seed)
        return pixels[:, :, ::-1]

    figure = plot_views(images, {"a": Strong(), "b": spy}, num=12, draws=2, seed=3)
    columns = np.array(shown(figure)).reshape(5, 12, 8, 8, 3)
    rows = [images.ids.index(name) for name in names_of_rows(figure)]
    pixels = images.images[rows]
    np.testing.assert_allclose(columns[0], (pixels + 1) / 2, atol=1e-6)
    np.testing.assert_allclose(columns[3], columns[0][:, :, ::-1])
    assert len({tuple(seed) for seed in seeds}) == 2
    for i, (word, _) in enumerate(seeds):
        expected = augment(Strong(), pixels, [word, stream_number("a")], (-1.0, 1.0))
        np.testing.assert_allclose(
            columns[1 + i], np.clip((expected + 1) / 2, 0, 1), atol=1e-6
        )


def test_the_seed_decides():
    first, again, other = (
        np.array(shown(plot_views(make_data(), seed=seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_draws_and_views_differ():
    views = {"a": Weak(max_shift=0.5), "b": Weak(max_shift=0.5)}
    columns = shown(plot_views(make_images(), views, num=1, draws=3))
    assert len({column.tobytes() for column in columns}) > 3
    # More draws leave the first as they are.
    more = shown(plot_views(make_images(), views, num=1, draws=5))
    np.testing.assert_array_equal(columns[:4], more[:4])


def test_no_unlabeled_images_mean_no_views():
    figure = plot_views(make_data(unlabeled=False), FixMatch(), num=9, draws=1)
    text = texts(figure)
    assert "labeled" in text and "weak" not in text
    assert len(figure.axes) == 4 * 2
    assert len(names_of_rows(figure, "labeled_")) == 4


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8, 3), (5, 9, 3), (1, 1, 1)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_kinds_of_images(shape, dtype):
    images = ImageSet(
        np.linspace(0, 255, 4 * np.prod(shape)).reshape(4, *shape).astype(dtype),
        list("abcd"),
    )
    figure = plot_views(images, num=2)
    for image in shown(figure):
        assert image.shape == (shape if shape[-1] == 3 else shape[:2])
        assert image.min() >= 0 and image.max() <= 1


def test_functions_and_layers():
    views = {
        "my function": lambda images: 255 - images,
        "layer": keras.layers.RandomFlip(),
        "type": Weak,
    }
    figure = plot_views(make_images(), views, num=2, draws=1)
    columns = np.array(shown(figure)).reshape(4, 2, 8, 8, 3)
    np.testing.assert_allclose(columns[1], 1 - columns[0])
    text = texts(figure)
    assert "my function" in text and "<lambda>" in text and "RandomFlip" in text


def test_range_is_that_of_labeled_and_unlabeled_images():
    images = ImageSet(
        np.full((2, 4, 4, 1), 0.5), ["a", "b"], class_names=["cat", "dog"]
    )
    data = SemiSupervisedData(images, [0, 1], make_images(3, (4, 4, 1), "float32"))
    assert data.value_range == (-1.0, 1.0)
    assert SemiSupervisedData(images, [0, 1]).value_range == (0.0, 1.0)
    (row, *_) = (data.unlabeled.ids.index(n) for n in names_of_rows(plot_views(data)))
    expected = (data.unlabeled.images[row, ..., 0] + 1) / 2
    np.testing.assert_allclose(shown(plot_views(data))[0], expected)


def test_other_readers_of_images():
    class Reader:
        ids, value_range = make_images().ids, (0.0, 255.0)

        def __len__(self):
            return 12

        def read(self, indices):
            assert len(indices) == 2  # no more than is drawn
            return make_images().read(indices)

    expected = shown(plot_views(make_images(), num=2))
    np.testing.assert_array_equal(shown(plot_views(Reader(), num=2)), expected)


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "PNG"])
def test_file_is_written(tmp_path, ending):
    path = tmp_path / "new" / f"picture.{ending}"
    plot_views(make_images(), path=path, num=1, draws=1)
    assert path.read_bytes()[:4] in (b"\x89PNG", b"%PDF", b"<?xm")
    assert len(list(path.parent.iterdir())) == 1


def test_pyplot_is_left_alone(tmp_path):
    pyplot = sys.modules.get("matplotlib.pyplot")
    before = pyplot.get_fignums() if pyplot else None
    plot_views(make_images(), path=tmp_path / "a.png", num=1)
    assert sys.modules.get("matplotlib.pyplot") is pyplot
    assert before is None or pyplot.get_fignums() == before


def test_long_names_fit(tmp_path):
    names = [f"/data/of/mine/{'x' * 99}/$x^2$ {i}\n.png" for i in range(3)]
    images = ImageSet(np.zeros((3, 4, 4, 1)), names)
    views = {
        "title " * 30: Strong(operations=("rotate", "shear_x", "solarize")),
        "word" * 30: Strong(num_ops=0),
    }
    figure = plot_views(images, views, tmp_path / "a.png", draws=1)
    text = texts(figure)
    assert "..." in " ".join(text) and max(len(t) for t in text) < 200
    ends = sorted(t for t in text if t.endswith(".png"))
    assert [end[-6:] for end in ends] == ["0 .png", "1 .png", "2 .png"]
    wide = " ".join(texts(plot_views(images, views, num=1, draws=4)))
    assert "operations=('rotate', 'shear_x', 'solarize'))" in " ".join(wide.split())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num": 0}, ValueError, "`num` must be an integer of at least 1"),
        ({"draws": 1.5}, ValueError, "`draws` must be an integer of at least 1"),
        ({"seed": -1}, ValueError, "`seed` must be an integer of at least 0"),
        ({"path": "a.csv"}, ValueError, r"`path` must end in .*png, .*a.csv"),
        ({"views": "fixmatch"}, TypeError, "`views` must be a list.*'fixmatch'"),
        ({"views": 3}, TypeError, "`views` must be a list of names.*3"),
        ({"views": {}}, ValueError, "There is nothing to draw: `views` is empty"),
        ({"views": {"a": "stong"}}, ValueError, "Did you mean 'strong'"),
        ({"views": {"a": 3}}, TypeError, "An augmentation must be one of the names"),
        ({"views": {"a": lambda x: x[:, :4]}}, ValueError, "must keep the shape"),
        ({"views": ["a", "a"]}, ValueError, "`views` must be different names"),
        ({"views": ["labeled"]}, ValueError, "`views` must be different names"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        plot_views(make_data(), **options)


def test_bad_data():
    with pytest.raises(TypeError, match=r"`data` must be a data set.*ndarray"):
        plot_views(np.zeros((3, 8, 8, 3)))
    with pytest.raises(ValueError, match=r"Images alone do not say.*'weak'"):
        plot_views(make_images(), ["weak"])
    with pytest.raises(ValueError, match="Images alone do not say"):
        plot_views(make_images(), FixMatch())
    with pytest.raises(ValueError, match="`data` hold no image"):
        plot_views(make_images().subset([]))
    with pytest.raises(ValueError, match=r"An image must have shape.*\(4, 4, 2\)"):
        plot_views(ImageSet(np.zeros((1, 4, 4, 2)), ["a"]))
    with pytest.raises(ValueError, match="`augment` names 'thrid', which is no view"):
        plot_views(make_data(augment={"thrid": "weak"}), ["third"])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras_dc3\[demo\]"'):
        plot_views(make_images())
