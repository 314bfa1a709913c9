"""What a file is by its content, and which call takes it. Standard library only."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
from dataclasses import dataclass
from typing import Any

_UNPACK = "unpack it and name the file in it"
_OBJECTS = (
    "it marks objects in images, not whole images; where an image has one label, pass "
    "(image, annotator, label) to `Annotations.from_records`"
)
_AGAIN = "it is no file of annotations; name the right one"


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        what: in words, such as "an Excel workbook".
        frame: the call that reads it as a data frame; "" if none does.
        reader: the call of this package that takes it; "" if none does.
        advice: what to do otherwise.
        generic: whether files of many makers are of this kind.
    """

    what: str
    frame: str = ""
    reader: str = ""
    advice: str = _AGAIN
    generic: bool = False


_EXCEL = Kind("an Excel workbook", "pandas.read_excel(path, dtype=str)")
_HEAD = 4096
_GZIP = b"\x1f\x8b"
# The first bytes of files that are no text.
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        Kind("an old Excel workbook (.xls)", _EXCEL.frame),
    ),
    (
        b"PAR1",
        Kind(
            "a Parquet file",
            "pandas.read_parquet(path)",
            advice="proposals in it are read by `Proposals.from_parquet`",
        ),
    ),
    (b"ARROW1", Kind("a Feather or Arrow file", "pandas.read_feather(path)")),
    (b"FEA1", Kind("a Feather file", "pandas.read_feather(path)")),
    (
        b"\x93NUMPY",
        Kind(
            "a NumPy array (.npy)",
            advice="load it with `numpy.load(path)` and pass the array to "
            "`Annotations.from_counts` or `Annotations.from_matrix`",
        ),
    ),
    (b"BZh91AY&SY", Kind("a packed file (bzip2)", advice=_UNPACK)),
    (b"\xfd7zXZ\x00", Kind("a packed file (xz)", advice=_UNPACK)),
    (b"\x28\xb5\x2f\xfd", Kind("a packed file (zstd)", advice=_UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Kind("a packed folder (7z)", advice=_UNPACK)),
    (b"Rar!", Kind("a packed folder (RAR)", advice=_UNPACK)),
    (b"%PDF-", Kind("a PDF document", advice="save its table as CSV")),
    (b"{\\rtf", Kind("a text document (RTF)", advice="save its table as CSV")),
    (b"SQLite format 3\x00", Kind("an SQLite database", "pandas.read_sql(query, db)")),
    (b"\x89HDF\r\n\x1a\n", Kind("an HDF5 file", "pandas.read_hdf(path)")),
    (
        b"MATLAB 5.0 MAT-file",
        Kind(
            "a MATLAB file",
            advice="load it with `scipy.io.loadmat(path)` and pass its array to "
            "`Annotations.from_counts` or `Annotations.from_matrix`",
        ),
    ),
    (b"$FL2", Kind("an SPSS file", "pandas.read_spss(path)")),
    (b"<stata_dta>", Kind("a Stata file", "pandas.read_stata(path)")),
    (b"\x89PNG\r\n", Kind("a PNG image")),
    (b"\xff\xd8\xff", Kind("a JPEG image")),
    (b"GIF87a", Kind("a GIF image")),
    (b"GIF89a", Kind("a GIF image")),
    (b"II*\x00", Kind("a TIFF image")),
    (b"MM\x00*", Kind("a TIFF image")),
    (b"8BPS", Kind("a Photoshop image")),
)
_PICKLE = Kind(
    "a Python pickle",
    "pandas.read_pickle(path)",
    advice="load it only if you know who made it, and pass its content to "
    "`Annotations.from_records`",
)


def of_bytes(raw: bytes) -> Kind | None:
    """Returns the kind of a file that is no text, nor a text in gzip; else None."""
    binary = min(raw[:300], default=9) < 9
    for magic, kind in _MAGIC:
        # A table may begin with a column "PAR1".
        if raw.startswith(magic) and (binary or not magic.isalnum()):
            return kind
    if raw[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _of_zip(raw)
    if raw[:1] == b"\x80" and raw[1:2] in b"\x02\x03\x04\x05" and raw[-1:] == b".":
        return _PICKLE
    if raw[257:262] == b"ustar":
        return Kind("a packed folder (tar)", advice=_UNPACK)
    if raw[:2] == b"BM" and len(raw) > 14 and raw[6:10] == bytes(4):
        return Kind("a BMP image")
    if raw[:4] == b"RIFF":
        return Kind("a WebP image" if raw[8:12] == b"WEBP" else "a sound or film")
    if raw[4:8] == b"ftyp":
        return Kind("a film, or a HEIC or AVIF image")
    if raw[:4] == b"\xff\xff\xff\xff" and len(raw) > 8:
        size = struct.unpack("<i", raw[4:8])[0]
        if 0 < size < len(raw):
            call = "pyarrow.ipc.open_stream(path).read_pandas()"
            return Kind("an Arrow stream", call)
    return None


def _of_zip(raw: bytes) -> Kind:
    archive = Kind("a ZIP archive", advice=_UNPACK)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            names = packed.namelist()
            mime = b""
            if "mimetype" in names and packed.getinfo("mimetype").file_size < 200:
                mime = packed.read("mimetype")
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        return Kind(
            "a ZIP archive or an Excel workbook that is cut off or damaged",
            advice="copy or download it again",
        )
    if any(name.startswith("xl/") for name in names):
        return _EXCEL
    if b"opendocument.spreadsheet" in mime:
        return Kind("an OpenDocument spreadsheet (.ods)", _EXCEL.frame)
    if b"opendocument" in mime or any(name.startswith("word/") for name in names):
        return Kind("a text document", advice="save its table as CSV")
    if any(name.endswith(".iwa") for name in names):
        return Kind("an Apple Numbers or Pages document", advice="export it as CSV")
    if names and all(name.endswith(".npy") for name in names):
        return Kind(
            "several NumPy arrays (.npz)",
            advice="load it with `numpy.load(path)` and pass the right array to "
            "`Annotations.from_counts` or `Annotations.from_matrix`",
        )
    if names:
        archive = Kind(
            f"a ZIP archive with {len(names)} files, such as {names[0]!r}",
            advice=_UNPACK,
        )
    return archive


def of_text(text: str) -> Kind | None:
    """Returns the kind of a text that is no table; None if it may be one."""
    text = text.lstrip("\ufeff \t\r\n")
    head = text[:2000].lower()
    if head.startswith("version https://git-lfs"):
        return Kind(
            "a pointer of Git LFS, not the file itself", advice="run `git lfs pull`"
        )
    if head.startswith("{\\rtf"):
        return Kind("a text document (RTF)", advice="save its table as CSV")
    if head.startswith("<"):
        return _of_markup(head, text)
    if head.startswith(("{", "[")):
        return _of_json_text(text)
    return _of_yaml(text)


def _of_markup(head: str, text: str) -> Kind | None:
    if re.search("<(!doctype html|html|head|body|table)[ >]", head):
        return Kind(
            "a web page (HTML)",
            "pandas.read_html(path)[0]",
            advice="download the file itself, not the page that shows it",
        )
    marked = re.match(r"<(\?xml|!--|!doctype|[a-z_][\w.:-]*[\s/>])", head)
    if not marked or not ("</" in text or "/>" in text):
        return None  # a table may have a column "<b>"
    root = re.search(r"<([a-z_][\w.:-]*)", re.sub(r"<\?.*?\?>|<!.*?>", "", head))
    name = root[1] if root else ""
    if name == "annotation" and "<object>" in text:
        return Kind("an annotation of objects (Pascal VOC, XML)", advice=_OBJECTS)
    if name == "annotations" and ("<meta>" in text or "<image " in text):
        return Kind("a CVAT export (XML)", advice=_OBJECTS)
    if name == "view":
        return Kind(
            "a labeling interface of Label Studio (XML)",
            advice='it holds no answers; use "Export > JSON" and '
            "`Annotations.from_label_studio`",
        )
    if name in ("workbook", "ss:workbook"):
        return Kind("an Excel workbook (XML)", advice="save it as CSV")
    return Kind(
        "XML",
        "pandas.read_xml(path)",
        advice="load it with `xml.etree.ElementTree` and pass (image, annotator, "
        "label) to `Annotations.from_records`",
    )


def _of_json_text(text: str) -> Kind | None:
    first, _, rest = text.partition("\n")
    try:
        return of_json(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        if isinstance(json.loads(first), dict | list) and rest.lstrip()[:1] in "{[":
            return Kind("JSON lines", "pandas.read_json(path, lines=True, dtype=False)")
    except (ValueError, RecursionError):
        pass
    if re.match(r'\{\s*("|\})|\[\s*([\[{"\]]|[0-9.\-]+\s*,?\s*$)', text[:200]):
        return Kind(
            "JSON that is cut off or damaged", advice="export it again", generic=True
        )
    return None


def of_json(found: Any) -> Kind:
    """Returns the kind of what a JSON file holds."""
    load = "load it with `json.load` and pass"
    if isinstance(found, dict):
        return _of_json_object(found, load)
    first = found[0] if isinstance(found, list) and found else None
    if isinstance(first, dict):
        if isinstance(first.get("annotations"), list):
            if "data" in first:
                return Kind(
                    "a Label Studio export", reader="Annotations.from_label_studio"
                )
            if any("image_path" in a for a in first["annotations"][:1]):
                return Kind("DCIC annotations", reader="Annotations.from_dcic")
        if "annotation_id" in first or {"choice", "annotator"} <= set(first):
            return Kind(
                "a Label Studio export in the form JSON-MIN",
                advice='export the project as "JSON", for '
                "`Annotations.from_label_studio`",
                generic=True,  # its reader says so, with the place
            )
        flat = not any(isinstance(v, dict | list) for v in first.values())
        return Kind(
            "JSON, a list of records",
            "pandas.read_json(path, dtype=False)" if flat else "",
            advice=f"{load} (image, annotator, label) to `Annotations.from_records`",
            generic=True,
        )
    return Kind(
        "JSON",
        advice=f"{load} its parts to `Annotations.from_records`",
        generic=True,
    )


def _of_json_object(found: dict, load: str) -> Kind:
    keys = set(found)
    if found.get("format") == "keras_dc3 review":
        return Kind("a file of a review sheet", reader="keras_dc3.review.read")
    if found.get("format") == "keras_dc3 split":
        return Kind("a saved split", advice="it holds no annotations")
    images = found.get("images")
    listed = isinstance(images, list) and all(isinstance(i, dict) for i in images[:1])
    if listed and ("categories" in keys or (images and "annotations" in keys)):
        return Kind("COCO annotations (JSON)", advice=_OBJECTS)
    if {"shapes", "imagePath"} <= keys:
        return Kind("a LabelMe annotation (JSON)", advice=_OBJECTS)
    if any(key.startswith("_via_") for key in map(str, keys)):
        return Kind("a project of the VGG Image Annotator (JSON)", advice=_OBJECTS)
    if {"data", "annotations"} <= keys:
        return Kind(
            "a single task of Label Studio",
            advice='export the project as "JSON", for `Annotations.from_label_studio`',
        )
    if "nbformat" in keys:
        return Kind("a Jupyter notebook")
    rows = list(found.values())
    if rows and all(isinstance(row, dict) for row in rows[:5]):
        cells = [value for row in rows[:5] for value in row.values()]
        if cells and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in cells
        ):
            return Kind(
                "JSON, image -> class -> number",
                advice=f"{load} the dict to `Annotations.from_counts`",
            )
    return Kind(
        "JSON",
        advice=f"{load} (image, annotator, label) of each answer to "
        "`Annotations.from_records`",
        generic=True,
    )


def _of_yaml(text: str) -> Kind | None:
    lines = [line for line in text[:4000].splitlines() if line.strip()][:20]
    told = text.startswith(("---", "%YAML"))
    entry = re.compile(r"\s*(#.*|-(\s.*)?|---|(- )?[^,;\t|:]+:(\s.*)?)")
    keyed = [line for line in lines if re.match(r"\s*(- )?[^,;\t|:#]+:(\s|$)", line)]
    fits = len(lines) > 1 and keyed and all(map(entry.fullmatch, lines))
    if not fits and not (told and keyed):
        return None
    return Kind(
        "YAML",
        advice="load it with `yaml.safe_load` and pass (image, annotator, label) of "
        "each answer to `Annotations.from_records`",
    )


def is_table(text: str) -> bool:
    """Returns whether a text is by all appearance a table such as a CSV file."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:5]
    for separator in ",;\t|":
        times = {line.count(separator) for line in lines}
        if len(times) == 1 and times != {0}:
            return True
    return False


def sentence(name: str, kind: Kind, frame_reader: str = "", otherwise: str = "") -> str:
    """Returns the sentence that says what a file is and what takes it.

    Args:
        name: of the file, in quotation marks.
        kind: of the file.
        frame_reader: what takes a data frame at this door; "" if nothing does.
        otherwise: what to give instead, if no reader takes the file.
    """
    if kind.reader:
        return f"{name} is {kind.what}: read it with `{kind.reader}(path)`."
    if kind.frame and frame_reader:
        return (
            f"{name} is {kind.what}: read it with `{kind.frame}` and pass the data "
            f"frame to `{frame_reader}`."
        )
    advice = otherwise if otherwise and kind.advice == _AGAIN else kind.advice
    return f"{name} is {kind.what}: {advice}."


def of_file(path: str | os.PathLike) -> Kind | None:
    """Returns the kind of a file that is no table of text, else None.

    Raises:
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        raw = file.read(_HEAD)
        plain = raw.lstrip()[:1] not in (b"{", b"[", b"<") and min(raw, default=9) >= 9
        if not plain:
            raw += file.read()
    if raw.startswith(_GZIP):
        return Kind("a packed file (gzip)", advice=_UNPACK)
    return of_bytes(raw) or of_text(raw.decode("utf-8", "replace"))
