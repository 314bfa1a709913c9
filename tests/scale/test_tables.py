"""Tables as sources, with the slips that people make in them."""

import pytest

from tests.scale import helpers
from tests.scale.helpers import score
from tests.scale.test_faults import failures

pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
pytestmark = pytest.mark.tensorflow

SHAPE = helpers.SHAPE


@pytest.fixture
def paths(images):
    return [str(images / f"cod/0{i}.png") for i in range(4)]


def opened(source, **options):
    from keras_dc3.scale.sources.opening import open_source

    return open_source(source, SHAPE, **options)


def items(source):
    return [(item.id, item.reason) for item in opened(source).items(0)]


def test_columns_that_hold_something_else(paths, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    one = paths[:1]
    for number, (columns, message) in enumerate(
        (
            ({"path": [1], "id": ["a"]}, r"'path' .* holds int64, where paths or"),
            ({"image": [[b"x"]], "id": ["a"]}, "holds list<.*where paths or encoded"),
            ({"image": [{"x": 1}], "id": ["a"]}, "holds struct<.*where paths or"),
            ({"path": one, "id": [1.0]}, "'id' .* holds double, where ids are"),
            ({"path": one, "id": [["a"]]}, "holds list<.*texts or whole numbers"),
        )
    ):
        table = helpers.write_parquet(tmp_path / f"{number}.parquet", columns)
        with pytest.raises(ValueError, match=message):
            opened(table)
    table = pa.Table.from_arrays([pa.array(one)] * 2, names=["path", "path"])
    pq.write_table(table, tmp_path / "two.parquet")
    with pytest.raises(ValueError, match=r"has 2 columns 'path'.*Rename or remove"):
        opened(tmp_path / "two.parquet")
    # A column of few different texts, as pandas' categories are, holds texts.
    columns = {" Path": pa.array(paths).dictionary_encode(), "ID": [7, 8, 9, 10]}
    table = helpers.write_parquet(tmp_path / "good.parquet", columns)
    assert items(table) == [("7", ""), ("8", ""), ("9", ""), ("10", "")]


def test_further_files_lack_a_column(paths, tmp_path):
    first = helpers.write_parquet(tmp_path / "a.parquet", {"path": paths, "id": paths})
    for columns in ({"file": paths, "id": paths}, {"path": paths}):
        other = helpers.write_parquet(tmp_path / "b.parquet", columns)
        with pytest.raises(ValueError, match=r"b\.parquet' has no column .*same col"):
            opened([first, other])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cod/00.png\ncod/01.png\n", r"begins with 'cod/00\.png', where the names of"),
        ("path,id\na.png,f\xf6\n", "beyond row . .it is no text in UTF-8.*Save it"),
        ('path,id\na.png,"x\nb.png,y\n', "beyond row 1 .*quotation mark left open"),
        (f"path,id\na.png,{'x' * 140_000}\n", "field larger than field limit"),
        ("path,path\na.png,b.png\n", "has 2 columns 'path'"),
    ],
)
def test_csv_files_that_cannot_be_meant(text, message, tmp_path):
    table = tmp_path / "a.csv"
    table.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        items(table)


def test_cells_of_csv_files(paths, tmp_path):
    lines = [
        "\ufeffPath , id",
        f" {paths[0]} , a ",
        f"{paths[1]}, b,,",
        f"{paths[2]},c,d",
        ",,",
        f'"{paths[3]}", "d, e"',
    ]
    table = tmp_path / "a.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    found = items(table)
    assert [name for name, _ in found] == ["a", "b", "a.csv, row 2", "d, e"]
    assert "3 cells below 2 columns" in found[2][1]


def test_what_was_wrong_is_mended_in_the_same_folder(exported, paths, tmp_path):
    table = helpers.write_csv(tmp_path / "a.csv", {"path": ["gone.png", paths[0]]})
    run = tmp_path / "run"
    with pytest.raises(ValueError, match="counts from the table's folder"):
        score(exported, table, run, max_failed=0.0)
    helpers.write_csv(table, {"path": paths})
    assert score(exported, table, run, max_failed=0.0).images == 4
    assert failures(run) == {}
    helpers.write_csv(table, {"path": paths[1:]})
    with pytest.raises(ValueError, match="other images"):
        score(exported, table, run)
