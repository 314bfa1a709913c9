"""One row of a downloaded review file, checked: one answer, not yet a record."""

from __future__ import annotations

import contextlib
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

from keras_dc3._text import some
from keras_dc3.annotations import AnnotationError
from keras_dc3.annotations.records import CANNOT_TELL, REASONS

CLASS, NEW_CLASS, SPLIT, NOTE = "class", "new class", "split", "note"
# What an answer can be; the first three name a class, or two. A row that is a note
# alone is no answer.
KINDS = (CLASS, NEW_CLASS, SPLIT, *REASONS[1:])
MOST_LETTERS = 100  # of a class that somebody types, as on the page
ROW = ("image", "label", "proposed", "group", "repetition", "seconds")
FURTHER = ("kind", "split", "note")
AGAIN = "Download it again."
# What a spreadsheet would take for a formula, with the apostrophes in front.
_FORMULA = re.compile("'+[=+\\-@\\t\\r]")


@dataclass(frozen=True)
class Answer:
    """One answer; `label` is None where it names no class, `proposed` for a blind one.

    `kind` is one of `KINDS`. `split` is () or two pairs (class, share), of which the
    first has the larger share and is the `label`. `note` is what somebody wrote on the
    image, "" for nothing.
    """

    image: str
    label: str | None
    proposed: str | None
    group: str
    repetition: bool
    seconds: float
    place: str = field(compare=False)
    kind: str = CLASS
    split: tuple[tuple[str, float], ...] = ()
    note: str = ""

    @property
    def said(self) -> tuple[Any, ...]:
        """What is equal for answers that say the same of the image."""
        return self.label, self.split, self.kind if self.label is None else ""

    @property
    def named(self) -> tuple[str, ...]:
        """The classes that it names, without the one that was proposed."""
        if self.split:
            return tuple(name for name, _ in self.split)
        return () if self.label is None else (self.label,)

    def same(self, other: Answer) -> bool:
        """Whether both are the same, times included."""
        one, two = ({**vars(a), "place": ""} for a in (self, other))
        times = one.pop("seconds"), two.pop("seconds")
        return one == two and (times[0] == times[1] or times != times)


def as_of_old(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a row of a file in which an answer is a class, or "cannot tell"."""
    kind = CANNOT_TELL if row["label"] in (None, "") else CLASS
    return {**row, "kind": kind, "split": None, "note": None}


def of_cells(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a row of a CSV file with what stands in its further columns."""
    if not set(FURTHER) <= set(row):
        return as_of_old(row)
    split, note = row["split"] or None, row["note"] or None
    if split is not None:
        with contextlib.suppress(ValueError):  # is told with its place, as what it is
            split = json.loads(split)
    if note is not None and _FORMULA.match(note):
        note = note[1:]
    return {**row, "split": split, "note": note}


def answer_of(place: str, row: dict[str, Any]) -> Answer:
    """Returns the answer that a row tells.

    Args:
        place: of the row, for messages.
        row: all of `ROW` and `FURTHER`, and "accepted" where it is known.

    Raises:
        AnnotationError: if the row cannot be what the page wrote.
    """
    kinds = {
        "image": str,
        "label": str | None,
        "proposed": str | None,
        "group": str,
        "repetition": bool,
        "seconds": int | float | None,
        "note": str | None,
    }
    for key, kind in kinds.items():
        wrong = isinstance(row[key], bool) and key != "repetition"
        if wrong or not isinstance(row[key], kind):
            raise AnnotationError(f"{place}: {key!r} cannot be {row[key]!r}. {AGAIN}")
    values = {key: row[key] for key in ROW}
    kind = row["kind"]
    if kind not in (*KINDS, NOTE):
        raise AnnotationError(
            f"{place}: 'kind' cannot be {kind!r}, only one of "
            f"{some(map(repr, (*KINDS, NOTE)), 9)}. Update keras_dc3, or download it "
            "again."
        )
    split = _split_of(place, row)
    if (row["label"] is not None) != (kind in (CLASS, NEW_CLASS, SPLIT)):
        raise AnnotationError(
            f"{place}: the answer is {kind!r}, but the label is {row['label']!r}: the "
            f"file was changed. {AGAIN}"
        )
    fits = row["label"] is not None and row["label"] == row["proposed"]
    fits = fits and kind != SPLIT
    if row.get("accepted", fits) not in (fits, ""):
        raise AnnotationError(
            f"{place}: 'accepted' is {row['accepted']!r}, but the label is "
            f"{row['label']!r} and {row['proposed']!r} was proposed: the file was "
            f"changed. {AGAIN}"
        )
    seconds = math.nan if row["seconds"] is None else float(min(row["seconds"], 1e300))
    values |= {"seconds": seconds, "note": row["note"] or ""}
    return Answer(**values, place=place, kind=kind, split=split)


def _split_of(place: str, row: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    """Returns the classes of a split answer and their shares, the larger one first."""
    given = row["split"]
    if row["kind"] != SPLIT:
        if given is None:
            return ()
        raise AnnotationError(
            f"{place}: 'split' is {given!r}, but the answer is {row['kind']!r}: the "
            f"file was changed. {AGAIN}"
        )
    shares = list(given.values()) if isinstance(given, dict) else []
    numbers = all(type(share) in (int, float) and 0 < share < 1 for share in shares)
    whole = numbers and len(shares) == 2 and abs(sum(shares) - 1) < 1e-6
    label = row["label"]
    if not whole or label not in given or given[label] < max(shares) or "" in given:
        raise AnnotationError(
            f"{place}: 'split' must give two classes shares above 0 that sum to 1, the "
            f"larger one to the label {label!r}. Received: {given!r}. {AGAIN}"
        )
    (other,) = (name for name in given if name != label)
    return (label, 1 - min(shares)), (other, min(shares))
