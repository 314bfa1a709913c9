"""A folder of images becomes a data set, or one clear error."""

import re
import shutil

import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3 import datasets
from keras_dc3.data import ImageFileError
from tests.data.image_inputs import frames
from tests.datasets.folders import NAMES, ids, quiet, table, write

SIZES = {"labeled": 0.2, "unlabeled": 0.6}  # asked for, so that nothing is told


class TestClassFolders:
    def test_folders_are_classes(self, tmp_path):
        write(tmp_path, [*NAMES, "cod/deep/er/1.png"])
        data, told = quiet(tmp_path, labeled=8, unlabeled=8, validation=5, batch_size=4)
        assert not told and ids(data) == sorted([*NAMES, "cod/deep/er/1.png"])
        assert data.class_names == ("cod", "haddock") and data.image_shape == (8, 8, 3)
        assert data.name == tmp_path.name
        for part in (data.labeled, data.unlabeled, data.validation):
            names = [data.class_names[c] for c in part.majority]
            assert names == [name.split("/")[0] for name in part.ids]
        names = [data.class_names[c] for c in data.labels]
        assert names == [name.split("/")[0] for name in data.labeled.ids]

    @pytest.mark.filterwarnings("ignore:Class folders:")
    def test_images_of_no_class_are_unlabeled(self, tmp_path):
        others = ["free.png", "unlabeled/1.png", "unlabeled/x/2.png"]
        write(tmp_path, [*NAMES, *others])
        data = datasets.from_directory(tmp_path)
        assert sorted(data.unlabeled.ids) == others
        assert len(data.labeled) == 16 and len(data.validation) == 4
        names = ["cod", "haddock", "unlabeled"]  # here it is a class
        data = datasets.from_directory(tmp_path, class_names=names, labeled=10)
        assert data.class_names == tuple(names) and data.unlabeled.ids == ("free.png",)

    def test_a_given_class_list_is_the_one_used(self, tmp_path):
        write(tmp_path, NAMES)
        names = ["haddock", "none yet", "cod"]
        data = datasets.from_directory(tmp_path, class_names=names, labeled=10)
        assert data.class_names == tuple(names)
        assert data.validation.soft_labels.shape == (4, 3)
        found = [names[c] for c in data.validation.majority]
        assert found == [name.split("/")[0] for name in data.validation.ids]
        with pytest.raises(ValueError, match=r"folders \['haddock'\].*their 10 images"):
            datasets.from_directory(tmp_path, class_names=["cod", "plaice"])

    @pytest.mark.parametrize(
        "name", ["Unlabeled", "UNLABELED", "unlabelled", "Unlabelled", "unlabeled "]
    )
    def test_unlabeled_in_any_spelling(self, name, tmp_path):
        write(tmp_path, [*NAMES, f"{name}/1.png"])
        data, told = quiet(tmp_path)
        assert not told and data.class_names == ("cod", "haddock")
        assert data.unlabeled.ids == (f"{name}/1.png",)
        if name == name.strip():  # else it can be no class
            data, _ = quiet(tmp_path, class_names=["cod", "haddock", name], labeled=10)
            assert data.num_classes == 3 and data.unlabeled is None

    @pytest.mark.parametrize(
        ("names", "note"),
        [
            (["Cod"], "blanks, .*: 'Cod' and 'cod'"),
            (["roe deer", "roe  deer"], "blanks, .*: 'roe  deer' and 'roe deer'"),
            (["01", "1"], "number is written .*: '01' and '1'"),
            (["none"], "2 images are in the folder 'none'.*rename it to 'unlabeled'"),
        ],
    )
    def test_folders_that_may_mean_the_same(self, names, note, tmp_path):
        others = [f"{name}/{i}.png" for name in names for i in range(2)]
        write(tmp_path, [*NAMES, *others])
        if len(list(tmp_path.iterdir())) < 2 + len(names):
            pytest.skip("this file system takes these names for one")
        data, told = quiet(tmp_path, labeled=0.5)
        assert len(told) == 1 and re.search(note, told[0]), told
        assert data.num_classes == 2 + len(names)

    def test_one_class_in_two_unicode_forms(self, tmp_path):
        forms = ["caf\u00e9", "cafe\u0301"]
        write(tmp_path, [f"{name}/{i}.png" for name in forms for i in range(4)])
        write(tmp_path, [f"tea/{i}.png" for i in range(8)])
        if len(list(tmp_path.iterdir())) < 3:
            pytest.skip("this file system takes these names for one")
        for names in (None, [forms[1], "tea"]):
            data, told = quiet(tmp_path, labeled=0.5, class_names=names)
            assert not told and data.class_names == (forms[0], "tea")
            assert len(data.labeled) == 8

    def test_a_slip_in_the_name_of_a_folder(self, tmp_path):
        many = [f"haddock/{i}.png" for i in range(20)]
        write(tmp_path, [*NAMES, *many, "hadock/1.png"])
        _, told = quiet(tmp_path, labeled=0.5)
        assert len(told) == 1 and "slips: 'hadock' for 'haddock'" in told[0]

    @pytest.mark.parametrize(
        ("names", "match"),
        [
            (["1.png", "2.png"], "there is no folder with images"),
            (["fish/1.png", "fish/2.png"], "there is one class folder, 'fish'"),
            (["fish/1.png", "unlabeled/2.png"], "there is one class folder, 'fish'"),
        ],
    )
    def test_too_few_classes(self, names, match, tmp_path):
        write(tmp_path, names)
        with pytest.raises(ValueError, match=match):
            datasets.from_directory(tmp_path)

    def test_numbered_classes_are_in_the_order_of_their_numbers(self, tmp_path):
        names = [f"{c}/{i}.png" for c in ("1", "2", "10") for i in range(4)]
        write(tmp_path / "folders", names)
        flat = [name.replace("/", "_") for name in names]
        write(tmp_path / "flat", flat)
        rows = [(name, p, name.partition("_")[0]) for name in flat for p in ("x", "y")]
        csv_path = table(tmp_path / "a.csv", rows)
        of_folders = datasets.from_directory(tmp_path / "folders", labeled=9)
        of_table = datasets.from_directory(tmp_path / "flat", csv_path, labeled=9)
        assert of_folders.class_names == of_table.class_names == ("1", "2", "10")
        for data in (of_folders, of_table):
            names = [data.class_names[c] for c in data.labeled.majority]
            assert (data.labels == data.labeled.targets).all()
            assert names == [
                n.replace("_", "/").split("/")[0] for n in data.labeled.ids
            ]


class TestFiles:
    def test_what_is_no_image(self, tmp_path):
        write(tmp_path, NAMES)
        clutter = [".DS_Store", "cod/._1.png", "cod/Thumbs.db", "__MACOSX/cod/._1.png"]
        clutter += ["cod/@eaDir/1.png", ".ipynb_checkpoints/1.png", "haddock/list.csv"]
        for name in clutter:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"x")
        data, told = quiet(tmp_path, **SIZES)
        assert not told and ids(data) == sorted(NAMES)
        assert data.class_names == ("cod", "haddock")
        (tmp_path / "cod" / "a.heic").write_bytes(b"x")
        (tmp_path / "cod" / "b.HEIC").write_bytes(b"x")
        (tmp_path / "haddock" / "c.jp2").write_bytes(b"x")
        _, told = quiet(tmp_path, **SIZES)
        assert len(told) == 1 and "2 .heic, 1 .jp2 left out" in told[0]

    def test_no_image_at_all(self, tmp_path):
        with pytest.raises(ValueError, match="found were no image files at all"):
            datasets.from_directory(tmp_path)
        (tmp_path / "a.heic").write_bytes(b"x")
        (tmp_path / ".b.png").write_bytes(b"x")
        with pytest.raises(ValueError, match=r"found were 1 \.heic and 1 hidden"):
            datasets.from_directory(tmp_path)
        with pytest.raises(FileNotFoundError, match="There is no folder of images"):
            datasets.from_directory(tmp_path / "none")
        with pytest.raises(TypeError, match=r"must be a path.*Received: None"):
            datasets.from_directory(None)

    def test_moving_images(self, tmp_path):
        write(tmp_path, NAMES, size=(20, 20))
        (tmp_path / "cod" / "x.gif").write_bytes(frames("GIF"))
        data, told = quiet(tmp_path, labeled=21, unlabeled=None, validation=None)
        assert len(told) == 1 and "1 of the 21 images hold several frames" in told[0]
        assert data.labeled.read(range(21)).shape == (21, 20, 20, 3)

    def test_mixed_sizes(self, tmp_path):
        write(tmp_path, NAMES)
        write(tmp_path, ["cod/large.png"], size=(30, 20))
        with pytest.raises(ValueError, match=r"2 different sizes.*Pass `image_size="):
            datasets.from_directory(tmp_path)
        for fit in ("resize", "pad", "crop"):
            data = datasets.from_directory(
                tmp_path, image_size=[8, 6], fit=fit, channels=1, background=0
            )
            assert data.image_shape == (8, 6, 1)

    def test_damaged_images(self, tmp_path):
        write(tmp_path, NAMES)
        (tmp_path / "cod" / "3.png").write_bytes(b"\x89PNG")
        with pytest.raises(ImageFileError, match=r"1 of 20 image files.*cod/3\.png"):
            datasets.from_directory(tmp_path)
        data, told = quiet(tmp_path, on_error="skip", cache="memory", **SIZES)
        assert len(told) == 1 and "1 of 20 images cannot be read" in told[0]
        assert ids(data) == sorted(set(NAMES) - {"cod/3.png"})
        assert list(data.labeled.skipped) == ["cod/3.png"]

    def test_too_few_images(self, tmp_path):
        names = [*(f"common/{i}.png" for i in range(9)), "rare/0.png"]
        write(tmp_path, names)
        with pytest.raises(ValueError, match=r"validation part of 10 .*fraction 0\.1"):
            datasets.from_directory(tmp_path, labeled=0.5, validation=0.05)
        with pytest.raises(ValueError, match="class 'rare' has 1 of the 10 images"):
            datasets.from_directory(tmp_path, labeled=0.5, stratify=True)
        drawn = (
            r"All 2 labeled images are of class 'common' \(2 of 10 annotated images\)"
        )
        with pytest.raises(ValueError, match=f"{drawn}.*`stratify=True`"):
            datasets.from_directory(tmp_path, labeled=0.2, seed=1)
        drawn = (
            r"The only labeled image is of class 'common' \(1 of 10 annotated images"
        )
        with pytest.raises(ValueError, match=drawn):
            datasets.from_directory(tmp_path, labeled=1, seed=1)

    @pytest.mark.parametrize("options", [{}, {"labeled": 0.5, "validation": 0.05}])
    def test_damaged_images_are_told_before_too_few(self, options, tmp_path):
        """Whoever repairs them has more images."""
        write(tmp_path, ["cod/1.png", "cod/2.png", "ling/1.png"])
        (tmp_path / "ling" / "1.png").write_bytes(b"")
        with pytest.raises(ImageFileError, match=r"ling/1\.png.*it is empty"):
            datasets.from_directory(tmp_path, **options)

    @pytest.mark.filterwarnings("ignore:.*answered images are in no part")
    def test_the_split_can_be_repeated(self, tmp_path):
        write(tmp_path / "a", NAMES)
        data = datasets.from_directory(tmp_path / "a", labeled=10, seed=7)
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        again = datasets.from_directory(tmp_path / "b", labeled=10, seed=7)
        assert again.labeled.ids == data.labeled.ids
        assert again.labels.tolist() == data.labels.tolist()
        parts = {"labeled": data.labeled.ids, "validation": data.validation.ids}
        given = datasets.from_directory(tmp_path / "b", split=parts)
        assert given.labeled.ids == data.labeled.ids
