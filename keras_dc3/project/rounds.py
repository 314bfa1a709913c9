"""The rounds of a project: a folder each, with a record of what was done in it."""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any

from keras_dc3._writing import whole_file
from keras_dc3.project.settings import ProjectError

_NAME = re.compile(r"round-(\d+)")


class Round:
    """One round: train, propose, ask people, read what they answered.

    Args:
        folder: of the round.
        number: from 1 on.

    Attributes:
        record: what was done, name of the step -> what is known of it; as JSON holds
            it. `save` writes it.
    """

    def __init__(self, folder: str, number: int):
        self.folder, self.number = folder, number
        self.record: dict[str, Any] = {"round": number}

    @classmethod
    def read(cls, folder: str, number: int) -> Round:
        """Reads the record of a round.

        Raises:
            ProjectError: if it is not there, or damaged.
        """
        found = cls(folder, number)
        path = found.path("record.json")
        try:
            with open(path, encoding="utf-8") as file:
                found.record = json.load(file)
        except FileNotFoundError:
            raise ProjectError(
                f"{path!r} is missing: the project was copied in part. Copy all of its "
                f"folder, or remove {folder!r} to go on from the round before."
            ) from None
        except ValueError as error:
            raise ProjectError(
                f"{path!r} cannot be read ({error}): it was changed or cut off. Put "
                "back a copy of it."
            ) from error
        return found

    def path(self, *names: str) -> str:
        """Returns a path in the folder of the round."""
        return os.path.join(self.folder, *names)

    def file(self, *names: str, again: str = "", without: str = "") -> str:
        """Returns the path of a file that a step of this round has written.

        Args:
            *names: below the folder of the round.
            again: the step that writes it again, if one can.
            without: else, how to go on without it, if one can.

        Raises:
            ProjectError: if it is not there any more.
        """
        path = self.path(*names)
        if not os.path.exists(path):
            way_out = f"call `keras-dc3 {again} --again`" if again else without
            raise ProjectError(
                f"{path!r} is missing, though the record of round {self.number} has "
                "it: the project was copied in part, or the file was removed. Put it "
                "back" + (f", or {way_out}." if way_out else ".")
            )
        return path

    def done(self, step: str) -> bool:
        """Whether a step was done."""
        return step in self.record

    def note(self, step: str, **known: Any) -> None:
        """Writes into the record that a step was done, and what is known of it."""
        self.record[step] = {"at": time.strftime("%Y-%m-%d %H:%M:%S"), **known}
        self.save()

    def forget(self, *steps: str) -> None:
        """Takes steps out of the record, as they are to be done anew."""
        for step in steps:
            self.record.pop(step, None)

    def save(self) -> None:
        """Writes the record; the file is complete or as it was."""
        with whole_file(self.path("record.json"), encoding="utf-8") as file:
            json.dump(self.record, file, indent=1, ensure_ascii=False)
            file.write("\n")


def rounds_of(folder: str) -> list[Round]:
    """Returns the rounds in the folder of a project, the first one first."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match and entry.is_dir():
                found.append((int(match[1]), entry.path))
    found.sort()
    for place, (number, _) in enumerate(found, 1):
        if number != place:
            raise ProjectError(
                f"Round {place} of {folder!r} is missing, though there is round "
                f"{number}: the project was copied in part, or the folder was removed. "
                "Put it back."
            )
    return [Round.read(path, number) for number, path in found]


def new_round(folder: str, number: int) -> Round:
    """Makes a round and its folder."""
    made = Round(os.path.join(folder, f"round-{number}"), number)
    made.save()
    return made
