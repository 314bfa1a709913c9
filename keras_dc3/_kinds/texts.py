"""What a text is, if it is no table, and which call takes it. Standard library only."""

from __future__ import annotations

import os
import re

from keras_dc3._kinds import json_files, notations
from keras_dc3._kinds.kind import OBJECTS, PASS, UNPACK, Kind, of_bytes

_HEAD = 4096
_GZIP = b"\x1f\x8b"


def of_file(path: str | os.PathLike) -> Kind | None:
    """Returns the kind of a file that is no table of text, else None.

    Raises:
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        raw = file.read(_HEAD)
        bracket = raw.lstrip()[:1] in (b"{", b"[", b"(", b"<")
        if bracket or min(raw, default=9) < 9:
            raw += file.read()
    if raw.startswith(_GZIP):
        return Kind("a packed file (gzip)", advice=UNPACK)
    return of_bytes(raw) or of_text(raw.decode("utf-8", "replace"))


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
    kind = None
    if head.startswith(("{", "[")):
        kind = json_files.of_whole_text(text)
    kind = kind or notations.of_text(text)
    if kind is None and head.startswith(("{", "[")):
        kind = json_files.of_cut_text(text)
    return kind


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
        return Kind("an annotation of objects (Pascal VOC, XML)", answers=OBJECTS)
    if name == "annotations" and ("<meta>" in text or "<image " in text):
        return _of_cvat(text)
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
        answers=f"load it with `xml.etree.ElementTree` and {PASS}",
    )


def _of_cvat(text: str) -> Kind:
    if not re.search(r"<tag\s", text):
        return Kind("a CVAT export (XML)", answers=OBJECTS)
    return Kind(
        "a CVAT export of tags (XML)",
        answers='pass `((i.get("name"), None, t.get("label")) for i in '
        'xml.etree.ElementTree.parse(path).iter("image") for t in i.iter("tag"))` to '
        "`Annotations.from_records`, with the person's name for None where each has a "
        "file",
    )


def is_table(text: str) -> bool:
    """Returns whether a text is by all appearance a table such as a CSV file."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:5]
    for separator in ",;\t|":
        times = {line.count(separator) for line in lines}
        if len(times) == 1 and times != {0}:
            return True
    return False
