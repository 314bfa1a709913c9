"""Readers return annotations or raise `AnnotationError`, whatever is in the file."""

import gzip
import json

from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import told
from tests.annotations.test_label_studio import answer, task


def either(read, content, tmp_path, **options):
    path = tmp_path / "fuzz"
    path.write_bytes(content)
    with told():
        try:
            annotations = read(path, **options)
        except AnnotationError as error:
            assert "fuzz" in str(error)
            return
    assert annotations.counts.sum() > 0
    assert len(annotations.ids) == len(annotations.counts)
    repr(annotations), annotations.summary(), annotations.soft_labels


PIECES = ["image", "annotator", "label", "seconds", "a", "x", "1", "01", " ", "na", "é"]
CELLS = st.lists(st.sampled_from([*PIECES, ",", ";", "\t", '"', "\n", "\r", "\ufeff"]))
TABLES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    CELLS.map(lambda cells: "".join(cells).encode()),
    CELLS.map(lambda cells: ("image,annotator,label\n" + "".join(cells)).encode()),
    CELLS.map(
        lambda cells: ("image;annotator;label;seconds\n" + "".join(cells)).encode()
    ),
)


@given(TABLES, st.sampled_from(["keep", "last", "error"]))
def test_csv(tmp_path, content, repeated):
    either(Annotations.from_csv, content, tmp_path, repeated=repeated)
    either(
        Annotations.from_csv,
        content,
        tmp_path,
        image=None,
        annotator=None,
        label=0,
        class_names=["a", "1"],
    )


@given(TABLES)
def test_wide(tmp_path, content):
    either(Annotations.from_wide, content, tmp_path)
    either(Annotations.from_wide, content, tmp_path, image=0, annotators=[1, 2])


@given(st.binary(max_size=60), st.integers(0, 80))
def test_packed(tmp_path, content, cut):
    packed = gzip.compress(b"image,annotator,label\na,x,cat\n" + content)
    either(Annotations.from_csv, packed[:cut] if cut < 60 else packed, tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "data", "image", "annotations", "result", "value"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
EXPORT = [
    task(1, "a.png", answer(1, 5, "ring"), answer(2, {"id": 6}, "bar")),
    task(2, "b.png", answer(3, 5, "ring", was_cancelled=True)),
]
SETS = [
    {
        "user_mail": "INVALID",
        "annotations": [{"image_path": "a.png", "class_label": "cat"}] * 2,
    }
]


def spots(value, path=()):
    """The places of all parts of a JSON value."""
    yield path
    if isinstance(value, dict | list):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from spots(value[key], (*path, key))


def damaged(value, path, part):
    """A copy in which one part is another."""
    if not path:
        return part
    whole = json.loads(json.dumps(value))
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = part
    return whole


def mutants(whole):
    return st.builds(damaged, st.just(whole), st.sampled_from(list(spots(whole))), JSON)


@given(JSON | mutants(EXPORT) | mutants(SETS))
def test_json(tmp_path, content):
    content = json.dumps(content).encode("utf-8", "surrogatepass")
    either(Annotations.from_label_studio, content, tmp_path)
    either(Annotations.from_dcic, content, tmp_path)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_what_is_no_json(tmp_path, content):
    either(Annotations.from_label_studio, content, tmp_path)
    either(Annotations.from_dcic, content, tmp_path)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.lists(st.integers(), max_size=2),
)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES) | st.tuples(*[VALUES] * 4)))
def test_records(records):
    with told():
        try:
            annotations = Annotations.from_records(records)
        except AnnotationError:
            return
    assert annotations.counts.sum() > 0
