"""Which state of a session came from which, whatever clocks say."""

from __future__ import annotations

from typing import Protocol


class State(Protocol):
    """A state of what one person has answered on one page.

    `changes` counts what was done in the session; it is 0 where that is not known.
    `openings` are (name, changes before it) of each time that the page was opened in
    the session, () where they are not known.
    """

    @property
    def changes(self) -> int: ...

    @property
    def openings(self) -> tuple[tuple[str, int], ...]: ...


def follows(state: State, other: State) -> bool:
    """Whether a state came from another one of the same session, or is the same."""
    if not (state.openings and other.openings):
        return state.changes >= other.changes
    number = len(other.openings)
    if state.openings[:number] != other.openings:
        return False
    further = state.openings[number:]
    return other.changes <= (further[0][1] if further else state.changes)
