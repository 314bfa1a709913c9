"""The order of class names; names that may mean the same, or that nobody answered."""

from __future__ import annotations

import difflib
import re
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from keras_dc3._text import some

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# As people, Excel ("#N/A") and pandas ("<NA>") write it.
_MEANS_NO_ANSWER = {"na", "n/a", "n.a.", "nan", "nat", "null", "none", "nil", "-", "?"}
_MEANS_NO_ANSWER |= {"-1", "#na", "#n/a", "#null!", "<na>", "<nan>", "<null>", "<none>"}
_MEANS_NO_ANSWER |= {"-9", "-99", "-999", "-9999"}
_MEANS_NO_ANSWER |= {"#value!", "#ref!", "#name?", "#div/0!", "#num!", "--", "(null)"}
# As people write it, without blanks and marks.
_SAID = """
na nan nat null none nil unknown unk unsure notsure uncertain unclear undecided
undetermined indeterminate indeterminable unidentified unidentifiable unreadable
unlabeled unlabelled unlabelable notlabeled unclassified unclassifiable unusable
unrecognizable unrecognisable notrecognizable canttell cannottell cantsay cannotsay
cantdecide cannotdecide idontknow dontknow donotknow idk dk noidea noanswer
noresponse nolabel noannotation notannotated notapplicable notavailable notvisible
notanswered notgiven missing skip skipped skipimage invalid badimage badphoto
badpicture badquality badimagequality poorimage poorquality poorimagequality
brokenimage corrupt corruptimage corrupted tbd todo unsicher unklar unbekannt
weissnicht weißnicht nichterkennbar nichtsicher nichtbestimmbar unbestimmbar
unbestimmt keineangabe keineantwort ka kannnichtsagen schlechtesbild inconnu
icanttell icannottell unabletotell unabletosay unabletodecide nodata nd undefined
inconclusive illegible notclear tooblurry blurry blurred blurryimage unrecognised
unrecognized unrecognisable notrecognised notrecognized otherunknown unknownother
noneoftheabove noneofthese notidentifiable notdeterminable nodecision notdetermined
incertain nesaispas desconocido sconosciuto onbekend unbrauchbar übersprungen
"""
_SAYS_NO_ANSWER = frozenset(_SAID.split())
# Of pictures sorted by how good they are, the bad ones are a class, too.
_GOOD_PICTURE = {"sharp", "clear", "good", "ok", "okay", "fine", "infocus", "usable"}
_BAD_PICTURE = re.compile(".*(blur|image|photo|picture|quality).*|(un|not)clear")
_MOST_COMPARED = 200  # names compared letter by letter
# A number in any spelling; a comma with three digits may stand for thousands.
_SPELLED_NUMBER = re.compile(
    r"([+-]?)([0-9]*)(?:\.([0-9]*)|,(?![0-9]{3}$)([0-9]+))?(?:e([+-]?[0-9]{1,6}))?"
)
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Returns class names in the order that numbers their classes.

    Folders and tables with the same classes get the same list. Numbers in names count
    as numbers ("2" comes before "10", "grade 2" before "grade 10"), all else is in the
    order of its characters (capitals first).

    Args:
        names: class names; doubled ones count once.

    Example:

    >>> keras_dc3.annotations.class_order(["10", "1", "2"])
    ('1', '2', '10')
    """
    names = set(names)
    if all(map(_NUMBER.fullmatch, names)):
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    return tuple(sorted(names, key=_natural))


def _natural(name: str) -> tuple[Any, ...]:
    parts: list[Any] = re.split("([0-9]+)", name)
    for i, digits in enumerate(parts[1::2]):
        significant = digits.lstrip("0")
        parts[2 * i + 1] = (len(significant), significant)  # orders as its number does
    return parts, name


def variants(frequency: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Returns groups of names that differ only in case, blanks or number format.

    Letters that nobody sees, and digits of other scripts, make no difference either.

    Args:
        frequency: name -> how often it was chosen. The name chosen most often is the
            last one of its group; of equals, one that all keyboards write.
    """
    groups = defaultdict(list)
    for name in frequency:
        groups[essence(name)].append(name)
    return [
        tuple(sorted(group, key=lambda n: (frequency[n], n.isascii(), n)))
        for group in groups.values()
        if len(group) > 1
    ]


def tell_alike(class_names: Iterable[str], stacklevel: int = 2) -> None:
    """Warns of given class names that differ only in how they are written.

    Args:
        class_names: different names.
        stacklevel: as for `warnings.warn`.
    """
    groups = variants(dict.fromkeys(class_names, 0))
    if groups:
        pairs = some((shown(sorted(group)) for group in sorted(groups)), 10)
        warnings.warn(
            "`class_names` that differ only in case, blanks, unseen characters or the "
            f"way a number is written: {pairs}. They are different classes; if they "
            "are one, give its labels one name and number.",
            stacklevel=stacklevel + 1,
        )


def alike(name: str, others: Iterable[str]) -> str | None:
    """Returns which of some names another differs from only in how it is written."""
    return next((o for o in others if o != name and essence(o) == essence(name)), None)


def essence(name: str) -> Any:
    """Returns what is equal for names that differ only in how they are written."""
    seen = name
    if not name.isascii():
        seen = unicodedata.normalize("NFKC", _UNSEEN.sub("", name))
        seen = "".join(str(int(c)) if c.isdecimal() else c for c in seen)
    folded = unicodedata.normalize("NFKC", seen.casefold())
    return _number(folded) or re.sub(r"[\s_\-]+", "", folded) or name


def _number(text: str) -> tuple[str, str, int] | None:
    """Returns sign, digits and exponent of a number in any spelling, else None.

    No `float`, for which long numbers are equal that are not.
    """
    found = _SPELLED_NUMBER.fullmatch(text)
    if not found or not re.search("[0-9]", text.partition("e")[0]):
        return None
    sign, whole, fraction, after_comma, exponent = found.groups("")
    fraction = fraction or after_comma
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "", "0", 0
    power = int(exponent or 0) - len(fraction) + len(digits) - len(significant)
    return sign.replace("+", ""), significant, power


def shown(names: Iterable[str], joint: str = " and ") -> str:
    """Returns names in quotation marks, spelled out where they look the same."""
    names = list(names)
    look = {unicodedata.normalize("NFKC", name) for name in names}
    return joint.join(map(repr if len(look) == len(names) else ascii, names))


def typing_slips(frequency: Mapping[str, int]) -> list[tuple[str, str]]:
    """Returns pairs of a rare name and the frequent one that it may be meant to be.

    Args:
        frequency: name -> how often it was chosen.
    """
    words = [n for n in frequency if len(n) >= 4 and not re.search("[0-9]", n)]
    if len(words) > _MOST_COMPARED:
        return []
    pairs = []
    for rare in words:
        common = [n for n in words if frequency[n] >= 20 * frequency[rare]]
        near = difflib.get_close_matches(rare, common, n=1, cutoff=0.8)
        if near and essence(near[0]) != essence(rare):
            pairs.append((rare, near[0]))
    return pairs


def meaning_no_answer(names: Iterable[str]) -> list[str]:
    """Returns the names that tools and people write where there is no answer."""
    letters = {name: re.sub(r"[\W_]+", "", name).casefold() for name in names}
    of_pictures = not _GOOD_PICTURE.isdisjoint(letters.values())
    return [
        name
        for name in letters
        if _means_no_answer(name)
        and not (of_pictures and _BAD_PICTURE.fullmatch(letters[name]))
    ]


def _means_no_answer(name: str) -> bool:
    folded = unicodedata.normalize("NFKC", _UNSEEN.sub("", name)).casefold().strip()
    letters = re.sub(r"[\W_]+", "", folded)
    if not letters:  # marks alone, such as "??" and "--"
        return not re.search(r"[^?\-\u2013\u2014.\u2026_*/#()\s]", folded)
    if folded.startswith(("unidentifiable ", "unidentified ")):
        return True
    return folded in _MEANS_NO_ANSWER or letters in _SAYS_NO_ANSWER


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that `name` was probably meant to be, else None."""
    known = list(known)
    folded = {known_name.casefold(): known_name for known_name in known}
    if len(known) > _MOST_COMPARED:
        return folded.get(name.casefold())
    wanted = essence(name)
    for known_name in known:
        if essence(known_name) == wanted:
            return known_name
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1)
    return folded[near[0]] if near else None
