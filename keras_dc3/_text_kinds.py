"""What a text is, if it is no table, and which call takes it. Standard library only."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from keras_dc3._file_kinds import UNPACK, Kind, of_bytes

_HEAD = 4096
_GZIP = b"\x1f\x8b"
_OBJECTS = (
    "it marks objects in images, not whole images; where an image has one label, pass "
    "(image, annotator, label) to `Annotations.from_records`"
)


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
                "JSON, image -> class -> number or image -> person -> label",
                advice=f"if the numbers count people, {load} the dict to "
                "`Annotations.from_counts`; if they are labels that people gave, pass "
                "(image, person, label) of each to `Annotations.from_records`",
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
