"""Tables of the paper's experiments, drawn from the summaries.

Every figure stands in benchmarks/results/<protocol>-<dataset>/summary.json.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import paired
from paper_results import PAPER_TABLE_2, PAPER_TABLE_4

NAMES = {
    "vanilla": "alone",
    "dc3": "DC3, default",
    "reference": "DC3, authors' code",
    "paper": "DC3, as printed",
    "linear": "DC3, linear clusters",
    "ce_inverse": "+ CE^-1",
    "cc": "+ CC",
    "measured_prior": "DC3, measured p_A",
}
Row = dict[str, Any]


def _percent(value: float | None, digits: int = 1) -> str:
    if value is None or math.isnan(value):
        return "-"
    return f"{100 * value:.{digits}f}"


def _mean(row: Row, name: str) -> str:
    mean, std = row["mean"].get(name), row["std"].get(name)
    text = _percent(mean)
    return text if text == "-" or std is None else f"{text} ± {_percent(std)}"


def _best(row: Row, name: str) -> float | None:
    if row["best_seed"] is None:
        return None
    return row["scores"][name][row["seeds"].index(row["best_seed"])]


def _lines(head: list[str], rows: list[list[str]]) -> str:
    table = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in table)


def _rows(summary: dict[str, Any], configs: tuple[str, ...]) -> list[tuple]:
    return [
        (strategy, config, of_strategy[config])
        for strategy, of_strategy in summary["rows"].items()
        for config in configs
        if config in of_strategy
    ]


TABLE_2_CONFIGS = ("vanilla", "dc3", "reference")


def table_2(summary: dict[str, Any], with_paper: bool) -> str:
    """Returns the best runs, as the paper shows them, beside its figures."""
    rows = []
    for strategy, config, row in _rows(summary, TABLE_2_CONFIGS):
        cells = [strategy, NAMES[config]]
        cells += [_percent(_best(row, name)) for name in ("f1", "d", "d_minus_f1")]
        cells += [f"{row['degenerated']} of {len(row['seeds'])}"]
        if with_paper:
            f1, d = PAPER_TABLE_2.get((strategy, config), (math.nan, math.nan))
            paper = (f1, d, d - f1)
            cells += ["-" if math.isnan(v) else f"{v:.1f}" for v in paper]
        rows.append(cells)
    head = ["strategy", "objective", "F1", "d", "d - F1", "degenerated"]
    if with_paper:
        head += ["F1, paper", "d, paper", "d - F1, paper"]
    return _lines(head, rows)


CONTEXT = {
    "f1": "F1",
    "f1_confident": "F1 confident",
    "f1_confident_reference": "F1 conf. alone",
    "accuracy": "accuracy",
    "d": "d",
    "d_shuffled": "d by chance",
    "auroc_ambiguity": "AUROC p_a",
    "auroc_softmax": "1 - max p_n",
    "auroc_entropy": "entropy",
    "auroc_margin": "margin",
    "auroc_label_quality": "label quality",
}


def context(summary: dict[str, Any], configs: tuple[str, ...] = TABLE_2_CONFIGS) -> str:
    """Returns mean and spread over all runs, with what they are to be read against."""
    rows = []
    for strategy, config, row in _rows(summary, configs):
        ambiguous = _percent(row["mean"]["ambiguous"], 0)
        cells = [_mean(row, name) for name in CONTEXT]
        rows.append([strategy, NAMES[config], ambiguous, *cells])
    return _lines(["strategy", "objective", "ambiguous", *CONTEXT.values()], rows)


CLUSTERS = {
    "common_d_size_weighted": "p_o, by size",
    "common_d_class_size_weighted": "class, by size",
    "common_d_k_means_size_weighted": "k-means, by size",
    "common_d": "p_o",
    "common_d_class": "class",
    "common_d_k_means": "k-means",
    "common_d_shuffled": "shuffled p_o",
}


def clusters(summary: dict[str, Any], configs: tuple[str, ...]) -> str:
    """Returns d of the clusters and of their rivals on one common set of images."""
    rows = [
        [strategy, NAMES[config], *(_mean(row, name) for name in CLUSTERS)]
        for strategy, config, row in _rows(summary, configs)
        if "common_d" in row["mean"]
    ]
    return _lines(["strategy", "objective", *CLUSTERS.values()], rows)


# Scores of DC3 -> what each is to be compared with.
RIVALS = {
    "f1": ("f1_confident", "f1_confident_reference"),
    "auroc_ambiguity": (
        "auroc_softmax",
        "auroc_entropy",
        "auroc_margin",
        "auroc_label_quality",
    ),
    "common_d_size_weighted": (
        "common_d_class_size_weighted",
        "common_d_k_means_size_weighted",
    ),
}
LOWER_IS_BETTER = ("common_d_size_weighted",)


class Rival(NamedTuple):
    """A score of DC3 beside another of the same runs, in percent."""

    ours: float
    other: float
    better: int
    runs: int


def rivals(summary: dict[str, Any], config: str = "dc3") -> dict[tuple, Rival]:
    """Returns (score of DC3, what it is to be compared with) -> both, over all runs."""
    names = {**CONTEXT, **CLUSTERS}
    rows = [row[config] for row in summary["rows"].values() if config in row]
    found = {}
    for ours, others in RIVALS.items():
        sign = -1 if ours in LOWER_IS_BETTER else 1
        for other in others:
            pairs = [
                pair
                for row in rows
                if {ours, other} <= row["scores"].keys()
                for pair in zip(row["scores"][ours], row["scores"][other], strict=True)
                if not any(map(math.isnan, pair))
            ]
            if not pairs:
                continue
            means = [
                100 * sum(values) / len(pairs) for values in zip(*pairs, strict=True)
            ]
            better = sum(sign * a > sign * b for a, b in pairs)
            found[names[ours], names[other]] = Rival(*means, better, len(pairs))
    return found


def overall(summary: dict[str, Any], config: str = "dc3") -> str:
    """Returns the scores of all runs of an objective together, beside their rivals."""
    rows = [
        [ours, f"{r.ours:.1f}", other, f"{r.other:.1f}", f"{r.better} of {r.runs}"]
        for (ours, other), r in rivals(summary, config).items()
    ]
    head = ["score of DC3", "mean", "beside it", "mean", "DC3 better in"]
    return _lines(head, rows)


TABLE_4_CONFIGS = (
    "vanilla",
    "ce_inverse",
    "cc",
    "measured_prior",
    "dc3",
    "linear",
    "reference",
    "paper",
)


def table_4(summary: dict[str, Any], with_paper: bool) -> str:
    """Returns the ablation: all runs of mean_teacher and pi_model together."""
    rows = []
    for config in TABLE_4_CONFIGS:
        strategies = [
            strategy
            for strategy in ("mean_teacher", "pi_model")
            if config in summary["rows"].get(strategy, {})
        ]
        found = [summary["rows"][strategy][config] for strategy in strategies]
        if not found:
            continue
        runs = {
            name: [v for row in found for v in row["scores"][name]]
            for name in ("f1", "d", "d_minus_f1", "ambiguous", "d_size_weighted")
        }
        number = len(runs["f1"])
        name = NAMES[config]
        if len(strategies) == 1:
            name += f" ({strategies[0]} alone)"
        cells = [name, *(_spread(values) for values in runs.values())]
        cells += [f"{sum(row['degenerated'] for row in found)} of {number}"]
        if with_paper:
            paper = PAPER_TABLE_4.get(config)
            cells += ["-"] * 3 if paper is None else [f"{v:.1f}" for v in paper]
        rows.append(cells)
    head = ["objective", "F1", "d", "d - F1", "ambiguous", "d by size", "degenerated"]
    if with_paper:
        head += ["F1, paper", "d, paper", "d - F1, paper"]
    return _lines(head, rows)


def _spread(values: list[float]) -> str:
    known = [v for v in values if not math.isnan(v)]
    if not known:
        return "-"
    mean = sum(known) / len(known)
    if len(known) == 1:
        return _percent(mean)
    std = math.sqrt(sum((v - mean) ** 2 for v in known) / (len(known) - 1))
    return f"{_percent(mean)} ± {_percent(std)}"


def all_runs(summary: dict[str, Any]) -> str:
    """Returns every run, one in a row."""
    rows = []
    for strategy, of_strategy in summary["rows"].items():
        for config, row in of_strategy.items():
            for i, seed in enumerate(row["seeds"]):
                scores = {n: values[i] for n, values in row["scores"].items()}
                rows.append(
                    [
                        strategy,
                        NAMES[config],
                        str(seed),
                        *(_percent(scores.get(n)) for n in ("f1", "f1_confident")),
                        _percent(scores["accuracy"]),
                        *(_percent(scores[n]) for n in ("d", "d_size_weighted")),
                        *(_percent(scores[n]) for n in ("d_class", "d_k_means")),
                        _percent(scores["ambiguous"], 0),
                        "yes" if scores["degenerated"] else "no",
                        _percent(scores.get("auroc_ambiguity")),
                        _percent(scores["auroc_softmax"]),
                    ]
                )
    head = ["strategy", "objective", "seed", "F1", "F1 confident", "accuracy", "d"]
    head += ["d by size", "d of class", "d of k-means", "ambiguous", "degenerated"]
    return _lines([*head, "AUROC p_a", "AUROC 1 - max p_n"], rows)


def headline(summary: dict[str, Any], config: str = "dc3") -> str:
    """Returns a sentence: what DC3 changes, on average over the strategies."""
    gains: dict[str, list[float]] = {"f1": [], "d": [], "d_minus_f1": []}
    better = degenerated = runs = pairs = 0
    lost = []  # strategies of which all runs have degenerated
    for strategy, of_strategy in summary["rows"].items():
        if not {"vanilla", config} <= of_strategy.keys():
            continue
        ours, alone = of_strategy[config], of_strategy["vanilla"]
        runs += len(ours["seeds"])
        degenerated += ours["degenerated"]
        pairs += 1
        if None in (ours["best_seed"], alone["best_seed"]):
            lost.append(strategy)
            continue
        for name, values in gains.items():
            values.append(100 * (_best(ours, name) - _best(alone, name)))
        better += gains["d_minus_f1"][-1] < 0
    if not gains["f1"]:
        return "No pair of runs is finished yet."
    f1, d, both = (sum(v) / len(v) for v in gains.values())
    over = f"mean over {pairs} strategies" if pairs > 1 else "one strategy so far"
    if lost:
        over += f" but {', '.join(lost)}, of which all runs have degenerated"
    return (
        f"Best runs, {over}: F1 {f1:+.1f}, d {d:+.1f}, d - F1 "
        f"{both:+.1f} points against the strategy alone; d - F1 is better for {better} "
        f"of {pairs}; {degenerated} of {runs} runs degenerated."
    )


def helped(summary: dict[str, Any]) -> str:
    """Returns the sentences on the unlabeled images, as a list."""
    return "\n".join(f"- {sentence}" for sentence in summary["helped"])


def sections(dataset: str) -> dict[str, Callable[[dict[str, Any]], str]]:
    """Returns marker -> function of a summary, for all of the above."""
    paper = dataset == "cifar10h"
    of_clusters = ("vanilla", "dc3", "linear", "reference")
    return {
        "table2": lambda s: f"{headline(s)}\n\n{table_2(s, paper)}",
        "headline": headline,
        "context": context,
        "overall": overall,
        "clusters": lambda s: clusters(s, of_clusters),
        "table4": lambda s: f"{table_4(s, paper)}\n\n{paired.draw(s)}",
        "runs": all_runs,
        "helped": helped,
    }
