"""Which image, file or class a name means, without folder or extension too: one rule.

No NumPy.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from keras_dc3._text import number_of, some

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
FORM = "Unicode form (NFC or NFD)"
FURTHER = "extension, which the others lack"
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
# Taken away from a name only where it can be nothing else: "scan.1" may be no "scan".
_IMAGE_EXTENSION = re.compile(
    r"\.(png|jpe?g|jpe|jfif|jp2|tiff?|bmp|dib|gif|webp|avif|heic|p[gbpn]m|tga|npy|npz|"
    r"dcm|dicom|svs|czi|nd2|lsm|raw|dng|cr2|nef|arw)$",
    re.IGNORECASE,
)
_ARRAYS = (".npy", ".npz")


def composed(name: str) -> str:
    """Returns a name with composed letters (NFC), as which names are compared."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def plain(name: str) -> str:
    """Returns what is equal for spellings of one path: Unicode form and slashes."""
    return composed(_path(name))


def trimmed(text: str) -> str:
    """Returns `text` without outer blanks: no-break and zero-width ones, too."""
    before = None
    while before != text:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def same_person(name: str) -> str:
    """Returns what is equal for names of one person: capitals and blanks are not."""
    return " ".join(composed(name).split()).casefold()


def stem(name: str) -> str:
    """Returns a name without its extension."""
    return _EXTENSION.sub("", name)


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name; arrays may be anything."""
    return bool(_IMAGE_EXTENSION.search(name)) and name[-4:].lower() not in _ARRAYS


def without_image_extension(name: str) -> str:
    """Returns a name without an extension that can be nothing else."""
    return _IMAGE_EXTENSION.sub("", name)


def last(name: str) -> str:
    """Returns a name without its folders."""
    return name.rpartition("/")[2]


class KnownNames:
    """Finds known names, such as ids or files, by what somebody else calls them.

    A name is the known one of the same letters; else the one that is equal when a
    backslash is "/" and "./" in front nothing; else the one that differs in an
    extension which one of both lacks; else, for a name without folder, the one in any
    folder that has it; else likewise in another Unicode form.

    Args:
        names: the known names, different, with "/" between folders.
        folders: whether a name without folder may be one in any folder.
    """

    def __init__(self, names: Iterable[str], *, folders: bool = True):
        self.names, self.folders = tuple(names), folders
        self.exact = set(self.names)
        self.ascii = all(map(str.isascii, self.names))

    @cached_property
    def by_path(self) -> dict[str, list[str]]:
        """Path with "/" -> names."""
        return grouped(self.names, _path)

    @cached_property
    def by_stem(self) -> dict[str, list[str]]:
        """Path without extension -> names."""
        return grouped(self.by_path, stem)

    @cached_property
    def by_last(self) -> dict[str, list[str]]:
        """Name without folders -> names."""
        return grouped(self.by_path, last)

    @cached_property
    def by_last_stem(self) -> dict[str, list[str]]:
        """Name without folders and extension -> names."""
        return grouped(self.by_path, lambda name: stem(last(name)))

    @cached_property
    def composed(self) -> tuple[KnownNames, dict[str, list[str]]]:
        """The names with composed letters, and these -> names."""
        groups = grouped(self.names, composed)
        return KnownNames(groups, folders=self.folders), groups

    def find(self, name: str) -> tuple[list[str], tuple[str, ...]]:
        """Returns the known names that a name can mean, and what it lacks of theirs."""
        if name in self.exact:
            return [name], ()
        path = _path(name)
        found, lacks = self._find(path)
        if found:
            return [one for known in found for one in self.by_path[known]], lacks
        if self.ascii and path.isascii():
            return [], ()
        known, groups = self.composed
        found, lacks = known._find(composed(path))
        names = [one for path in found for one in known.by_path[path]]
        return [one for name in names for one in groups[name]], (*lacks, FORM)

    def _find(self, path: str) -> tuple[list[str], tuple[str, ...]]:
        """Returns paths."""
        if path in self.by_path:
            return [path], ()
        if path in self.by_stem:
            return self.by_stem[path], ("extension",)
        short = _IMAGE_EXTENSION.sub("", path)
        if short != path and short in self.by_path:
            return [short], (FURTHER,)
        if "/" in path or not self.folders:
            return [], ()
        if path in self.by_last:
            return self.by_last[path], ("folder",)
        if path in self.by_last_stem:
            return self.by_last_stem[path], ("folder", "extension")
        if short != path and short in self.by_last:
            return self.by_last[short], ("folder", FURTHER)
        return [], ()


@dataclass
class Matches:
    """What `match_all` found.

    Attributes:
        found: name -> known name, of all that have one.
        lost: positions of the names that have none.
        lacking: what names lacked of the known ones -> how many.
    """

    found: dict[str, str] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    lacking: Counter = field(default_factory=Counter)


def match_all(
    names: Sequence[str],
    known: KnownNames,
    *,
    what: str = "images",
    place: Callable[[int], str] = lambda position: "",
    error: type[ValueError] = ValueError,
    remedy: str = "",
) -> Matches:
    """Returns which known name each name means.

    Args:
        names: different names.
        known: the known ones.
        what: what these are, for messages.
        place: where a name was read, for messages; ends with ": " if it is not "".
        error: what to raise.
        remedy: how to write several names of one image the same way; begins with ", ".

    Raises:
        ValueError: if a name can mean several, or two names mean the same.
    """
    matches = Matches()
    taken: dict[str, str] = {}
    for position, name in enumerate(names):
        candidates, lacks = known.find(name)
        if len(candidates) > 1:
            show = ascii if FORM in lacks else repr
            raise error(
                f"{place(position)}the image {show(name)} can be any of the {what} "
                f"{some(map(show, sorted(candidates)))}. Write the "
                f"{' and the '.join(lacks) or 'slashes'}, or remove the others."
            )
        if not candidates:
            matches.lost.append(position)
            continue
        one = candidates[0]
        if one in taken:
            raise error(
                f"{place(position)}{_told_apart(name, taken[one])} are both the "
                f"{what.removesuffix('s')} {one!r}{_others(names, known)}. Write its "
                f"name the same way everywhere{remedy}."
            )
        matches.found[name], taken[one] = one, name
        matches.lacking.update(lacks)
    return matches


def tell_lacking(lacking: Mapping[str, int], of: str) -> list[str]:
    """Returns what to tell of names that were written otherwise than those known."""
    notes = [
        f"{number_of(lacking[what], 'image was', 'images were')} written without the "
        f"{what} of {'its' if lacking[what] == 1 else 'their'} {of}."
        for what in ("folder", "extension", FORM)
        if lacking.get(what)
    ]
    if lacking.get(FURTHER):
        notes.append(
            f"{number_of(lacking[FURTHER], 'image was', 'images were')} written with "
            f"an extension that the name of the {of} lacks."
        )
    return notes


def one_spelling(
    parts: Sequence[Sequence[str]], error: type[ValueError] = ValueError
) -> tuple[list[list[str]], Counter]:
    """Returns the names of several sets of images, each image as it was written first.

    Folders play no part: "1.png" of one set may be no "cod/1.png" of another.

    Args:
        parts: different names each.
        error: what to raise.

    Returns:
        The names of each set, and what was lacking, for `tell_lacking`.

    Raises:
        ValueError: see `match_all`.
    """
    known: dict[str, None] = {}
    spelled, lacking = [], Counter()
    for names in parts:
        matches = match_all(names, KnownNames(known, folders=False), error=error)
        spelled.append([matches.found.get(name, name) for name in names])
        lacking.update(matches.lacking)
        known.update(dict.fromkeys(spelled[-1]))
    return spelled, lacking


def likely_meant(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Returns name -> known name that it differs from too little to be another.

    In capital letters, or in folders that stand in front of one of both. Such names are
    no match, but worth telling. Of several known names, one is given.
    """
    by_key = {_key(name): name for name in known}
    by_end = {end: name for key, name in by_key.items() for end in _ends(key)}
    near = {}
    for name in names:
        key = _key(name)
        keys = (end for end in (key, *_ends(key)) if end in by_key)
        meant = by_key.get(next(keys, ""), by_end.get(key))
        if meant is not None:
            near[name] = meant
    return near


def _key(name: str) -> str:
    return stem(plain(name)).casefold()


def _ends(path: str) -> Iterator[str]:
    """Yields a path without its first folder, its first two, and so on."""
    while "/" in path:
        path = path.partition("/")[2]
        yield path


def tell_folders(parts: Sequence[Sequence[str]]) -> list[str]:
    """Returns what to tell of images of several sets that may be one, but for folders.

    Args:
        parts: names of each set, in one spelling.
    """
    known: dict[str, str] = {}
    pairs = []
    for names in parts:
        new = [name for name in map(plain, names) if name not in known]
        by_last = grouped(known, last)
        alike = [(by_last.get(last(name), ()), name) for name in new]
        found = [(others[0], name) for others, name in alike if len(others) == 1]
        if len(found) < len(names):  # "cod/1" may well be another image than "eel/1"
            found = [
                (one, name)
                for one, name in found
                if name.endswith(f"/{one}") or one.endswith(f"/{name}")
            ]
        pairs += found
        known.update(dict.fromkeys(new, ""))
    if not pairs:
        return []
    one, other = pairs[0]
    return [
        f"{number_of(len(pairs), 'image differs', 'images differ')} from others in "
        f"{'its folder' if len(pairs) == 1 else 'their folders'} alone, such as "
        f"{other!r} and {one!r}: each counts as an image of its own. If they are the "
        "same, write them the same way."
    ]


def grouped(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    """Returns key -> names."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return groups


def _path(name: str) -> str:
    name = name.replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return name


def _others(names: Sequence[str], known: KnownNames) -> str:
    """Returns how many known names several of the names mean, if one is not all."""
    found = [known.find(name)[0] for name in names]
    means = Counter(one[0] for one in found if len(one) == 1)
    several = sum(number > 1 for number in means.values())
    return f", the first of {several:,} with several names" if several > 1 else ""


def _told_apart(one: str, other: str) -> str:
    same = composed(one) == composed(other)
    return " and ".join(map(ascii if same else repr, (one, other)))
