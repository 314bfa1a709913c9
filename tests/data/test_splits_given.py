"""Splits given by ids: as lists, as files, and what a data set makes of them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import datasets
from keras_dc3.data import ImageSet, SemiSupervisedData, Split, split
from keras_dc3.data.splits import given_split

IDS = [f"fold1/é {i:03d}.png" for i in range(40)]
NAMES = ["cod", "haddock"]


def same(first, second):
    return all((a == b).all() for a, b in zip(first, second, strict=True))


def image_set(counts=None, n=40):
    images = np.arange(n * 4, dtype="uint8").reshape(n, 2, 2, 1)
    if counts is None:
        counts = np.random.default_rng(0).integers(1, 4, (n, 2))
    return ImageSet(images, IDS[:n], counts, NAMES)


@given(
    st.lists(st.text(min_size=1), min_size=3, max_size=20, unique=True),
    st.integers(0, 9),
    st.randoms(),
)
def test_a_file_repeats_the_split_for_any_order_of_the_data(
    tmp_path_factory, ids, seed, shuffle
):
    try:
        json.dumps(ids, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return  # half a character is no name of a file
    path = tmp_path_factory.mktemp("split") / "split.json"
    parts = (
        split(len(ids), 0.3, None, 1, seed) if len(ids) > 3 else split(3, 1, 1, 1, seed)
    )
    parts.save(path, ids)
    assert same(Split.load(path, ids), parts)
    moved = list(ids)
    shuffle.shuffle(moved)
    for part, found in zip(parts, Split.load(path, moved), strict=True):
        assert {ids[i] for i in part} == {moved[i] for i in found}


def test_the_file_is_plain_json(tmp_path):
    Split(*map(np.array, ([3], [], [0, 2]))).save(
        tmp_path / "a" / "split.json", IDS[:5]
    )
    content = json.loads((tmp_path / "a" / "split.json").read_text("utf-8"))
    assert content == {
        "format": "keras_dc3 split",
        "version": 1,
        "labeled": [IDS[3]],
        "unlabeled": [],
        "validation": [IDS[0], IDS[2]],
        "unused": [IDS[1], IDS[4]],
    }
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["split.json"]


def test_a_file_of_other_images_is_refused(tmp_path):
    path = tmp_path / "split.json"
    split(40, 8, 20, 10, seed=0).save(path, IDS)
    with pytest.raises(
        ValueError, match=r"split\.json lists \d+ ids .* data lack: 'fold1"
    ):
        Split.load(path, [name.removeprefix("fold1/") for name in IDS])
    with pytest.raises(ValueError, match=r"written for 40 .* have 1 other \('new'\)"):
        Split.load(path, [*IDS, "new"])
    unused = json.loads(path.read_text("utf-8"))["unused"]
    with pytest.raises(ValueError, match="they lack 2 "):
        Split.load(path, [name for name in IDS if name not in unused])
    with pytest.raises(ValueError, match=r"positions in 0\.\.38"):
        split(40, 8, 22, 10, seed=0).save(path, IDS[:39])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("no JSON", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no saved split"),
        ('{"labeled": ["a"]}', '"format" must be'),
        ('{"format": "keras_dc3 split", "version": 2}', "of version 2"),
        (f'{{"format": "x", "version": {"9" * 5000}}}', "is no JSON"),
        ('{"format": "keras_dc3 split", "version": 1}', "at least one id"),
        (
            '{"format": "keras_dc3 split", "version": 1, "labeled": "a"}',
            "a list of ids for the labeled part. Received: str",
        ),
        (
            '{"format": "keras_dc3 split", "version": 1, "labeled": [1]}',
            "are strings, for the labeled part. Received: 1",
        ),
        (
            '{"format": "keras_dc3 split", "version": 1, "labeled": ["a", "a"]}',
            "in labeled twice: a",
        ),
        (
            '{"format": "keras_dc3 split", "version": 1, "labeled": ["a"], '
            '"validation": ["b", "a"]}',
            "both in labeled and in validation: a",
        ),
    ],
)
def test_files_that_are_no_split(tmp_path, content, match):
    path = tmp_path / "split.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=match):
        Split.load(path, ["a", "b"])
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is no JSON"):
        Split.load(path, ["a", "b"])
    with pytest.raises(FileNotFoundError, match=r"missing\.json' does not exist"):
        Split.load(tmp_path / "missing.json", ["a", "b"])


@pytest.mark.parametrize("unused", ["null", "[]", '["c"]'])
def test_a_part_may_be_null(tmp_path, unused):
    path = tmp_path / "split.json"
    path.write_text(
        '{"format": "keras_dc3 split", "version": 1, "labeled": ["a"], '
        f'"unlabeled": null, "validation": ["b"], "unused": {unused}}}'
    )
    ids = ["a", "b", "c"] if "c" in unused else ["a", "b"]
    assert [part.tolist() for part in Split.load(path, ids)] == [[0], [], [1]]


def test_a_file_with_a_mark_of_its_encoding(tmp_path):
    """As editors of some systems write it."""
    path = tmp_path / "split.json"
    parts = split(40, 8, 20, 10, seed=0)
    parts.save(path, IDS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert same(Split.load(path, IDS), parts)


def test_a_folder_is_no_split(tmp_path):
    with pytest.raises(OSError, match=r"saved split .* cannot be read \(.+\); name"):
        Split.load(tmp_path, IDS)


def test_given_lists():
    lists = {"labeled": ["c", "a"], "validation": ["b"]}
    parts = Split.from_ids(lists, list("abcd"))
    assert [part.tolist() for part in parts] == [[0, 2], [], [1]]
    with pytest.raises(ValueError, match=r"may have the parts.*Received: \['train'\]"):
        Split.from_ids({"train": ["a"]}, list("abcd"))
    with pytest.raises(ValueError, match="lists 1 id of the validation part"):
        Split.from_ids({"labeled": ["a"], "validation": ["x"]}, list("abcd"))
    with pytest.raises(TypeError, match=r"a saved one, or a mapping.*Received: list"):
        given_split([["a"], ["b"]], list("abcd"))
    outside = Split(np.array([0, 4]), np.array([], int), np.array([1]))
    with pytest.raises(ValueError, match=r"positions in 0\.\.3.*0 to 4"):
        given_split(outside, list("abcd"))
    twice = Split(np.array([0, 1]), np.array([], int), np.array([1]))
    with pytest.raises(ValueError, match="both in labeled and in validation: 1"):
        given_split(twice, list("abcd"))


def parts_of(data):
    parts = (data.labeled, data.unlabeled, data.validation)
    return [() if part is None else part.ids for part in parts]


def test_a_data_set_is_repeated_from_its_file(tmp_path):
    first = SemiSupervisedData.from_image_set(image_set(), 10, 15, 10, seed=3)
    first.save_split(tmp_path / "split.json")
    again = SemiSupervisedData.from_image_set(
        image_set(), split=tmp_path / "split.json", seed=3
    )
    assert parts_of(again) == parts_of(first)
    assert (again.labels == first.labels).all()
    with pytest.raises(ValueError, match=r"data lack: 'fold1/é 039\.png'"):
        SemiSupervisedData.from_image_set(
            image_set().subset(np.arange(39)), split=tmp_path / "split.json"
        )


def test_parts_put_together_by_hand_are_saved_too(tmp_path):
    data = SemiSupervisedData(
        image_set().subset([0, 1]), [0, 1], image_set().subset([5, 3])
    )
    data.save_split(tmp_path / "split.json")
    # What they leave out is not known, so that more images are no mistake.
    parts = Split.load(tmp_path / "split.json", IDS)
    assert [part.tolist() for part in parts] == [[0, 1], [3, 5], []]


@pytest.mark.filterwarnings(
    "ignore:.*answered images are in no part|.*have answers, which are not"
)
def test_given_lists_make_the_data_set():
    lists = {"labeled": IDS[:6], "unlabeled": IDS[30:], "validation": IDS[10:12]}
    data = datasets.from_arrays(
        image_set().images, image_set().counts, ids=IDS, split=lists
    )
    assert parts_of(data) == [tuple(IDS[:6]), tuple(IDS[30:]), tuple(IDS[10:12])]
    # The sizes that a loader has by default do not matter.
    same_parts = SemiSupervisedData.from_image_set(image_set(), 0.5, split=lists)
    assert parts_of(same_parts) == parts_of(data)


@pytest.mark.filterwarnings(
    "ignore:.*answered images are in no part|.*have answers, which are not"
)
def test_given_lists_need_annotations():
    counts = np.ones((40, 2), int)
    counts[[2, 11]] = 0
    for lists in ({"labeled": IDS[:6]}, {"labeled": IDS[:2], "validation": IDS[10:12]}):
        with pytest.raises(ValueError, match=r"annotat.*'fold1/é 0(02|11)\.png'"):
            SemiSupervisedData.from_image_set(image_set(counts), split=lists)
    data = SemiSupervisedData.from_image_set(
        image_set(counts), split={"labeled": IDS[:2], "unlabeled": IDS[2:5]}
    )
    assert parts_of(data)[1] == tuple(IDS[2:5])


def test_stratified_by_majority():
    counts = np.where(np.arange(40)[:, None] < 30, [[3, 1]], [[1, 2]])
    data = SemiSupervisedData.from_image_set(
        image_set(counts), 8, 24, 8, stratify=True, seed=1
    )
    for part in (data.labeled, data.unlabeled, data.validation):
        assert (part.majority == 1).mean() == 0.25
    counts = np.where(np.arange(40)[:, None] < 39, [[3, 1]], [[1, 2]])
    with pytest.raises(ValueError, match="'haddock' has 1 of the 40 images"):
        SemiSupervisedData.from_image_set(image_set(counts), 8, 24, 8, stratify=True)


@pytest.mark.parametrize("form", ["list", "function"])
def test_groups(form):
    groups = [name[-6] + "x" * (i // 10) for i, name in enumerate(IDS)]  # the tens
    counts = np.ones((40, 2), int)
    counts[35:] = 0  # of a group that is annotated in part
    of_id = dict(zip(IDS, groups, strict=True))
    data = SemiSupervisedData.from_image_set(
        image_set(counts),
        0.25,
        0.5,
        0.25,
        groups=groups if form == "list" else of_id.__getitem__,
    )
    members = [{of_id[name] for name in part} for part in parts_of(data)]
    assert not members[0] & members[2] and not members[1] & members[2]
    assert not members[0] & members[1]


def test_unannotated_images_stay_with_their_group():
    """Those of a group that validates do not become unlabeled ones."""
    counts = np.ones((40, 2), int)
    counts[::2] = 0
    groups = np.arange(40) // 10
    data = SemiSupervisedData.from_image_set(
        image_set(counts), 0.25, 0.5, 0.25, groups=groups
    )
    of_id = dict(zip(IDS, groups, strict=True))
    members = [{of_id[name] for name in part} for part in parts_of(data)]
    assert not members[1] & members[2]
    assert len(data.labeled) + len(data.validation) < 20


@pytest.mark.filterwarnings(
    "ignore:.*answered images are in no part|.*have answers, which are not"
)
def test_groups_of_a_given_split_are_checked():
    lists = {"labeled": IDS[:6], "validation": IDS[5:10][1:]}
    groups = [0] * 7 + [1] * 33
    with pytest.raises(ValueError, match="group 0 are both in labeled and in valid"):
        SemiSupervisedData.from_image_set(image_set(), split=lists, groups=groups)
    groups = [0] * 6 + [1] * 34
    SemiSupervisedData.from_image_set(image_set(), split=lists, groups=groups)


def test_arguments_that_do_not_go_together():
    with pytest.raises(ValueError, match=r"Pass `labeled`.*or `split`"):
        SemiSupervisedData.from_image_set(image_set())
    with pytest.raises(ValueError, match="`stratify` draws a split"):
        SemiSupervisedData.from_image_set(
            image_set(), split={"labeled": IDS[:3]}, stratify=True
        )
    with pytest.raises(
        ValueError, match=r"one group per image.*3 groups for 40 images"
    ):
        SemiSupervisedData.from_image_set(image_set(), 4, groups=[1, 2, 3])
