"""Weights from a file, and what to do where there is no network."""

import h5py
import keras
import numpy as np
import pytest
from absl import flags

from keras_dc3 import backbones
from keras_dc3.backbones import __main__ as command
from keras_dc3.backbones.weights import load_weights
from tests.backbones.helpers import images, numbers, relative, tiny
from tests.slow import few

NAME = "MobileNetV3Small"
URL = "https://storage.googleapis.com/x/mobilenet_v3_small_no_top.h5"


@pytest.fixture(scope="module")
def source():
    """A backbone whose weights others are to have."""
    keras.utils.set_random_seed(3)
    return backbones.pretrained(NAME, weights=None, image_size=32)


def write_as_keras_has_published(network, path):
    """The form of the files that Keras fetches: a group for each layer, in order."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.4.0"
        for layer in network.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/w{i}:0" for i in range(len(layer.weights))]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = numbers(weight)
    return path


def assert_same(found, expected):
    pairs = zip(found.network.weights, expected.network.weights, strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(numbers(a), numbers(b))


@pytest.mark.parametrize("form", few(["of Keras 3", "as published"], "as published"))
def test_weights_of_a_file(form, source, tmp_path):
    path = tmp_path / "small.weights.h5"
    if form == "of Keras 3":
        source.network.save_weights(path)
    else:
        path = write_as_keras_has_published(source.network, tmp_path / "small.h5")
    loaded = backbones.pretrained(NAME, weights=path, image_size=48)
    assert_same(loaded, source)


def test_weights_of_another_network(source, tmp_path):
    path = tmp_path / "tiny.weights.h5"
    network = tiny()
    network.save_weights(path)
    with pytest.raises(ValueError, match="holds the weights of another network: 20"):
        backbones.pretrained(NAME, weights=path, image_size=32)
    with pytest.raises(ValueError, match="of which 14 have the shape of one of the 14"):
        load_weights(tiny(blocks=2), path, "Tiny")
    top = keras.Model(network.input, keras.layers.Dense(10)(network.output))
    top.save_weights(path)
    with pytest.raises(ValueError, match="holds Tiny with its classification head"):
        load_weights(network, path, "Tiny")


def test_files_that_are_none(source, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file 'imagnet'"):
        backbones.pretrained(NAME, weights="imagnet", image_size=32)
    path = tmp_path / "model.weights.h5"
    path.write_bytes(b"no weights")
    with pytest.raises(OSError, match="is no file of weights as Keras writes them"):
        backbones.pretrained(NAME, weights=path, image_size=32)


@pytest.fixture
def fetched(monkeypatch):
    """Makes Keras find what it would fetch: a path, or an error."""

    def make(result):
        def get_file(*_, **__):
            if isinstance(result, Exception):
                raise result
            return str(result)

        monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)

    return make


def test_without_a_network(fetched):
    fetched(Exception(f"URL fetch failure on {URL}: None -- [Errno -2] unknown"))
    with pytest.raises(OSError, match="cannot be fetched from here") as told:
        backbones.pretrained(NAME, image_size=32)
    for part in (URL, f"fetch {NAME} --to {NAME}.weights.h5", 'weights="MobileNetV3'):
        assert part in str(told.value)
    fetched(Exception("another reason"))
    with pytest.raises(Exception, match="another reason"):
        backbones.pretrained(NAME, image_size=32)


@pytest.mark.slow
def test_fetched_with_one_command_and_read_elsewhere(source, fetched, tmp_path, capsys):
    fetched(write_as_keras_has_published(source.network, tmp_path / "small.h5"))
    path = tmp_path / "there" / "small.weights.h5"
    flags.FLAGS(["command", "--to", str(path)])
    command.main(["command", "fetch", "mobilenet_v3_small"])
    assert 'weights="small.weights.h5"' in capsys.readouterr().out
    loaded = backbones.pretrained(NAME, weights=path, image_size=32)
    assert_same(loaded, source)
    command.main(["command", "names"])
    assert NAME in capsys.readouterr().out.split()


def test_what_the_command_refuses(tmp_path):
    flags.FLAGS(["command", "--to", str(tmp_path / "small.h5")])
    with pytest.raises(SystemExit, match=r"ends in \.weights\.h5"):
        command.main(["command", "fetch", NAME])
    with pytest.raises(SystemExit, match="Unknown backbone 'resnet55'"):
        command.main(["command", "fetch", "resnet55"])
    with pytest.raises(command.app.UsageError):
        command.main(["command", "fetch"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EfficientNetB0", "NASNetMobile"])
def test_what_keras_does_for_the_weights_of_imagenet_alone(name, fetched, tmp_path):
    """EfficientNet scales images once more; NASNet takes one size."""
    own = getattr(keras.applications, name)(weights=None, include_top=False)
    fetched(write_as_keras_has_published(own, tmp_path / "published.h5"))
    at_once = backbones.pretrained(name, image_size=64)
    from_file = backbones.pretrained(
        name, weights=tmp_path / "published.h5", image_size=64
    )
    assert_same(from_file, at_once)
    pixels = images(size=64)
    assert relative(numbers(from_file(pixels)), numbers(at_once(pixels))) < 1e-6
    random = backbones.pretrained(name, weights=None, image_size=64)
    random.network.set_weights(at_once.network.get_weights())
    differ = relative(numbers(random(pixels)), numbers(at_once(pixels))) > 1e-3
    assert differ == (name == "EfficientNetB0")
