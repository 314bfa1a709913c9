"""The step in which a server gives people the pages of a round."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from keras_dc3._names import same_person
from keras_dc3._text import some
from keras_dc3._writing import whole_file
from keras_dc3.project.rounds import Round
from keras_dc3.project.settings import ProjectError
from keras_dc3.project.workspace import Workspace
from keras_dc3.review.answer_store import AnswerStore
from keras_dc3.serving import Server
from keras_dc3.serving.server import ANSWERS


def server_of(work: Workspace, people: Sequence[str] | None, **options: Any) -> Server:
    """Returns a server of the pages of the last round; see `Project.serve`."""
    current = work.current
    if current is None or not current.done("sheets"):
        raise ProjectError(
            "There are no pages to serve in this round yet: `keras-dc3 sheet --people` "
            "writes them."
        )
    pages: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for sheet in current.record["sheets"]["sheets"].values():
        person = spelled.setdefault(same_person(sheet["person"]), sheet["person"])
        files = [current.file("sheets", name) for name in sheet["pages"]]
        pages[person] = [*pages.get(person, ()), *files]
    if people is not None:
        lost = [name for name in people if same_person(name) not in spelled]
        if lost:
            raise ProjectError(
                f"{some(map(repr, lost))} has no page in round {current.number}; "
                f"{some(pages)} have. `keras-dc3 sheet --people` writes one."
            )
        people = list(dict.fromkeys(spelled[same_person(name)] for name in people))
    return Server(pages, people, answers=answers_of(current), **options)


def answers_of(one: Round) -> str:
    """Returns the path of the file in which a server keeps the answers of a round."""
    return one.path("sheets", ANSWERS)


def as_files(store: str) -> list[str]:
    """Writes what a server has kept as the files that its pages would download.

    They stand in a folder beside the file of the server, and are written anew each
    time.

    Raises:
        ProjectError: if nobody has answered yet.
    """
    with AnswerStore(store) as opened:
        found = opened.files()
    if not found:
        raise ProjectError(f"Nobody has answered yet: {store!r} holds no answer.")
    folder = os.path.splitext(store)[0]
    paths = {os.path.join(folder, name): text for name, text in found.items()}
    for path, text in paths.items():
        with whole_file(path, encoding="utf-8", newline="\n") as file:
            file.write(text)
    return list(paths)
