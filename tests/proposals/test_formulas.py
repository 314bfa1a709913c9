"""Names that a spreadsheet program would take for formulas."""

import csv
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Annotations
from keras_dc3.proposals import Proposals
from tests.proposals.helpers import make_proposals

FORMULAS = ("=1+1", "+1", "-1", "@a", "\tx", "\rx")
STARTS = st.text(st.sampled_from("=+-@\t\r'a"), min_size=1, max_size=4)


def cells(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def test_they_are_told_once_and_kept(tmp_path):
    proposals = make_proposals(6, ids=FORMULAS)
    with pytest.warns(
        UserWarning, match=r"6 of the names .*'\\tx'.*escape_form"
    ) as told:
        proposals.to_csv(tmp_path / "a.csv")
    assert len(told) == 1 and told[0].filename == __file__
    assert Proposals.from_csv(tmp_path / "a.csv") == proposals


def test_no_cell_is_a_formula_any_more(tmp_path):
    proposals = make_proposals(6, ids=FORMULAS, names=("=cat", "-", "dog"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        proposals.to_csv(tmp_path / "a.csv", escape_formulas=True)
        make_proposals(6).to_csv(tmp_path / "b.csv")
    assert not [cell for cell in cells(tmp_path / "a.csv") if cell[0] in "=+-@\t\r"]
    assert "'=1+1" in cells(tmp_path / "a.csv")
    assert Proposals.from_csv(tmp_path / "a.csv") == proposals
    with pytest.raises(ValueError, match="escape_formulas"):
        proposals.to_csv(tmp_path / "a.csv", escape_formulas="yes")


@given(
    ids=st.lists(STARTS, min_size=1, max_size=5, unique=True),
    names=st.lists(STARTS, min_size=2, max_size=3, unique=True),
    escape=st.booleans(),
)
@pytest.mark.filterwarnings("ignore:.*escape_formulas")
def test_round_trip(tmp_path_factory, ids, names, escape):
    path = tmp_path_factory.getbasetemp() / "formulas.csv"
    proposals = make_proposals(len(ids), ids=ids, names=names)
    proposals.to_csv(path, escape_formulas=escape)
    assert Proposals.from_csv(path) == proposals


def test_annotations(tmp_path):
    answers = Annotations.from_records(
        [("=1+1", "@ann", "-cat", None), ("b", "ben", "dog", 2.5)]
    )
    with pytest.warns(UserWarning, match=r"3 of the names .*escape_formulas") as told:
        answers.to_csv(tmp_path / "a.csv")
    assert len(told) == 1 and told[0].filename == __file__
    assert Annotations.from_csv(tmp_path / "a.csv").ids == answers.ids
    answers.to_csv(tmp_path / "b.csv", escape_formulas=True)
    assert "'=1+1,'@ann,'-cat," in (tmp_path / "b.csv").read_text()
    assert "b,ben,dog,2.5" in (tmp_path / "b.csv").read_text()
    read = Annotations.from_csv(tmp_path / "b.csv")
    assert read.ids == ("'=1+1", "b") and read.annotators == ("'@ann", "ben")
