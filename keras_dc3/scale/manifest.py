"""What pins a run: its model, its images, its settings and the versions it runs on."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from keras_dc3._version import __version__
from keras_dc3._writing import whole_file
from keras_dc3.proposals import shards
from keras_dc3.proposals.shards import CHECKSUMS, MANIFEST

_FORMAT = "keras_dc3 scores, version 1"
_WORDS = {
    "model": "another model",
    "source": "other images, or images that have changed since",
    "settings": "other settings",
    "versions": "other versions",
}
_PACKAGES = ("tensorflow", "numpy", "pillow", "pyarrow")


@dataclass(frozen=True)
class Manifest:
    """What the content of every shard follows from.

    Attributes:
        model: its fingerprint, and names of its classes.
        source: its kind and fingerprint, and how many images it has, if that is known.
        settings: all that shapes a row, or which rows a shard has.
        versions: of the packages that decode, compute and write.
    """

    model: dict[str, Any]
    source: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str]

    @property
    def run(self) -> str:
        """The fingerprint of the run, which each of its shards bears."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def pin(self, folder: str) -> None:
        """Writes the manifest into a folder, or checks that of the folder.

        The place of a run that has finished no shard is taken.

        Raises:
            ValueError: if a run of another kind was begun there, or something else lies
                there.
            OSError: if it cannot be written.
        """
        path = os.path.join(folder, MANIFEST)
        if not os.path.exists(path):
            if shards.numbers_in(folder):
                raise ValueError(
                    f"{folder!r} holds shards of a run whose {MANIFEST!r} is missing. "
                    "Name a new folder."
                )
            self.keep(folder, {})
            return
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except ValueError as error:
            raise ValueError(
                f"{path!r} cannot be read ({error}). Name a new folder."
            ) from error
        if not isinstance(found, dict) or "format" not in found:
            raise ValueError(
                f"{path!r} is of something else than a run of `keras-dc3 score`. Name "
                "a new folder."
            )
        of_ours = found["format"] == _FORMAT
        if of_ours and found.get("run") == self.run:
            return
        if of_ours and not shards.numbers_in(folder):
            # It was stopped before anything was finished, such as by what was wrong
            # with its images and has been mended.
            self.keep(folder, {})
        else:
            raise ValueError(
                f"{folder!r} belongs to a run with {self._difference(found)}. Name a "
                "new folder, or give what this run was begun with."
            )

    def keep(self, folder: str, checksums: Mapping[str, str]) -> None:
        """Writes the manifest into a folder, with the checksums of finished shards.

        Args:
            folder: of the run.
            checksums: name of a shard -> SHA-256 of its file, see `Shard.checksum`.

        Raises:
            OSError: if it cannot be written.
        """
        about = {"format": _FORMAT, "run": self.run, **asdict(self)}
        content = {**about, CHECKSUMS: dict(sorted(checksums.items()))}
        path = os.path.join(folder, MANIFEST)
        with whole_file(path, encoding="utf-8") as file:
            json.dump(content, file, indent=2, ensure_ascii=False)

    def _difference(self, found: dict[str, Any]) -> str:
        """Returns in what another run differs, in words."""
        ours = json.loads(json.dumps(asdict(self)))
        for part, words in _WORDS.items():
            theirs = found.get(part)
            if theirs == ours[part]:
                continue
            if part in ("settings", "versions") and isinstance(theirs, dict):
                told = [
                    f"{key}={theirs.get(key)!r} instead of {ours[part].get(key)!r}"
                    for key in sorted({*theirs, *ours[part]})
                    if theirs.get(key) != ours[part].get(key)
                ]
                return f"{words}: {', '.join(told)}"
            return words
        return "another format"


def versions() -> dict[str, str]:
    """Returns the versions of the packages that shape the rows, ours first."""
    found = {"keras_dc3": __version__}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"  # as of a TensorFlow of another name
    return found
