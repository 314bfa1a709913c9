"""The data sets that `load` knows."""

import numpy as np
import pytest

from keras_dc3 import Annotations, datasets
from keras_dc3.datasets.cifar10h import CLASS_NAMES
from keras_dc3.datasets.counted import check_agreement
from keras_dc3.datasets.shape_texture16 import CLASS_NAMES as SHAPES
from keras_dc3.datasets.shape_texture16 import object_of


def test_names():
    of_the_paper = {"plankton", "turkey", "mice_bone", "cifar10h", "stl10"}
    others = {"digits", "fashionmnist_h", "shape_texture16", "dcic_benthic"}
    assert of_the_paper | others < set(datasets.names())
    assert datasets.names() == sorted(datasets.names())
    with pytest.raises(ValueError, match="Did you mean 'cifar10h'"):
        datasets.load("cifar-10h")


def test_digits():
    pytest.importorskip("sklearn", reason="needs keras_dc3[demo]")
    data, again = (datasets.load("digits", num_images=300, seed=4) for _ in range(2))
    parts = [data.labeled, data.unlabeled, data.validation]
    assert [len(p) for p in parts] == [48, 192, 60]
    assert data.image_shape == (16, 16, 1) and data.num_classes == 10
    # No scanned digit is in two parts: the id names its first source.
    sources = [{i.split("_")[1] for i in part.ids} for part in parts]
    assert not (sources[0] & sources[1] or sources[0] & sources[2])
    assert not sources[1] & sources[2]
    assert (data.unlabeled.images == again.unlabeled.images).all()
    assert (data.unlabeled.counts == again.unlabeled.counts).all()
    truth = data.true_soft_labels["unlabeled"]
    np.testing.assert_allclose(truth.sum(axis=1), 1, atol=1e-5)
    # The annotators' answers scatter around the truth, and clean digits are clear.
    assert np.abs(data.unlabeled.soft_labels - truth).mean() < 0.05
    clean = np.array([i.endswith("clean") for i in data.unlabeled.ids])
    assert (truth[clean].max(axis=1) == 1).all()
    assert (truth[~clean].max(axis=1) < 1).all()
    assert (data.unlabeled.counts.sum(axis=1) == 10).all()


def test_digits_without_scikit_learn(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"keras_dc3\[demo\]"):
        datasets.load("digits")


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("cifar10h", (32, 32, 3), 10), ("fashionmnist_h", (28, 28, 1), 10)],
)
def test_real_data(name, shape, classes, data_dir):
    data = datasets.load(name, data_dir=data_dir)
    parts = [data.labeled, data.unlabeled, data.validation]
    assert [len(p) for p in parts] == [1600, 6400, 2000]
    assert data.image_shape == shape and data.num_classes == classes
    assert len({i for p in parts for i in p.ids}) == 10_000
    soft = data.labeled.soft_labels
    assert (soft[np.arange(1600), data.labels] > 0).all()
    # Sampled, not the majority; and people agree on most images.
    agreement = (soft.argmax(axis=1) == data.labels).mean()
    assert 0.6 < agreement < 0.999


@pytest.mark.filterwarnings("ignore:.* have a tie")
def test_shape_texture16(data_dir):
    data = datasets.load("shape_texture16", data_dir=data_dir)
    parts = [data.labeled, data.unlabeled, data.validation]
    assert sum(map(len, parts)) == 1600
    np.testing.assert_allclose(
        [len(p) / 1600 for p in parts], [0.16, 0.64, 0.2], atol=0.02
    )
    objects = [{object_of(name) for name in part.ids} for part in parts]
    assert not objects[0] & objects[1] and not objects[2] & (objects[0] | objects[1])
    for part in parts:
        # Of the ten of each class, and people agree with most of them.
        shares = np.bincount(part.majority, minlength=16) / len(part)
        assert shares.min() > 0.03 and shares.max() < 0.12
    trials = Annotations.from_csv(
        data_dir / "annotations" / "shape_texture16_trials.csv",
        image="imagename",
        annotator="subj",
        label="object_response",
        seconds="rt",
        class_names=SHAPES,
        no_answer=["na"],
    )
    for part in parts:
        assert (trials.select(part.ids).counts == part.counts).all()
    assert len(trials.annotators) == 10
    assert 0.7 < np.nanmedian(trials.records.seconds) < 0.9


def fake_shapes(folder, n=192, **changes):
    """Objects 1 to 4 of each class, three images of each."""
    labels = np.arange(n) % 16
    names = [
        f"cue-conflict/{SHAPES[c]}{1 + i // 16 % 4}-x{i}.png"
        for i, c in enumerate(labels)
    ]
    content = {
        "images": np.zeros((n, 96, 96, 3), "uint8"),
        "labels": labels,
        "counts": 9 * np.eye(16, dtype=int)[labels] + np.eye(16, dtype=int)[labels - 1],
        "name": np.array(names),
    }
    np.savez(folder / "shape_texture16.npz", **{**content, **changes})
    return names


@pytest.mark.parametrize("stratify", [True, False])
def test_the_same_object_is_in_one_part(tmp_path, stratify):
    names = fake_shapes(tmp_path)
    sizes = {"labeled": 0.25, "unlabeled": 0.5, "validation": 0.25}
    data = datasets.load("shape_texture16", tmp_path, stratify=stratify, **sizes)
    parts = [data.labeled, data.unlabeled, data.validation]
    assert {name for part in parts for name in part.ids} == set(names)
    objects = [{object_of(name) for name in part.ids} for part in parts]
    assert sum(map(len, objects)) == 64
    if stratify:
        assert [len(part) for part in parts] == [48, 96, 48]
        assert (np.bincount(data.validation.majority) == 3).all()


def test_a_split_of_ones_own_may_divide_objects(tmp_path):
    names = fake_shapes(tmp_path)
    split = {"labeled": names[:20], "validation": names[20:]}
    data = datasets.load("shape_texture16", tmp_path, split=split)
    assert data.labeled.ids == tuple(names[:20]) and data.unlabeled is None


def test_shapes_that_are_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"put `shape_texture16\.npz` there"):
        datasets.load("shape_texture16", tmp_path)
    np.savez(tmp_path / "shape_texture16.npz", images=np.zeros((2, 96, 96, 3), "uint8"))
    with pytest.raises(ValueError, match=r"lacks \['labels', 'counts', 'name'\]"):
        datasets.load("shape_texture16", tmp_path)


def test_a_split_is_repeated_from_its_file(tmp_path):
    fake_npz(tmp_path)
    sizes = {"labeled": 40, "unlabeled": 120, "validation": 40}
    first = datasets.load("cifar10h", tmp_path, seed=5, stratify=True, **sizes)
    first.save_split(tmp_path / "split.json")
    again = datasets.load("cifar10h", tmp_path, seed=5, split=tmp_path / "split.json")
    assert again.validation.ids == first.validation.ids
    assert (again.labels == first.labels).all()


def fake_npz(path, shift=0, **changes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 200)
    content = {
        "images": rng.integers(0, 256, (200, 32, 32, 3)).astype("uint8"),
        "labels": labels,
        "counts": np.roll(50 * np.eye(10, dtype=int)[labels] + 1, shift, axis=0),
    }
    np.savez(path / "cifar10h.npz", **{**content, **changes})


def test_counts_of_other_images_are_refused(tmp_path):
    sizes = {"labeled": 40, "unlabeled": 120, "validation": 40}
    fake_npz(tmp_path)
    datasets.load("cifar10h", data_dir=tmp_path, **sizes)
    fake_npz(tmp_path, shift=1)
    with pytest.raises(ValueError, match="do not belong to its images"):
        datasets.load("cifar10h", data_dir=tmp_path, **sizes)
    fake_npz(tmp_path, counts=np.ones((100, 10), int))
    with pytest.raises(ValueError, match="a row of counts for each of 200"):
        datasets.load("cifar10h", data_dir=tmp_path, **sizes)
    fake_npz(tmp_path, counts=-np.ones((200, 10), int))
    with pytest.raises(ValueError, match="counts"):
        datasets.load("cifar10h", data_dir=tmp_path, **sizes)
    fake_npz(tmp_path, images=np.zeros((200, 8, 8, 3), "uint8"))
    with pytest.raises(ValueError, match="must be uint8"):
        datasets.load("cifar10h", data_dir=tmp_path, **sizes)
    fake_npz(tmp_path, counts=np.ones((200, 9), int))
    with pytest.raises(ValueError, match="must have 10 columns"):
        datasets.load("cifar10h", data_dir=tmp_path, **sizes)
    (tmp_path / "cifar10h.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ValueError, match="is damaged"):
        datasets.load("cifar10h", data_dir=tmp_path)
    np.savez(tmp_path / "cifar10h.npz", images=np.zeros((2, 32, 32, 3), "uint8"))
    with pytest.raises(ValueError, match=r"lacks \['labels', 'counts'\]"):
        datasets.load("cifar10h", data_dir=tmp_path)


def test_files_that_are_missing(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"put `cifar10h-counts.npy`"):
        datasets.load("cifar10h", data_dir=tmp_path)
    monkeypatch.setenv("KERAS_DC3_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        datasets.load("fashionmnist_h")


def test_agreement_needs_a_row_each():
    with pytest.raises(ValueError, match="a label and a row of counts"):
        check_agreement("x", np.zeros(3), np.ones((2, 2), int), 3, 0.9)


@pytest.fixture
def fake_tfds(monkeypatch):
    """TFDS' cifar10 test split, shuffled as TFDS does, from memory."""
    tfds = pytest.importorskip("tensorflow_datasets")
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, 10_000)

    def examples():
        for i in rng.permutation(10_000):
            image = np.full((32, 32, 3), i % 251, "uint8")
            name = f"test_{i:05d}".encode()
            yield {"id": name, "image": image, "label": labels[i]}

    monkeypatch.setattr(tfds, "load", lambda *args, **kwargs: list(examples()))
    monkeypatch.setattr(tfds, "as_numpy", lambda dataset: dataset)
    return labels


@pytest.mark.tensorflow
def test_join_with_tfds_by_id(fake_tfds, tmp_path):
    counts = 50 * np.eye(10, dtype="int64")[fake_tfds] + 1
    np.save(tmp_path / "cifar10h-counts.npy", counts)
    data = datasets.load("cifar10h", data_dir=tmp_path)
    assert data.class_names == CLASS_NAMES
    for part in (data.labeled, data.unlabeled, data.validation):
        positions = np.array([int(i.rsplit("_", 1)[1]) for i in part.ids])
        assert (part.images[:, 0, 0, 0] == positions % 251).all()
        assert (part.majority == fake_tfds[positions]).all()
    np.save(tmp_path / "cifar10h-counts.npy", np.roll(counts, 1, axis=0))
    with pytest.raises(ValueError, match="probably in another order"):
        datasets.load("cifar10h", data_dir=tmp_path)
