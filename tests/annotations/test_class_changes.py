"""Classes that are added, renamed, merged, reordered and left out, in answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Annotations
from keras_dc3.annotations import SparseCounts
from keras_dc3.annotations.class_changes import ClassChange

NAMES = ("cat", "red deer", "roe deer")
DEER = {"red deer": "deer", "roe deer": "deer"}
ROWS = [
    ("a", "ann", "cat"),
    ("a", "ben", "red deer"),
    ("b", "ann", "roe deer"),
    ("b", "ben", "red deer"),
    ("c", "ann", None),
]


@pytest.fixture(params=["records", "counts"])
def answers(request):
    found = Annotations.from_records(ROWS, class_names=NAMES)
    if request.param == "records":
        return found
    return Annotations(found.ids, found.class_names, found.counts)


def test_answers_are_carried(answers):
    after = answers.with_classes(["deer", "fox", "cat"], DEER)
    assert after.class_names == ("deer", "fox", "cat")
    assert after.ids == answers.ids
    expected = {"a": [1, 0, 1], "b": [2, 0, 0], "c": [0, 0, 0]}
    assert dict(zip(after.ids, after.counts.tolist(), strict=True)) == expected
    assert answers.class_names == NAMES


def test_an_answer_stays_that_of_who_gave_it():
    before = Annotations.from_records(ROWS, class_names=NAMES)
    after = before.with_classes(["deer", "fox", "cat"], DEER)
    assert after.annotators == before.annotators
    for name in ("image", "annotator", "seconds"):
        found, expected = getattr(after.records, name), getattr(before.records, name)
        np.testing.assert_array_equal(found, expected)
    new = {0: 2, 1: 0, 2: 0, -1: -1}
    assert after.records.label.tolist() == [new[i] for i in before.records.label]


def test_names_may_be_exchanged_added_and_left_out(answers):
    swapped = answers.with_classes(
        ["cat", "red deer", "roe deer"],
        {"red deer": "roe deer", "roe deer": "red deer"},
    )
    assert swapped.counts.tolist() == answers.counts[:, [0, 2, 1]].tolist()
    more = answers.with_classes([*NAMES, "fox"])
    assert more.counts.tolist() == np.pad(answers.counts, ((0, 0), (0, 1))).tolist()
    fewer = answers.with_classes(["cat", "red deer"], {"roe deer": None})
    assert fewer.counts.tolist() == answers.counts[:, :2].tolist()
    joined = answers.with_classes(["cat", "red deer"], {"roe deer": "red deer"})
    assert joined.counts.sum() == answers.counts.sum()


@pytest.mark.parametrize(
    "names, renamed, match",
    [
        (["cat", "cat"], DEER, r"'cat'"),
        (["cat"], {}, r"'red deer', 'roe deer' would vanish.*renamed=\{'red deer'"),
        ([*NAMES, "x"], {"dog": "x"}, r"becomes of 'dog', but the classes so far are"),
        (["cat", "deer"], {**DEER, "cat": "kitten"}, r"'kitten' of 'cat', but the new"),
        ([], {}, "at least one class"),
    ],
)
def test_what_makes_no_sense_is_refused(answers, names, renamed, match):
    with pytest.raises(ValueError, match=match):
        answers.with_classes(names, renamed)
    with pytest.raises(TypeError, match=r"dict of old name.*list"):
        answers.with_classes(NAMES, ["cat"])
    with pytest.raises(TypeError, match="class_names"):
        answers.with_classes({"cat", "deer"}, DEER)


@given(st.data())
def test_counts_are_sums_however_they_are_kept(data):
    k, m = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    counts = rng.integers(0, 3, (data.draw(st.integers(1, 6)), k))
    old, new = [f"old {i}" for i in range(k)], [f"new {i}" for i in range(m)]
    choice = st.one_of(st.none(), st.sampled_from(new))
    renamed = {name: data.draw(choice) for name in old}
    change = ClassChange.of(old, new, renamed)
    expected = np.zeros((len(counts), m), counts.dtype)
    for place, name in enumerate(old):
        if renamed[name] is not None:
            expected[:, new.index(renamed[name])] += counts[:, place]
    assert change.of_values(counts).tolist() == expected.tolist()
    sparse = SparseCounts.from_rows(counts, np.arange(len(counts)), len(counts))
    sparse = sparse.of_classes(change.becomes, m)
    assert sparse.dense().tolist() == expected.tolist()
    assert sparse.shape == expected.shape
    rows = np.arange(len(counts))[::-1]
    assert sparse.rows(rows).dense().tolist() == expected[::-1].tolist()


@pytest.mark.parametrize(
    "names, renamed, said",
    [
        (NAMES, None, "Classes: as before."),
        (NAMES[::-1], None, "Classes: the order has changed."),
        (["cat", "deer"], DEER, "Classes: 'red deer', 'roe deer' are 'deer' now."),
        (
            ["tom", "red deer", "fox"],
            {"cat": "tom", "roe deer": None},
            "Classes: 'cat' is called 'tom' now; 'fox' is new; 'roe deer' is left out.",
        ),
    ],
)
def test_the_change_is_told(names, renamed, said):
    assert str(ClassChange.of(NAMES, names, renamed)) == said
