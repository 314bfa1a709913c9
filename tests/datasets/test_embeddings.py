"""Data sets of features that any network has computed."""

import warnings

import numpy as np
import pytest

from keras_dc3 import Annotations
from keras_dc3.datasets import from_embeddings
from tests.datasets.folders import table

N, D = 24, 5
RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(N, D)).astype("float32")
WEAK = (FEATURES + RNG.normal(size=(2, N, D)) * 0.1).astype("float32")
IDS = [f"{i}.png" for i in range(N)]
COUNTS = np.eye(3, dtype="int64")[np.arange(N) % 3] + np.eye(3, dtype="int64")[0]
SIZES = {"labeled": 9, "unlabeled": 9, "validation": 6}


def features_of(data):
    """id -> features, of all parts."""
    parts = [data.labeled, data.unlabeled, data.validation]
    return {
        name: row
        for part in parts
        for name, row in zip(part.ids, part.read(np.arange(len(part))), strict=True)
    }


def assert_features(data, ids=IDS, features=FEATURES):
    found = features_of(data)
    assert sorted(found) == sorted(ids)
    for name, row in zip(ids, features, strict=True):
        np.testing.assert_array_equal(found[name], row)


def write_parquet(path, ids=IDS, features=FEATURES, form="fixed", name="id"):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    columns = {name: pa.array(list(ids))}
    if form == "columns":
        columns |= {f"f{i}": pa.array(features[:, i]) for i in range(features.shape[1])}
    elif form == "lists":
        columns["embedding"] = pa.array(list(features))
    else:
        flat = pa.array(features.ravel())
        width = features.shape[1]
        columns["x"] = pa.FixedSizeListArray.from_arrays(flat, width)
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_array(dtype):
    data = from_embeddings(FEATURES.astype(dtype), COUNTS, **SIZES)
    assert data.image_shape == (D,) and data.num_classes == 3
    assert_features(data, list(map(str, range(N))), FEATURES.astype(dtype))


def test_files_of_numpy(tmp_path):
    np.save(tmp_path / "f.npy", FEATURES)
    np.save(tmp_path / "w.npy", WEAK)
    data = from_embeddings(
        tmp_path / "f.npy", COUNTS, ids=IDS, views={"weak": tmp_path / "w.npy"}, **SIZES
    )
    assert_features(data)
    assert isinstance(data.labeled.views["weak"], np.memmap)
    for name in ("features", "plain", "embeddings", "mine"):
        path = tmp_path / f"{name}.npz"
        np.savez(path, **{name: FEATURES}, ids=np.array(IDS), weak=WEAK, extra=COUNTS)
        data = from_embeddings(path, COUNTS, **SIZES)
        assert_features(data)
        assert sorted(data.labeled.views) == ["weak"]


@pytest.mark.parametrize("form", ["fixed", "lists", "columns"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_parquet(tmp_path, form, dtype):
    features = FEATURES.astype(dtype)
    path = write_parquet(tmp_path / "f.parquet", features=features, form=form)
    assert_features(from_embeddings(path, COUNTS, **SIZES), IDS, features)
    path = write_parquet(tmp_path / "n.parquet", range(N), name="image", form=form)
    data = from_embeddings(path, COUNTS, id_column="image", **SIZES)
    assert_features(data, list(map(str, range(N))))


@pytest.mark.filterwarnings("ignore:.*is the most frequent answer to each")
def test_annotations_are_joined_by_id(tmp_path):
    rows = [(name, person, "cod") for name in IDS[:12] for person in ("ann", "ben")]
    rows += [(name, "cleo", "eel") for name in IDS[6:12]]
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    table(tmp_path / "answers.csv", shuffled)
    options = {"ids": IDS, "labeled": 8, "validation": 4}
    data = from_embeddings(FEATURES, tmp_path / "answers.csv", **options)
    same = from_embeddings(FEATURES, Annotations.from_records(shuffled), **options)
    assert data.class_names == same.class_names == ("cod", "eel")
    assert sorted(data.unlabeled.ids) == sorted(IDS[12:])
    assert_features(data)
    for part in (data.labeled, data.validation):
        for name, counts in zip(part.ids, part.counts, strict=True):
            assert counts.tolist() == [2, 1 if IDS.index(name) >= 6 else 0]
    rows.append(("other.png", "ann", "cod"))
    with pytest.raises(ValueError, match=r"other\.png"):
        from_embeddings(FEATURES, Annotations.from_records(rows), **options)
    with pytest.warns(UserWarning, match=r"other\.png"):
        answers = Annotations.from_records(rows)
        from_embeddings(FEATURES, answers, missing="drop", **options)


def test_answers_of_other_images_are_not_among_the_ids():
    """Features have no files."""
    rows = [(name, "ann", "cod") for name in ("x1", "x2")]
    told = r"None of the 2 annotated images is among the ids: .*, the ids are called"
    with pytest.raises(ValueError, match=told) as caught:
        from_embeddings(FEATURES, Annotations.from_records(rows), ids=IDS)
    assert "or pass the ids of these images" in str(caught.value)
    assert "file" not in str(caught.value)
    rows += [(name, "ann", ("cod", "eel")[i % 2]) for i, name in enumerate(IDS)]
    answers = Annotations.from_records(rows)
    with pytest.raises(ValueError, match=r"2 of 26 annotated images are not among"):
        from_embeddings(FEATURES, answers, ids=IDS)


def test_pictures_that_are_missing_are_told_at_once(tmp_path):
    folder = tmp_path / "fish"
    with pytest.raises(FileNotFoundError, match=r"fish', where there is no folder"):
        from_embeddings(FEATURES, COUNTS, ids=IDS, images=folder, **SIZES)
    folder.mkdir()
    options = {"ids": IDS, "images": folder, **SIZES}
    with pytest.warns(UserWarning, match="None of the 24 ids has a picture"):
        from_embeddings(FEATURES, COUNTS, **options)
    for name in IDS[3:]:
        (folder / name).touch()
    told = r"3 of the 24 ids have no picture .*: '0\.png' is no file in the folder"
    with pytest.warns(UserWarning, match=told) as caught:
        from_embeddings(FEATURES, COUNTS, **options)
    assert len(caught) == 1 and caught[0].filename == __file__
    pictures = {name: np.zeros((4, 4), "uint8") for name in IDS[1:]}
    with pytest.warns(UserWarning, match=r"1 of .*'0\.png' is not among `images`"):
        from_embeddings(FEATURES, COUNTS, **{**options, "images": pictures})
    pictures[IDS[0]] = pictures[IDS[1]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_embeddings(FEATURES, COUNTS, **{**options, "images": pictures})


def test_classes_and_images_without_answer():
    classes = np.arange(N) % 3
    classes[12:] = -1
    data = from_embeddings(
        FEATURES, classes, class_names=["a", "b", "c"], ids=IDS, labeled=8, validation=4
    )
    assert sorted(data.unlabeled.ids) == sorted(IDS[12:])


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"ids": IDS[:-1]}, ValueError, "23 ids for features of 24 images"),
        ({"ids": [*IDS[:-1], IDS[0]]}, ValueError, r"'0\.png' stands at positions 0"),
        ({"ids": [0.5] * N}, TypeError, "texts or whole numbers"),
        ({"annotations": COUNTS[:-2]}, ValueError, "22 rows for 24 images"),
        ({"views": {"week": WEAK}}, ValueError, "Did you mean 'weak'"),
        ({"views": WEAK}, TypeError, "must be a dict"),
        ({"views": {"weak": WEAK[:, ::-1]}}, ValueError, "do not belong"),
        ({"views": {"weak": np.roll(WEAK, 1, 1)}}, ValueError, "image by image"),
        ({"features": FEATURES.astype("int8")}, TypeError, "whole numbers"),
        ({"features": FEATURES[:, 0]}, ValueError, "one vector per image"),
        ({"features": FEATURES * np.nan}, ValueError, "NaN or infinity"),
        ({"features": "f.npy"}, FileNotFoundError, "no file 'f.npy'"),
        ({"missing": "warn"}, ValueError, "missing"),
    ],
)
def test_what_does_not_fit(options, error, match):
    arguments = {"features": FEATURES, "annotations": COUNTS, **SIZES, **options}
    with pytest.raises(error, match=match):
        from_embeddings(**arguments)


def test_ids_of_the_file_count(tmp_path):
    np.savez(tmp_path / "f.npz", features=FEATURES, ids=np.array(IDS))
    assert from_embeddings(tmp_path / "f.npz", COUNTS, ids=IDS, **SIZES)
    with pytest.raises(ValueError, match=r"'1\.png' and '0\.png' at position 0"):
        swapped = [IDS[1], IDS[0], *IDS[2:]]
        from_embeddings(tmp_path / "f.npz", COUNTS, ids=swapped, **SIZES)
    with pytest.raises(ValueError, match="2 `ids` for 24 of the file"):
        from_embeddings(tmp_path / "f.npz", COUNTS, ids=IDS[:2], **SIZES)


def test_files_that_hold_no_features(tmp_path):
    def refused(name, match):
        with pytest.raises(ValueError, match=match):
            from_embeddings(tmp_path / name, COUNTS, **SIZES)

    np.save(tmp_path / "objects.npy", np.array([[1], [1, 2]], object))
    refused("objects.npy", "Python objects instead of numbers")
    np.save(tmp_path / "f.npy", FEATURES)
    whole = (tmp_path / "f.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:200])
    refused("cut.npy", "cut off")
    (tmp_path / "empty.npy").write_bytes(b"")
    refused("empty.npy", "cannot be read as NumPy's")
    np.savez(tmp_path / "two.npz", a=FEATURES, b=FEATURES)
    refused("two.npz", r"It holds: a \(24, 5\) float32, b \(24, 5\) float32")
    whole = (tmp_path / "two.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    refused("cut.npz", "cannot be read as NumPy's")
    (tmp_path / "f.csv").write_text("a,b")
    refused("f.csv", r"\.npy, \.npz or \.parquet file")
    (tmp_path / "folder.npy").mkdir()
    refused("folder.npy", r"\.npy, \.npz or \.parquet file")


def test_parquet_that_holds_no_features(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    def refused(match, **columns):
        pq.write_table(pa.table(columns), tmp_path / "f.parquet")
        with pytest.raises(ValueError, match=match):
            from_embeddings(tmp_path / "f.parquet", COUNTS, **SIZES)

    rows = list(FEATURES)
    refused(
        "no column 'id'.* as `id_column`. Its columns: 'name', 'x'", name=IDS, x=rows
    )
    refused("several columns of lists: 'x', 'y'", id=IDS, x=rows, y=rows)
    refused("missing in row 1", id=[IDS[0], None, *IDS[2:]], x=rows)
    refused("row 1: `x` is missing", id=IDS, x=[rows[0], None, *rows[2:]])
    refused(
        "row 1: `x` has 2 numbers, but 5 in row 0",
        id=IDS,
        x=[rows[0], rows[0][:2], *rows[2:]],
    )
    refused("floating-point features", id=IDS, x=[[1, 2]] * N)
    refused("Other columns: 'label'", id=IDS, a=FEATURES[:, 0], label=[1] * N)
    refused("beside 'id' columns", id=IDS, label=["cod"] * N)
    refused(
        "has 2 numbered columns, such as 'f0', and others .* 'confidence', that may be",
        id=IDS,
        f0=FEATURES[:, 0],
        f1=FEATURES[:, 1],
        confidence=FEATURES[:, 2],
    )
    whole = (tmp_path / "f.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    with pytest.raises(ValueError, match="no complete Parquet file"):
        from_embeddings(tmp_path / "cut.parquet", COUNTS, **SIZES)


def test_columns_of_a_table_that_are_features(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "f.parquet"
    columns = {"red": FEATURES[:, 0], "age": np.arange(N), "f0": FEATURES[:, 1]}
    pq.write_table(pa.table({"id": IDS, **columns, "f1": FEATURES[:, 2]}), path)

    def read(*names):
        return from_embeddings(path, COUNTS, feature_columns=names, **SIZES)

    assert_features(read("f1", "f0"), features=FEATURES[:, [2, 1]])
    found = features_of(read("age", "red"))
    np.testing.assert_array_equal([found[n][0] for n in IDS], np.arange(N))
    with pytest.raises(ValueError, match=r"no column of features 'rad', as .* mean 'r"):
        read("f0", "rad")
    with pytest.raises(ValueError, match="must name one column or more, each once"):
        read("f0", "f0")
    with pytest.raises(
        ValueError, match=r"those of a \.parquet file, but `features` is"
    ):
        from_embeddings(FEATURES, COUNTS, feature_columns=["f0"], **SIZES)
    named = {"red": FEATURES[:, 0], "length": FEATURES[:, 1]}
    pq.write_table(pa.table({"id": IDS, **named}), path)
    with pytest.warns(
        UserWarning, match=r"all 2 columns of .*, 'red', 'length'"
    ) as told:
        from_embeddings(path, COUNTS, **SIZES)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read("red", "length")


def test_slips_that_would_be_wrong_in_silence(tmp_path):
    kinds = [("cod", "eel")[i % 2] for i in range(N - 4)]
    rows = [(str(i + 1), who, kinds[i]) for i in range(N - 4) for who in ("ann", "ben")]
    table(tmp_path / "from_one.csv", rows)
    with pytest.warns(UserWarning, match="begin at 0; the first one there is '1'. If"):
        from_embeddings(FEATURES, tmp_path / "from_one.csv", labeled=9, validation=6)
    with pytest.raises(ValueError, match=r"seem to be transposed: pass `features\.T`"):
        from_embeddings(FEATURES.T, COUNTS, ids=IDS, **SIZES)
    with pytest.raises(ValueError, match=r"24 rows for 5 .* pass `features\.T`"):
        from_embeddings(FEATURES.T, COUNTS, **SIZES)
    same = FEATURES.copy()
    same[2:16] = same[1]
    with pytest.warns(UserWarning, match="of 24 images there are 10 different ones"):
        from_embeddings(same, COUNTS, **SIZES)
