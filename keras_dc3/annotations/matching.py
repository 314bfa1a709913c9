"""Which annotated image is which file. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property

from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.names import shown
from keras_dc3.annotations.source import some

_FORM = "Unicode form (NFC or NFD)"
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")


class _Files:
    """Finds files by what a table calls them.

    Args:
        names: with "/" between folders.
    """

    def __init__(self, names: Sequence[str]):
        self.names, self.exact = names, set(names)
        self.ascii = all(map(str.isascii, names))

    @cached_property
    def by_stem(self) -> dict[str, list[str]]:
        """Path without extension -> files."""
        return _grouped(self.names, _stem)

    @cached_property
    def by_last(self) -> dict[str, list[str]]:
        """Name without folders -> files."""
        return _grouped(self.names, _last)

    @cached_property
    def by_last_stem(self) -> dict[str, list[str]]:
        """Name without folders and extension -> files."""
        return _grouped(self.names, lambda name: _stem(_last(name)))

    @cached_property
    def composed(self) -> tuple[_Files, dict[str, list[str]]]:
        """The names with composed letters (NFC), and these -> files."""
        groups = _grouped(self.names, _composed)
        return _Files(tuple(groups)), groups

    def find(self, name: str) -> tuple[list[str], tuple[str, ...]]:
        """Returns the files that a name can mean, and what it lacks of theirs."""
        if name in self.exact:
            return [name], ()
        path = _path(name)
        for written in dict.fromkeys((path, name)):
            found, lacks = self._find(written)
            if found:
                return found, lacks
        if self.ascii and path.isascii():
            return [], ()
        files, groups = self.composed
        found, lacks = files._find(_composed(path))
        return [file for name in found for file in groups[name]], (*lacks, _FORM)

    def _find(self, name: str) -> tuple[list[str], tuple[str, ...]]:
        if name in self.exact:
            return [name], ()
        if name in self.by_stem:
            return self.by_stem[name], ("extension",)
        if "/" in name:
            return [], ()
        if name in self.by_last:
            return self.by_last[name], ("folder",)
        return self.by_last_stem.get(name, []), ("folder", "extension")


def match_names(
    images: Sequence[str],
    files: Sequence[str],
    places: Sequence[str | None],
    missing: str,
    number: float | None = None,
) -> tuple[dict[str, str], list[str]]:
    """Returns annotated image -> file for all that have one, and what to tell.

    Args:
        images: different names of annotated images.
        files: different names of files, with "/" between folders.
        places: where each image was read, as far as known.
        missing: "error" if each image must have its file, "drop" if not.
        number: how many annotations there are, for messages.

    Raises:
        AnnotationError: see `Annotations.match`.
    """
    known = _Files(files)
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    lost: list[int] = []
    lacking = Counter()
    for position, image in enumerate(images):
        candidates, lacks = known.find(image)
        if len(candidates) > 1:
            show = ascii if _FORM in lacks else repr
            raise AnnotationError(
                f"{_at(places, position)}the image {show(image)} can be any of the "
                f"files {some(map(show, sorted(candidates)))}. Write the "
                f"{' and the '.join(lacks)}, or remove the others."
            )
        if not candidates:
            lost.append(position)
            continue
        file = candidates[0]
        if file in taken:
            raise AnnotationError(
                f"{_at(places, position)}{shown([image, taken[file]])} are both the "
                f"file {file!r}. Write its name the same way everywhere."
            )
        found[image], taken[file] = file, image
        lacking.update(lacks)
    if lost and (missing == "error" or not found):
        _complain(images, known, places, lost, number)
    notes = [
        f"{lacking[what]:,} images were written without the {what} of their file."
        for what in ("folder", "extension", _FORM)
        if lacking[what]
    ]
    if lost:
        notes.append(
            f"{len(lost):,} annotated images have no file and were left out: "
            f"{some(repr(images[i]) for i in lost)}."
        )
    return found, notes


def _grouped(names: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return groups


def _stem(name: str) -> str:
    return _EXTENSION.sub("", name)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _path(name: str) -> str:
    name = name.replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return name


def _at(places: Sequence[str | None], position: int) -> str:
    return f"{places[position]}: " if places and places[position] else ""


def _complain(
    images: Sequence[str],
    files: _Files,
    places: Sequence[str | None],
    lost: list[int],
    number: float | None,
) -> None:
    lacking = f"{len(lost):,} of {len(images):,} annotated images have no file"
    way_out = 'add the files, or pass `missing="drop"` to leave such images out'
    if len(lost) == len(images):
        of = "" if number is None else f" ({number:,.0f} annotations)"
        lacking = f"None of the {len(images):,} annotated images{of} has a file"
        way_out = "or name the folder of these images"
    raise AnnotationError(
        f"{_at(places, lost[0])}{lacking}: the table names "
        f"{some((repr(images[i]) for i in lost), 3)}, the files are called "
        f"{some(map(repr, files.names), 3) or '(there are none)'}. "
        f"{_hint([_path(images[i]) for i in lost], files)}Make the names agree, "
        f"for example with `image=` a function of the row, {way_out}."
    )


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _hint(names: Sequence[str], files: _Files) -> str:
    return _prefix_hint(names, files) or _spelling_hint(names, files)


def _spelling_hint(names: Sequence[str], files: _Files) -> str:
    """Returns a sentence on what alone differs between some names and files."""
    kinds = {
        "in capital letters": lambda name: _composed(name).casefold(),
        "in the extension": lambda name: _stem(_composed(name)),
        "in capital letters and the extension": lambda name: _stem(
            _composed(name)
        ).casefold(),
    }
    for what, key in kinds.items():
        near = _grouped(files.names, key)
        near_last = _grouped(files.names, lambda name, key=key: key(_last(name)))
        pairs = [
            (name, (near if "/" in name else near | near_last)[key(name)][0])
            for name in names
            if key(name) in near or ("/" not in name and key(name) in near_last)
        ]
        if pairs:
            name, file = pairs[0]
            return (
                f"{len(pairs):,} of them would be files but for a difference {what}, "
                f"such as {name!r} and {file!r}. "
            )
    return ""


def _prefix_hint(names: Sequence[str], files: _Files) -> str:
    """Returns a sentence on what stands before all names, if these fit without it."""
    for place in (i + 1 for i, letter in enumerate(names[0]) if letter == "/"):
        prefix = names[0][:place]
        rest = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        if len(rest) == len(names) and all(files.find(name)[0] for name in rest):
            return f"They would fit without {prefix!r} in front. "
    return ""
