"""Folders that a run may not write to, as it would spoil what lies there."""

import shutil
import warnings

import pytest

from keras_dc3 import Proposals
from tests.scale import helpers
from tests.scale.helpers import score

pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
pytestmark = pytest.mark.tensorflow


def refused(model, source, folder, message):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=message):
        score(model, source, folder)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("name", ["lock", "summary.json", "failed.csv"])
def test_files_of_somebody_else_stay(name, exported, images, tmp_path):
    (tmp_path / name).write_text("mine")
    refused(exported, images, tmp_path, f"holds a file '{name}' of something else")


def test_a_manifest_of_somebody_else_stays(exported, images, tmp_path):
    (tmp_path / "manifest.json").write_text('["mine"]')
    with pytest.raises(ValueError, match="of something else than a run"):
        score(exported, images, tmp_path)
    assert (tmp_path / "manifest.json").read_text() == '["mine"]'


def test_what_is_read_is_not_added_to(exported, images, tmp_path):
    refused(exported, images, exported, "is the folder of the exported model")
    refused(exported, images, exported / "assets", "or lies in it")
    paths = [str(images / "cod/00.png")]
    (tmp_path / "tables").mkdir()
    helpers.write_parquet(tmp_path / "tables/a.parquet", {"path": paths})
    source = str(tmp_path / "tables/*.parquet")
    refused(exported, source, tmp_path / "tables", r"holds 'a\.parquet', which is read")


def test_a_folder_within_that_of_the_images_is_told(exported, images, tmp_path):
    folder = shutil.copytree(images, tmp_path / "fish")
    with pytest.warns(UserWarning, match="within the folder of the images") as told:
        score(exported, folder, folder)
    assert told[0].filename == helpers.__file__
    with warnings.catch_warnings():  # once is enough
        warnings.simplefilter("error")
        assert score(exported, folder, folder).found == 50
    assert len(Proposals.from_parquet(folder)) == 49
    with pytest.warns(UserWarning, match=r"goes into the folder .*such as '\d+\.png'"):
        score(exported, images, folder / "cod")  # which are other images
