"""The file of a server's answers: no state is lost, in whatever order states come."""

import json
import os
import random
import sqlite3
from dataclasses import dataclass, replace

import pytest

from keras_dc3.review.answer_store import AnswerStore, State
from keras_dc3.review.lineage import follows
from tests.slow import few


@dataclass(frozen=True)
class Line:
    """What the test knows of a state."""

    session: str
    openings: tuple
    changes: int


def state(line, person="anna", page="page"):
    text = json.dumps([line.session, *map(list, line.openings), line.changes])
    return State(page, person, line.session, line.openings, line.changes, 1, text, text)


def known(store):
    """All lines of states that the file has, and the latest of each person."""
    rows = store._database.execute(
        "select session, openings, changes, latest, state, person from states"
    )
    lines, latest = [], {}
    for session, openings, changes, is_latest, text, person in rows:
        of = tuple((name, number) for name, number in json.loads(openings))
        lines.append(Line(session, of, changes))
        if is_latest:
            assert person not in latest
            latest[person] = text
    return lines, latest


@pytest.mark.parametrize("seed", few(range(40), *range(6)))
def test_no_state_is_lost(tmp_path, seed):
    """Of tabs that open, answer, fall behind, and whose requests come late or twice."""
    rng = random.Random(seed)
    tabs, sent = [Line("s0", (("o", 0),), 0)], []
    with AnswerStore(tmp_path / "a.sqlite", create=True) as store:
        store.add_pages({"page": ("review", "Review")})
        for number in range(120):
            act = rng.random()
            tab = rng.randrange(len(tabs))
            if act < 0.5:
                tabs[tab] = replace(tabs[tab], changes=tabs[tab].changes + 1)
            elif act < 0.6 and len(tabs) < 5:  # another one goes on, or begins anew
                old = rng.choice([*tabs, Line(f"s{number}", (), 0)])
                openings = (*old.openings, (f"o{number}", old.changes))
                tabs.append(replace(old, openings=openings))
            else:
                late = [tab for tab in sent if rng.random() < 0.1][:2]
                together = [tabs[tab], *late]
                taken = store.put([state(line) for line in together])
                sent += together
                assert len(taken) == len(together) and len(known(store)[1]) == 1
                mine, latest = (
                    json.loads(text)[:-1]  # without its changes
                    for text in (state(tabs[tab]).state, store.latest("page", "anna"))
                )
                assert taken[0] == (mine == latest)
        lines, _ = known(store)
        for line in sent:
            assert any(
                one.session == line.session and follows(one, line) for one in lines
            ), line
        for one in lines:  # and none is kept that another one holds
            others = [o for o in lines if o is not one and o.session == one.session]
            assert not any(follows(other, one) for other in others)


def test_people_and_pages_are_apart(tmp_path):
    line = Line("s", (("o", 0),), 3)
    with AnswerStore(tmp_path / "a.sqlite", create=True) as store:
        store.add_pages({"p": ("review-1", "One"), "q": ("review-2", "Two")})
        tokens = store.tokens(["anna", "ben"])
        assert store.put([state(line, "anna", "p"), state(line, "ben", "p")]) == [1, 1]
        assert store.put([state(line, "anna", "q")]) == [1]
        assert list(store.files()) == [
            *("review-1-anna.json", "review-1-ben.json", "review-2-anna.json")
        ]
        assert store.latest("q", "ben") is None
        store.add_pages({"p": ("review-1", "One"), "r": ("review-3", "Three")})
        with pytest.raises(ValueError, match="has answers to other pages, such as"):
            store.add_pages({"x": ("x", "X")})
    with AnswerStore(tmp_path / "a.sqlite") as store:
        assert store.tokens(["ben", "anna", "carla"]) == {
            **tokens,
            "carla": store.tokens(["carla"])["carla"],
        }
        assert len({*store.tokens(["anna", "ben", "carla"]).values()}) == 3
    if os.name != "nt":  # the tokens are nobody else's business
        assert os.stat(tmp_path / "a.sqlite").st_mode & 0o077 == 0


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        AnswerStore(tmp_path / "no.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("create table t (x)")
    other.close()
    for create in (False, True):
        with pytest.raises(ValueError, match="but none of answers to review sheets"):
            AnswerStore(tmp_path / "other.sqlite", create=create)
    AnswerStore(tmp_path / "later.sqlite", create=True).close()
    with sqlite3.connect(tmp_path / "later.sqlite") as later:
        later.execute("pragma user_version = 2")
    later.close()
    with pytest.raises(ValueError, match="is of version 2, but this release reads"):
        AnswerStore(tmp_path / "later.sqlite")
