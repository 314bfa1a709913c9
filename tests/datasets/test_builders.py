"""The builders for TensorFlow Datasets, on made-up copies of the files."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow_datasets")
pytest.importorskip("dill")
pytest.importorskip("importlib_resources")
pytest.importorskip("PIL")

import tensorflow_datasets as tfds

from keras_dc3 import datasets
from keras_dc3.datasets import builders
from keras_dc3.datasets.from_tfds import read_tfds
from keras_dc3.datasets.shape_texture16 import CLASS_NAMES
from tests.datasets.npz_files import write_npz
from tests.datasets.published_files import PLANKTON, TURKEY, make_dcic, make_folders

pytestmark = pytest.mark.tensorflow
FOLDS = {f"fold{i + 1}": 2 for i in range(5)}


class OnFiles:
    """Files that `make` writes into a new folder."""

    # The readers are NumPy's and Pillow's: data sets lie on a disk.
    MOCK_OUT_FORBIDDEN_OS_FUNCTIONS = False

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        cls.make(Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.EXAMPLE_DIR)


class TestCifar10h(OnFiles, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builders.Cifar10h
    SPLITS = {"test": 60}

    @staticmethod
    def make(folder):
        write_npz(folder / "cifar10h.npz", (32, 32, 3), 10)


@pytest.mark.slow
class TestFashionmnistH(OnFiles, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builders.FashionmnistH
    SPLITS = {"test": 60}

    @staticmethod
    def make(folder):
        write_npz(folder / "fashionmnist_h.npz", (28, 28, 1), 10)


def write_shapes(folder):
    names = [f"cue-conflict/{CLASS_NAMES[i % 16]}{i // 16}-x{i}.png" for i in range(80)]
    path = folder / "shape_texture16.npz"
    return names, write_npz(path, (96, 96, 3), 16, 80, name=np.array(names))


@pytest.mark.slow
class TestShapeTexture16(OnFiles, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builders.ShapeTexture16
    SPLITS = {"test": 80}
    make = staticmethod(write_shapes)


@pytest.mark.slow
class TestPlankton(OnFiles, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builders.Plankton
    BUILDER_CONFIG_NAMES_TO_TEST = ["dcic"]
    SPLITS = FOLDS

    @staticmethod
    def make(folder):
        make_dcic(folder / "Plankton", PLANKTON, per_fold=2)


@pytest.mark.slow
class TestTurkey(OnFiles, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builders.Turkey
    BUILDER_CONFIG_NAMES_TO_TEST = ["folders"]
    SPLITS = {"train": 4, "validation": 2, "unlabeled": 6, "test": 2}

    @staticmethod
    def make(folder):
        sizes = {"train": 2, "val": 1, "unlabeled": 3, "test": 1}
        make_folders(folder / "turkey", sizes, ["0", "1"])


class TestMiceBone(OnFiles, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builders.MiceBone
    BUILDER_CONFIG_NAMES_TO_TEST = ["dcic"]
    SPLITS = FOLDS

    @staticmethod
    def make(folder):
        make_dcic(folder / "MiceBone", ["g", "nr", "ug"], per_fold=2)


def prepare(name, folder):
    config = tfds.download.DownloadConfig(manual_dir=folder)
    builder = tfds.builder(name, data_dir=folder / "tfds")
    builder.download_and_prepare(download_config=config)
    return builder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with prepared data sets, and what was written for them."""
    folder = tmp_path_factory.mktemp("builders")
    make_dcic(folder / "Turkey", TURKEY, per_fold=4, unsure=1)
    prepare("turkey", folder)
    write_shapes(folder)
    prepare("shape_texture16", folder)
    return folder


def test_what_is_written_is_what_the_reader_reads(prepared):
    data = datasets.load("turkey", prepared, labeled=15)
    images = [data.labeled, data.unlabeled]
    expected = {
        name: (part.majority[i], part.counts[i], part.soft_labels[i], part.read([i])[0])
        for part in images
        for i, name in enumerate(part.ids)
    }
    builder = tfds.builder("turkey/dcic", data_dir=prepared / "tfds")
    assert tuple(builder.info.features["label"].names) == data.class_names
    seen = 0
    for examples in builder.as_dataset().values():
        for example in tfds.as_numpy(examples):
            label, counts, soft, pixels = expected[example["id"].decode()]
            assert example["label"] == label
            np.testing.assert_array_equal(example["counts"], counts)
            np.testing.assert_array_equal(example["soft_label"], soft)
            np.testing.assert_array_equal(example["image"], pixels)
            seen += 1
    assert seen == len(expected) == 20
    assert sum(np.isnan(soft).all() for _, _, soft, _ in expected.values()) == 5


@pytest.mark.parametrize("kept", [True, False])
def test_from_tfds(prepared, tmp_path, kept, monkeypatch):
    read = {"data_dir": prepared / "tfds", "cache": tmp_path if kept else None}
    data = datasets.from_tfds("shape_texture16", "test", seed=2, read=read)
    assert data.name == "shape_texture16" and data.class_names == CLASS_NAMES
    whole = datasets.load(
        "shape_texture16",
        prepared,
        labeled=80,
        unlabeled=None,
        validation=None,
        split={"labeled": write_shapes(tmp_path)[0]},
    )
    by_id = dict(zip(whole.labeled.ids, whole.labeled.counts.tolist(), strict=True))
    for part in (data.labeled, data.unlabeled, data.validation):
        assert [by_id[name] for name in part.ids] == part.counts.tolist()
        assert part.read([0]).shape == (1, 96, 96, 3)
    assert [len(data.labeled), len(data.unlabeled), len(data.validation)] == [
        13,
        51,
        16,
    ]
    if kept:
        # Found again, without TFDS and without the pixels in memory.
        monkeypatch.setattr(tfds, "load", None)
        again = datasets.from_tfds("shape_texture16", "test", seed=2, read=read)
        assert isinstance(again.labeled._images.base, np.memmap)
        assert again.labeled.ids == data.labeled.ids
        np.testing.assert_array_equal(again.labeled.images, data.labeled.images)


def test_features_of_other_names(prepared):
    folder = prepared / "tfds"
    images = read_tfds("turkey", "fold1", counts=None, ids=None, data_dir=folder)
    assert images.ids[0] == "fold1_00000" and images.counts.sum() == 3
    assert images.majority.tolist().count(-1) == 1
    images = read_tfds("turkey", "fold1", counts=None, label=None, data_dir=folder)
    assert not images.has_counts
    with pytest.raises(ValueError, match=r"no feature 'picture'. It has \['counts'"):
        read_tfds("turkey", "fold1", image="picture", data_dir=folder)


def test_without_its_files_a_builder_says_which(tmp_path):
    builder = tfds.builder("plankton", data_dir=tmp_path)
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "missing")
    with pytest.raises(AssertionError, match=r"zenodo\.org/record/8115942"):
        builder.download_and_prepare(download_config=config)
    config = tfds.download.DownloadConfig(manual_dir=tmp_path)
    (tmp_path / "else.txt").write_text("x")
    with pytest.raises(FileNotFoundError) as caught:
        builder.download_and_prepare(download_config=config)
    told = str(caught.value)
    assert "zenodo.org/record/8115942" in told and str(tmp_path) in told
    assert "manual_dir=" in told and "KERAS_DC3_DATA" not in told
