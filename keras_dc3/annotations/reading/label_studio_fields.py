"""Single entries of a Label Studio export. Standard library only."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from keras_dc3._names import trimmed
from keras_dc3._text import some
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.reading.files import as_text

# What S3, Google, CloudFront and Azure put into an address that is valid for a while.
_SIGNATURE = re.compile(
    "x-.*|.*(signature|expires|token|accesskeyid|accessid|credential).*|policy|"
    "key-pair-id|sig|se|sp|sv|sr|st|spr|ske|skt|sks|skv|skoid|sktid",
    re.IGNORECASE,
)
_UPLOAD = re.compile(r"/?data/upload/\d+/(?:[0-9a-f]{8}-)?(.+)")
_REMOTE = re.compile("[a-zA-Z][a-zA-Z0-9+.-]+://")
CLASSES, RATING = ("choices", "taxonomy"), "rating"
# What other types of results ask for.
REASONS = {
    "textarea": "free text",
    "number": "a number",
    "datetime": "a date",
    "pairwise": "which of two is preferred",
    "ranker": "an order",
    "relation": "how regions belong together",
}
_GEOMETRY = {"x", "points", "rle", "start", "vertices"}  # of a region in an image


def choices_of(place: str, entry: Any) -> tuple[str | None, list[str], str]:
    """Returns question, chosen classes and type of a result; question None for others.

    Choices for a region in an image are no choices for the image. Of a taxonomy, a
    class is the path to it, "fish/cod"; of a rating, the number of stars.
    """
    value = entry.get("value") if isinstance(entry, dict) else None
    if not isinstance(value, dict):
        raise AnnotationError(f"{place}: a result must be an object with a `value`.")
    kind = str(entry.get("type"))
    if kind not in (*CLASSES, RATING):
        return None, [], kind
    if _GEOMETRY & set(value):
        return None, [], f"{kind} of regions"
    question, classes = str(entry.get("from_name")), value.get(kind)
    if kind == RATING:
        if isinstance(classes, bool) or not isinstance(classes, int | float):
            raise AnnotationError(
                f"{place}: `rating` must be a number. Found: {classes!r}"
            )
        return question, [as_text(classes)], kind
    if kind == "taxonomy" and isinstance(classes, list):
        paths = [path if isinstance(path, list) else [path] for path in classes]
        if all(isinstance(part, str) for path in paths for part in path):
            return question, ["/".join(path) for path in paths], kind
    if not isinstance(classes, list) or not all(isinstance(c, str) for c in classes):
        raise AnnotationError(
            f"{place}: `{kind}` must be a list of texts. Found: {classes!r}"
        )
    return question, classes, kind


def image_of(
    place: str, data: dict, column: str | Callable[[dict], str]
) -> tuple[str, str]:
    """Returns the name of a task's image, and the text that it was made from."""
    if callable(column):
        try:
            written = column(data)
        except Exception as error:
            raise AnnotationError(
                f"{place}: the function `image` fails with {type(error).__name__}: "
                f"{error}"
            ) from error
    elif column in data:
        written = data[column]
    else:
        raise AnnotationError(
            f"{place}: its data has no {column!r}, only {some(map(repr, data))}. Say "
            "which one names the image with `image=...`."
        )
    text = as_text(written)
    image = trimmed(text or "")
    may_be_id = callable(column) or column == "id"
    # An id stands as it is, also where it looks like an address.
    if not may_be_id or image != trimmed(as_text(data.get("id")) or ""):
        image = trimmed(_refined(image, data) if callable(column) else file_of(image))
    if not image:
        raise AnnotationError(
            f"{place}: the image must be named by text. Found: {written!r}"
        )
    return image, _unsigned(text)


def file_of(address: str) -> str:
    """Returns the name of an image from what Label Studio writes for it."""
    upload = _UPLOAD.fullmatch(address)
    if upload:
        return unquote(upload[1])
    if not _REMOTE.match(address) and "?d=" not in address:
        return address
    try:
        parts = urlsplit(address)
        query = parse_qs(parts.query)
    except ValueError:  # no address after all
        return address
    return query["d"][0] if "d" in query else unquote(parts.path.rsplit("/", 1)[-1])


def _refined(name: str, data: dict) -> str:
    """Returns the name of an image from what a function of the data gives.

    Where that is an address, or the end of one, what is not part of the name is taken
    away, as without a function: "x/a%20b.png?token=1" is "x/a b.png".
    """
    for address in data.values():
        if not isinstance(address, str) or not name or not address.endswith(name):
            continue
        if _UPLOAD.fullmatch(address) and "/" not in name:
            return file_of(address)
        if _REMOTE.match(address) and name != address and "?d=" not in address:
            folders = name.partition("?")[0].count("/")
            path = urlsplit(address).path.split("/")
            return unquote("/".join(path[-folders - 1 :]))
        if "?d=" in address and "?d=" not in name:
            return unquote(name)
    return file_of(name)


def _unsigned(address: str) -> str:
    """Returns an address without the signature of who may read it, for how long."""
    before, mark, query = address.partition("?")
    if not mark or not re.match("[a-zA-Z][a-zA-Z0-9+.-]+://", address):
        return address
    kept = [p for p in query.split("&") if not _SIGNATURE.fullmatch(p.split("=")[0])]
    return "?".join([before, "&".join(kept)] if kept else [before])


def person_of(place: str, completed_by: Any) -> str:
    """Returns the user's number, as all exports have it, else the mail address."""
    if isinstance(completed_by, dict):
        number = completed_by.get("id")
        completed_by = completed_by.get("email") if number is None else number
    person = as_text(completed_by)
    if person is None:
        raise AnnotationError(
            f"{place}: `completed_by` must be a number, or an object with `id`. Found: "
            f"{completed_by!r}"
        )
    return person


def seconds_of(place: str, lead_time: Any) -> float:
    """Returns the seconds, NaN where they are missing."""
    if lead_time is None:
        return math.nan
    if isinstance(lead_time, bool) or not isinstance(lead_time, int | float):
        raise AnnotationError(
            f"{place}: `lead_time` must be a number or null. Found: {lead_time!r}"
        )
    return (
        float(max(min(lead_time, 1e300), -1e300))
        if lead_time == lead_time
        else (math.nan)
    )
