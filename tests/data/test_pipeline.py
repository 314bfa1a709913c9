"""What only tf.data can get wrong; and batches in another process."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import datasets
from keras_dc3.collective import Share
from tests.processes import run_script

VIEWS = ("weak", "strong")

SCRIPT = """
import hashlib
import keras
import numpy as np
from keras_dc3 import datasets

def make():
    images = (np.arange(40 * 8 * 8 * 3) * 37 % 251).reshape(40, 8, 8, 3)
    counts = np.eye(3, dtype=int)[np.arange(40) % 3] * 4
    return datasets.from_arrays(
        images.astype("uint8"), counts, labeled=7, unlabeled=26, validation=7,
        batch_size=4, seed=11, labels="sampled",
    )

def digest(data, epoch):
    data.set_epoch(epoch)
    batches = data.training_batches(("weak", "strong"), unlabeled_ratio=2)
    batches = [batches[i] for i in range(len(batches))] if isinstance(
        batches, keras.utils.PyDataset) else batches
    code = hashlib.sha256()
    for batch in batches:
        for part in keras.tree.flatten(batch):
            code.update(np.ascontiguousarray(part).tobytes())
    return code.hexdigest()
"""


@pytest.fixture(scope="module")
def tools():
    names = {}
    exec(SCRIPT, names)
    return names


@pytest.mark.slow
def test_the_same_batches_in_another_process(tools):
    expected = tools["digest"](tools["make"](), 3)
    result = run_script(f"{SCRIPT}\nprint(digest(make(), 3))", check=True)
    assert result.stdout.split()[-1] == expected
    assert tools["digest"](tools["make"](), 4) != expected


def test_each_view_has_its_own_draw_whatever_the_others():
    data = datasets.from_arrays(
        np.arange(30 * 64).reshape(30, 8, 8).astype("uint8"),
        np.arange(30) % 2,
        num_classes=2,
        labeled=6,
        unlabeled=20,
        validation=4,
        batch_size=4,
    )

    def first(views):
        batches = data.training_batches(views)
        one = isinstance(batches, keras.utils.PyDataset)
        x, _ = batches[0] if one else next(iter(batches))
        return {view: np.asarray(x["unlabeled"][view]) for view in views}

    both, alone = first(["a", "b"]), first(["b"])
    assert (both["a"] != both["b"]).any()
    np.testing.assert_array_equal(both["b"], alone["b"])


@pytest.mark.tensorflow
def test_static_shapes(tools):
    dataset = tools["make"]().training_batches(VIEWS)
    x, y = dataset.element_spec
    assert x["labeled"].shape.as_list() == [None, 8, 8, 3]
    assert x["unlabeled"]["strong"].shape.as_list() == [None, 8, 8, 3]
    assert y.dtype == "int32"


@pytest.mark.tensorflow
def test_one_iterator_is_not_changed_by_the_next_epoch(tools):
    """An epoch under way keeps its order when the clock moves on."""
    data = tools["make"]()
    dataset = data.training_batches(VIEWS)
    whole = [y.numpy().tolist() for _, y in dataset]
    iterator = iter(dataset)
    labels = [next(iterator)[1].numpy().tolist()]
    data.set_epoch(1)
    labels += [y.numpy().tolist() for _, y in iterator]
    assert labels == whole


@pytest.mark.tensorflow
@pytest.mark.parametrize("ratio", [1, 3])
def test_replicas_share_each_batch(ratio, mirrored):
    data = datasets.from_arrays(
        np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1)).astype("uint8"),
        np.arange(60) % 3,
        num_classes=3,
        labeled=10,
        unlabeled=37,
        validation=13,
        batch_size=8,
    )

    def joined(value):
        parts = mirrored.experimental_local_results(value)
        assert len(parts) == 2
        return np.concatenate([part.numpy() for part in parts])

    dataset = data.training_batches(VIEWS, unlabeled_ratio=ratio)
    shared = mirrored.experimental_distribute_dataset(dataset)
    assert int(shared.cardinality) == int(dataset.cardinality()) == data.steps(ratio)
    for batch, parts in zip(dataset, shared, strict=True):
        keras.tree.map_structure(
            np.testing.assert_array_equal,
            keras.tree.map_structure(lambda value: value.numpy(), batch),
            keras.tree.map_structure(joined, parts),
        )
    validation = mirrored.experimental_distribute_dataset(data.validation_batches(5))
    labels = np.concatenate([joined(y) for _, y in validation])
    np.testing.assert_array_equal(labels, data.validation.targets)


@pytest.mark.tensorflow
@pytest.mark.parametrize("features", [False, True], ids=["images", "features"])
def test_workers_make_and_read_their_own_shares(features):
    """Two replicas in one process, one in another; the last batch is of one image."""
    data = datasets.from_arrays(
        np.random.default_rng(0).integers(0, 256, (63, 8, 8, 3)).astype("uint8"),
        np.arange(63) % 3,
        num_classes=3,
        labeled=10,
        unlabeled=41,
        validation=12,
        batch_size=10,
    )
    if features:
        backbone = keras_dc3.backbones.small_cnn((8, 8, 3))
        data = data.embed(backbone, weak=2, strong=1, verbose=0)
    shares = Share(0, 2, of=3), Share(2, 1, of=3)
    options = {"unlabeled_ratio": 1, "positions": True}
    whole = list(data.training_batches(VIEWS, **options).as_numpy_iterator())
    made, reads = [], []
    for share in shares:
        read = _recorded(data.unlabeled)
        dataset = data.training_batches(VIEWS, **options, share=share)
        made.append(list(dataset.as_numpy_iterator()))
        assert len(made[-1]) == dataset.cardinality() == 5 * share.parts
        reads.append(read)
    first, second = made
    joined = zip(first[::2], first[1::2], second, strict=True)
    for expected, parts in zip(whole, joined, strict=True):
        keras.tree.map_structure(
            lambda rows, *cut: np.testing.assert_array_equal(rows, np.concatenate(cut)),
            expected,
            *parts,
        )
    assert len(first[-1][0]["positions"]) == 0  # whose one image is the second's
    if not features:  # which are read as a whole, and cut
        assert sorted([*reads[0], *reads[1]]) == list(range(41))


def _recorded(images):
    """Returns a list of all positions that a set is asked for from now on."""
    positions, read = [], type(images).read

    def recorded(indices):
        positions.extend(np.asarray(indices).tolist())
        return read(images, indices)

    images.read = recorded
    return positions


def test_a_seeded_function_of_ones_own_is_repeatable():
    seeds = []

    def note(images, seed):
        seeds.append(np.shape(seed))
        return images

    data = datasets.from_arrays(
        np.zeros((20, 4, 4, 1), "uint8"),
        np.arange(20) % 2,
        num_classes=2,
        labeled=6,
        unlabeled=10,
        validation=4,
        augment={"weak": note},
    )
    batches = data.training_batches(["only"])
    _ = (
        batches[0]
        if isinstance(batches, keras.utils.PyDataset)
        else next(iter(batches))
    )
    assert seeds and set(seeds) == {(2,)}
