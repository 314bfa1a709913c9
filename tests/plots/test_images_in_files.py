"""Pictures and descriptions of images that stay in their files."""

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")
pytest.importorskip("matplotlib", reason="needs keras_dc3[demo]")

from keras_dc3 import Proposals, datasets, plots
from keras_dc3.annotations import SparseCounts
from keras_dc3.data import FileImages, ImageSet, SemiSupervisedData
from tests.data.image_inputs import NAMES, counts, files, write


@pytest.fixture
def both(tmp_path):
    """The same images, 20 of 24 annotated, in files and in memory."""
    pixels = write(tmp_path)
    in_files = files(tmp_path)
    known = SparseCounts.from_rows(counts()[:20], range(20), 24)
    in_files = FileImages(tmp_path, in_files.ids, known, NAMES)
    in_memory = ImageSet(pixels, in_files.ids, known.dense(), NAMES)
    return [
        SemiSupervisedData.from_image_set(part, 10, 4, 6, name="fish")
        for part in (in_files, in_memory)
    ]


def drawn(figure):
    """Returns all pixels and texts of a figure."""
    pixels = [np.asarray(a.get_images()[0].get_array()) for a in figure.axes]
    return np.array(pixels), [text.get_text() for text in figure.texts]


def assert_same(figures):
    (pixels, texts), (others, other_texts) = map(drawn, figures)
    assert len(pixels) and texts == other_texts
    np.testing.assert_array_equal(pixels, others)


def test_describe(both, capsys, tmp_path):
    for data in both:
        datasets.describe(data, tmp_path / "examples.png")
    first, second = capsys.readouterr().out.split("fish: ")[1:]
    assert first == second and "24 images 12x12x3 (uint8), 3 classes" in first
    assert "unlabeled        8          4" in first
    assert (tmp_path / "examples.png").read_bytes()[:4] == b"\x89PNG"
    about = datasets.describe(both[0].unlabeled)
    assert about.total.images == 8 and about.total.annotated == 4


def test_examples(both):
    assert_same([plots.plot_examples(data, num=2) for data in both])
    assert_same([plots.plot_examples(data.validation, num=1) for data in both])


def test_only_what_is_drawn_is_read(both, monkeypatch):
    read, positions = FileImages.read, []
    monkeypatch.setattr(
        FileImages, "read", lambda self, at: positions.extend(at) or read(self, at)
    )
    figure = plots.plot_examples(both[0], num=1, pairs=1)
    assert len(positions) == len(figure.axes) <= 3


def test_proposals(both):
    figures = []
    for data in both:
        part = data.unlabeled
        clusters = np.tile([[0.9, 0.1], [0.2, 0.8]], (4, 1))
        classes = np.tile([[0.8, 0.1, 0.1]], (8, 1))
        proposals = Proposals(
            part.ids, np.tile([0.1, 0.9], 4), classes, clusters, NAMES
        )
        figures.append(plots.plot_proposals(proposals, part))
    assert_same(figures)


def test_views(both):
    figures = [plots.plot_views(data, views=["weak"], num=2, draws=1) for data in both]
    assert_same(figures)
