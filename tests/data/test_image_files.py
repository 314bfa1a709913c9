"""Sets of images that stay in their files, and training on them."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

import keras_dc3
from keras_dc3.data import (
    FileImages,
    ImageFileError,
    ImageFormat,
    ImageSet,
    SemiSupervisedData,
    decoding,
    list_images,
)
from tests.data.image_inputs import (
    NAMES,
    counts,
    deep_png,
    files,
    frames,
    picture,
    save,
    write,
)
from tests.data.test_batches import VIEWS, assert_equal, collect


def quiet(function, *args):
    """Returns a result and the warnings on the way to it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(*args)
    return result, [str(w.message) for w in caught]


def test_the_same_as_in_memory(tmp_path):
    pixels = write(tmp_path)
    images = files(tmp_path)
    assert len(images) == 24 and images.ids[11] == "1/011.png"
    assert images.image_shape == (12, 12, 3) and images.dtype == "uint8"
    assert images.value_range == (0.0, 255.0)
    at = np.array([3, 23, 3, 0])
    assert (images.read(at) == pixels[at]).all()
    assert images.read([]).shape == (0, 12, 12, 3)
    part = images.subset([5, 2, 7]).subset([2, 0])
    assert part.ids == ("0/007.png", "0/005.png")
    assert (part.read([0, 1]) == pixels[[7, 5]]).all()
    assert [str(tmp_path / name) for name in part.ids] == list(part.paths)
    assert (part.counts == counts()[[7, 5]]).all() and part.class_names == NAMES
    batches = list(images.image_batches(10))
    assert [len(batch) for batch in batches] == [10, 10, 4]
    assert (np.concatenate(batches) == pixels).all()
    assert "24 images" in repr(images) and "with counts" in repr(images)


def test_many_threads_at_once(tmp_path):
    pixels = write(tmp_path, 40)
    images = files(tmp_path, threads=3)
    rng = np.random.default_rng(0)
    wanted = [rng.integers(0, 40, 16) for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        for at, batch in zip(wanted, pool.map(images.read, wanted), strict=True):
            assert (batch == pixels[at]).all()


def test_each_file_is_decoded_once_for_a_batch(tmp_path, monkeypatch):
    write(tmp_path)
    paths, read = [], ImageFormat.read
    monkeypatch.setattr(
        ImageFormat, "read", lambda self, path: paths.append(path) or read(self, path)
    )
    files(tmp_path, threads=1).read([1, 1, 2, 1])
    assert len(paths) == 2


def test_size_and_channels_follow_from_the_files(tmp_path):
    save(tmp_path / "a.png", picture()[..., 0])
    save(tmp_path / "b.png", picture()[..., 0])
    assert files(tmp_path).image_shape == (24, 32, 1)
    save(tmp_path / "c.png", picture())
    images = files(tmp_path)
    assert images.image_shape == (24, 32, 3)
    assert (images.read([0]) == picture()[..., :1]).all()
    assert files(tmp_path, channels=1).image_shape == (24, 32, 1)
    save(tmp_path / "d.png", picture((10, 20)))
    with pytest.raises(ValueError, match=r"2 different sizes.*24x32 \(a\.png\)"):
        _ = files(tmp_path).image_shape
    for fit in ("resize", "pad", "crop"):
        images = files(tmp_path, image_size=(8, 6), fit=fit)
        assert images.read(range(4)).shape == (4, 8, 6, 3)


@pytest.mark.filterwarnings("ignore:.*were decoded to see")
def test_a_sample_of_the_files_is_looked_at(tmp_path, monkeypatch):
    write(tmp_path)
    looked_at = []
    header = decoding.read_header
    monkeypatch.setattr(
        "keras_dc3.data.inspection.read_header",
        lambda path, *rest: looked_at.append(path) or header(path, *rest),
    )
    images = files(tmp_path, inspect=4)
    assert not looked_at  # nothing is read before it is needed
    assert images.image_shape == (12, 12, 3) and len(looked_at) == 4
    _ = images.subset([0]).image_shape
    assert len(looked_at) == 4


def test_what_a_user_should_know_is_told_once(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.gif").write_bytes(frames("GIF", size=(12, 12)))
    save(tmp_path / "a.png", picture((12, 12)))
    for i in range(2):
        values = np.full((12, 12, 1), 900, "uint16")
        (tmp_path / f"deep{i}.png").write_bytes(deep_png(values))
    images = files(tmp_path)

    def use():
        return images.image_shape, images.read([0]), images.subset([1]).image_shape

    _, told = quiet(use)
    assert len(told) == 2
    assert "3 of the 6 images hold several frames" in told[0] and "0.gif" in told[0]
    assert "2 of the 6 images have more than 8 bits" in told[1]
    _, told = quiet(lambda: files(tmp_path, max_value=1000).image_shape)
    assert len(told) == 1


def test_a_damaged_file_is_named_before_training(tmp_path):
    write(tmp_path)
    (tmp_path / "0" / "004.png").write_bytes(b"\x89PNG")
    images = files(tmp_path)
    with pytest.raises(ImageFileError, match=r"1 of 24 image files.*0/004\.png"):
        _ = images.image_shape
    with pytest.raises(ImageFileError, match=r"004\.png' cannot be read.*on_error="):
        images.read([3, 4, 5])
    with pytest.raises(ImageFileError, match="None of 1 image files"):
        FileImages(tmp_path, ["0/004.png"]).read([0])
    (tmp_path / "0" / "005.png").unlink()
    with pytest.raises(ImageFileError, match=r"005\.png' cannot be read \(No such"):
        images.read([5])


@pytest.mark.parametrize("cache", [None, "memory", "folder"])
def test_damaged_files_are_left_out_if_asked(tmp_path, cache):
    pixels = write(tmp_path / "images")
    broken = tmp_path / "images" / "0" / "004.png"
    broken.write_bytes(b"\x89PNG")
    whole = tmp_path / "images" / "1" / "015.png"  # its header is whole
    whole.write_bytes(whole.read_bytes()[:-60])
    cache = str(tmp_path / "cache") if cache == "folder" else cache
    images, told = quiet(files(tmp_path / "images", cache=cache).readable)
    assert len(told) == 1 and "2 of 24 images cannot be read" in told[0]
    assert "0/004.png, 1/015.png" in told[0]
    assert list(images.skipped) == ["0/004.png", "1/015.png"]
    assert "cannot be read" in images.skipped["1/015.png"]
    assert len(images) == 22 and images.image_shape == (12, 12, 3)
    kept = [i for i in range(24) if i not in (4, 15)]
    assert (images.read(range(22)) == pixels[kept]).all()
    assert (images.counts == counts()[kept]).all()
    part = images.subset([4, 0])
    assert part.skipped == images.skipped and (part.read([0]) == pixels[5]).all()


def test_ids_of_ones_own(tmp_path):
    write(tmp_path, 3)
    listed = list_images(tmp_path).files
    images = FileImages(tmp_path, listed, ids=["x", "y", "z"])
    assert images.ids == ("x", "y", "z") and images.paths[1].endswith("001.png")
    with pytest.raises(
        ValueError, match=r"'0/000\.png' and '0/002\.png' have the same id 'x'"
    ):
        FileImages(tmp_path, listed, ids=["x", "y", "x"])
    with pytest.raises(ValueError, match="2 ids for 3"):
        FileImages(tmp_path, listed, ids=["x", "y"])


@pytest.mark.parametrize(
    ("given", "options", "error", "match"),
    [
        (["../a.png"], {}, ValueError, r"'\.\./a\.png' at position 0 leads out"),
        (["a/../../b.png"], {}, ValueError, "leads out"),
        (["a\\..\\b.png"], {}, ValueError, "leads out"),
        (["/etc/a.png"], {}, ValueError, "leads out"),
        ([], {}, ValueError, "names no file"),
        ("a.png", {}, TypeError, "must be a list of paths"),
        ([3], {}, TypeError, "3 at position 0"),
        (["a.png", "a.png"], {}, ValueError, r"'a\.png' stands at positions 0"),
        (["a.png"], {"threads": 0}, ValueError, "`threads`"),
        (["a.png"], {"inspect": 0}, ValueError, "`inspect`"),
        (["a.png"], {"fit": "x"}, ValueError, "`fit`"),
        (["a.png"], {"counts": [[1], [2]]}, ValueError, "2 rows for 1 images"),
        (["a..b.png"], {"size": 3}, TypeError, "size"),
    ],
)
def test_wrong_arguments(given, options, error, match, tmp_path):
    with pytest.raises(error, match=match):
        FileImages(tmp_path, given, **options)


def both(folder, **kwargs):
    """A data set in files and the same in memory."""
    images = files(folder)
    pixels = images.read(range(len(images)))
    in_memory = ImageSet(pixels, images.ids, counts(len(images)), NAMES)
    return [
        SemiSupervisedData.from_image_set(part, 8, 10, 6, batch_size=4, **kwargs)
        for part in (images, in_memory)
    ]


def test_batches_are_those_of_images_in_memory(tmp_path):
    write(tmp_path)
    on_disk, in_memory = both(tmp_path)
    assert on_disk.labels.tolist() == in_memory.labels.tolist()
    for epoch in range(2):
        batches = [
            collect(data.training_batches(VIEWS), epoch, data)
            for data in (on_disk, in_memory)
        ]
        assert_equal(*batches)
    assert_equal(
        collect(on_disk.validation_batches()), collect(in_memory.validation_batches())
    )


@pytest.mark.slow
def test_a_model_does_with_files_what_it_does_in_memory(tmp_path, make_backbone):
    write(tmp_path, size=(8, 8))
    on_disk, in_memory = both(tmp_path)
    model = keras_dc3.DC3Model(make_backbone(), ssl="pi_model", training_steps=3)
    model.fit(on_disk, epochs=1, verbose=0)
    assert model.class_names == NAMES
    results = []
    for part in (on_disk.validation, in_memory.validation):
        proposals = model.propose(part, batch_size=4, verbose=0)
        assert tuple(proposals.ids) == part.ids
        results.append(
            {
                **model.predict(part, batch_size=4, verbose=0),
                "features": model.embed(part, batch_size=4, verbose=0),
                "proposed": proposals.class_probabilities,
                **model.evaluate(part, batch_size=4, verbose=0, return_dict=True),
            }
        )
    assert results[0].keys() == results[1].keys() > {"classes", "f1", "loss"}
    for name, value in results[0].items():
        np.testing.assert_array_equal(value, results[1][name], err_msg=name)


def test_a_damaged_file_stops_training_with_its_name(tmp_path, make_backbone):
    write(tmp_path, size=(8, 8))
    data = both(tmp_path)[0]
    path = Path(data.unlabeled.paths[3])
    path.write_bytes(path.read_bytes()[:-40])
    model = keras_dc3.DC3Model(make_backbone(), ssl="pi_model", training_steps=6)
    with pytest.raises(Exception, match=path.name):
        model.fit(data, epochs=1, verbose=0)


def test_a_part_that_cannot_be_evaluated(tmp_path, make_backbone):
    write(tmp_path, size=(8, 8))
    names = list_images(tmp_path).files
    model = keras_dc3.DC3Model(make_backbone(), num_classes=3, class_names=NAMES)
    model.build((None, 8, 8, 3))
    plain = FileImages(tmp_path, names, class_names=NAMES)
    with pytest.raises(ValueError, match="Pass `counts` to `FileImages`"):
        model.evaluate(plain, verbose=0)
    empty = FileImages(tmp_path, names, np.zeros((24, 3), int), NAMES)
    with pytest.raises(ValueError, match="NaN"):
        model.evaluate(empty, verbose=0)
    small = FileImages(tmp_path, names, counts(), NAMES, image_size=(4, 4))
    with pytest.raises(ValueError, match="resize them"):
        model.evaluate(small, verbose=0)
