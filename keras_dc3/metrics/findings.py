"""A verdict: its five questions and possible answers, as text and as plain values."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keras_dc3._text import number_of

YES, NO = "yes", "no"
TOO_FEW, NOT_MEASURED = "too few images to tell", "not measured"
ANSWERS = (YES, NO, TOO_FEW, NOT_MEASURED)
QUESTIONS = {
    "classes": "Is the proposed class better than always the commonest class?",
    "certain": "Are certain images better than equally many most confident ones?",
    "ambiguity": "Does the predicted ambiguity find what people disagree on?",
    "clusters": "Are clusters better than classes, as groups of equal number?",
    "unlabeled": "Did the unlabeled images help?",
}
_NOTE = "95% intervals, over images only: another training may differ by more"


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        key: of the question, one of `QUESTIONS`.
        answer: "yes", "no", "too few images to tell", or "not measured".
        text: the figures in words, or why there are none.
        value: the difference that decides, in -1..1 (of d, up to sqrt(2)); above 0
            speaks for "yes". NaN without one.
        low: where its 95% interval over the images begins; NaN without one.
        high: where that ends.
    """

    key: str
    answer: str
    text: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    def __post_init__(self):
        if self.key not in QUESTIONS or self.answer not in ANSWERS:
            raise ValueError(
                f"A finding answers one of {list(QUESTIONS)} by one of "
                f"{list(ANSWERS)}. Received: {self.key!r}, {self.answer!r}"
            )

    @property
    def question(self) -> str:
        """The question in words."""
        return QUESTIONS[self.key]

    def __str__(self) -> str:
        answer = self.answer[0].upper() + self.answer[1:]
        return f"{self.question} {answer}: {self.text}."


@dataclass(frozen=True)
class Verdict:
    """Whether proposals are of use. Made by `verdict`; printing it tells in words.

    `verdict["classes"]` is the `Finding` of that question, iterating gives all.

    Attributes:
        images: how many images with known answers it is from.
        findings: a `Finding` for each of "classes", "certain", "ambiguity",
            "clusters" and "unlabeled".
        right_of_certain: how often the class of the images called certain is right,
            with its 95% interval (Wilson): (share, low, high), NaN without any.
        rounds: how many rounds of asking have chosen among the images that are proposed
            for. From 1 on, those that are left are harder than the validation images,
            which were drawn before. A project says so; None: nobody has.
    """

    images: int
    findings: tuple[Finding, ...]
    right_of_certain: tuple[float, float, float]
    rounds: int | None = None

    def __getitem__(self, key: str) -> Finding:
        for finding in self.findings:
            if finding.key == key:
                return finding
        raise KeyError(
            f"There is no question {key!r}; there are: {', '.join(QUESTIONS)}."
        )

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def answers(self) -> dict[str, str]:
        """Key of the question -> answer."""
        return {finding.key: finding.answer for finding in self.findings}

    @property
    def measured(self) -> tuple[Finding, ...]:
        """The findings without those whose answer is "not measured"."""
        return tuple(one for one in self if one.answer != NOT_MEASURED)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, width: int = 88, subject: str = "the model") -> list[str]:
        """Returns the lines to print.

        In a project they leave out what was not measured, as what would measure it is
        no step of a project.

        Args:
            width: characters of a line.
            subject: what is judged.
        """
        lines = textwrap.wrap(self.headline(subject), width)
        for finding in self if self.rounds is None else self.measured:
            lines += textwrap.wrap(
                str(finding), width, initial_indent="- ", subsequent_indent="  "
            )
        return lines

    def headline(self, subject: str = "the model") -> str:
        """Returns what is judged, by how many images."""
        images = number_of(self.images, "validation image")
        return f"Verdict on {subject}, from {images} ({_NOTE})."

    def to_json(self) -> str:
        """Returns it as JSON; NaN is null."""
        return json.dumps(
            {
                "images": self.images,
                "right_of_certain": [_or_null(v) for v in self.right_of_certain],
                "rounds": self.rounds,
                "findings": [
                    {
                        "key": finding.key,
                        "answer": finding.answer,
                        "text": finding.text,
                        "value": _or_null(finding.value),
                        "low": _or_null(finding.low),
                        "high": _or_null(finding.high),
                    }
                    for finding in self.findings
                ],
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Verdict:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: if it is something else.
        """
        try:
            found = json.loads(text)
            findings = tuple(
                Finding(
                    str(row["key"]),
                    str(row["answer"]),
                    str(row["text"]),
                    *(_or_nan(row[name]) for name in ("value", "low", "high")),
                )
                for row in found["findings"]
            )
            share, low, high = map(_or_nan, found["right_of_certain"])
            rounds = found.get("rounds")
            rounds = None if rounds is None else int(rounds)
            return cls(int(found["images"]), findings, (share, low, high), rounds)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                "The verdict that is kept here cannot be read "
                f"({type(error).__name__}: {error}). Propose anew, or remove it."
            ) from error


def lines_or_not_measured(found: Verdict | None, width: int = 88) -> list[str]:
    """Returns the lines of a verdict, or that there is none and how to get one."""
    if found is not None:
        return found.lines(width, "the model that proposes")
    return textwrap.wrap(
        "Verdict: not measured, so that nothing tells whether these proposals are of "
        "use. Train with validation images whose answers are known and propose with "
        "that model, or set `proposals.verdict` to a `keras_dc3.metrics.verdict`.",
        width,
    )


def of_certain_images(found: Verdict | None) -> str:
    """Returns what to do with the images called certain, in words."""
    answer = NOT_MEASURED if found is None else found["classes"].answer
    if answer == NOT_MEASURED:
        return "Each gets a class; whether it is right was not measured: check a sample"
    gets = f"Each gets a class{_right(found)}"
    if answer == NO:
        return (
            f"{gets}, but the model is no better than always the commonest class: do "
            "not rely on it, look at each image"
        )
    if answer != YES:
        return (
            f"{gets}, but too few validation images tell whether the model is better "
            "than always the commonest class: look at each image"
        )
    if found.rounds:
        return (
            f"{gets}. Images that are left after rounds of asking are harder than "
            "these, so that fewer will be right: look at each image"
        )
    return f"{gets}: check it at a glance"


def _right(found: Verdict) -> str:
    """Returns for how many the class is right, and of which images that is."""
    share, low, high = found.right_of_certain
    if math.isnan(share):
        return ""
    images = number_of(found.images, "validation image")
    drawn = "" if found.rounds is None else " drawn from the first answers"
    return (
        f", right for {percent(share)} ({span(low, high)}) of the certain ones among "
        f"{images}{drawn}"
    )


def of_little_use(found: Verdict | None) -> str:
    """Returns why proposals of classes are not to be relied on; "" if they may be."""
    if found is None:
        return ""
    classes = found["classes"]
    if classes.answer == NO or classes.value <= 0:
        images = number_of(found.images, "validation image")
        return (
            f"it is no better than always the commonest class; of {images}, "
            f"{classes.text}"
        )
    if found.right_of_certain[0] < 0.5:
        return f"its class is{_right(found).removeprefix(',')}"
    return ""


def percent(share: float) -> str:
    """Returns such as "84.0%"."""
    return f"{100 * share:.1f}%"


def span(low: float, high: float) -> str:
    """Returns an interval of percentages, such as "81.6-86.2"; "?" without one."""
    if math.isnan(low) or math.isnan(high):
        return "?"
    ends = [_digits(low), _digits(high)]
    return (" to " if ends[0].startswith("-") else "-").join(ends)


def points(value: float, low: float, high: float) -> str:
    """Returns a difference in points, such as "+2.1 points (0.3-3.9)"."""
    sign = "" if _digits(value).startswith("-") else "+"
    return f"{sign}{_digits(value)} points ({span(low, high)})"


def _digits(share: float) -> str:
    text = f"{100 * share:.1f}"
    return "0.0" if text == "-0.0" else text


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _or_nan(value: Any) -> float:
    return math.nan if value is None else float(value)
