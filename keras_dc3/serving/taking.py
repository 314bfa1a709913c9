"""What a page sends, checked as a downloaded file is before it is read."""

from __future__ import annotations

import json
from typing import Any

from keras_dc3.annotations import AnnotationError
from keras_dc3.review.answer_store import State
from keras_dc3.review.checks import check_classes
from keras_dc3.review.files import Part, part_of_json
from keras_dc3.review.new_classes import joined
from keras_dc3.review.sessions import without_doubles
from keras_dc3.serving.pages import Page

_WHAT = "What was sent"
_SAME = ("annotator", "session", "changes", "openings")
_MOST_CHANGES = 2**53  # beyond which JavaScript cannot count


class RefusedError(ValueError):
    """Something that a server does not take.

    Args:
        status: of the answer to it, as HTTP has it.
        why: in a sentence.
    """

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status


def state_of(body: bytes, page: Page, person: str) -> State:
    """Returns the state of somebody's answers that a page has sent.

    Args:
        body: {"state": what the page keeps, "file": what it would download}, JSON.
        page: that it was sent for.
        person: whose address it was sent to.

    Raises:
        RefusedError: if it is none, of another page or person, or could not be read
            back later.
    """
    found = _json(body)
    if not isinstance(found, dict) or not all(
        isinstance(found.get(name), dict) for name in ("state", "file")
    ):
        raise RefusedError(422, f"{_WHAT} lacks the state of answers, or their file.")
    state, file = found["state"], found["file"]
    part = _part(file, page, person)
    for name in _SAME:
        if state.get(name) != file.get(name):
            raise RefusedError(
                422, f"{_WHAT} contradicts itself: {name!r} differs in its two parts."
            )
    return State(
        page=page.key,
        person=person,
        session=part.session,
        openings=part.openings,
        changes=part.changes,
        answers=len(file["annotations"]),  # or notes alone
        state=_text(state),
        file=_text(file),
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse_number)
    except (ValueError, RecursionError) as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError(400, f"{_WHAT} is no JSON, or was cut short.") from error


def _refuse_number(name: str) -> None:
    raise RefusedError(400, f"{_WHAT} holds {name}, which is no number of JSON.")


def _text(found: Any) -> str:
    text = json.dumps(found, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RefusedError(422, f"{_WHAT} holds text that is no Unicode.") from error
    return text


def _part(file: dict[str, Any], page: Page, person: str) -> Part:
    """Returns what would be read of the file, if it is of the page and the person."""
    try:
        part = part_of_json(_WHAT, file)
        with_new = joined([part], page.class_names)
        check_classes(with_new.parts, (*page.class_names, *with_new.added))
        without_doubles(part, [])
    except AnnotationError as error:
        raise RefusedError(422, str(error)) from error
    if part.page != page.key or file["fingerprint"] != page.fingerprint:
        raise RefusedError(
            422, f"{_WHAT} are answers to another page than {page.title!r}."
        )
    if file["annotator"] != person:
        raise RefusedError(
            422,
            f"{_WHAT} are answers of {file['annotator']!r}, but this is the address of "
            f"{person!r}.",
        )
    if part.changes > _MOST_CHANGES:
        raise RefusedError(422, f"{_WHAT}: 'changes' cannot be {part.changes}.")
    named = [(answer.place, answer.image) for answer in part.answers]
    named += [(f"{_WHAT}, a note", image) for image, _ in part.notes]
    for place, image in named:
        if image not in page.images:
            raise RefusedError(422, f"{place}: {image!r} is no image of the page.")
    return part
