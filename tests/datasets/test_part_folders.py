"""Folders called train, val and the like are parts, with one list of classes."""

import json
import os
import re
from ast import literal_eval

import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3 import datasets
from keras_dc3.datasets import layouts
from keras_dc3.datasets.part_folders import part_of
from tests.cases import case
from tests.datasets.folders import answers, ids, quiet, table, write


def names(part, classes="abc", number=3):
    """Images of a part: of each class so many, or so many of none."""
    if not classes:
        return [f"{part}/{i}.png" for i in range(number)]
    return [f"{part}/{name}/{i}.png" for name in classes for i in range(number)]


def classes_of(part):
    return [part.class_names[label] for label in part.majority]


def test_case_of_parts(capsys):
    folder = case("37")
    expected = json.loads((folder / "expected.json").read_text())
    data, told = quiet(folder / "set")
    assert not told and list(data.class_names) == expected["classes"]
    assert [len(p) for p in (data.labeled, data.unlabeled, data.validation)] == [
        *(18, 8, 8)
    ]
    for name in ("brun", "cyan"):
        number = expected[f"validation_label_of_{name}"]
        labels = zip(data.validation.ids, data.validation.majority, strict=True)
        assert {label for id_, label in labels if f"/{name}/" in id_} == {number}
    datasets.describe(data)
    assert "Of the validation images none is of the class 'adel'" in (
        capsys.readouterr().out
    )
    stranger = folder / "set_with_stranger"
    for read in (datasets.from_directory, layouts.read_class_folders):
        with pytest.raises(ValueError, match="'dorn' is no class of 'train'") as caught:
            read(stranger)
        assert str(stranger / "val" / "dorn") in str(caught.value)


@pytest.mark.parametrize(
    ("train", "val", "rest"),
    [
        ("train", "val", "unlabeled"),
        ("Train", "Valid", "Unlabelled"),
        ("TRAINING", "VALIDATION", "no label"),
        ("training set", "val_images", "No_Labels"),
        ("train2017", "val2017", "UNLABELED images"),
        ("labeled", "dev", "unlabeled"),
        ("Labelled data", "eval", "unannotated"),
        ("trainset", "validate", "no-label"),
    ],
)
def test_spellings(train, val, rest, tmp_path):
    write(tmp_path, names(train) + names(val, "bc") + names(rest, "", 5))
    data, told = quiet(tmp_path)
    assert not told and data.class_names == ("a", "b", "c")
    assert {name.split("/")[0] for name in data.labeled.ids} == {train}
    assert data.labels.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert data.validation.majority.tolist() == [1] * 3 + [2] * 3
    assert data.unlabeled.ids == tuple(names(rest, "", 5)) and data.test is None


@pytest.mark.parametrize("name", ["trainer", "valley", "test1", "pretest", "set", "1"])
def test_other_names_are_no_parts(name):
    assert part_of(name) is None


@pytest.mark.parametrize("name", ["test", "Testing", "test set", "HOLDOUT", "hold-out"])
def test_test_images_are_kept_apart(name, tmp_path, capsys):
    write(tmp_path, [*names("train"), *names("val", "ab"), *names(name, "ac", 2)])
    data, told = quiet(tmp_path)
    assert not told and data.test.ids == tuple(names(name, "ac", 2))
    assert classes_of(data.test) == ["a", "a", "c", "c"]
    assert not set(data.test.ids) & set(ids(data))
    described = datasets.describe(data)
    assert described.parts["test"].images == 4
    assert "Of the test images none is of the class 'b'" in capsys.readouterr().out
    parts = {"train": "labeled", "val": None, name: "validation"}
    data, told = quiet(tmp_path, parts=parts)
    assert not told and data.test is None and len(data.validation) == 4
    assert len(ids(data)) == 13


def test_without_validation_images_some_are_drawn_and_told(tmp_path):
    write(tmp_path, names("train", "ab", 10) + names("test", "", 6))
    data, told = quiet(tmp_path)
    assert len(told) == 1 and "4 are drawn from the labeled ones, and the 6" in told[0]
    assert len(data.labeled) == 16 and len(data.validation) == 4
    assert len(data.test) == 6 and not data.test.annotated.any()
    data, _ = quiet(tmp_path, labeled=4, unlabeled=8, validation=8, stratify=True)
    assert [len(p) for p in (data.labeled, data.unlabeled, data.validation)] == [
        4,
        8,
        8,
    ]
    data, told = quiet(tmp_path, parts={"train": "labeled", "test": "unlabeled"})
    assert not told and len(data.unlabeled) == 6


def test_labels_may_be_hidden(tmp_path):
    write(tmp_path, names("train", "ab", 10) + names("val", "ab"))
    data, _ = quiet(tmp_path)
    assert len(data.labeled) == 20 and data.unlabeled is None
    data, _ = quiet(tmp_path, labeled=0.2, unlabeled=0.8)
    assert [len(data.labeled), len(data.unlabeled), len(data.validation)] == [4, 16, 6]
    with pytest.raises(ValueError, match=r"validation=0\.5\. Leave it out"):
        datasets.from_directory(tmp_path, validation=0.5)


def suggested(error):
    """The mapping that an error proposes."""
    return literal_eval(re.search(r"parts=(\{[^}]+\})", str(error.value))[1])


def test_a_class_called_as_a_part_is_asked_about(tmp_path):
    write(tmp_path, [f"{name}/{i}.png" for name in ("bus", "train") for i in range(9)])
    with pytest.raises(ValueError, match=r"'train' in .* but 'bus' beside") as caught:
        datasets.from_directory(tmp_path)
    assert "If each folder is a class, pass `parts={}`" in str(caught.value)
    for options in ({"parts": {}}, {"class_names": ["train", "bus"]}):
        data, told = quiet(tmp_path, labeled=0.2, unlabeled=0.6, **options)
        assert not told and set(data.class_names) == {"bus", "train"}
    assert suggested(caught) == {"train": "labeled", "bus": None}


@pytest.mark.filterwarnings("ignore:Class folders:")
def test_quality_classes(tmp_path):
    both = ("valid", "invalid")
    write(tmp_path, [f"{name}/{i}.png" for name in both for i in range(9)])
    with pytest.raises(ValueError, match=r"'valid' in .* but 'invalid' beside it"):
        datasets.from_directory(tmp_path)
    assert datasets.from_directory(tmp_path, parts={}).num_classes == 2
    write(tmp_path / "two", [f"{n}/{c}/{i}.png" for n in ("train", "val") for c in both
                             for i in range(2)])  # fmt: skip
    data = datasets.from_directory(tmp_path / "two")
    assert data.class_names == ("invalid", "valid") and len(data.validation) == 4


def test_two_folders_for_one_part_are_asked_about(tmp_path):
    write(tmp_path, names("train") + names("dev") + names("eval"))
    with pytest.raises(ValueError, match=r"'dev' and 'eval' in .* may both") as caught:
        datasets.from_directory(tmp_path)
    data = datasets.from_directory(tmp_path, parts=suggested(caught))
    assert {name.split("/")[0] for name in data.validation.ids} == {"dev"}
    parts = {"train": "labeled", "dev": "labeled", "eval": "validation"}
    assert len(datasets.from_directory(tmp_path, parts=parts).labeled) == 18


def test_no_labeled_part_is_asked_about(tmp_path):
    write(tmp_path, names("val") + names("test"))
    with pytest.raises(ValueError, match="none holds labeled images") as caught:
        datasets.from_directory(tmp_path)
    assert datasets.from_directory(tmp_path, parts=suggested(caught)).num_classes == 3


@pytest.mark.parametrize("annotated", [False, True])
def test_parts_a_level_deeper(annotated, tmp_path):
    write(tmp_path / "all", [f"fish/{name}" for name in names("train") + names("val")])
    rest = []
    if annotated:
        found = [f"fish/{name}" for name in names("train") + names("val")]
        rest = [table(tmp_path / "a.csv", answers(found))]
    with pytest.raises(ValueError, match=r"name the folder '.*all/fish' instead"):
        datasets.from_directory(tmp_path / "all", *rest)
    inside = [f"{c}/{p}/{i}.png" for c in "ab" for p in ("train", "val") for i in "123"]
    write(tmp_path / "inside", inside)
    if annotated:
        rest = [table(tmp_path / "a.csv", answers(inside))]
    with pytest.raises(ValueError, match=r"lie inside others: move .* train/a;"):
        datasets.from_directory(tmp_path / "inside", *rest)
    data = datasets.from_directory(tmp_path / "inside", *rest, parts={}, labeled=8)
    assert data.class_names == ("a", "b")


def test_a_folder_of_a_class_may_hold_any(tmp_path):
    write(
        tmp_path,
        [f"{c}/{d}/{i}.png" for c in "ab" for d in ("test", "x") for i in "12"],
    )
    assert datasets.from_directory(tmp_path, labeled=4).num_classes == 2


@pytest.mark.parametrize(
    ("extra", "match"),
    [
        (["train/x.png"], r"'train/x\.png' .* no folder of a class\. Move .*train/a/x"),
        (["val/x.png", "val/y.png"], r"'val/x\.png' of .*, and 1 more do not"),
        (["test/x.png", "test/a/1.png"], r"'test/x\.png' of"),
        (["val/d/1.png"], r"'d' is no class of 'train', .*val/d' \(1 image\)"),
        (["val/A/1.png"], r"val/A' \(1 image; is it 'a'\?\)"),
        (["test/d/1.png", "test/d/2.png"], r"test/d' \(2 images\)"),
    ],
)
def test_what_does_not_fit_in(extra, match, tmp_path):
    write(tmp_path, names("train") + names("val") + extra)
    with pytest.raises(ValueError, match=match):
        datasets.from_directory(tmp_path)


def test_flat_parts_are_told(tmp_path):
    write(tmp_path, names("train", "") + names("val", ""))
    with pytest.raises(ValueError, match=r"`parts=\{\}` if the folders above are"):
        datasets.from_directory(tmp_path)
    assert datasets.from_directory(tmp_path, parts={}, labeled=4).num_classes == 2
    write(tmp_path / "one", names("train", "a") + names("val", "a"))
    with pytest.raises(ValueError, match=r"folder in '.*train', but there is one, 'a'"):
        datasets.from_directory(tmp_path / "one")


def test_a_given_list_of_classes(tmp_path, capsys):
    write(tmp_path, names("train", "ab") + names("val", "bd"))
    data = datasets.from_directory(tmp_path, class_names=["d", "b", "a"])
    assert data.class_names == ("d", "b", "a")
    assert data.labels.tolist() == [2] * 3 + [1] * 3
    assert data.validation.majority.tolist() == [1] * 3 + [0] * 3
    datasets.describe(data)
    assert "Of the labeled images none is of the class 'd'" in capsys.readouterr().out
    with pytest.raises(ValueError, match="'d' is no class of `class_names`, which are"):
        datasets.from_directory(tmp_path, class_names=["a", "b"])


def test_folders_of_unlabeled_images(tmp_path):
    write(tmp_path, names("train") + names("val"))
    write(tmp_path, [*names("unlabeled", ["monday", "tuesday"]), "loose.png"])
    write(tmp_path, ["train/unlabeled/1.png"])
    data, told = quiet(tmp_path)
    assert len(data.unlabeled) == 8 and not data.unlabeled.annotated.any()
    assert len(told) == 1 and "loose.png" in told[0]
    write(tmp_path, names("unlabeled", "b"))
    data, told = quiet(tmp_path)
    assert len(told) == 2 and "'monday', 'tuesday' (6)" in " ".join(told)
    assert data.unlabeled.annotated.sum() == 3 and len(data.labeled) == 9


def test_one_class_in_two_unicode_forms(tmp_path):
    train, val = ["caf\u00e9", "tea"], ["cafe\u0301", "tea"]
    write(tmp_path, names("train", train) + names("val", val))
    data, told = quiet(tmp_path)
    assert not told and data.class_names == tuple(train)
    assert data.validation.majority.tolist() == [0] * 3 + [1] * 3


def test_parts_with_a_table(tmp_path):
    files = names("train", "", 8) + names("val", "", 6) + names("unlabeled", "", 4)
    write(tmp_path / "images", files)
    rows = answers(names("train", "", 6) + names("val", "", 6))
    data, told = quiet(tmp_path / "images", table(tmp_path / "a.csv", rows))
    assert not told and data.labeled.ids == tuple(names("train", "", 6))
    assert data.validation.ids == tuple(names("val", "", 6))
    assert data.unlabeled.ids == ("train/6.png", "train/7.png", *files[-4:])
    rows = rows[:-3]
    with pytest.raises(ValueError, match=r"1 of 6 have none, such as 'val/5\.png'"):
        datasets.from_directory(tmp_path / "images", table(tmp_path / "a.csv", rows))


@pytest.mark.filterwarnings("ignore:.*answered images are in no part")
def test_a_given_split_and_groups(tmp_path):
    write(tmp_path, names("train") + names("val"))
    split = {"labeled": names("val"), "validation": names("train", "a")}
    data = datasets.from_directory(tmp_path, split=split)
    assert data.labeled.ids == tuple(names("val")) and len(data.validation) == 3
    with pytest.raises(ValueError, match="both in labeled and in validation"):
        datasets.from_directory(tmp_path, groups=lambda name: name.split("/")[1])
    data = datasets.from_directory(tmp_path, groups=lambda name: name)
    assert len(data.labeled) == 9
    data.save_split(tmp_path / "split.json")
    again = datasets.from_directory(tmp_path, split=tmp_path / "split.json")
    assert again.labeled.ids == data.labeled.ids


@pytest.mark.parametrize(
    ("parts", "error", "match"),
    [
        (["train"], TypeError, r"`parts` must say what each folder is.*\['train'\]"),
        ({"train": "labeled", "x": "test"}, ValueError, "names 'x', but the folders"),
        ({"train": "labeled"}, ValueError, "says nothing of the folder 'val'"),
        (
            {"train": "train", "val": None},
            ValueError,
            r"Received: \{'train': 'train'\}",
        ),
        ({"train": "test", "val": None}, ValueError, 'one folder at least "labeled"'),
    ],
)
def test_wrong_parts(parts, error, match, tmp_path):
    write(tmp_path, names("train") + names("val"))
    with pytest.raises(error, match=match):
        datasets.from_directory(tmp_path, parts=parts)


def test_links_and_empty_folders(tmp_path):
    write(tmp_path / "elsewhere", names("x"))
    write(tmp_path / "set", names("train"))
    os.symlink(tmp_path / "elsewhere" / "x", tmp_path / "set" / "val")
    data, told = quiet(tmp_path / "set")
    assert not told and data.validation.ids == tuple(names("val"))
    (tmp_path / "set" / "val").unlink()
    (tmp_path / "set" / "val").mkdir()
    data, told = quiet(tmp_path / "set", validation=3)
    assert len(told) == 1 and "'val' in" in told[0] and "holds no image" in told[0]
    assert len(data.validation) == 3


def test_damaged_images_of_a_part_are_left_out(tmp_path):
    write(tmp_path, names("train") + names("val") + names("test", ""))
    for name in ("train/a/0.png", "test/1.png"):
        (tmp_path / name).write_bytes(b"")
    data, _ = quiet(tmp_path, on_error="skip")
    assert len(data.labeled) == 8 and len(data.test) == 2
    assert sorted(data.labeled.skipped) == ["test/1.png", "train/a/0.png"]


def parts_that_are_suggested(message):
    return [literal_eval(text) for text in re.findall(r"`parts=(\{.*?\})`", message)]


@pytest.mark.filterwarnings("ignore:No folder holds validation")
@pytest.mark.parametrize("part", ["val", "test"])
def test_class_folders_beside_a_part_for_no_training(part, tmp_path):
    write(tmp_path, [f"{top}/{i}.png" for top in ("a", "b", part) for i in range(8)])
    with pytest.raises(ValueError, match=r"'a', 'b' .*'train'") as caught:
        datasets.from_directory(tmp_path)
    assert parts_that_are_suggested(str(caught.value)) == [{}]
    assert len(datasets.from_directory(tmp_path, parts={}).class_names) == 3
    for name in "ab":  # as it says
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / "train" / name)
    if part == "val":
        for name in "ab":
            (tmp_path / part / name).mkdir()
            (tmp_path / part / f"{'ab'.index(name)}.png").rename(
                tmp_path / part / name / "0.png"
            )
        for rest in (tmp_path / part).glob("*.png"):
            rest.unlink()
    assert datasets.from_directory(tmp_path).class_names == ("a", "b")


def test_what_is_suggested_beside_training_images_works(tmp_path):
    write(tmp_path, names("train", "ab", 5) + names("val", "ab") + names("old", ""))
    with pytest.raises(ValueError, match="'old' beside it is not") as caught:
        datasets.from_directory(tmp_path)
    for parts in filter(None, parts_that_are_suggested(str(caught.value))):
        data = datasets.from_directory(tmp_path, parts=parts)
        assert len(data.labeled) == 10 and data.unlabeled is None


def test_a_split_keeps_test_images_apart(tmp_path):
    write(
        tmp_path / "in",
        [
            *(names("train", "ab", 6) + names("val", "ab") + names("test", "ab", 2)),
            *names("unlabeled", "", 3),
        ],
    )
    data, _ = quiet(tmp_path / "in")
    file = tmp_path / "split.json"
    data.save_split(file)
    held = {"validation": data.validation.ids}
    lists = {**held, "labeled": data.labeled.ids, "unlabeled": data.unlabeled.ids}
    for split in (file, held, lists):
        again, told = quiet(tmp_path / "in", split=split)
        assert isinstance(again, type(data)) and again.test.ids == data.test.ids
        assert again.test.majority.tolist() == data.test.majority.tolist()
        for part in ("labeled", "unlabeled", "validation"):
            assert getattr(again, part).ids == getattr(data, part).ids
        assert not told
        again.save_split(file)
    lists["validation"] = data.test.ids  # on purpose
    again, _ = quiet(tmp_path / "in", split=lists)
    assert again.test is None and again.validation.ids == data.test.ids
    lists["validation"] = data.test.ids[:1]
    again, _ = quiet(tmp_path / "in", split=lists, groups=lambda name: name)
    assert again.test.ids == data.test.ids[1:]


def test_images_beside_parts_are_told(tmp_path):
    write(tmp_path, [*names("train", "ab"), *names("val", "ab"), "x.png"])
    data, told = quiet(tmp_path)
    assert data.unlabeled.ids == ("x.png",)
    assert len(told) == 1 and "1 image lies in" in told[0] and "x.png" in told[0]
