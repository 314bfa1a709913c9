"""Empty, cut and very large files: all told before training, intact ones read."""

import threading
import warnings

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from PIL import Image, ImageFile, PngImagePlugin

from keras_dc3 import datasets
from keras_dc3.data import FileImages, ImageFileError, list_images, read_image
from tests.data.image_inputs import encode, picture
from tests.datasets.folders import write

PICTURE = picture((60, 80))


def folder_of(tmp_path, contents):
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def damaged():
    """Files of each format, cut so that the header is whole; and an empty one."""
    found = {"empty.png": b""}
    for form in ("JPEG", "PNG", "GIF", "TIFF", "BMP", "PPM"):
        content = encode(PICTURE, form)
        found[f"cut.{form.lower()}"] = content[: len(content) * 2 // 3]
    return found


def set_of(folder, **options):
    return FileImages(folder, list_images(folder).files, **options)


@pytest.fixture
def some_bad(tmp_path):
    write(tmp_path, [f"{name}/{i}.png" for name in "ab" for i in range(6)], (60, 80))
    return folder_of(tmp_path, {f"a/{name}": c for name, c in damaged().items()})


def test_one_error_names_all(some_bad):
    with pytest.raises(ImageFileError, match="7 of 19 image files") as caught:
        datasets.from_directory(some_bad, channels=3)
    told, files = str(caught.value), caught.value.files
    assert set(files) == {f"a/{name}" for name in damaged()}
    assert files["a/empty.png"] == "it is empty, a file of 0 bytes"
    for name, why in files.items():
        assert f"'{name}' ({why})" in told
        assert name == "a/empty.png" or "cut short" in why
    assert told.count("Repair, replace or remove them.") == 1


def test_an_error_lists_twenty_and_the_number(tmp_path):
    write(tmp_path, [f"a/{i}.png" for i in range(3)])
    folder_of(tmp_path, {f"a/bad{i:02d}.png": b"" for i in range(33)})
    with pytest.raises(ImageFileError, match=r"33 of 36 .*; and 13 more\.") as caught:
        _ = set_of(tmp_path).image_shape
    assert str(caught.value).count(" bytes)") == 20 and len(caught.value.files) == 33
    for path in (tmp_path / "a").glob("?.png"):
        path.unlink()
    with pytest.raises(ImageFileError, match=r"None of 33 image files .*; and 13 more"):
        _ = set_of(tmp_path).image_shape


def test_different_sizes_do_not_hide_what_is_damaged(some_bad):
    write(some_bad, ["a/other.png"], (9, 9))
    with pytest.raises(ImageFileError, match="7 of 20"):
        datasets.from_directory(some_bad)
    with pytest.raises(ValueError, match="different sizes"):
        datasets.from_directory(some_bad, on_error="skip")


def test_what_is_skipped_is_described(some_bad, capsys):
    with pytest.warns(UserWarning, match="7 of 19 images cannot be read and are left"):
        data = datasets.from_directory(some_bad, on_error="skip", channels=3)
    capsys.readouterr()
    described = datasets.describe(data)
    assert described.total.images == 12 and len(described.skipped) == 7
    printed = capsys.readouterr().out
    assert "Image files left out: 7." in printed
    assert "a/empty.png cannot be read (it is empty" in printed


def test_half_an_image_is_never_filled_up(some_bad, monkeypatch):
    """Also where another package has told Pillow to."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    filled = Image.open(some_bad / "a" / "cut.jpeg")
    filled.load()  # half of it is gray
    with pytest.raises(ImageFileError, match="cut short"):
        read_image(some_bad / "a" / "cut.jpeg")
    with pytest.raises(ImageFileError, match="7 of 19"):
        datasets.from_directory(some_bad, channels=3)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert (read_image(some_bad / "a" / "0.png") == picture((60, 80))).all()


def test_zeros_behind_a_whole_image_do_no_harm(tmp_path):
    content = encode(PICTURE, "JPEG", quality=95)
    folder_of(tmp_path, {"a.jpg": content, "b.jpg": content + bytes(300)})
    assert (read_image(tmp_path / "a.jpg") == read_image(tmp_path / "b.jpg")).all()


@pytest.mark.filterwarnings("ignore:.*were decoded to see")
def test_a_large_set_is_looked_at_in_part_and_told(tmp_path, monkeypatch):
    write(tmp_path, [f"{name}/{i}.png" for name in "ab" for i in range(8)], (60, 80))
    monkeypatch.setattr("keras_dc3.data.file_source.MOST_DECODED", 8 * 4800)
    with pytest.warns(UserWarning, match="8 of the 16 images were decoded to see"):
        _ = set_of(tmp_path).image_shape
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ImageFileError, match="8 of 16"):
        _ = set_of(tmp_path).image_shape
    with pytest.warns(UserWarning, match="16 of 16 images cannot be read"):
        assert len(set_of(tmp_path).readable()) == 0


@pytest.mark.slow
def test_one_clear_error_in_training(tmp_path, make_backbone, monkeypatch):
    import keras_dc3

    write(tmp_path, [f"{name}/{i}.png" for name in "ab" for i in range(8)])
    data = datasets.from_directory(tmp_path, labeled=8, unlabeled=4, validation=4)
    model = keras_dc3.DC3Model(make_backbone(), ssl="pi_model", training_steps=4)
    for part in (data.validation, data.unlabeled):
        path = tmp_path / part.ids[-1]
        content = path.read_bytes()
        path.write_bytes(content[:-40])
        calls = [lambda: model.fit(data, epochs=1, verbose=0)]
        if part is data.validation:
            calls.append(lambda: model.evaluate(data, verbose=0))
        for call in calls:
            with pytest.raises(ImageFileError) as caught:
                call()
            told = str(caught.value)
            assert told.startswith(f"The image file {str(path)!r} cannot be read (")
            assert "\n" not in told and "Traceback" not in told
        path.write_bytes(content)


def test_pillow_has_no_say_in_the_size(tmp_path, monkeypatch):
    folder_of(tmp_path, {"a.png": encode(PICTURE, "PNG")})
    for limit, action in ((100, "default"), (3000, "error")):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with warnings.catch_warnings():
            warnings.simplefilter(action, Image.DecompressionBombWarning)
            assert (read_image(tmp_path / "a.png") == PICTURE).all()
        assert limit == Image.MAX_IMAGE_PIXELS  # for others


def test_too_many_pixels_and_the_way_out(tmp_path):
    folder_of(tmp_path, {f"{name}.png": encode(PICTURE, "PNG") for name in "abc"})
    with pytest.raises(ImageFileError) as caught:
        read_image(tmp_path / "a.png", max_pixels=4799)
    told = str(caught.value)
    assert "4,800 pixels, 80 x 60, and the limit is 4,799" in told
    assert "pass `max_pixels=4800` or more, or None" in told and "Repair" not in told
    for most in (4800, None):
        assert (read_image(tmp_path / "a.png", max_pixels=most) == PICTURE).all()
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(ImageFileError, match="None of 3") as caught:
        _ = set_of(tmp_path, max_pixels=100).image_shape
    told = str(caught.value)
    assert "`max_pixels=4800`" in told and "Repair, replace or remove them." in told
    for wrong in (0, 1.5, "many"):
        with pytest.raises((ValueError, TypeError), match="`max_pixels` must be"):
            read_image(tmp_path / "a.png", max_pixels=wrong)


def test_large_images_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    folder_of(tmp_path, {f"{i}.png": encode(PICTURE, "PNG") for i in range(6)})
    monkeypatch.setattr("keras_dc3.data.opened_images.LARGE", 4000)
    at_once, most, lock = 0, 0, threading.Lock()
    load = PngImagePlugin.PngImageFile.load

    def slow(image):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        result = load(image)
        with lock:
            at_once -= 1
        return result

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", slow)
    images = set_of(tmp_path, threads=4)
    assert (images.read(range(6)) == PICTURE).all() and most == 1


def test_a_long_text_in_a_png_is_no_damage(tmp_path):
    about = PngImagePlugin.PngInfo()
    about.add_text("note", "x" * (2 << 20), zip=True)
    folder_of(tmp_path, {"a.png": encode(PICTURE, "PNG", pnginfo=about)})
    with pytest.raises(ImageFileError, match="larger than Pillow allows") as caught:
        read_image(tmp_path / "a.png")
    assert "Repair" not in str(caught.value)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    folder_of(tmp_path, {"a.png": encode(PICTURE, "PNG")})

    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ImageFileError, match=r"\(Permission denied\)\. Allow reading"):
        read_image(tmp_path / "a.png")


def test_an_image_too_large_for_memory(tmp_path, monkeypatch):
    folder_of(tmp_path, {"a.png": encode(PICTURE, "PNG")})

    def refuse(image):
        raise MemoryError

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refuse)
    with pytest.raises(ImageFileError, match="Make a smaller copy"):
        read_image(tmp_path / "a.png")


def test_pixels_are_those_of_pillow(tmp_path):
    """What is put aside changes nothing else."""
    folder_of(tmp_path, {"a.tif": encode(PICTURE, "TIFF")})
    assert np.array_equal(read_image(tmp_path / "a.tif"), PICTURE)
