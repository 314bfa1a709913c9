"""What a JSON file holds, and which call takes it. Standard library only."""

from __future__ import annotations

import json
import re
from typing import Any

from keras_dc3._kinds.kind import OBJECTS, PASS, Kind

_LOAD = "load it with `json.load`"
_JSON = Kind("JSON", answers=f"{_LOAD} and {PASS}", generic=True)


def of_whole_text(text: str) -> Kind | None:
    """Returns the kind of JSON or JSON lines; None if a text is neither."""
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
    return None


def of_cut_text(text: str) -> Kind | None:
    """Returns the kind of a text that begins as JSON does, but is none as a whole."""
    if re.match(r'\{\s*("|\})|\[\s*([\[{"\]]|[0-9.\-]+\s*,?\s*$)', text[:200]):
        return Kind(
            "JSON that is cut off or damaged", advice="export it again", generic=True
        )
    return None


def of_json(found: Any) -> Kind:
    """Returns the kind of what a JSON file holds."""
    if isinstance(found, dict):
        return _of_json_object(found)
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
            answers=_JSON.answers,
            generic=True,
        )
    return _JSON


def _of_json_object(found: dict) -> Kind:
    keys = set(found)
    if found.get("format") == "keras_dc3 review":
        return Kind("a file of a review sheet", reader="keras_dc3.review.read")
    if found.get("format") == "keras_dc3 split":
        return Kind("a saved split", advice="it holds no annotations")
    images = found.get("images")
    listed = isinstance(images, list) and all(isinstance(i, dict) for i in images[:1])
    if listed and ("categories" in keys or (images and "annotations" in keys)):
        return Kind("COCO annotations (JSON)", answers=OBJECTS)
    if {"shapes", "imagePath"} <= keys:
        return Kind("a LabelMe annotation (JSON)", answers=OBJECTS)
    if any(key.startswith("_via_") for key in map(str, keys)):
        return Kind("a project of the VGG Image Annotator (JSON)", answers=OBJECTS)
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
                answers=f"if the numbers count people, {_LOAD} and pass the dict to "
                "`Annotations.from_counts`; if they are labels that people gave, pass "
                "(image, person, label) of each to `Annotations.from_records`",
            )
    return _JSON
