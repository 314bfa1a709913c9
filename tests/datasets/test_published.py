"""The authors' data sets, from both of their layouts."""

import hashlib
import io
import json

import numpy as np
import pytest

from keras_dc3 import datasets
from keras_dc3.annotations import AnnotationError

pytest.importorskip("PIL")
from tests.datasets.published_files import (
    PLANKTON,
    TURKEY,
    draw,
    make_dcic,
    make_folders,
    make_zip,
)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network in tests")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def parts_of(data):
    return [data.labeled, data.unlabeled, data.validation]


def number_of(name):
    return int(name.split()[-1].removesuffix(".png"))


@pytest.mark.parametrize("where", ["", "raw_datasets/", "itself"])
def test_dcic(tmp_path, where):
    folder = tmp_path / ("" if where == "itself" else where) / "Plankton"
    counts = make_dcic(folder, PLANKTON)
    data = datasets.load("plankton", folder if where == "itself" else tmp_path)
    assert data.name == "plankton" and data.class_names == tuple(PLANKTON)
    assert [len(part) for part in parts_of(data)] == [16, 64, 20]
    assert data.image_shape == (96, 96, 3) and data.test is None
    found = {}
    for part in parts_of(data):
        found.update(zip(part.ids, part.counts.tolist(), strict=True))
        pixels = part.read(np.arange(len(part)))
        numbers = [number_of(name) for name in part.ids]
        assert (pixels[:, 0, 0, 0] == numbers).all()
    assert found == counts
    assert (data.labeled.soft_labels[np.arange(16), data.labels] > 0).all()


def test_sizes_of_the_paper():
    from keras_dc3.data.allocation import part_sizes
    from keras_dc3.datasets.dcic import MICE_BONE
    from keras_dc3.datasets.dcic import PLANKTON as ABOUT
    from keras_dc3.datasets.dcic import TURKEY as ABOUT_TURKEY

    def sizes(about, number):
        return list(
            part_sizes(number, dict(zip("luv", about.sizes, strict=True))).values()
        )

    assert sizes(ABOUT, 12280) == [1964, 7860, 2456]
    assert sizes(ABOUT_TURKEY, 8040) == [1299, 5199, 1542]
    assert sizes(MICE_BONE, 724) == [277, 278, 169]


@pytest.mark.parametrize(
    ("number", "validation", "test"), [(1, 2, 3), (4, 5, 1), (5, 1, 2)]
)
def test_slices(tmp_path, number, validation, test):
    make_dcic(tmp_path / "Plankton", PLANKTON, per_fold=20, unsure=2)
    data = datasets.load("plankton", tmp_path, dcic_slice=number, labeled=0.5, seed=1)
    folds = [{name.split("/")[0] for name in part.ids} for part in parts_of(data)]
    rest = {f"fold{i + 1}" for i in range(5)} - {f"fold{validation}", f"fold{test}"}
    assert folds[0] | folds[1] == rest and folds[2] == {f"fold{validation}"}
    assert {name.split("/")[0] for name in data.test.ids} == {f"fold{test}"}
    # Images without an answer train unlabeled, and are neither validated nor tested on.
    assert [len(part) for part in parts_of(data)] == [27, 33, 18]
    assert len(data.test) == 18 and data.test.annotated.all()
    again = datasets.load("plankton", tmp_path, dcic_slice=number)
    assert len(again.labeled) == round(0.2 * 54)


def test_slices_that_do_not_exist(tmp_path):
    make_dcic(tmp_path / "verse_blended-vps", [*TURKEY, "x"], folds=(1, 4, 5))
    with pytest.raises(ValueError, match=r"Slice 1 takes fold2 for validation"):
        datasets.load("dcic_verse_blended", tmp_path, dcic_slice=1)
    data = datasets.load("dcic_verse_blended", tmp_path, dcic_slice=3)
    assert {name.split("/")[0] for name in data.validation.ids} == {"fold4"}
    assert data.image_shape == (128, 128, 3)
    with pytest.raises(ValueError, match=r"must lie in 1\.\.5. Received: 6"):
        datasets.load("dcic_verse_blended", tmp_path, dcic_slice=6)
    with pytest.raises(ValueError, match="`dcic_slice` must be an integer"):
        datasets.load("dcic_verse_blended", tmp_path, dcic_slice=True)
    for options in ({"validation": 3}, {"split": "x.json"}, {"layout": "folders"}):
        with pytest.raises(ValueError, match="Pass it, or `split`"):
            datasets.load("dcic_verse_blended", tmp_path, dcic_slice=3, **options)


def test_class_folders(tmp_path):
    sizes = {"train": 3, "val": 2, "unlabeled": 4, "test": 1}
    make_folders(tmp_path / "turkey", sizes, ["0", "1"])
    draw(tmp_path / "turkey" / "unlabeled" / "of nobody.png", 99)
    data = datasets.load("turkey", tmp_path)
    assert [len(part) for part in parts_of(data)] == [6, 9, 4] and len(data.test) == 2
    assert data.class_names == ("0", "1") and data.image_shape == (96, 96, 3)
    folders = [name.split("/")[1] for name in data.labeled.ids]
    assert [data.class_names[label] for label in data.labels] == folders
    assert data.labeled.ids[0] == "train/0/0_0.png"
    assert not data.unlabeled.annotated[
        data.unlabeled.ids.index("unlabeled/of nobody.png")
    ]
    # Any sizes, drawn from all images.
    data = datasets.load("turkey", tmp_path, labeled=8, validation=8, stratify=True)
    assert [len(data.labeled), len(data.validation)] == [8, 8] and data.test is None
    data = datasets.load("turkey", tmp_path, rename={"0": "healthy", "1": "injured"})
    assert data.class_names == ("healthy", "injured")


def test_a_class_list_is_that_of_all_parts(tmp_path):
    """Whatever folders a part has, a class has one number."""
    folder = tmp_path / "miceBone"
    for number, name in enumerate(["train/g/1", "train/ug/2", "val/nr/3", "val/ug/4"]):
        draw(folder / f"{name}.png", number)
    data = datasets.load("mice_bone", tmp_path)
    assert data.class_names == ("g", "nr", "ug") and data.labels.tolist() == [0, 2]
    assert data.validation.majority.tolist() == [1, 2]
    assert data.unlabeled is None


def test_the_answers_of_all_annotators_are_preferred(tmp_path):
    make_folders(tmp_path / "turkey", {"train": 2, "val": 2, "unlabeled": 2}, "01")
    make_dcic(tmp_path / "Turkey", TURKEY, per_fold=8)
    if (tmp_path / "turkey" / "annotations.json").exists():
        pytest.skip("a file system that does not know turkey from Turkey")
    assert datasets.load("turkey", tmp_path).num_classes == 3
    assert datasets.load("turkey", tmp_path, layout="folders").num_classes == 2
    assert datasets.load("turkey", tmp_path / "turkey").num_classes == 2
    with pytest.raises(ValueError, match="`layout` must be one of"):
        datasets.load("turkey", tmp_path, layout="zip")


def test_classes_become_one(tmp_path):
    counts = make_dcic(tmp_path / "Turkey", TURKEY, per_fold=8)
    rename = {"head": "injured", "plumage": "injured"}
    data = datasets.load("turkey", tmp_path, rename=rename)
    names = data.class_names
    assert set(names) == {"injured", "healthy"}
    for part in parts_of(data):
        for name, row in zip(part.ids, part.counts.tolist(), strict=True):
            head, healthy, plumage = counts[name]
            assert dict(zip(names, row, strict=True)) == {
                "injured": head + plumage,
                "healthy": healthy,
            }


def test_every_set_of_dcic_has_its_name(tmp_path):
    from keras_dc3.datasets.dcic import DCIC_SETS

    assert set(DCIC_SETS) < set(datasets.names())
    make_dcic(tmp_path / "Treeversity#6", TURKEY * 2, per_fold=1)
    with pytest.raises(ValueError, match=r"has 6 classes, but .* has 3: .*'head'"):
        datasets.load("dcic_treeversity6", tmp_path)
    make_dcic(tmp_path / "QualityMRI", ["good", "bad"], per_fold=6)
    data = datasets.load(
        "dcic_quality_mri", tmp_path, image_size=(8, 8), cache="memory"
    )
    assert data.image_shape == (8, 8, 3) and len(data.unlabeled) == 19


@pytest.mark.parametrize("inside", [None, "Plankton", "raw/Plankton"])
def test_an_archive_is_unpacked(tmp_path, inside):
    make_dcic(tmp_path / "made", PLANKTON, per_fold=4)
    (tmp_path / "data").mkdir()
    make_zip(tmp_path / "data" / "Plankton.zip", tmp_path / "made", inside)
    data = datasets.load("plankton", tmp_path / "data", download=False)
    assert sum(map(len, parts_of(data))) == 20
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == [
        "Plankton",
        "Plankton.zip",
    ]
    datasets.load("plankton", tmp_path / "data", download=False)


@pytest.mark.parametrize("right", [True, False])
def test_an_archive_is_fetched(tmp_path, monkeypatch, right):
    make_dcic(tmp_path / "made", PLANKTON, per_fold=4)
    make_zip(tmp_path / "Plankton.zip", tmp_path / "made", "Plankton")
    content = (tmp_path / "Plankton.zip").read_bytes()
    digest = hashlib.md5(content if right else b"").hexdigest()
    file = {"key": "Plankton.zip", "checksum": f"md5:{digest}"}
    pages = {
        "https://zenodo.org/api/records/8115942": json.dumps(
            {"files": [file]}
        ).encode(),
        "https://zenodo.org/record/8115942/files/Plankton.zip": content,
    }

    def urlopen(url, timeout):
        answer = io.BytesIO(pages[url])
        answer.headers = {}
        return answer

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    folder = tmp_path / "data"
    if right:
        data = datasets.load("plankton", folder)
        assert sum(map(len, parts_of(data))) == 20
        pages.clear()
        datasets.load("plankton", folder)
    else:
        with pytest.raises(ValueError, match=r"Plankton\.zip fails its checksum"):
            datasets.load("plankton", folder)
        assert not list(folder.iterdir())


def test_missing_files_are_told(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        datasets.load("plankton", tmp_path)
    for words in (
        "`Plankton.zip` of https://zenodo.org/record/8115942",
        str(tmp_path / "Plankton"),
        "https://doi.org/10.5281/zenodo.5550916",
        str(tmp_path / "plankton" / "train"),
        "KERAS_DC3_DATA",
        "Fetching it failed: no network in tests",
    ):
        assert words in str(raised.value)
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError) as raised:
        datasets.load("dcic_treeversity1", tmp_path, download=False)
    assert "`Treeversity1.zip`" in str(raised.value)
    assert "5550916" not in str(raised.value) and "failed" not in str(raised.value)
    (tmp_path / "Plankton").mkdir()
    with pytest.raises(FileNotFoundError, match=r"but without `annotations\.json`"):
        datasets.load("plankton", tmp_path)


def test_what_does_not_fit_is_told(tmp_path):
    folder = tmp_path / "Turkey"
    make_dcic(folder, TURKEY, per_fold=3)
    (folder / "fold2" / "img 0004.png").unlink()
    with pytest.raises(AnnotationError, match=r"fold2/img 0004\.png"):
        datasets.load("turkey", tmp_path)
    draw(folder / "fold2" / "img 0004.png", 4)
    draw(folder / "fold6" / "x.png", 4)
    with pytest.raises(
        ValueError, match=r"in fold1 to fold5, but there is 'fold6/x\.png'"
    ):
        datasets.load("turkey", tmp_path)
    (folder / "fold6" / "x.png").unlink()
    (folder / "annotations.json").write_text('[{"name": "x"}]')
    with pytest.raises(AnnotationError, match=r"annotations\.json', set 0"):
        datasets.load("turkey", tmp_path)
    (folder / "annotations.json").write_text(json.dumps([]))
    with pytest.raises((AnnotationError, ValueError)):
        datasets.load("turkey", tmp_path)


def test_folders_that_are_no_layout(tmp_path):
    make_folders(tmp_path / "turkey", {"train": 2}, "01")
    with pytest.raises(FileNotFoundError, match="has no folder 'val'"):
        datasets.load("turkey", tmp_path)
    make_folders(tmp_path / "turkey", {"val": 2}, "01")
    draw(tmp_path / "turkey" / "train" / "x.png", 1)
    with pytest.raises(
        ValueError, match=r"'train/x\.png' of .* in no folder of a class"
    ):
        datasets.load("turkey", tmp_path)
    (tmp_path / "turkey" / "train" / "x.png").unlink()
    make_folders(tmp_path / "turkey", {"val": 2}, "2")
    with pytest.raises(ValueError, match=r"'2' is no class of 'train'.*val/2' \(2 im"):
        datasets.load("turkey", tmp_path)
    make_folders(tmp_path, {"train": 1, "val": 1}, ["cat", "dog", "cow"])
    with pytest.raises(ValueError, match="has 10 classes, but"):
        datasets.load("plankton", tmp_path)  # the folders of something else
