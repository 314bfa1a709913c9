"""A FiftyOne data set, made with a stand-in that keeps what it gets."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_dc3.exports import to_fiftyone
from tests.exports.helpers import NAMES, make

NO_DATABASE = ("FiftyOneConfigError", "ServiceExecutableNotFound")


class Dataset:
    def __init__(self, name=None, persistent=False):
        self.name, self.persistent, self.samples = name, persistent, []

    def add_samples(self, samples):
        self.samples += samples


def record(**fields):
    return SimpleNamespace(**fields)


@pytest.fixture
def stand_in(monkeypatch):
    module = SimpleNamespace(Dataset=Dataset, Sample=record, Classification=record)
    monkeypatch.setitem(sys.modules, "fiftyone", module)


def with_files(proposals, folder):
    for name in proposals.ids:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def check(dataset, proposals, folder):
    assert list(dataset.default_classes) == list(NAMES)
    names = [sample.image_id for sample in dataset.samples]
    assert names == [name for group in proposals.groups() for name in group.ids]
    group_of = {name: group for group in proposals.groups() for name in group.ids}
    for sample in dataset.samples:
        one, group = proposals[sample.image_id], group_of[sample.image_id]
        assert sample.filepath == str(folder / one.id)
        assert list(sample.tags) == [one.decision]
        assert sample.ambiguity == one.ambiguity
        assert sample.predicted_class.label == one.class_name
        assert sample.predicted_class.confidence == one.class_probability
        row = proposals.ids.index(one.id)
        p = np.exp(sample.predicted_class.logits)
        np.testing.assert_allclose(p, proposals.class_probabilities[row], rtol=1e-6)
        assert sample.cluster.label == f"cluster {one.cluster}"
        assert sample.cluster.confidence == one.cluster_probability
        assert sample.proposal.label == group.name
        expected = (
            one.class_probability if group.kind == "class" else one.cluster_probability
        )
        assert sample.proposal.confidence == expected
        assert sample.description == group.description
        assert sample.typical == group.ids.index(one.id) + 1
        np.testing.assert_array_equal(sample.embedding, proposals.embeddings[row])


@pytest.mark.usefixtures("stand_in")
def test_samples(tmp_path):
    proposals = make()
    folder = with_files(proposals, tmp_path)
    dataset = to_fiftyone(proposals, folder, "mine", persistent=True)
    assert dataset.name == "mine" and dataset.persistent
    check(dataset, proposals, folder)


@pytest.mark.usefixtures("stand_in")
def test_without_embeddings(tmp_path):
    proposals = make(n=3, width=0)
    dataset = to_fiftyone(proposals, with_files(proposals, tmp_path))
    assert len(dataset.samples) == 3 and dataset.name is None
    assert not hasattr(dataset.samples[0], "embedding")


@pytest.mark.slow
def test_genuine_fiftyone(tmp_path):
    fiftyone = pytest.importorskip("fiftyone")
    proposals = make(n=6)
    try:
        dataset = to_fiftyone(proposals, with_files(proposals, tmp_path))
    except Exception as error:
        if type(error).__name__ not in NO_DATABASE:
            raise
        pytest.skip(f"FiftyOne has no database: {error}")
    samples = list(dataset)
    found = SimpleNamespace(default_classes=dataset.default_classes, samples=samples)
    check(found, proposals, tmp_path)
    fiftyone.delete_dataset(dataset.name)


@pytest.mark.usefixtures("stand_in")
def test_lost_images(tmp_path):
    proposals = make(n=5)
    with_files(proposals, tmp_path)
    for i in (1, 3):
        (tmp_path / proposals.ids[i]).unlink()
    message = "2 of 5 images are no files in .*'folder/img 1.png', 'folder/img 3.png'"
    with pytest.raises(FileNotFoundError, match=message):
        to_fiftyone(proposals, tmp_path)
    there = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png")]
    with pytest.warns(UserWarning, match="2 of 5 proposals are for images that are no"):
        rest = proposals.in_order_of(there, missing="drop")
    assert len(to_fiftyone(rest, tmp_path).samples) == 3
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        to_fiftyone(proposals, tmp_path / "lost")


def test_without_fiftyone(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    proposals = make(n=2)
    with pytest.raises(ImportError, match=r"keras_dc3\[fiftyone\]"):
        to_fiftyone(proposals, with_files(proposals, tmp_path))


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    "name", ["../img.png", "/img.png", "a/../../img.png", "a\0.png"]
)
def test_images_outside_the_folder(name, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    name = str(tmp_path / "img.png") if name.startswith("/") else name
    (tmp_path / "img.png").write_bytes(b"")
    proposals = make(n=1)
    proposals.ids = (name,)
    with pytest.raises(FileNotFoundError, match=r"1 of 1 images are no files.*outside"):
        to_fiftyone(proposals, folder)
