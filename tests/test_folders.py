"""Folders to write to: what is there already stays, and is told."""

import pytest

from keras_dc3 import Project
from keras_dc3._validation import check_empty_folder, check_outside, tell_of_pictures
from keras_dc3.data.feature_cache import FeatureCache
from keras_dc3.data.pixel_cache import DiskCache
from tests.project.helpers import write_answers, write_images
from tests.review.helpers import make_images, make_proposals


def opened_cache(folder):
    with FeatureCache(folder, {}, 3, 2, {}, 256).opened():
        pass


def review_page(folder):
    proposals = make_proposals(4)
    page = folder.with_name("page.html")
    return proposals.to_review(page, make_images(4), full_size="beside")


@pytest.mark.parametrize("write", [opened_cache, review_page])
@pytest.mark.parametrize(
    ("name", "told"), [("w1.JPG", "pictures"), ("notes.txt", "other things")]
)
def test_folders_of_other_things_are_refused(tmp_path, write, name, told):
    folder = tmp_path / "page-images"
    folder.mkdir()
    (folder / ".DS_Store").touch()
    (folder / "Thumbs.db").touch()
    (folder / name).write_text("mine")
    with pytest.raises(ValueError, match=f"holds {told}, such as '{name}', among"):
        write(folder)
    assert len(list(folder.iterdir())) == 3 and len(list(tmp_path.iterdir())) == 1
    (folder / name).unlink()
    write(folder)
    write(folder)  # what is there now is ours


def test_files_of_ours_in_a_folder_of_pictures_are_told_once(tmp_path, recwarn):
    def write(folder):
        DiskCache(folder, "key", (2, 4, 4, 3))

    tmp_path.joinpath("plain.npy").touch()
    write(tmp_path)
    assert not recwarn.list
    other = tmp_path / "fish"
    other.mkdir()
    other.joinpath("w1.tif").touch()
    with pytest.warns(UserWarning, match=r"goes into the folder .*such as 'w1\.tif'"):
        write(other)
    write(other)
    assert len(recwarn.list) == 0


def test_what_is_no_folder_yet_holds_nothing(tmp_path, recwarn):
    check_empty_folder(tmp_path / "new")
    tell_of_pictures("The backup", tmp_path / "new")
    assert not recwarn.list


def test_a_project_in_the_folder_of_its_images(tmp_path):
    truth = write_images(tmp_path / "fish", number=6)
    write_answers(tmp_path / "answers.csv", truth, sorted(truth))
    with pytest.raises(ValueError, match="lies in the folder of the images, of which"):
        Project.create(
            tmp_path / "fish" / "labels", tmp_path / "fish", tmp_path / "answers.csv"
        )
    assert not (tmp_path / "fish" / "labels").exists()


@pytest.mark.parametrize("path", ["fish", "fish/out", "fish/../fish/a/b"])
def test_inside_and_outside(tmp_path, path):
    (tmp_path / "fish").mkdir()
    check_outside(tmp_path / "fish-out", tmp_path / "fish")
    with pytest.raises(ValueError, match="lies in the folder of the images"):
        check_outside(tmp_path / path, tmp_path / "fish")
