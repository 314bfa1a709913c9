"""Training batches: reproducible, the same on every backend, without leaks."""

import keras
import numpy as np
import pytest

from keras_dc3 import datasets


def make(poison=False, **kwargs):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 12, 12, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=60)
    data = datasets.from_arrays(
        images,
        counts,
        labeled=10,
        unlabeled=38,
        validation=12,
        batch_size=4,
        seed=2,
        labels="sampled",
        **kwargs,
    )
    if poison:
        data.unlabeled.counts[:] = 1000 * data.unlabeled.counts[:, ::-1] + 1
    return data


def collect(batches, epoch=None, data=None):
    if epoch is not None:
        data.set_epoch(epoch)
    if isinstance(batches, keras.utils.PyDataset):
        batches = [batches[i] for i in range(len(batches))]
    return [
        keras.tree.map_structure(lambda v: np.asarray(v), batch) for batch in batches
    ]


def assert_equal(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        keras.tree.map_structure(np.testing.assert_array_equal, a, b)


VIEWS = {"weak": "student", "strong": "student"}


def test_shapes_types_and_parts():
    data = make()
    batches = collect(data.training_batches(VIEWS, unlabeled_ratio=2))
    assert len(batches) == data.steps(2) == 5
    x, y = batches[0]
    assert x["labeled"].shape == (4, 12, 12, 3) and x["labeled"].dtype == "uint8"
    assert {v: i.shape for v, i in x["unlabeled"].items()} == {
        "weak": (8, 12, 12, 3),
        "strong": (8, 12, 12, 3),
    }
    assert batches[-1][0]["unlabeled"]["weak"].shape[0] == 6
    assert y.dtype == "int32" and y.shape == (4,)
    assert (x["unlabeled"]["weak"] != x["unlabeled"]["strong"]).any()
    images, labels = collect(data.training_batches({}))[0]
    assert images.shape == (4, 12, 12, 3) and labels.shape == (4,)


def test_epochs_differ_and_repeat():
    data = make()
    batches = data.training_batches(VIEWS)
    epochs = [collect(batches, e, data) for e in (0, 1, 0)]
    assert_equal(epochs[0], epochs[2])
    assert (epochs[0][0][0]["labeled"] != epochs[1][0][0]["labeled"]).any()
    other = make()
    other.set_epoch(1)
    assert_equal(collect(other.training_batches(VIEWS)), epochs[1])


def test_labels_belong_to_their_images():
    data = make(augment="none")
    known = {
        image.tobytes(): label
        for image, label in zip(data.labeled.images, data.labels, strict=True)
    }
    for x, y in collect(data.training_batches(VIEWS)):
        assert [known[image.tobytes()] for image in x["labeled"]] == y.tolist()


def test_poisoned_unlabeled_counts_change_nothing():
    first, second = (
        collect(make(poison).training_batches(VIEWS)) for poison in (False, True)
    )
    assert_equal(first, second)


def test_validation_in_order():
    data = make()
    batches = collect(data.validation_batches(5))
    assert [len(y) for _, y in batches] == [5, 5, 2]
    images = np.concatenate([x for x, _ in batches])
    soft = np.concatenate([y for _, y in batches])
    assert (images == data.validation.images).all()
    np.testing.assert_allclose(soft, data.validation.soft_labels)


def test_the_ratio_of_the_data_wins():
    data = make(unlabeled_ratio=3)
    x, _ = collect(data.training_batches(VIEWS, unlabeled_ratio=7))[0]
    assert len(x["unlabeled"]["weak"]) == 12


def test_bad_views_and_policies():
    with pytest.raises(ValueError, match="reserved 'labeled'"):
        make().training_batches(["labeled"])
    with pytest.raises(ValueError, match=r"`augment` names 'strnog'.*'strong'"):
        make(augment={"strnog": "weak"}).training_batches(VIEWS)


@pytest.mark.tensorflow
def test_tf_data_and_numpy_show_the_same_images(monkeypatch):
    for views in ({"only": "student"}, {}):
        by_tf = collect(make().training_batches(views))
        with monkeypatch.context() as patch:
            patch.setattr(keras.backend, "backend", lambda: "jax")
            by_numpy = collect(make().training_batches(views))
        assert_equal(by_tf, by_numpy)


@pytest.mark.tensorflow
def test_cardinality_is_known():
    data = make()
    assert int(data.training_batches(VIEWS).cardinality()) == data.steps(1)
    assert int(data.validation_batches().cardinality()) == 3
