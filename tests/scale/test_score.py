"""Proposals of an exported model for images of every kind of source."""

import json

import numpy as np
import pytest

import keras_dc3
from keras_dc3 import Proposals
from tests.scale import helpers, sources
from tests.scale.helpers import score
from tests.slow import few

pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
pytestmark = pytest.mark.tensorflow


def test_equal_to_the_model_itself(model, images, scored):
    files = [name for name in helpers.contents(images) if name != helpers.DAMAGED]
    told = keras_dc3.data.FileImages(images, files)
    expected = model.propose(told, verbose=0)
    found = Proposals.from_parquet(scored)
    assert found.ids == expected.ids and found.class_names == expected.class_names
    for name in ("ambiguity", "class_probabilities", "embeddings", "cluster"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert (found.decision == expected.decision).all()
    assert set(found.decision) == {"certain", "ambiguous"}
    assert found.verdict == model.verdict is not None
    one = Proposals.from_parquet(scored / "part-00001.parquet")
    assert one.ids == expected.ids[14:28]
    assert (one.embeddings == found.embeddings[14:28]).all()


def test_what_lies_in_the_folder(scored, exported):
    assert sorted(helpers.written(scored)) == [
        "failed.csv",
        "manifest.json",
        *(f"part-{n:05d}.parquet" for n in range(4)),
        "summary.json",
    ]
    header, failed = (scored / "failed.csv").read_text().splitlines()
    assert header == "id,reason" and failed.startswith(f"{helpers.DAMAGED},")
    manifest = json.loads((scored / "manifest.json").read_text())
    assert manifest["settings"]["batch_size"] == 4
    assert manifest["source"]["images"] == 50
    assert manifest["versions"]["keras_dc3"] == keras_dc3.__version__
    assert manifest["model"]["class_names"] == ["cod", "eel", "=ray"]
    summary = json.loads((scored / "summary.json").read_text())
    assert summary["shards"] == 4 and summary["failed"] == 1
    assert summary["certain"] + summary["ambiguous"] == 49


def test_without_embeddings_and_called_again(exported, images, scored, tmp_path):
    first = score(exported, images, tmp_path / "run", embeddings=False)
    assert first.found == 0 and first.images_per_second > 0
    before = helpers.written(tmp_path / "run")
    again = score(exported, images, tmp_path / "run", embeddings=False)
    assert again.found == again.images == 50 and again.images_per_second == 0
    assert "50 of the images were judged before" in str(again)
    assert helpers.written(tmp_path / "run") == before
    found, full = map(Proposals.from_parquet, (tmp_path / "run", scored))
    assert found == full and found.embeddings is None


@pytest.mark.parametrize("make", few(sources.SOURCES, *sources.QUICK))
def test_the_same_images_from_every_source(make, exported, images, scored, tmp_path):
    files = helpers.contents(images)
    (tmp_path / "source").mkdir()
    source, options = make(tmp_path / "source", files, images)
    out = tmp_path / "run"
    summary = score(exported, source, out, **options)
    assert (summary.images, summary.failed, summary.shards) == (50, 1, 4)
    assert _comparable(out) == _comparable(scored)
    (out / "part-00002.parquet").unlink()  # read again from the middle on
    (out / "part-00003.parquet").unlink()
    assert score(exported, source, out, **options).found == 28
    assert _comparable(out) == _comparable(scored)


def _comparable(folder):
    """The rows of a run, and which images have none."""
    found = helpers.rows(folder)
    names = [line.split(",")[0] for line in found.pop("failed").splitlines()]
    return found, names


@pytest.mark.parametrize("fit", ["resize", "pad"])
def test_images_of_other_sizes_and_kinds(fit, model, exported, tmp_path):
    folder = tmp_path / "fish"
    folder.mkdir()
    shapes = [(20, 9, 3), (8, 9, 1), (5, 31, 3)]
    for i, shape in enumerate(shapes):
        raw = helpers.encoded(helpers.pixels(1, shape)[0], "BMP")
        (folder / f"{i}.bmp").write_bytes(raw)
    summary = score(exported, folder, tmp_path / "run", fit=fit)
    assert summary.failed == 0
    names = [f"{i}.bmp" for i in range(3)]
    same = keras_dc3.data.FileImages(
        folder, names, image_size=helpers.SHAPE[:2], channels=3, fit=fit
    )
    expected = model.propose(same, verbose=0)
    found = Proposals.from_parquet(tmp_path / "run")
    np.testing.assert_allclose(
        found.class_probabilities, expected.class_probabilities, atol=1e-5
    )


def test_files_of_several_frames_are_told(exported, tmp_path):
    from PIL import Image

    fish = tmp_path / "fish"
    fish.mkdir()
    first, *further = map(Image.fromarray, helpers.pixels(3))
    first.save(fish / "a.gif", save_all=True, append_images=further)
    first.save(fish / "b.tif", save_all=True, append_images=further)
    first.save(fish / "c.gif")
    summary = score(exported, fish, tmp_path / "run")
    assert (summary.images, summary.failed, summary.frames) == (3, 0, 2)
    assert "2 images hold several frames or pages, such as 'a.gif'" in str(summary)


def test_images_of_more_than_8_bits_need_a_range(model, exported, tmp_path):
    from PIL import Image

    folder = tmp_path / "fish"
    folder.mkdir()
    for i in range(3):
        values = helpers.pixels(1, (8, 9, 1))[0, ..., 0].astype("uint16") * (7 + i)
        Image.fromarray(values).save(folder / f"{i}.png")
    with pytest.raises(ValueError, match=r"`value_range` must say.*`max_failed`"):
        score(exported, folder, tmp_path / "run")
    score(exported, folder, tmp_path / "scaled", value_range=(0, 4095))
    same = keras_dc3.data.FileImages(
        folder, [f"{i}.png" for i in range(3)], channels=3, value_range=(0, 4095)
    )
    expected = model.propose(same, verbose=0)
    found = Proposals.from_parquet(tmp_path / "scaled")
    np.testing.assert_allclose(found.ambiguity, expected.ambiguity, atol=1e-5)
