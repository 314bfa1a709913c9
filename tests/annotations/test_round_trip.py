"""Annotations written and read again."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.annotations import Annotations
from tests.annotations.helpers import told

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NAME = TEXT.map(lambda text: "n" + text + "e")


@given(
    st.lists(NAME, min_size=1, max_size=6, unique=True),
    st.lists(NAME, min_size=1, max_size=4, unique=True),
    st.lists(NAME, min_size=1, max_size=4, unique=True),
    st.data(),
)
def test_round_trip(tmp_path_factory, images, people, classes, data):
    answer = st.tuples(
        st.sampled_from(images),
        st.sampled_from([*people, None]),
        st.sampled_from([*classes, None]),
        st.none() | st.floats(1e-3, 3600),
    )
    answers = data.draw(st.lists(answer, max_size=12))
    first = (images[0], people[0], classes[0], 1.5)
    path = tmp_path_factory.mktemp("round") / "a.csv"
    with told():
        annotations = Annotations.from_records([first, *answers], class_names=classes)
        annotations = annotations.select(images, missing="empty")
        annotations.to_csv(path)
        again = Annotations.from_csv(path, class_names=annotations.class_names)
    assert again == annotations
    if all(type(x) is int for x in annotations.counts.ravel().tolist()):
        counts = Annotations.from_counts(annotations.counts, images, classes)
        counts.to_csv(path)
        again = Annotations.from_csv(path, class_names=classes)
        assert (again.counts == counts.counts).all() and again.ids == counts.ids


@pytest.mark.filterwarnings("ignore:The counts:")
def test_writing(tmp_path):
    records = [("a", "x", "cat", 0.1), ("b", None, "dog")]
    with told():
        annotations = Annotations.from_records(records)
    annotations = annotations.select(["b", "new", "a"], missing="empty")
    path = tmp_path / "folder" / "a.csv"
    annotations.to_csv(path)
    assert path.read_text("utf-8").splitlines() == [
        "image,annotator,label,seconds",
        "b,,dog,",
        "new,,,",
        "a,x,cat,0.1",
    ]
    with pytest.raises(ValueError, match="valid Unicode"):
        Annotations.from_records([("a\udcff", "x", "cat")]).to_csv(path)
    with pytest.raises(ValueError, match="fractions"):
        Annotations.from_counts([[0.5, 0.5]]).to_csv(path)
    assert os.listdir(path.parent) == ["a.csv"] and "a,x,cat" in path.read_text("utf-8")
