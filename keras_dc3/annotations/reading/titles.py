"""What the title of a column says of what the column holds. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Of tables with one answer per row.
_ANSWERS = """
annotator annotators annotator_id annotatorid user user_id worker worker_id workerid
rater person who expert name label labels class class_name category answer annotation
seconds time duration rt
"""
_IMAGES = """
image images image_id imageid image_name img file files filename file_name path id item
task url
"""
_TOTALS = """
total sum n all count counts votes annotators num summe gesamt anzahl answers number
raters
"""
_NO_CLASSES = """
id image_id img_id subject_id uid index row row_id nr width height ra dec lat lon
latitude longitude depth year month day date timestamp fold page frame bytes size
filesize file_size num_annotators num_votes n_votes n_annotators total_count total_votes
vote_count entropy agreement confidence majority breite höhe zeile nummer
"""
# Words in a title.
_HOW_OFTEN = """
n count counts votes vote number num times total frequency freq people annotators raters
anzahl stimmen häufigkeit weight share fraction percent proportion
"""
_RATING = re.compile(r"(rating|p)[ _.-]?([0-9]+|[a-z])", re.IGNORECASE)

# What pandas calls a column without a name, or no name.
is_unnamed = re.compile(r"(Unnamed: [0-9]+(_level_[0-9]+)?)?").fullmatch
# "rating_1" can be the first rater, and as well how often one star was given.
may_be_person = re.compile(
    r"(annotator|annotation|ann|rater|rating|expert|user|worker|person|observer|coder|"
    r"reader|judge|reviewer|student|doctor|grader|participant|subject|p)"
    r"[ _.-]?([0-9]{1,4}|[a-z])",
    re.IGNORECASE,
).fullmatch
is_question = re.compile(
    r"(q|question|frage|aufgabe|item|task)[ _.-]?[0-9]+", re.IGNORECASE
).fullmatch
# Of a part of a title: where people answered, or when.
is_place = re.compile(
    r"(lab|site|cent(er|re)|clinic|klinik|hospital|group|gruppe|team|round|batch|"
    r"institute?|school|city)[0-9a-z]?[0-9]*",
    re.IGNORECASE,
).fullmatch


def is_person(title: str) -> bool:
    """Whether a column is called like a person: "rater 1", "ann_b"."""
    return bool(may_be_person(title)) and not _RATING.fullmatch(title)


def is_of_answers(title: str) -> bool:
    """Whether a column is called like one of a table with one answer per row."""
    return _joined(title).casefold() in _ANSWERS.split()


def is_of_images(title: str) -> bool:
    """Whether a column is called like that of images."""
    return _joined(title).casefold() in _IMAGES.split()


def is_total(title: str) -> bool:
    """Whether a column is called like the sum of others."""
    return title.casefold() in _TOTALS.split()


def is_no_class(title: str) -> bool:
    """Whether a column has a name that is none of a class."""
    words = _joined(title).casefold()
    known = {*_TOTALS.split(), *_NO_CLASSES.split()}
    return words in known or bool(re.fullmatch(r".*_(id|width|height)", words))


def without_prefix(names: Sequence[str]) -> str | None:
    """Returns the one of three or more titles that lacks what all others begin with."""
    starts = [re.match(r".+?[\W_]", name) for name in names]
    prefixes = [start[0] if start else None for start in starts]
    for name, prefix in zip(names, prefixes, strict=True):
        others = {other for other in prefixes if other != prefix}
        if len(names) > 2 and len(others) == 1 and prefixes.count(prefix) == 1:
            return name if None not in others else None
    return None


def says_how_often(title: str) -> bool:
    """Whether a column is called like one that tells how often a thing was said."""
    return not set(_HOW_OFTEN.split()).isdisjoint(re.split(r"[\W_]+", title.casefold()))


def numbers_images(title: str) -> bool:
    """Whether a column of numbers is called as if these named images."""
    word = r"(.*[ _.-])?(id|ids|index|nr|no|number|row|key)|.*[a-z]ID"
    return bool(re.fullmatch(word, _joined(title)))


def _joined(title: str) -> str:
    return re.sub(r"[\s.-]+", "_", title.strip())
