"""Features of a frozen backbone: computed once, kept, and never stale."""

import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.data import ImageSet, StoredViews
from keras_dc3.data.augment_numpy import augment

N = 600  # three parts of a cache
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (N, 4, 4, 3)).astype("uint8")
COUNTS = RNG.multinomial(4, [0.5, 0.5], size=N)
SIZES = {"labeled": 100, "unlabeled": 400, "validation": 60}


def make_data(images=IMAGES, counts=COUNTS, **options):
    return keras_dc3.datasets.from_arrays(images, counts, **{**SIZES, **options})


def make_backbone(width=5, seed=3, **options):
    layers = keras.layers
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Conv2D(width, 3, **options),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
        ]
    )


class Counting(keras.layers.Layer):
    """Global average of the pixels, which counts the images it has seen."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def call(self, images):
        return keras.ops.mean(images, axis=(1, 2))


def expected(backbone, images):
    """Features as DC3Model would see them."""
    scaled = (images / 127.5 - 1.0).astype("float32")
    maps = keras.ops.convert_to_numpy(backbone(scaled, training=False))
    return maps.mean(axis=(1, 2)) if maps.ndim == 4 else maps


def features_of(data):
    found = {}
    for part in data.parts().values():
        rows = part.read(np.arange(len(part)))
        found |= dict(zip(part.ids, rows, strict=True))
    return found


def passes(monkeypatch):
    """Counts the images that the backbone is given from now on."""
    seen = []
    run = keras_dc3.backbones.FrozenBackbone.predict_on_batch

    def counted(self, images):
        seen.append(len(images))
        return run(self, images)

    kind = keras_dc3.backbones.FrozenBackbone
    monkeypatch.setattr(kind, "predict_on_batch", counted)
    return seen


def test_features_and_views_are_those_of_the_images(tmp_path):
    data, backbone = make_data(), make_backbone()
    before = [np.array(w) for w in backbone.get_weights()]
    features = data.embed(backbone, weak=2, strong=1, folder=tmp_path, verbose=0)
    assert features.image_shape == (5,) and repr(features.labels) == repr(data.labels)
    for name, part in data.parts().items():
        other = getattr(features, name)
        assert other.ids == part.ids and other.class_names == part.class_names
        np.testing.assert_array_equal(other.counts, part.counts)
    found = features_of(features)
    wanted = expected(backbone, IMAGES)
    for i in range(0, N, 37):
        if str(i) in found:
            np.testing.assert_allclose(found[str(i)], wanted[i], rtol=2e-3, atol=2e-3)
    views = {"first": "student", "strong": "student"}
    assert features.policies(views)["first"] == StoredViews("weak")
    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    # A view is of the augmentation of the data: strong ones hide a part.
    at = np.arange(len(features.unlabeled))
    one, two = (
        features.unlabeled.read_views("weak", at, np.random.default_rng(seed))
        for seed in (0, 1)
    )
    assert 50 < (one != two).any(axis=1).sum() < 350
    assert features.image_backbone is not None and features.name == data.name


def test_views_are_drawn_from_the_augmentation_of_the_data():
    flip = keras_dc3.data.Weak(flip=True, max_shift=0.0)
    policies = {"labeled": flip, "weak": flip, "strong": "none"}
    backbone = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
    data = make_data(augment=policies)
    features = data.embed(backbone, weak=3, strong=2, verbose=0)
    rng = np.random.default_rng(0)
    at = np.arange(len(features.unlabeled))
    plain = features.unlabeled.read(at).reshape(-1, 4, 4, 3)
    mirrored = plain[:, :, ::-1]
    seen = np.zeros(2, int)
    for _ in range(4):
        view = features.unlabeled.read_views("weak", at, rng).reshape(-1, 4, 4, 3)
        same, turned = ((view == p).all(axis=(1, 2, 3)) for p in (plain, mirrored))
        assert (same | turned).all()
        seen += same.sum(), turned.sum()
    assert (seen > 400).all()
    strong = features.unlabeled.read_views("strong", at, rng).reshape(-1, 4, 4, 3)
    np.testing.assert_array_equal(strong, plain)
    assert augment(keras_dc3.data.NoAugmentation(), IMAGES[:1], [0, 1]) is not None


@pytest.mark.parametrize("low", [0.0, -1.0])
@pytest.mark.parametrize("bytes_", [True, False])
def test_floats_reach_the_backbone_as_they_are_or_as_it_says(low, bytes_):
    class OfBytes(keras.layers.Layer):
        image_range = (0.0, 255.0)

        def call(self, images):
            return keras.ops.mean(images, axis=(1, 2))

    images = (IMAGES / 255.0 * (1.0 - low) + low).astype("float32")
    layer = OfBytes() if bytes_ else Counting()
    features = make_data(images).embed(layer, weak=0, strong=0, verbose=0)
    wanted = (IMAGES if bytes_ else images).mean(axis=(1, 2))
    for name, row in features_of(features).items():
        np.testing.assert_allclose(row, wanted[int(name)], rtol=2e-3, atol=2e-3)


def test_what_is_there_is_read_and_what_has_changed_is_computed(tmp_path, monkeypatch):
    backbone, options = make_backbone(), {"weak": 1, "strong": 0, "verbose": 0}
    data = make_data()
    first = features_of(data.embed(backbone, folder=tmp_path, **options))
    number = len(first)
    seen = passes(monkeypatch)
    again = features_of(data.embed(backbone, folder=tmp_path, **options))
    assert sum(seen) == 1  # by which the network is told from others
    assert all((again[name] == row).all() for name, row in first.items())
    # Another split of the same images, too.
    used = {name: list(part.ids) for name, part in data.parts().items()}
    used |= {"labeled": used["unlabeled"], "unlabeled": used["labeled"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = make_data(split=used)
    assert sum(seen) == 1 and other.embed(backbone, folder=tmp_path, **options)
    assert sum(seen) == 2
    # One image has changed: its part alone is computed anew.
    name = data.unlabeled.ids[0]
    changed = IMAGES.copy()
    changed[int(name)] = 255 - changed[int(name)]
    seen.clear()
    found = features_of(make_data(changed).embed(backbone, folder=tmp_path, **options))
    assert 1 + 2 * 48 <= sum(seen) <= 1 + 2 * 256
    differing = [n for n, row in first.items() if (found[n] != row).any()]
    assert name in differing and len(differing) <= 256
    np.testing.assert_allclose(
        found[name], expected(backbone, changed)[int(name)], rtol=2e-3, atol=2e-3
    )
    assert number == 560


def other_weights():
    return make_data(), make_backbone(seed=4), {}


def same_weights_other_network():
    backbone = make_backbone(activation="relu")
    backbone.set_weights(make_backbone().get_weights())
    return make_data(), backbone, {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (other_weights, "weights, network"),
        (same_weights_other_network, "network"),
        (lambda: (make_data(), make_backbone(), {"weak": 2}), "number of views"),
        (
            lambda: (
                make_data(augment={"weak": "none", "labeled": "none"}),
                make_backbone(),
                {},
            ),
            "augmentation",
        ),
        (lambda: (make_data(seed=1), make_backbone(), {}), "seed, list of images"),
        (
            lambda: (make_data(IMAGES / np.float32(255)), make_backbone(), {}),
            "scale of the images, .*range of pixels",
        ),
    ],
)
def test_what_is_of_something_else_is_told_and_computed_anew(tmp_path, change, told):
    options = {"weak": 1, "strong": 0, "verbose": 0, "folder": tmp_path}
    make_data().embed(make_backbone(), **options)
    data, backbone, changes = change()
    with pytest.warns(UserWarning, match=f"of other {told} and are computed anew"):
        found = data.embed(backbone, **options | changes)
    fresh = data.embed(backbone, **options | changes | {"folder": None})
    a, b = features_of(found), features_of(fresh)
    assert all(np.allclose(a[name], b[name], atol=1e-3) for name in a)


@pytest.mark.parametrize("damage", ["state", "missing", "cut", "flipped"])
def test_damaged_caches_are_mended(tmp_path, damage, monkeypatch):
    data, backbone = make_data(), make_backbone()
    options = {"weak": 1, "strong": 0, "verbose": 0, "folder": tmp_path}
    first = features_of(data.embed(backbone, **options))
    state, weak = tmp_path / "features.json", tmp_path / "weak.npy"
    if damage == "state":
        state.write_text(state.read_text()[:100])
    elif damage == "missing":
        weak.unlink()
    elif damage == "cut":
        weak.write_bytes(weak.read_bytes()[:-100])
    else:
        content = bytearray((tmp_path / "plain.npy").read_bytes())
        content[-3] ^= 255
        (tmp_path / "plain.npy").write_bytes(content)
    seen = passes(monkeypatch)
    if damage == "state":
        with pytest.warns(UserWarning, match="computed anew"):
            again = features_of(data.embed(backbone, **options))
    else:
        again = features_of(data.embed(backbone, **options))
    assert all((again[name] == row).all() for name, row in first.items())
    assert sum(seen) == (1 + 2 * 48 if damage == "flipped" else 1 + 2 * 560)


def test_other_files_are_left_alone(tmp_path):
    np.save(tmp_path / "plain.npy", IMAGES)
    with pytest.raises(
        ValueError, match=r"holds other things, such as 'plain\.npy'.*empty or new `f"
    ):
        make_data().embed(make_backbone(), folder=tmp_path, verbose=0)
    np.testing.assert_array_equal(np.load(tmp_path / "plain.npy"), IMAGES)


def test_a_full_disk_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(
        OSError, match=r"The features take 1 MB, but the disk of .* 1 MB"
    ):
        make_data().embed(make_backbone(), folder=tmp_path, verbose=0)
    assert not list(tmp_path.glob("*.npy"))


def test_a_folder_that_cannot_be_written_to():
    with pytest.raises(OSError, match="cannot be kept in '/proc/no'"):
        make_data().embed(make_backbone(), folder="/proc/no", verbose=0)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock")
def test_two_processes_do_not_write_at_once(tmp_path):
    import fcntl

    with open(tmp_path / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="Another process computes features into"):
            make_data().embed(make_backbone(), folder=tmp_path, verbose=0)


def test_size_and_progress_are_shown(tmp_path, capsys):
    make_data().embed(make_backbone(), 1, 1, tmp_path, verbose=1)
    told = capsys.readouterr().out
    assert "560 images, 1 weak and 1 strong views of each: 1 MB in" in told
    assert "The backbone gets images of 0 to 255 as numbers of -1 to 1." in told
    assert "560/560" in told
    changed = IMAGES.copy()
    changed[:] = 255 - changed
    make_data(changed).embed(make_backbone(), 1, 1, tmp_path, verbose=0)
    assert "those of up to 560 images were computed anew" in capsys.readouterr().out


def test_features_of_files_follow_the_files(tmp_path, monkeypatch):
    pillow = pytest.importorskip("PIL.Image")
    folder = tmp_path / "fish"
    folder.mkdir()
    for i in range(20):
        pillow.fromarray(IMAGES[i]).save(folder / f"{i}.png")
    (tmp_path / "answers.csv").write_text(
        "image,annotator,label\n"
        + "\n".join(f"{i}.png,{a},{'ab'[i % 2]}" for i in range(12) for a in "xy")
    )
    data = keras_dc3.datasets.from_directory(folder, tmp_path / "answers.csv")
    backbone = make_backbone()
    seen = passes(monkeypatch)
    options = {"weak": 0, "strong": 0, "folder": tmp_path / "f", "verbose": 0}
    features = data.embed(backbone, **options)
    assert sum(seen) == 21
    found = features_of(features)
    wanted = expected(backbone, IMAGES[:20])
    for i in range(20):
        np.testing.assert_allclose(found[f"{i}.png"], wanted[i], rtol=2e-3, atol=2e-3)
    data.embed(backbone, **options)
    assert sum(seen) == 22
    pillow.fromarray(IMAGES[99]).save(folder / "3.png")
    os.utime(folder / "3.png", ns=(1, 1))
    found = features_of(data.embed(backbone, **options))
    assert sum(seen) == 43
    np.testing.assert_allclose(
        found["3.png"], expected(backbone, IMAGES[99:100])[0], rtol=2e-3, atol=2e-3
    )


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"backbone": "no_name"}, (TypeError, ValueError), "backbone"),
        ({"weak": -1}, ValueError, "weak"),
        ({"strong": 1.5}, ValueError, "strong"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        (
            {"backbone": keras.layers.Reshape((3, 16))},
            ValueError,
            r"features of shape \(n, d\)",
        ),
    ],
)
def test_what_cannot_be_embedded(arguments, error, match):

    arguments = {"backbone": make_backbone(), "verbose": 0, **arguments}
    with pytest.raises(error, match=match):
        make_data().embed(**arguments)


def test_features_are_not_embedded_again():
    features = make_data().embed(make_backbone(), 0, 0, verbose=0)
    with pytest.raises(ValueError, match="holds features already"):
        features.embed(make_backbone())
    with pytest.raises(ValueError, match="`augment` of the data says more"):
        make_data(augment={"labeled": "none"}).embed(make_backbone(), verbose=0)


def test_features_too_large_for_float16_are_told(tmp_path):
    class Large(keras.layers.Layer):
        def call(self, images):
            return keras.ops.mean(images, axis=(1, 2)) * 1e6

    with pytest.raises(ValueError, match="beyond 65,504"):
        make_data().embed(Large(), 0, 0, tmp_path, verbose=0)


SCRIPT = """
import sys, time
import numpy as np, keras, keras_dc3
folder, slow = sys.argv[1], float(sys.argv[2])
from tests.data.test_embedding import make_data, make_backbone, features_of
from keras_dc3.data.feature_cache import FeatureCache
put = FeatureCache.put
def slower(self, *args):
    put(self, *args)
    print("part", flush=True)
    time.sleep(slow)
FeatureCache.put = slower
data = make_data().embed(make_backbone(), 1, 0, folder, verbose=0)
np.savez(folder + ".npz", **features_of(data))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_a_killed_process_goes_on(tmp_path):
    folder = tmp_path / "f"
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, str(script), str(folder)]
    killed = subprocess.Popen(
        [*command, "60"], env=environment, stdout=subprocess.PIPE, text=True
    )
    while "part" not in (line := killed.stdout.readline()):
        assert line or killed.poll() is None, "it ended by itself"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    parts = json.loads((folder / "features.json").read_text())["parts"]
    assert [part is not None for part in parts] == [True, False, False]
    # What the process was about to write may be there in part.
    half = np.lib.format.open_memmap(folder / "plain.npy", "r+")
    half[300:350] = 7
    half.flush()

    done = subprocess.run(
        [*command, "0"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("part") == 2
    fresh = features_of(make_data().embed(make_backbone(), 1, 0, verbose=0))
    with np.load(f"{folder}.npz") as found:
        assert sorted(found.files) == sorted(fresh)
        for name, row in fresh.items():
            np.testing.assert_allclose(found[name], row, atol=2e-3)


def test_pictures_are_the_images_themselves():
    features = make_data().embed(make_backbone(), 0, 0, verbose=0)
    from keras_dc3.plots.pixels import drawable

    name = features.unlabeled.ids[0]
    found = drawable(features.unlabeled, [name])[name]
    np.testing.assert_allclose(found, IMAGES[int(name)] / 255.0)
    assert isinstance(make_data().labeled, ImageSet)
