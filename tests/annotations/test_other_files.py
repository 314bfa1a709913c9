"""Files of other kinds: what they are and what takes them, at every reader of files."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import sqlite3
import tarfile
import xml.etree.ElementTree
import zipfile

import numpy as np
import pytest

from keras_dc3 import Annotations, Proposals, review
from keras_dc3.annotations import AnnotationError
from tests.annotations.helpers import LONG, write
from tests.exports.helpers import make

TABLE = LONG + "a.png,x,cat\nb.png,x,dog\n"
ROWS = [{"image": "a.png", "annotator": "x", "label": "cat"}]
COCO = {"images": [{"id": 1}], "annotations": [], "categories": []}
STUDIO = [{"id": 1, "data": {"image": "a.png"}, "annotations": []}]
DCIC = [{"annotations": [{"image_path": "a.png", "class_label": "cat"}]}]
VOC = "<annotation><filename>a.png</filename><object><name>cat</name></object>"
VOC += "</annotation>"
CVAT = (
    '<?xml version="1.0"?>\n<annotations><meta></meta>\n<image id="0"/></annotations>'
)


MARKDOWN = """# Answers

| image | annotator | label |
|:------|-----------|------:|
| a.png | x         | cat   |
| b.png | x         | dog   |
"""
TOML = """title = "round 1"

[[answers]]
image = "a.png"
label = "cat"
"""
INI = "[a.png]\nann1 = cat\nann2 = dog\n[b.png]\nann1 = cat\n"
TAGS = CVAT.replace(
    '<image id="0"/>',
    '<image name="a.png"><tag label="cat" source="manual"/></image>'
    '<image name="b.png"><tag label="dog"></tag></image>',
)


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in names:
            kind = "application/vnd.oasis.opendocument.spreadsheet"
            packed.writestr(name, kind if name == "mimetype" else "x")
    return file.getvalue()


def saved(save, *arrays):
    file = io.BytesIO()
    save(file, *arrays)
    return file.getvalue()


def tarred():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as packed:
        packed.addfile(tarfile.TarInfo("a.csv"))
    return file.getvalue()


def database(folder):
    with sqlite3.connect(folder / "a.db") as db:
        db.execute("create table a (b)")
    db.close()
    return (folder / "a.db").read_bytes()


# What is in a file -> what it is called, and what takes it.
BINARY = {
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel", "read_excel"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Excel", "read_excel"),
    "ods": (zipped("mimetype", "content.xml"), "OpenDocument", "read_excel"),
    "docx": (zipped("word/document.xml"), "text document", "CSV"),
    "numbers": (zipped("Index/Document.iwa"), "Apple Numbers", "CSV"),
    "zip": (zipped("a.csv"), "ZIP archive with 1 files, such as 'a.csv'", "unpack"),
    "cut zip": (zipped("a.csv")[:30], "cut off or damaged", "again"),
    "npz": (saved(np.savez, np.eye(3)), "NumPy arrays", "numpy.load"),
    "npy": (saved(np.save, np.eye(3)), "NumPy array", "numpy.load"),
    "bz2": (bz2.compress(TABLE.encode()), "packed file", "unpack"),
    "xz": (lzma.compress(TABLE.encode()), "packed file", "unpack"),
    "tar.gz": (tarred(), "packed fi|packed fo", "unpack"),
    "pickle": (pickle.dumps(ROWS), "Python pickle", "read_pickle|from_records"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF document", "CSV"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(30), "PNG image", ""),
    "jpg": (b"\xff\xd8\xff\xe0" + bytes(30), "JPEG image", ""),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(30), "HDF5", "read_hdf"),
}
TEXT = {
    "html": ("<!DOCTYPE html>\n<html><body>404</body></html>", "web page", "download|"),
    "voc": (VOC, "Pascal VOC", "marks objects"),
    "cvat": (CVAT, "CVAT", "marks objects"),
    "cvat tags": (TAGS, "CVAT export of tags", 't.get("label")'),
    "xml": ('<?xml version="1.0"?><rows><row/></rows>', "XML", "read_xml|ElementTree"),
    "view": ('<View><Image name="a"/></View>', "labeling interface", "Export > JSON"),
    "coco": (json.dumps(COCO), "COCO", "marks objects"),
    "lines": ("\n".join(map(json.dumps, ROWS * 2)), "JSON lines", "lines=True"),
    "yaml": ("---\na.png:\n  - x: cat\nb.png:\n  - x: dog\n", "YAML", "safe_load"),
    "yaml without mark": ("a.png: cat\nb.png: dog\n", "YAML", "safe_load"),
    "yaml in flow form": ("a.png: {x: cat}\nb.png: {x: dog}\n", "YAML", "safe_load"),
    "yaml lists": ("- [a.png, x, cat]\n- [b.png, x, dog]\n", "YAML", "safe_load"),
    "yaml in brackets": ("{a.png: {x: cat}, b.png: {x: dog}}\n", "YAML", "safe_load"),
    "yaml records": ("[{image: a.png, label: cat}]\n", "YAML", "safe_load"),
    "markdown": (MARKDOWN, "table drawn with lines", "outer"),
    "no outer lines": (
        "image | label\n--- | :---:\na.png | cat\n",
        "drawn with",
        "dashes",
    ),
    "grid": (
        "+-----+---+\n| image | label |\n+-----+---+\n| a | cat |\n",
        "drawn with",
        "",
    ),
    "toml": (TOML, "settings (TOML)", "tomllib"),
    "toml of images": ('[a]\n"x.png" = "cat"\n', "settings (TOML)", "tomllib"),
    "ini": (INI, "settings (INI)", "configparser"),
    "ini with colons": ("; round 1\n[a.png]\nann1: cat\n", "(INI)", "configparser"),
    "python": (repr({"a.png": {"x": "cat", "y": None}}), "as Python", "literal_eval"),
    "python tuples": (repr([("a.png", "x", "cat")] * 2), "as Python", "literal_eval"),
    "python lines": ("('a', 'x', 'c')\n('b', 'x', 'd')\n", "Python", "literal_eval"),
    "program": ("answers = {'a.png': 'cat'}\n", "Python program", "import"),
    "lfs": ("version https://git-lfs.github.com/spec/v1\noid x\n", "Git LFS", "pull"),
}
TABLES_ONLY = {
    "records": (json.dumps(ROWS), "JSON, a list of records", "read_json"),
    "indented": (json.dumps(ROWS, indent=2), "JSON, a list of records", "read_json"),
    "counts": ('{"a.png": {"cat": 3}}', "image -> class -> number", "from_counts"),
    "json": ('{"a.png": "cat"}', "is JSON", "json.load"),
    "cut json": ('[{"image": "a.png", "lab', "cut off or damaged", "export it again"),
    "studio": (json.dumps(STUDIO), "Label Studio", r"Annotations\.from_label_studio"),
    "dcic": (json.dumps(DCIC), "DCIC", r"Annotations\.from_dcic"),
}
READERS = {
    "from_csv": Annotations.from_csv,
    "from_wide": Annotations.from_wide,
    "from_counts": Annotations.from_counts,
    "from_label_studio": Annotations.from_label_studio,
    "from_dcic": Annotations.from_dcic,
    "review": review.read,
    "proposals": Proposals.from_csv,
}
OTHERWISE = {
    "review": "give the file that was downloaded from a review sheet",
    "proposals": r"give the file that `proposals\.to_csv\(\.\.\.\)` wrote",
}


def told(reader, path):
    with pytest.raises(ValueError) as caught:
        READERS[reader](path)
    text = str(caught.value)
    assert repr(str(path)) in text and text.count(": ") == 1, text
    assert "latin-1" not in text and "quotation mark" not in text
    return text


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", BINARY)
def test_files_that_are_no_text(tmp_path, reader, kind):
    content, what, call = BINARY[kind]
    text = told(reader, write(tmp_path, content, "answers.csv"))
    assert re.search(what.replace("(", r"\("), text)
    if reader not in OTHERWISE or not re.search("read_|numpy", call):
        assert re.search(call, text), text


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", TEXT)
def test_text_that_is_no_table(tmp_path, reader, kind):
    content, what, call = TEXT[kind]
    text = told(reader, write(tmp_path, content, "answers.csv"))
    assert what in text
    if reader in OTHERWISE and call not in ("download|", "Export > JSON", "pull"):
        call = OTHERWISE[reader]
        assert "Annotations" not in text
    assert re.search(call, text) or call in text, text


@pytest.mark.parametrize("reader", ["from_csv", "from_wide", "from_counts"])
@pytest.mark.parametrize("kind", TABLES_ONLY)
def test_json_is_no_table(tmp_path, reader, kind):
    content, what, call = TABLES_ONLY[kind]
    for encoding in ("utf-8", "utf-8-sig"):
        text = told(reader, write(tmp_path, content, "answers.txt", encoding))
        assert what in text and re.search(call, text), text


def test_a_database(tmp_path):
    path = write(tmp_path, database(tmp_path))
    assert "an SQLite database" in told("from_csv", path)


def test_frames_go_to_the_reader_that_was_called(tmp_path):
    path = write(tmp_path, BINARY["xlsx"][0])
    assert "`Annotations.from_frame`" in told("from_csv", path)
    assert "`Annotations.from_wide`" in told("from_wide", path)
    assert "`Annotations.from_counts`" in told("from_counts", path)


@pytest.mark.filterwarnings("ignore:The (records|data frame):")
def test_the_advice_for_parquet_and_feather_works(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(ROWS * 2)
    expected = Annotations.from_records([("a.png", "x", "cat")] * 2, repeated="last")
    for name in ("parquet", "feather", "pickle"):
        path = tmp_path / f"a.{name}.csv"
        getattr(frame, f"to_{name}")(path)
        text = told("from_csv", path)
        assert f"pandas.read_{name}(path)" in text
        read = getattr(pd, f"read_{name}")(path)
        assert Annotations.from_frame(read, repeated="last") == expected
    lines = write(tmp_path, TEXT["lines"][0])
    read = pd.read_json(lines, lines=True, dtype=False)
    assert Annotations.from_frame(read, repeated="last") == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("content", [TABLE, TEXT["voc"][0], TEXT["coco"][0]])
def test_other_encodings_of_other_kinds(tmp_path, encoding, content):
    path = write(tmp_path, content, encoding=encoding)
    with pytest.raises(AnnotationError) as caught:
        Annotations.from_csv(path)
    text = str(caught.value)
    if content == TABLE:
        assert f"`encoding`, probably '{encoding}'" in text
        assert Annotations.from_csv(path, encoding=encoding).ids[0] == "a.png"
    else:
        assert "VOC" in text or "COCO" in text


@pytest.mark.parametrize("reader", READERS)
def test_empty_files_and_folders(tmp_path, reader):
    for content in ("", "\n \n"):
        with pytest.raises(ValueError, match=r"is empty|lacks the columns"):
            READERS[reader](write(tmp_path, content))
    with pytest.raises(IsADirectoryError, match=r"is a folder, not a file\. Name the"):
        READERS[reader](tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        READERS[reader](tmp_path / "nothing.csv")


@pytest.mark.parametrize("kind", ["markdown", "toml", "ini", "python", "yaml records"])
def test_text_that_is_no_parquet(tmp_path, kind):
    pytest.importorskip("pyarrow")
    path = write(tmp_path, TEXT[kind][0])
    with pytest.raises(ValueError, match=r"give the file that `proposals\.to_parquet"):
        Proposals.from_parquet(path)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        Proposals.from_parquet(tmp_path)


def test_the_advice_for_tags_of_cvat_works(tmp_path):
    path = write(tmp_path, TAGS, "a.xml")
    with pytest.raises(AnnotationError) as caught:
        Annotations.from_csv(path)
    code = re.search("pass `(.*)` to", str(caught.value))[1]
    records = eval(code, {"xml": xml, "path": path})
    expected = [("a.png", None, "cat"), ("b.png", None, "dog")]
    assert Annotations.from_records(records) == Annotations.from_records(expected)


def test_the_advice_for_drawn_tables_works(tmp_path):
    lines = [
        line for line in MARKDOWN.splitlines() if "|" in line and "---" not in line
    ]
    path = write(tmp_path, "\n".join(line.strip("|") for line in lines))
    with pytest.warns(UserWarning, match="Outer blanks"):
        read = Annotations.from_csv(path)
    assert read == Annotations.from_csv(write(tmp_path, TABLE))


def test_tables_given_to_readers_of_json(tmp_path):
    for content in (TABLE, TABLE.replace(",", "\t")):
        path = write(tmp_path, content, "a.json")
        for reader in ("from_label_studio", "from_dcic"):
            text = told(reader, path)
            assert "a table of text (CSV)" in text and "Annotations.from_csv" in text
    studio, dcic = (
        write(tmp_path, json.dumps(c), f"{len(c[0])}.json") for c in (STUDIO, DCIC)
    )
    assert "from_dcic" in told("from_label_studio", dcic)
    assert "from_label_studio" in told("from_dcic", studio)


def test_files_of_this_package(tmp_path):
    pytest.importorskip("pyarrow")
    proposals = make()
    proposals.to_parquet(tmp_path / "a.csv")
    assert "Proposals.from_parquet" in told("proposals", tmp_path / "a.csv")
    proposals.to_csv(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"read it with `Proposals\.from_csv"):
        Proposals.from_parquet(tmp_path / "a.parquet")
    path = write(tmp_path, json.dumps({"format": "keras_dc3 review", "version": 1}))
    for reader in ("from_csv", "from_label_studio", "proposals"):
        assert "keras_dc3.review.read" in told(reader, path)


@pytest.mark.filterwarnings("ignore:.*\\n.*label is '-'")
@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        gzip.compress(TABLE.encode(), mtime=0),
        "\ufeff" + TABLE,
        TABLE.replace(",", ";"),
        LONG + "PK,x,cat\nBM,x,dog\n",
        LONG.replace("image", "image") + '"{a}",x,<cat>\n[b],x,- dog\n',
        LONG + "http://a.b/c.png,x,key: value\nd,x,[1\n",
        LONG + "a = 1.png,x,cat\n[b].png,x,dog\n",
        LONG.replace(",", "|") + "-|-|-\n--.png|x|cat\n",
    ],
)
def test_tables_are_still_tables(tmp_path, content):
    assert len(Annotations.from_csv(write(tmp_path, content, "a.xlsx"))) == 2


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["a: 1.png", "- a.png", "[a]", "{a: 1}", "a=1.png"])
def test_tables_without_header_of_odd_cells(tmp_path, separator, first):
    rows = [f"{first}{i};x;key: {i}".replace(";", separator) for i in range(3)]
    path = write(tmp_path, "\n".join(rows))
    read = Annotations.from_csv(path, image=0, annotator=1, label=2)
    assert read.ids == tuple(f"{first}{i}" for i in range(3))


@pytest.mark.parametrize("first", ["{a}", "[1]", "<b>", "ORC", "GIF8", "BZh", "PAR1"])
def test_columns_of_odd_names(tmp_path, first):
    path = write(tmp_path, f"{first},annotator,label\na,x,cat\nb,x,dog\n")
    assert Annotations.from_csv(path, image=first).ids == ("a", "b")
