"""Predictions in tables and other files, and embeddings that are joined with them."""

import warnings

import numpy as np
import pytest

from keras_dc3.data import FeatureSet
from keras_dc3.proposals import Proposals

P = np.array([[0.9, 0.1], [0.4, 0.6], [0.55, 0.45], [0.2, 0.8]])
IDS = ["a.png", "b.png", "c.png", "d.png"]
PLAIN = "image,cat,dog\na.png,0.9,0.1\nb.png,0.4,0.6\nc.png,.55,.45\nd.png,0.2,8e-1\n"


def expected(names=("cat", "dog"), p=P, ids=IDS, embeddings=None):
    return Proposals.from_predictions(p, embeddings, ids=ids, class_names=names)


def written(tmp_path, text, name="predictions.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def table(*columns, title="image", sep=","):
    """Lines of ids, the probabilities, and further columns (title, four cells)."""
    found = [(title, IDS), ("cat", P[:, 0]), ("dog", P[:, 1]), *columns]
    rows = zip(*(cells for _, cells in found), strict=True)
    lines = [sep.join(name for name, _ in found)]
    return "\n".join([*lines, *(sep.join(map(str, row)) for row in rows)])


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        "sep=;\n" + PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ";").replace(".9", ",9").replace(".5", ",5"),
        table(title="file").replace("0.1", '"0,1"'),
        table(title="sample"),
        table(title=""),
        table(("note", "wxyz")),
        "\n".join(f"{i or ''},{line}" for i, line in enumerate(PLAIN.splitlines())),
        PLAIN.replace("cat", "p(cat)").replace("dog", "p(dog)"),
    ],
)
def test_tables_are_read(tmp_path, text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Proposals.from_predictions(written(tmp_path, text, "any.name"))
    assert found == expected()


@pytest.mark.parametrize(
    "text, told",
    [
        (table(("width", [64, 80, 64, 64])), "left out: 'width'"),
        (table(("blur", [0.5, 0.1, 0.2, 0.9])), "left out: 'blur'"),
        (table(("confidence", P.max(axis=1)), ("epoch", [3] * 4)), "'confidence', "),
        (table().replace("cat", "prob_cat").replace("dog", "prob_dog"), "without 'pro"),
        (
            table(("x", [1, 2, 3, 4]), ("y", [5, 6, 7, 9]))
            .replace("cat", "p(cat)")
            .replace("dog", "p(dog)"),
            "left out: 'x', 'y'",
        ),
        ("i,cat,dog\na,90%,10%\nb,40%,60%\nc,51%,49%\nd,20%,80%", "read as percent"),
    ],
)
def test_what_is_left_out_or_read_in_another_way_is_told(tmp_path, text, told):
    with pytest.warns(UserWarning, match=told) as caught:
        found = Proposals.from_predictions(written(tmp_path, text))
    assert found.class_names == ("cat", "dog")
    assert found.class_index.tolist() == [0, 1, 0, 1]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "text, match",
    [
        ("", "is empty"),
        ("image,cat,dog\n", "one line per image"),
        (PLAIN.replace("0.9,0.1", "0,9,0,1"), 'line 2: .*If numbers are written as "0'),
        (PLAIN.replace("0.9,0.1", "0.9"), "line 2: there are 2 cells instead of 3"),
        (PLAIN.replace("0.9", '"0.9'), "this is no table"),
        (PLAIN.removeprefix("image,cat,dog\n"), "line 1: the first line must name"),
        (PLAIN.replace("0.6", "n/a"), "line 3: .* or a cell is empty, as in 1 of 4"),
        (PLAIN.replace("0.6", "maybe"), "line 3: `dog` must be a number. Found: 'may"),
        (PLAIN.replace("b.png", "a.png"), "line 3: .*'a.png' stands in .*line 2 alre"),
        (PLAIN.replace("b.png", ""), "line 3: the image has no name"),
        (PLAIN.replace("cat", "dog"), "more than one column 'dog'"),
        (table(("file", IDS)), "which column names the images: it can be any of"),
        (table(("x", P[:, 0]), ("y", P[:, 1])), "sum to 2.*`class_names="),
        (table(("x", [7, 8, 9, 8])).replace("0.9", "-3.5"), "as logits do.*`class_nam"),
        ("image,note\na.png,good\nb.png,bad\n", "no column of numbers"),
        ('{"a.png": {"cat": 0.9, "dog": 0.1}}', "is JSON.*give a table of text"),
        ("<html><body></body></html>", "is a web page"),
        ("\x89PNG\r\n\x1a\n\0\0", "is a PNG image"),
    ],
)
def test_tables_that_are_not_clear_are_refused(tmp_path, text, match):
    path = written(tmp_path, text, encoding="latin-1" if "PNG" in text else "utf-8")
    with pytest.raises(ValueError, match=f"(?s){match}"):
        Proposals.from_predictions(path)


def test_arguments_say_what_columns_hold(tmp_path):
    columns = ("file", IDS), ("x", P[:, 0]), ("y", P[:, 1])
    path = written(tmp_path, table(*columns))
    names = {"id_column": "file", "class_names": ["y", "x"]}
    found = Proposals.from_predictions(path, **names)
    assert found == expected(("y", "x"), P[:, ::-1])
    found = Proposals.from_predictions(
        path, ids=[*"abcd"], class_names=["x", "y"], prior=0.5
    )
    assert found.ids == tuple("abcd")
    for wrong, match in (
        ({**names, "id_column": "fil"}, "no column 'fil'.*Did you mean 'file'"),
        ({**names, "class_names": ["y", "X"]}, "called 'X'.*Did you mean 'x'"),
        ({"ids": ["a"], "class_names": ["x", "y"]}, "1 names for 4 rows"),
    ):
        with pytest.raises(ValueError, match=match):
            Proposals.from_predictions(path, **wrong)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        Proposals.from_predictions(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        Proposals.from_predictions(tmp_path)


def test_other_encodings(tmp_path):
    path = written(tmp_path, PLAIN.replace("cat", "Küken"), encoding="cp1252")
    with pytest.raises(ValueError, match="`encoding`, probably 'cp1252'"):
        Proposals.from_predictions(path)
    found = Proposals.from_predictions(path, encoding="cp1252")
    assert found.class_names == ("Küken", "dog")


def test_arrays_in_files(tmp_path):
    places = np.eye(4)
    arrays = {"ids": IDS, "class_names": ["cat", "dog"], "embeddings": places}
    np.savez(tmp_path / "p.dat.npz", probabilities=P, **arrays)
    (tmp_path / "p.dat.npz").rename(tmp_path / "p.dat")
    found = Proposals.from_predictions(tmp_path / "p.dat")
    assert found == expected(embeddings=places)
    with pytest.raises(ValueError, match="a second set of them"):
        Proposals.from_predictions(tmp_path / "p.dat", places)
    with pytest.raises(ValueError, match="`ids` differs from what the file holds"):
        Proposals.from_predictions(tmp_path / "p.dat", ids=IDS[::-1])
    np.save(tmp_path / "p.npy", P)
    names = {"ids": IDS, "class_names": ["cat", "dog"]}
    assert Proposals.from_predictions(tmp_path / "p.npy", **names) == expected()
    np.savez(tmp_path / "two.npz", a=P, b=P)
    with pytest.raises(ValueError, match="must hold one array"):
        Proposals.from_predictions(tmp_path / "two.npz", **names)
    np.savez(tmp_path / "objects.npz", probabilities=P, ids=np.array(IDS, object))
    with pytest.raises(ValueError, match="Python objects"):
        Proposals.from_predictions(tmp_path / "objects.npz")
    whole = (tmp_path / "p.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-9])
    with pytest.raises(ValueError, match="cannot be read as NumPy's"):
        Proposals.from_predictions(tmp_path / "cut.npy", **names)


def test_data_frames_and_parquet(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(P, columns=["cat", "dog"], index=IDS)
    assert Proposals.from_predictions(frame) == expected()
    frame = frame.rename_axis("image").reset_index()
    assert Proposals.from_predictions(frame) == expected()
    pytest.importorskip("pyarrow")
    frame["embedding"] = list(np.eye(4))
    frame["height"] = [1, 2, 3, 4]
    frame.to_parquet(tmp_path / "p.parquet")
    with pytest.warns(UserWarning, match="left out: 'height'"):
        found = Proposals.from_predictions(tmp_path / "p.parquet")
    assert found == expected(embeddings=np.eye(4))
    np.testing.assert_array_equal(found.embeddings, np.eye(4))
    frame["other"] = frame["embedding"]
    with pytest.raises(ValueError, match="has columns of lists: 'embedding', 'other'"):
        Proposals.from_predictions(frame)
    whole = (tmp_path / "p.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-9])
    with pytest.raises(ValueError, match="no complete Parquet file"):
        Proposals.from_predictions(tmp_path / "cut.parquet")


def test_embeddings_are_joined_by_id(tmp_path):
    places = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    names = ["d.png", "x.png", "a.png", "c.png", "b.png"]
    rows = places[[2, 4, 3, 0]]
    part = FeatureSet(places, names)
    np.savez(tmp_path / "places.npz", features=places, ids=names)
    by_id = dict(zip(names, places, strict=True))
    for given in (by_id, part, tmp_path / "places.npz"):
        with pytest.warns(UserWarning, match="1 image has no prediction"):
            found = expected(embeddings=given)
        np.testing.assert_array_equal(found.embeddings, rows)
    stems = {name.removesuffix(".png"): vector for name, vector in by_id.items()}
    with pytest.warns(UserWarning, match="extension"):
        np.testing.assert_array_equal(expected(embeddings=stems).embeddings, rows)


def test_embeddings_that_do_not_fit_are_refused(tmp_path):
    places = np.eye(4, dtype="float32")
    np.save(tmp_path / "places.npy", places)
    with pytest.warns(UserWarning, match="taken to be in the order of the predictions"):
        expected(embeddings=tmp_path / "places.npy")
    by_id = dict(zip(IDS, places, strict=True))
    ragged = {**by_id, "a.png": np.ones(3, "float32")}
    for given, error, match in (
        (places[:3], ValueError, "3 rows for 4 images.*joined by these"),
        ({n: by_id[n] for n in IDS[1:]}, ValueError, "lacks 1 of 4 images .*'a.png'"),
        (ragged, ValueError, "all of one length"),
        (np.full((4, 2), np.nan), ValueError, "NaN"),
        (np.ones(4), ValueError, "one vector per image"),
        (np.ones((4, 2), int), TypeError, "whole numbers"),
    ):
        with pytest.raises(error, match=match):
            expected(embeddings=given)
    pd = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match="must not be a data frame"):
        expected(embeddings=pd.DataFrame(places, index=IDS))
