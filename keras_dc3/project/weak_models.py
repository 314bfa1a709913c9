"""Models that are of little use to ask with: how that is told, and asking without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dc3._decision import CERTAIN
from keras_dc3._text import number_of
from keras_dc3.annotations import Annotations
from keras_dc3.metrics.findings import of_little_use
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.questions import IMAGE, Question, Questions

_LEAST, _NEARLY_ALL, _MOST_ANSWERS = 20, 0.9, 0.5


def alone(asked: Questions, budget: int) -> Questions:
    """Returns questions about each image alone, those with the most gain first.

    Args:
        asked: about images and groups.
        budget: how many images.
    """
    single = [
        Question(IMAGE, "", -1, (name,), one.gain / len(one.ids), 1.0)
        for one in asked
        for name in one.ids
    ]
    chosen = sorted(single, key=lambda one: -one.gain)[:budget]
    row_of = asked.proposals.row_of
    rows = [row_of[one.ids[0]] for one in chosen]
    return Questions(tuple(chosen), asked.settled, asked.proposals.take(rows))


def warnings_of(
    proposals: Proposals, answers: Annotations | None, people: Sequence[str]
) -> list[str]:
    """Returns what speaks against asking with these proposals, and what to do then.

    Args:
        proposals: of all images that may be asked about.
        answers: all so far.
        people: who is asked.
    """
    told = []
    reason = of_little_use(proposals.verdict)
    if reason:
        told.append(f"Note: the model that proposes is of little use: {reason}.")
    reason = _one_class(proposals, answers)
    if reason:
        told.append(f"Note: {reason}.")
    if told:
        names = ",".join(people)
        names = f'"{names}"' if " " in names else names
        told.append(
            "  Images alone, without proposals, are the better choice now. "
            f"`keras-dc3 sheet --people {names} --control 1 --again` writes such "
            "pages; send these instead."
        )
    return told


def _one_class(proposals: Proposals, answers: Annotations | None) -> str:
    """Returns that certain images are of one class, where people name others, too."""
    if answers is None or answers.counts.sum() < _LEAST:
        return ""
    pairs = zip(answers.ids, answers.annotated, strict=True)
    answered = {name for name, known in pairs if known}
    unknown = np.array([name not in answered for name in proposals.ids], bool)
    called = proposals.class_index[unknown & (proposals.decision == CERTAIN)]
    if len(called) < _LEAST:
        return ""
    number = np.bincount(called, minlength=len(proposals.class_names))
    most = int(number.argmax())
    name = proposals.class_names[most]
    shares = answers.counts.sum(axis=0) / answers.counts.sum()
    share = float(shares[answers.class_names.index(name)])
    if number[most] < _NEARLY_ALL * len(called) or share > _MOST_ANSWERS:
        return ""
    return (
        f"the model calls {number[most]:,} of the "
        f"{number_of(len(called), 'certain image')} that nobody has answered {name!r}, "
        f"which {share:.0%} of the answers so far name: it may know no better"
    )
