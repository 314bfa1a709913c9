"""Sources in pieces, as many machines read them together."""

import pickle
from itertools import chain

import pytest

from keras_dc3.scale.sources.opening import open_source
from tests.scale import helpers, sources

pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
pytest.importorskip("fsspec")
pytestmark = pytest.mark.tensorflow


def pieces(source, size):
    """All pieces, each brought to another machine, where it is read."""
    there = pickle.loads(pickle.dumps(source))
    found = []
    for part in range(source.parts):
        start = 0
        for piece in source.pieces(part, size):
            assert (piece.part, piece.start) == (part, start)
            start += piece.images
            items = list(there.read(pickle.loads(pickle.dumps(piece))))
            assert len(items) == piece.images > 0
            found.append(items)
    return found


def together(source, size):
    """The items of all pieces."""
    return list(chain.from_iterable(pieces(source, size)))


@pytest.mark.parametrize("size", [7, 1000])
@pytest.mark.parametrize("make", sources.SOURCES)
def test_pieces_are_the_whole(make, size, images, tmp_path):
    files = helpers.contents(images)
    named, options = make(tmp_path, files, images)
    source = open_source(named, helpers.SHAPE, **options)
    found = pieces(source, size)
    assert list(chain.from_iterable(found)) == list(source.items(0))
    largest = max(map(len, found))
    in_groups = make is sources.parquet_of_bytes  # of ten rows, which are not divided
    assert largest == {7: 10 if in_groups else 7}.get(size, largest) <= 50


def test_a_folder(images):
    source = open_source(images, helpers.SHAPE)
    assert together(source, 7) == list(source.items(0))
    # Only its path goes to another machine, whatever lies in it.
    assert len(pickle.dumps(source)) < 300 + len(str(images))
    there = pickle.loads(pickle.dumps(source))
    assert there.fingerprint() == source.fingerprint()


@pytest.mark.parametrize("cut", [5, 10, 100])
def test_files_that_are_cut_off(cut, images, tmp_path):
    files = helpers.contents(images)
    for name in "ab":
        path = helpers.write_records(tmp_path / f"{name}.tfrecord", files)
        path.write_bytes(path.read_bytes()[:-cut])
    source = open_source(str(tmp_path / "*.tfrecord"), helpers.SHAPE)
    for size in (7, 49, 50, 1000):
        assert together(source, size) == list(source.items(0))
    assert len(list(source.items(0))) == 100


def test_records_of_damaged_lengths(tmp_path):
    """What follows is lost, in the whole and in pieces."""
    files = {str(i): helpers.encoded(a) for i, a in enumerate(helpers.pixels(30))}
    path = helpers.write_records(tmp_path / "a.tfrecord", files)
    content = bytearray(path.read_bytes())
    place = content.index(files["20"])
    content[place - 60 : place] = bytes(60)  # the head, and what comes before pixels
    path.write_bytes(content)
    source = open_source(path, helpers.SHAPE)
    whole = list(source.items(0))
    assert len(whole) == 21 and "damaged here" in whole[-1].reason
    for size in (7, 20, 21):
        assert together(source, size) == whole


def test_tables_with_nothing_in_them(tmp_path):
    helpers.write_csv(tmp_path / "a.csv", {"path": []})
    helpers.write_csv(tmp_path / "b.csv", {"path": ["x.png"]})
    source = open_source(str(tmp_path / "*.csv"), helpers.SHAPE)
    assert [len(items) for items in pieces(source, 7)] == [1]
    import pyarrow as pa

    for name, ids in (("a", []), ("b", ["x"])):
        columns = {
            "id": pa.array(ids, pa.string()),
            "bytes": pa.array([b"x"] * len(ids), pa.binary()),
        }
        helpers.write_parquet(tmp_path / f"{name}.parquet", columns)
    source = open_source(str(tmp_path / "*.parquet"), helpers.SHAPE)
    assert [len(items) for items in pieces(source, 7)] == [1]
