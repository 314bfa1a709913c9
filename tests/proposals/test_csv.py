"""Proposals through a CSV file and back."""

import csv
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3._writing import whole_file
from keras_dc3.proposals import Proposals
from tests.proposals.helpers import make_proposals

GOOD = (
    "id,ambiguity,decision,class,class_probability,cluster,cluster_probability,"
    "p(cat),p(dog)\n"
    "a,0.1,certain,cat,0.9,1,0.7,0.9,0.1\n"
    "b,0.8,ambiguous,dog,0.6,2,1.0,0.4,0.6\n"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ODD = (
    "007",
    "1e5",
    "a,b",
    'say "hi"',
    "two\nlines",
    "two\r\nlines",
    "\r",
    " spaces ",
    "\ufeffmark",
    "Ölweiß/猫.png",
    "=1+1",
    "#",
    "nan",
    "\x00",
    "'",
    '"',
    ",",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "proposals.csv"


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.filterwarnings("ignore:.*begin with '='")
@given(
    ids=st.lists(TEXT, min_size=1, max_size=6, unique=True),
    names=st.lists(TEXT, min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 1000),
)
def test_round_trip_of_any_text(tmp_path_factory, ids, names, seed):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    proposals = make_proposals(len(ids), ids, tuple(names), seed)
    proposals.to_csv(path)
    restored = Proposals.from_csv(path)
    assert restored == proposals
    assert list(restored) == list(proposals)


@pytest.mark.filterwarnings("ignore:.*begin with '='")
def test_round_trip_of_odd_ids_and_names(path):
    proposals = make_proposals(len(ODD), list(ODD), ODD)
    proposals.to_csv(path)
    restored = Proposals.from_csv(path)
    assert restored == proposals
    assert restored.ids == restored.class_names == ODD


def test_numbers_come_back_to_the_bit(path):
    tiny = np.float32(1e-40)
    proposals = Proposals(
        ["a", "b", "c"],
        np.array([tiny, 1 / 3, np.nextafter(np.float32(0.5), 0)], "float32"),
        [[1.0, 0.0], [1 / 3, 2 / 3], [0.5, 0.5]],
        np.full((3, 7), 1 / 7, "float32"),
        ["x", "y"],
    )
    proposals.to_csv(path)
    restored = Proposals.from_csv(path)
    assert np.array_equal(restored.ambiguity, proposals.ambiguity)
    assert restored.ambiguity.astype("float32")[0] == tiny
    assert restored == proposals
    assert restored.cluster_probabilities is None


def test_no_image_comes_back(path):
    none = Proposals([], [], np.zeros((0, 2)), np.zeros((0, 3)), ["a", "b"])
    none.to_csv(path)
    assert Proposals.from_csv(path) == none


def test_what_stands_in_the_file(path):
    Proposals(
        ["a", "b, c"],
        [0.1, 0.8],
        [[0.9, 0.1], [0.4, 0.6]],
        [[0.2, 0.7, 0.1], [0.0, 0.0, 1.0]],
        ["cat", "dog"],
    ).to_csv(path)
    expected = GOOD.replace("\nb,", '\n"b, c",').replace("\n", "\r\n")
    assert path.read_bytes() == expected.encode()


@pytest.mark.filterwarnings("ignore:.*begin with '='")
def test_other_readers_read_it(path):
    proposals = make_proposals(len(ODD), list(ODD))
    proposals.to_csv(path)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == list(ODD)
    assert [float(row["p(deer, red)"]) for row in rows] == (
        proposals.class_probabilities[:, 2].tolist()
    )
    pandas = pytest.importorskip("pandas")
    proposals = make_proposals(50)
    proposals.to_csv(path)
    table = pandas.read_csv(path, dtype={"id": str})
    assert table["id"].tolist() == list(proposals.ids)
    assert table["class"].tolist() == proposals.class_name.tolist()
    assert np.allclose(table["ambiguity"], proposals.ambiguity, rtol=1e-15, atol=0)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text + "\n\n",
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("p(cat)", '"p(cat)"').replace("\na,", '\n"a",'),
        lambda text: "".join(
            f"note {n},{line}\n" for n, line in enumerate(text.splitlines())
        ),
    ],
    ids=["bom", "crlf", "cr", "bom+crlf", "blank", "no newline", "quoted", "column"],
)
def test_what_other_programs_change(path, change):
    expected = Proposals.from_csv(write(path, GOOD))
    assert Proposals.from_csv(write(path, change(GOOD))) == expected


def test_order_of_columns_is_free(path):
    expected = Proposals.from_csv(write(path, GOOD))
    rows = [line.split(",") for line in GOOD.splitlines()]
    moved = "\n".join(",".join([*row[3:7], *row[:3], *row[7:]]) for row in rows)
    assert Proposals.from_csv(write(path, moved)) == expected


def test_rounded_probabilities_are_accepted(path):
    text = GOOD.replace("0.9,1,0.7,0.9,0.1", "0.9,1,0.7,0.8996,0.1001")
    assert Proposals.from_csv(write(path, text)).class_name.tolist() == ["cat", "dog"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (GOOD, "", "is empty; write it with"),
        (GOOD, "\n\n", "is empty; write it with"),
        ("decision,", "", r"lacks the columns \['decision'\]. It must be a file writt"),
        (",p(cat),p(dog)", "", r"lacks the columns \['p\(<class name>\)'\]"),
        (",", ";", "lacks the columns .*separated by ';': save it with commas"),
        ("p(dog)", "p(cat)", r"more than one column 'p\(cat\)'"),
        ("\nb,", "\na,", "line 3: the id 'a' stands in line 2 already"),
        ("\nb,", "\n,", "line 3: `id` is empty"),
        ("0.4,0.6", "0.4", "line 3: there are 8 fields instead of 9"),
        ("0.4,0.6", "0.4,0.6,", "line 3: there are 10 fields instead of 9"),
        ("b,0.8", "b,high", "line 3: `ambiguity` must be a number in 0..1. .*'high'"),
        ("b,0.8", "b,nan", "line 3: `ambiguity` must be a number in 0..1. .*'nan'"),
        ("b,0.8", "b,1.8", "line 3: `ambiguity` must be a number in 0..1. .*'1.8'"),
        ("b,0.8", 'b,"0,8"', "line 3: `ambiguity` must be a number in 0..1. .*'0,8'"),
        ("b,0.8", "b,", "line 3: `ambiguity` must be a number in 0..1. Received: ''"),
        ("dog,0.6,2,", "dog,0.6,2.5,", "line 3: `cluster` must be an integer from 0"),
        ("dog,0.6,2,", "dog,0.6,-2,", "line 3: `cluster` must be an integer from 0"),
        ("dog,0.6,2,", f"dog,0.6,{10**30},", "line 3: `cluster` must be an integer"),
        ("2,1.0", "2,1_0", "line 3: `cluster_probability` must be a number in 0..1"),
        ("0.4,0.6", "0.4,x", r"line 3: `p\(dog\)` must be a number in 0..1"),
        ("0.4,0.6", "0.3,0.6", "line 3: the class probabilities sum to 0.9 and not"),
        (
            "0.8,ambi",
            "0.2,ambi",
            "line 3: `decision` is 'ambiguous', but with an am.* 0.2",
        ),
        ("certain,", "sure,", "line 2: `decision` is 'sure', but .*must be 'certain'"),
        ("dog,0.6", "cat,0.6", "line 3: `class` is 'cat', but the largest .*'dog'.*an"),
        ("dog,0.6", "dog,0.7", r"line 3: `class_probability` is 0.7, but `p\(dog\)`"),
        ("\nb,", '\n"b,', "line 3: this is no CSV .*cut off"),
    ],
)
def test_bad_file(path, old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        Proposals.from_csv(write(path, GOOD.replace(old, new)))


def test_line_numbers_count_lines_within_ids(path):
    text = GOOD.replace("\na,", '\n"a\nb\nc",').replace("b,0.8", "b,x")
    with pytest.raises(ValueError, match="line 5: `ambiguity`"):
        Proposals.from_csv(write(path, text))


def test_other_encodings(path):
    with pytest.raises(ValueError, match=r'is not UTF-8 .*Save it as "CSV UTF-8"'):
        Proposals.from_csv(write(path, GOOD.replace("\na,", "\nä,"), "latin-1"))


def test_missing_file(path):
    with pytest.raises(FileNotFoundError, match=r"proposals.csv"):
        Proposals.from_csv(path)


def test_text_that_is_no_unicode(path):
    with pytest.raises(ValueError, match=r"valid Unicode text.*'\\udcff'. Rename"):
        make_proposals(2, ["a", "\udcff.png"]).to_csv(path)
    assert os.listdir(path.parent) == []


def test_folder_is_created(tmp_path):
    path = tmp_path / "new" / "folder" / "p.csv"
    make_proposals().to_csv(str(path))
    assert Proposals.from_csv(str(path)) == make_proposals()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        make_proposals().to_csv(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    write(tmp_path / "file", "x")
    with pytest.raises(OSError, match=r"p.csv' cannot be written .*another folder"):
        make_proposals().to_csv(tmp_path / "file" / "p.csv")


def test_a_crash_leaves_the_old_file(path):
    write(path, "old")
    with pytest.raises(RuntimeError), whole_file(path) as file:
        file.write("half")
        file.flush()
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]


def test_the_old_file_stays_until_the_new_one_is_whole(path):
    write(path, "old")
    with whole_file(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == [path.name]


def test_links_and_permissions_stay(tmp_path):
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    link.symlink_to(target)
    plain = tmp_path / "plain"
    plain.write_text("")
    make_proposals().to_csv(link)
    assert link.is_symlink()
    assert Proposals.from_csv(target) == make_proposals()
    assert target.stat().st_mode == plain.stat().st_mode
