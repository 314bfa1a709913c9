"""What a file is by its first bytes, and which call takes it. Standard library only."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from dataclasses import dataclass

UNPACK = "unpack it and name the file in it"
PASS = "pass (image, annotator, label) of each answer to `Annotations.from_records`"
OBJECTS = (
    "it marks objects in images, not whole images; where an image has one label, pass "
    "(image, annotator, label) to `Annotations.from_records`"
)


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        what: in words, such as "an Excel workbook".
        frame: the call that reads it as a data frame; "" if none does.
        reader: the call of this package that takes it; "" if none does.
        answers: how its answers become annotations; "" if that is not known.
        advice: what to do otherwise.
        generic: whether files of many makers are of this kind.
    """

    what: str
    frame: str = ""
    reader: str = ""
    answers: str = ""
    advice: str = "it is no file of annotations; name the right one"
    generic: bool = False


def _arrays(what: str, load: str) -> Kind:
    """Returns a kind of file that holds numbers without names."""
    to = "`Annotations.from_counts` or `Annotations.from_matrix`"
    return Kind(what, answers=f"load it with {load} to {to}")


_EXCEL = Kind("an Excel workbook", "pandas.read_excel(path, dtype=str)")
# The first bytes of files that are no text.
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        Kind("an old Excel workbook (.xls), or one with a password", _EXCEL.frame),
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
        _arrays("a NumPy array (.npy)", "`numpy.load(path)` and pass the array"),
    ),
    (b"BZh91AY&SY", Kind("a packed file (bzip2)", advice=UNPACK)),
    (b"\xfd7zXZ\x00", Kind("a packed file (xz)", advice=UNPACK)),
    (b"\x28\xb5\x2f\xfd", Kind("a packed file (zstd)", advice=UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Kind("a packed folder (7z)", advice=UNPACK)),
    (b"Rar!", Kind("a packed folder (RAR)", advice=UNPACK)),
    (b"%PDF-", Kind("a PDF document", advice="save its table as CSV")),
    (b"{\\rtf", Kind("a text document (RTF)", advice="save its table as CSV")),
    (b"SQLite format 3\x00", Kind("an SQLite database", "pandas.read_sql(query, db)")),
    (b"\x89HDF\r\n\x1a\n", Kind("an HDF5 file", "pandas.read_hdf(path)")),
    (
        b"MATLAB 5.0 MAT-file",
        _arrays("a MATLAB file", "`scipy.io.loadmat(path)` and pass its array"),
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
    answers="load it only if you know who made it, and pass its content to "
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
        return Kind("a packed folder (tar)", advice=UNPACK)
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
    archive = Kind("a ZIP archive", advice=UNPACK)
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
        return _arrays(
            "several NumPy arrays (.npz)", "`numpy.load(path)` and pass the right array"
        )
    if names:
        archive = Kind(
            f"a ZIP archive with {len(names)} files, such as {names[0]!r}",
            advice=UNPACK,
        )
    return archive


def sentence(name: str, kind: Kind, frame_reader: str = "", otherwise: str = "") -> str:
    """Returns the sentence that says what a file is and what takes it.

    Args:
        name: of the file, in quotation marks.
        kind: of the file.
        frame_reader: what takes a data frame at this door, which is one of
            annotations; "" if it is none.
        otherwise: what to give instead, if no reader takes the file.
    """
    advice = kind.advice
    if kind.reader:
        advice = f"read it with `{kind.reader}(path)`"
    elif kind.frame and frame_reader:
        advice = (
            f"read it with `{kind.frame}` and pass the data frame to `{frame_reader}`"
        )
    elif kind.answers and frame_reader:
        advice = kind.answers
    elif otherwise and (kind.answers or advice == Kind.advice):
        advice = otherwise
    return f"{name} is {kind.what}: {advice}."


def check_file(path: str | os.PathLike, advice: str = "Name the file in it") -> None:
    """Raises FileNotFoundError or IsADirectoryError unless `path` is a file.

    Args:
        path: of a file that is to be read.
        advice: what to name instead of a folder.
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        raise IsADirectoryError(f"{name!r} is a folder, not a file. {advice}.")
    if not os.path.exists(name):
        raise FileNotFoundError(
            f"There is no file {name!r}. Correct the name; a relative one starts in "
            f"{os.getcwd()!r}."
        )
