"""Images that are withdrawn from data or come to it: all others stay in their parts."""

import json
import warnings

import numpy as np
import pytest

from keras_dc3 import Annotations, datasets
from keras_dc3.data import ImageSet, SemiSupervisedData, Split
from tests.data.test_relabeling import (
    IDS,
    NAMES,
    N,
    answers_to,
    counts_of,
    images_of,
    make_data,
)


def with_parts(data, **options):
    """The same images, split by a file: all that there are and some more."""
    more = [f"later {i}.png" for i in range(options.pop("more", 0))]
    counts = np.zeros((N + len(more), 3), "int64")
    counts[:N] = counts_of(30)
    for name, answer in options.pop("answered", {}).items():
        counts[[*IDS, *more].index(name)] = answer
    whole = ImageSet(images_of(N + len(more)), [*IDS, *more], counts, NAMES)
    return SemiSupervisedData.from_image_set(whole, split=data, **options)


def ids_of(data):
    return {name: part.ids for name, part in data.parts().items()}


def test_withdrawn_images_are_in_no_part(capsys):
    before = make_data()
    gone = [part.ids[1] for part in before.parts().values()]
    after = before.without(gone)
    for name, part in before.parts().items():
        left = tuple(i for i in part.ids if i not in gone)
        assert getattr(after, name).ids == left
    rows = [i for i, name in enumerate(before.labeled.ids) if name not in gone]
    np.testing.assert_array_equal(after.labels, before.labels[rows])
    assert after.withdrawn == tuple(gone) and before.withdrawn == ()
    told = capsys.readouterr().out
    assert told.startswith("3 images withdrawn: 1 labeled, so that 20 are left; 1 unl")
    assert "3 withdrawn" in repr(after) and "withdrawn" not in repr(before)
    again = after.without([after.labeled.ids[0]])
    assert len(again.withdrawn) == 4
    datasets.describe(again)
    assert f"Images withdrawn: 4 ({gone[0]!r}" in capsys.readouterr().out


def test_they_stay_out_of_all_that_follows(tmp_path, capsys):
    before = make_data()
    gone = [part.ids[1] for part in before.parts().values()]
    after = before.without(gone)
    answered = after.with_labels(answers_to([*gone, after.unlabeled.ids[0]]))
    assert "3 answered images were withdrawn and stay out" in capsys.readouterr().out
    assert not {*gone} & {i for ids in ids_of(answered).values() for i in ids}
    assert answered.withdrawn == tuple(gone)
    assert after.with_images(ImageSet(images_of(), IDS)).unlabeled.ids == (
        after.unlabeled.ids
    )
    answered.with_classes([*NAMES, "eel"]).save_split(tmp_path / "split.json")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = with_parts(
            tmp_path / "split.json", answered={after.unlabeled.ids[0]: [1, 1, 0]}
        )
    assert set(read.withdrawn) == set(gone)
    for name, ids in ids_of(answered).items():
        assert set(ids_of(read)[name]) == set(ids)
    counts = counts_of(30)
    counts[IDS.index(after.unlabeled.ids[0])] = [1, 1, 0]
    kept = [i for i, name in enumerate(IDS) if name not in gone]
    fewer = ImageSet(images_of(N - 3), [IDS[i] for i in kept], counts[kept], NAMES)
    with warnings.catch_warnings():  # the files themselves may be gone
        warnings.simplefilter("ignore")
        read = SemiSupervisedData.from_image_set(fewer, split=tmp_path / "split.json")
    assert read.withdrawn == () and read.validation.ids == tuple(
        sorted(answered.validation.ids)
    )
    saved = json.loads((tmp_path / "split.json").read_text("utf-8"))
    assert set(saved["withdrawn"]) == set(gone) <= set(saved["unused"])


def test_what_cannot_be_withdrawn_is_told():
    data = make_data()
    with pytest.raises(ValueError, match=r"1 of 2 images to withdraw are not in the"):
        data.without([IDS[0], "nowhere.png"])
    with pytest.raises(ValueError, match=r"All labeled images would be withdrawn"):
        data.without(data.labeled.ids)
    assert data.without(data.validation.ids).validation is None
    assert data.without(data.unlabeled.ids).unlabeled is None
    assert data.without(IDS[0]).withdrawn == (IDS[0],)


def test_images_that_come_later_are_unlabeled(capsys):
    before = make_data()
    later = [f"later {i}.png" for i in range(4)]
    new = ImageSet(images_of(6), [*later, IDS[0], before.validation.ids[0]])
    after = before.with_images(new)
    assert ids_of(after) == {
        **ids_of(before),
        "unlabeled": (*before.unlabeled.ids, *later),
    }
    pixels = after.unlabeled.read(np.arange(len(after.unlabeled)))[-4:, 0, 0, 0]
    assert pixels.tolist() == [0, 1, 2, 3]
    assert "4 new images unlabeled now (30 -> 34)" in capsys.readouterr().out
    moved = after.with_labels(answers_to(later[:2]))
    assert moved.labeled.ids[-2:] == tuple(later[:2])
    with pytest.raises(TypeError, match="Received: ndarray"):
        before.with_images(images_of(3))
    with pytest.raises(ValueError, match=r"image_shape \(4, 4, 3\), the new images"):
        before.with_images(ImageSet(np.zeros((1, 5, 5, 3), "uint8"), ["x"]))
    other = ImageSet(images_of(1), ["x"], class_names=["a", "b"])
    with pytest.raises(ValueError, match="those of the new images"):
        before.with_images(other)


def test_a_saved_split_meets_a_folder_with_more_files(tmp_path):
    before = make_data()
    before.save_split(tmp_path / "split.json")
    match = r"5 images came after the split was saved and join the unlabeled ones \(30"
    with pytest.warns(UserWarning, match=match) as told:
        after = with_parts(tmp_path / "split.json", more=5)
    assert len(told) == 1
    for name in ("labeled", "validation"):
        assert set(ids_of(after)[name]) == set(ids_of(before)[name])
    later = {f"later {i}.png" for i in range(5)}
    assert set(after.unlabeled.ids) == {*before.unlabeled.ids, *later}
    after.save_split(tmp_path / "next.json")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = with_parts(tmp_path / "next.json", more=5)
    assert {k: set(v) for k, v in ids_of(again).items()} == {
        k: set(v) for k, v in ids_of(after).items()
    }
    with pytest.raises(ValueError, match=r"they have 1 other"):
        Split.load(tmp_path / "split.json", [*IDS, "later.png"])


def test_images_that_come_with_an_answer_are_labeled(tmp_path):
    before = make_data()
    before.save_split(tmp_path / "split.json")
    with pytest.warns(UserWarning) as told:
        after = with_parts(
            tmp_path / "split.json", more=3, answered={"later 1.png": [0, 2, 0]}
        )
    assert set(after.labeled.ids) == {*before.labeled.ids, "later 1.png"}
    assert {"later 0.png", "later 2.png"} <= set(after.unlabeled.ids)
    assert after.validation.ids == tuple(sorted(before.validation.ids))
    assert any("has answers now" in str(one.message) for one in told)


def test_later_images_of_a_group_of_another_part_are_left_out(tmp_path):
    groups = {**{name: name for name in IDS}, "later 1.png": "new"}
    before = make_data()
    groups["later 0.png"] = before.validation.ids[0]
    before.save_split(tmp_path / "split.json")
    with pytest.warns(UserWarning, match="1 image came.*1 that are of a group of"):
        after = with_parts(
            tmp_path / "split.json", more=2, groups=lambda name: groups[name]
        )
    assert "later 1.png" in after.unlabeled.ids and after.unused == ["later 0.png"]


def test_a_folder_that_grows_keeps_its_parts(tmp_path):
    from PIL import Image

    folder = tmp_path / "fish"
    folder.mkdir()
    names = [f"{i}.png" for i in range(20)]
    for name, image in zip(names, images_of(20), strict=True):
        Image.fromarray(image).save(folder / name)
    rows = [(n, p, NAMES[i % 2]) for i, n in enumerate(names[:12]) for p in "ab"]
    answers = Annotations.from_records(rows, class_names=NAMES)
    first = datasets.from_directory(folder, annotations=answers, validation=0.25)
    first.save_split(tmp_path / "split.json")
    for i in range(3):
        Image.fromarray(images_of(1)[0]).save(folder / f"later {i}.png")
    with pytest.warns(UserWarning, match="3 images came after the split was saved"):
        second = datasets.from_directory(
            folder, annotations=answers, split=tmp_path / "split.json"
        )
    for name in ("labeled", "validation"):
        assert set(ids_of(second)[name]) == set(ids_of(first)[name])
    assert len(second.unlabeled) == len(first.unlabeled) + 3
