"""What we found, in five lines: their figures are drawn from the results."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Mapping
from typing import Any

import evidence
from report_pages import NAMES

_CLUSTERS = "p_o, by size"
_OF_CONFIDENCE = ("1 - max p_n", "entropy", "margin")  # what p_a is compared with


def draw(summaries: Mapping[str, dict[str, Any]], simulated: dict[str, Any]) -> str:
    """Returns the five lines as a list.

    Args:
        summaries: data set -> summary of its runs by the reduced protocol.
        simulated: the record of benchmarks/table3_simulated.py.
    """
    found = {name: evidence.rivals(summary) for name, summary in summaries.items()}

    def beside(ours: str, other: str) -> str:
        pairs = {name: of_set[ours, other] for name, of_set in found.items()}
        return " and ".join(
            f"{pair.ours:.1f} against {pair.other:.1f} on {NAMES[name]}"
            for name, pair in pairs.items()
        )

    def in_runs(ours: str, other: str) -> tuple[int, int]:
        pairs = [of_set[ours, other] for of_set in found.values()]
        return sum(pair.better for pair in pairs), sum(pair.runs for pair in pairs)

    ambiguity, runs = min(in_runs("AUROC p_a", other) for other in _OF_CONFIDENCE)
    pairs = [
        of["AUROC p_a", other] for of in found.values() for other in _OF_CONFIDENCE
    ]
    gains = [pair.ours - pair.other for pair in pairs]
    actions = " and ".join(
        f"{_actions(of_set, 'dc3'):.2f} against {_actions(of_set, 'classes'):.2f} an "
        f"image on {NAMES[name]}"
        for name, of_set in simulated["results"].items()
    )
    helped = " and ".join(
        f"{_helped(summary)} of {len(summary['rows'])} strategies on {NAMES[name]}"
        for name, summary in summaries.items()
    )
    lines = (
        "**Certain images are right far more often, but no more than a threshold on "
        "plain confidence would make them**: F1 on equally many images is "
        f"{beside('F1', 'F1 confident')}.",
        "**Ambiguity is found a little better than by confidence**, entropy or margin: "
        f"in {ambiguity} of {runs} runs or more, by {min(gains):.1f} to "
        f"{max(gains):.1f} points of AUROC.",
        "**Clusters are better than the predicted class, and level with k-means** on "
        "the same features: d by size, how much people differ within them, is "
        f"{beside(_CLUSTERS, 'class, by size')} "
        "(better in {} of {} runs), ".format(*in_runs(_CLUSTERS, "class, by size"))
        + f"and {beside(_CLUSTERS, 'k-means, by size')} of k-means.",
        "**Clusters save no actions over class proposals** in our simulation of "
        f"annotators, here of those who are not biased: {actions}. A blind answer is "
        "one action.",
        "**Unlabeled images help less often than one hopes**: beyond the spread of the "
        f"seeds for {helped}.",
    )
    return "\n".join(
        textwrap.fill(
            f"{i}. {line}", 88, subsequent_indent="   ", break_on_hyphens=False
        )
        for i, line in enumerate(lines, start=1)
    )


def _actions(found: dict[str, Any], mode: str) -> float:
    """Returns the actions per image of people who accept nothing out of bias."""
    return statistics.mean(
        seed["acceptance 0"][mode]["actions"] for seed in found.values()
    )


def _helped(summary: dict[str, Any]) -> int:
    """Returns for how many strategies with DC3 the unlabeled images helped."""
    return sum(
        sentence.split(":")[0].endswith(" dc3") and "images helped" in sentence
        for sentence in summary["helped"]
    )
