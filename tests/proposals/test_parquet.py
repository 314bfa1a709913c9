"""Proposals through a Parquet file and back."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.proposals import Proposals
from tests.proposals.helpers import NAMES, make_proposals
from tests.proposals.test_csv import ODD, TEXT

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "proposals.parquet"


def with_embeddings(n=40, width=5, **options):
    embeddings = np.random.default_rng(1).normal(size=(n, width))
    return make_proposals(n, embeddings=embeddings, **options)


def changed(path, proposals=None, **columns):
    """Writes proposals with other columns; None takes one away."""
    (proposals or with_embeddings(4)).to_parquet(path)
    table = pq.read_table(path)
    arrays = dict(zip(table.column_names, table.columns, strict=True))
    for name, values in columns.items():
        name = {"p_cat": "p(cat)", "of_class": "class"}.get(name, name)
        arrays.pop(name)
        if values is not None:
            arrays[name] = values
    pq.write_table(pa.table(arrays), path)
    return path


@given(
    ids=st.lists(TEXT, min_size=1, max_size=6, unique=True),
    names=st.lists(TEXT, min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 1000),
    width=st.integers(0, 3),
)
def test_round_trip_of_any_text(tmp_path_factory, ids, names, seed, width):
    path = tmp_path_factory.getbasetemp() / "any.parquet"
    options = {"ids": ids, "names": tuple(names), "seed": seed}
    proposals = make_proposals(len(ids), **options)
    if width:
        proposals = with_embeddings(len(ids), width, **options)
    proposals.to_parquet(path)
    restored = Proposals.from_parquet(path)
    assert restored == proposals
    assert list(restored) == list(proposals)
    assert restored.cluster_probabilities is None
    if width:
        np.testing.assert_array_equal(restored.embeddings, proposals.embeddings)
    else:
        assert restored.embeddings is None


@pytest.mark.filterwarnings("ignore:.*begin with '='")
def test_both_files_hold_the_same(path, tmp_path):
    proposals = make_proposals(len(ODD), list(ODD), ODD)
    proposals.to_parquet(path)
    proposals.to_csv(tmp_path / "p.csv")
    assert Proposals.from_parquet(path) == Proposals.from_csv(tmp_path / "p.csv")
    assert pq.read_table(path).column_names[:3] == ["id", "ambiguity", "decision"]


@pytest.mark.parametrize("embeddings", [None, np.zeros((0, 3))])
def test_no_image_comes_back(path, embeddings):
    none = Proposals([], [], np.zeros((0, 2)), np.zeros((0, 3)), ["a", "b"], embeddings)
    none.to_parquet(path)
    assert Proposals.from_parquet(path) == none


def test_through_pandas(path):
    pandas = pytest.importorskip("pandas")
    proposals = with_embeddings()
    proposals.to_parquet(path)
    table = pandas.read_parquet(path)
    assert table["class"].tolist() == proposals.class_name.tolist()
    table["note"] = "mine"
    table["class"] = table["class"].astype("category")
    table = table[["note", *reversed(table.columns[:-1])]]
    table.iloc[::-1].to_parquet(path)
    restored = Proposals.from_parquet(path)
    assert restored.class_names == proposals.class_names[::-1]
    assert restored.ids == proposals.ids[::-1]
    np.testing.assert_array_equal(restored.embeddings, proposals.embeddings[::-1])


def test_the_old_file_stays_if_writing_fails(path):
    make_proposals(3).to_parquet(path)
    before = path.read_bytes()
    bad = make_proposals(3, ids=["a", "b\ud800", "c"])
    with pytest.raises(ValueError, match="must be valid Unicode text"):
        bad.to_parquet(path)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": None}, r"lacks the columns \['id'\]. It must be .*to_parquet"),
        ({"cluster": None, "decision": None}, r"lacks .* \['decision', 'cluster'\]"),
        ({"id": ["a", "b", "a", "c"]}, "row 2: the id 'a' stands in row 0 already"),
        ({"id": ["a", "", "c", "d"]}, "row 1: `id` is empty; name the image"),
        ({"id": ["a", None, "c", "d"]}, "row 1: `id` is missing; complete the row"),
        ({"id": [1, 2, 3, 4]}, "`id` must be text. Found: int64. Numbers lose"),
        ({"ambiguity": [0.1, None, 0, 0]}, "row 1: `ambiguity` is missing"),
        ({"ambiguity": [0.1, 2.0, 0, 0]}, "row 1: `ambiguity` must be a number"),
        ({"ambiguity": list("abcd")}, "`ambiguity` must be numbers. Found: string"),
        ({"p_cat": [0.1, 0.2, 9, 0]}, "row .: the class probabilities sum to .* not"),
        ({"p_cat": [np.nan] * 4}, "row 0: the class probabilities sum to nan"),
        ({"decision": ["maybe"] * 4}, "row 0: `decision` is 'maybe', but with an am"),
        ({"of_class": ["mouse"] * 4}, "row 0: `class` is 'mouse', but the largest"),
        ({"class_probability": [0.0] * 4}, "row 0: `class_probability` is 0.0, but `"),
        ({"cluster": [0.5, 1, 2, 3]}, "`cluster` must be whole numbers. Found: doub"),
        ({"cluster": [-1, 1, 2, 3]}, "`cluster` must be at least 0. Received: -1"),
        ({"cluster_probability": [7.0] * 4}, "`cluster_probability` must be in"),
        ({"embedding": [[1.0], [1.0, 2], [1], [1]]}, "row 1: `embedding` has 2 numbe"),
        ({"embedding": [[1.0], None, [1], [1]]}, "row 1: `embedding` is missing"),
        ({"embedding": [1.0, 2, 3, 4]}, "`embedding` must be lists of numbers"),
        ({"embedding": [[np.inf]] * 4}, "`embeddings` must be finite in float32"),
        ({"embedding": [[]] * 4}, "`embedding"),
    ],
)
def test_bad_files(path, columns, message):
    with pytest.raises(ValueError, match=message) as caught:
        Proposals.from_parquet(changed(path, **columns))
    assert str(caught.value).startswith(repr(str(path)))
    assert "\n" not in str(caught.value)


def test_doubled_rows_and_columns(path):
    with_embeddings(4).to_parquet(path)
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(1, 1)]), path)
    with pytest.raises(ValueError, match="row 4: the id 'img_1' stands in row 1"):
        Proposals.from_parquet(path)
    names = ["ambiguity" if name == "cluster" else name for name in table.column_names]
    pq.write_table(table.rename_columns(names), path)
    with pytest.raises(ValueError, match="more than one column 'ambiguity'"):
        Proposals.from_parquet(path)


@given(cut=st.integers(0, 100))
def test_files_cut_short(tmp_path_factory, cut):
    path = tmp_path_factory.getbasetemp() / "cut.parquet"
    proposals = make_proposals(10)
    proposals.to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * cut // 101])
    with pytest.raises(ValueError, match=r"no complete Parquet file .*cut off\?"):
        Proposals.from_parquet(path)


def test_no_such_file(path, tmp_path):
    with pytest.raises(FileNotFoundError):
        Proposals.from_parquet(path)
    with pytest.raises(IsADirectoryError):
        Proposals.from_parquet(tmp_path)
    path.write_text("id,ambiguity\n")
    with pytest.raises(ValueError, match="no complete Parquet file"):
        Proposals.from_parquet(path)


def test_without_pyarrow(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for use in (make_proposals().to_parquet, Proposals.from_parquet):
        with pytest.raises(ImportError, match=r"keras_dc3\[parquet\]"):
            use(path)


def test_names_stand_in_the_columns(path):
    make_proposals().to_parquet(path)
    assert [f"p({name})" for name in NAMES] == pq.read_table(path).column_names[7:]
