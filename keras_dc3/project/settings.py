"""What a project knows of its images and classes, in one file that people can read."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from keras_dc3._names import composed
from keras_dc3._text import some
from keras_dc3._validation import check_class_names
from keras_dc3._version import __version__
from keras_dc3._writing import whole_file
from keras_dc3.annotations.names import alike

SETTINGS, FIRST_ANSWERS, LOCK = "project.json", "first-answers.csv", "project.lock"
_FORMAT, _VERSION = "keras_dc3 project", 1


class ProjectError(ValueError):
    """A project folder that cannot be worked with as it is; the message says why."""


@dataclass(frozen=True)
class ClassDescription:
    """What people are told of a class.

    Attributes:
        name: of the class.
        description: what is in such a picture; "" for nothing.
        example: the id of a typical image; "" for none.

    Example:

    >>> keras_dc3.project.ClassDescription("cod", "three fins on its back").name
    'cod'
    """

    name: str
    description: str = ""
    example: str = ""


@dataclass(frozen=True)
class Settings:
    """All that `project.json` holds.

    Attributes:
        images: the folder of the images, relative to that of the project where it can.
        classes: the classes, in the order that numbers them.
        has_first_answers: whether there were answers from before the project.
        renamed: former name of a class -> its name now.
        withdrawn: id of an image that plays no part -> why.
        validation: ids of the images that validate in every round; None before the
            first training.
        validation_share: of the answered images, to become these.
        reading: how image files become arrays, options of `data.FileImages`.
        backbone: "small_cnn" or the name of a network with weights.
        weights: of that network: a name, the path of a file, or None.
        backbone_size: what it resizes images to; None: its own.
        ssl: the strategy.
        seed: of all that is drawn.
    """

    images: str
    classes: tuple[ClassDescription, ...]
    has_first_answers: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    validation: tuple[str, ...] | None = None
    validation_share: float = 0.2
    reading: Mapping[str, Any] = field(default_factory=dict)
    backbone: str = "small_cnn"
    weights: str | None = "imagenet"
    backbone_size: int | None = None
    ssl: str = "mean_teacher"
    seed: int = 0

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in their order."""
        return tuple(one.name for one in self.classes)

    def names_now(self, class_names: Sequence[str]) -> dict[str, str]:
        """Returns, of former names among `class_names`, what they are called now."""
        return {
            name: self.renamed[name] for name in class_names if name in self.renamed
        }

    @classmethod
    def read(cls, path: str) -> Self:
        """Reads what `write` wrote.

        Raises:
            ProjectError: if it is of another version, was changed, or is none.
        """
        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
        except FileNotFoundError:
            raise ProjectError(
                f"{os.path.dirname(path) or os.curdir!r} is no project: it has no "
                f"{os.path.basename(path)!r}. Go to the folder of one (`cd FOLDER`), "
                "or name it (`--project FOLDER`); `keras-dc3 init` makes one."
            ) from None
        except (ValueError, RecursionError) as error:
            raise ProjectError(
                f"{path!r} cannot be read ({error}): it was changed or cut off. Put "
                "back a copy of it."
            ) from error
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ProjectError(f"{path!r} is no project of keras_dc3.")
        if content.get("version") != _VERSION:
            raise ProjectError(
                f"{path!r} is of version {content.get('version')!r}, written by "
                f"keras_dc3 {content.get('keras_dc3')}; keras_dc3 {__version__} reads "
                f"version {_VERSION}. Use that release."
            )
        known = {one.name for one in fields(cls)}
        lacking = {"images", "classes"} - set(content)
        if lacking:
            raise ProjectError(f"{path!r} lacks {some(map(repr, sorted(lacking)))}.")
        try:
            classes = tuple(ClassDescription(**one) for one in content["classes"])
        except TypeError as error:
            raise ProjectError(f"{path!r}: a class is not as it was: {error}") from None
        content = {name: content[name] for name in known & set(content)}
        if content.get("validation") is not None:
            content["validation"] = tuple(content["validation"])
        return cls(**{**content, "classes": classes})

    def write(self, path: str) -> None:
        """Writes them; the file is complete or as it was."""
        head = {"format": _FORMAT, "version": _VERSION, "keras_dc3": __version__}
        with whole_file(path, encoding="utf-8") as file:
            json.dump({**head, **asdict(self)}, file, indent=1, ensure_ascii=False)
            file.write("\n")

    def with_classes(
        self, added: Sequence[Any] = (), renamed: Mapping[str, str] | None = None
    ) -> Self:
        """Returns settings with more classes, or with classes under other names.

        Args:
            added: `ClassDescription`s or names.
            renamed: old name -> new name; one that there is already makes them one.

        Raises:
            ValueError: if a class is not there, or is there already.
        """
        renamed = {composed(k): composed(v) for k, v in (renamed or {}).items()}
        names = self.class_names
        unknown = [name for name in renamed if name not in names]
        if unknown:
            raise ValueError(
                f"{some(map(repr, unknown))} is no class of the project; these are "
                f"{some(map(repr, names), 10)}."
            )
        new = {}
        for one in self.classes:
            name = renamed.get(one.name, one.name)
            first = new.get(name)
            if first is None or one.name == name:  # its own description wins
                new[name] = replace(one, name=name)
        for one in added:
            one = one if isinstance(one, ClassDescription) else ClassDescription(one)
            one = replace(one, name=composed(one.name))
            if one.name in new:
                raise ValueError(
                    f"The class {one.name!r} is there already: "
                    f"{some(map(repr, new), 10)}."
                )
            if (other := alike(one.name, new)) is not None:
                warnings.warn(
                    f"The new class {one.name!r} differs from {other!r} only in how it "
                    "is written, and is a class of its own. If they are one, use "
                    f"`rename_classes({{{one.name!r}: {other!r}}})`.",
                    stacklevel=3,
                )
            new[one.name] = one
        check_class_names("classes", list(new), clean=True)
        history = {old: renamed.get(now, now) for old, now in self.renamed.items()}
        history |= renamed
        history = {old: now for old, now in history.items() if old != now}
        for name in set(history) & set(new):
            raise ValueError(
                f"{name!r} was the name of {history[name]!r} before, and answers that "
                "were given then have it. Choose another name."
            )
        return replace(self, classes=tuple(new.values()), renamed=history)
