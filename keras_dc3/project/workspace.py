"""What the steps of a project work on: its folder, settings, rounds and answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property

from keras_dc3._names import KnownNames, match_all
from keras_dc3._text import number_of, some
from keras_dc3.project.answers import Answers, read_answers
from keras_dc3.project.creating import images_in
from keras_dc3.project.rounds import Round, new_round, rounds_of
from keras_dc3.project.settings import FIRST_ANSWERS, SETTINGS, ProjectError, Settings


class Workspace:
    """A project as it is now; made anew for each step.

    Args:
        folder: of the project.

    Attributes:
        settings: what `project.json` holds.
        rounds: all, the first one first.

    Raises:
        ProjectError: if it is no project, or one of its files is missing or damaged.
    """

    def __init__(self, folder: str):
        self.folder = folder
        self.settings = Settings.read(self.path(SETTINGS))
        self.rounds = rounds_of(folder)

    @property
    def name(self) -> str:
        """Of the project, that of its folder."""
        return os.path.basename(os.path.abspath(self.folder))

    @property
    def images(self) -> str:
        """The folder of the images.

        Raises:
            ProjectError: if it is not there.
        """
        path = os.path.normpath(os.path.join(self.folder, self.settings.images))
        if not os.path.isdir(path):
            raise ProjectError(
                f"The images of {self.folder!r} were in {path!r}, which is not there. "
                "Put the folder back, or say where it is now: "
                "`keras-dc3 settings --images FOLDER`."
            )
        return path

    @cached_property
    def all_files(self) -> tuple[str, ...]:
        """Ids of all images in the folder."""
        return images_in(self.images)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Ids of the images that play a part.

        Raises:
            ProjectError: if images that people answered or that validate are gone.
        """
        gone = self.gone
        if gone:
            named = some(map(repr, gone), 3, etc=True)
            raise ProjectError(
                f"{number_of(len(gone), 'image')} of the project "
                f"{'is' if len(gone) == 1 else 'are'} no longer in "
                f"{self.images!r}: {named}. Put them back, or leave "
                "them out: `keras-dc3 withdraw --gone`."
            )
        out = self.settings.withdrawn
        return tuple(name for name in self.all_files if name not in out)

    @property
    def known(self) -> set[str]:
        """Ids of the images that somebody has answered, or that validate."""
        answers = self.answers.all
        found = set(() if answers is None else answers.ids)
        return found | set(self.settings.validation or ())

    @property
    def gone(self) -> list[str]:
        """Ids of images that the project knows and that are not in the folder."""
        out = {*self.all_files, *self.settings.withdrawn}
        return sorted(self.known - out)

    @cached_property
    def answers(self) -> Answers:
        """What people have said."""
        return read_answers(self.path(FIRST_ANSWERS), self.rounds, self.settings)

    @property
    def current(self) -> Round | None:
        """The last round; None before the first."""
        return self.rounds[-1] if self.rounds else None

    def begun_round(self) -> Round:
        """Returns the last round; the first one is made if there is none."""
        return self.current or self.begin_round()

    def begin_round(self) -> Round:
        """Makes another round."""
        number = self.rounds[-1].number + 1 if self.rounds else 1
        self.rounds.append(new_round(self.folder, number))
        return self.rounds[-1]

    def last_with(self, step: str) -> Round | None:
        """Returns the last round in which a step was done; None if none was."""
        return next((r for r in reversed(self.rounds) if r.done(step)), None)

    def path(self, *names: str) -> str:
        """Returns a path in the folder of the project."""
        return os.path.join(self.folder, *names)

    def save(self, settings: Settings) -> None:
        """Writes other settings."""
        settings.write(self.path(SETTINGS))
        self.settings = settings

    def ids_of(self, names: Sequence[str]) -> list[str]:
        """Returns the ids that somebody means by names.

        Raises:
            ProjectError: if one is no image.
        """
        known = KnownNames(self.all_files)
        matches = match_all(names, known, what="images", error=ProjectError)
        if matches.lost:
            lost = some((repr(names[i]) for i in matches.lost), 3, etc=True)
            raise ProjectError(
                f"{lost} is no image of {self.images!r}; these are called as "
                f"{self.all_files[0]!r}."
            )
        return list(matches.found.values())
