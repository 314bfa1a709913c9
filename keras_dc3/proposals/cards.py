"""A group of proposals as some lines to print. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_dc3.proposals.summary import shares

if TYPE_CHECKING:
    from keras_dc3.proposals.groups import ProposalGroup


def card(group: ProposalGroup) -> str:
    """Returns the card of a group: one line of title, then a line per fact."""
    number = f"{len(group):,} image{'s' if len(group) > 1 else ''}"
    title = group.name if group.kind == "cluster" else f"class {group.name}"
    facts = [
        ("typical", _listed(group.medoids)),
        ("least typical", _listed(group.least_typical)),
        (
            "the model says",
            f"{_listed(shares(group.shares, group.class_names))} (mean probabilities)",
        ),
        ("nearest", _listed(_named(group, *near) for near in group.nearest)),
        ("suggestion", group.suggestion or ""),
    ]
    lines = [f"{title}: {group.description}, {number}"]
    return "\n".join(lines + [f"  {name:<15} {text}" for name, text in facts if text])


def _named(group: ProposalGroup, kind: str, index: int, distance: float) -> str:
    name = group.class_names[index] if kind == "class" else index
    return f"{kind} {name} ({distance:.3g})"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(" ".join(text.split()) for text in texts)
