"""The tables of benchmarks/strategies_on_features.py."""

from __future__ import annotations

import functools
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from paired_seeds import Difference

SUPERVISED, PROBE = "supervised", "linear_probe"
_UNCERTAINTIES = ("softmax", "entropy", "margin")
_OVERALL = "mean of all"

Figures = dict[str, float]
Run = dict[str, Any]  # "cell", "alone", and "dc3" but for the linear probe


class Gain(NamedTuple):
    """What is compared in each pair of trainings: name, and figures of both -> gain."""

    name: str
    of: Callable[[Figures, Figures], float]


def _best(figures: Figures) -> float:
    return max(figures[name] for name in _UNCERTAINTIES)


# Of DC3 less the strategy alone, both of one seed.
GAINS = (
    Gain("accuracy", lambda dc3, alone: dc3["accuracy"] - alone["accuracy"]),
    Gain("macro-F1", lambda dc3, alone: dc3["macro_f1"] - alone["macro_f1"]),
    Gain("F1 of the certain", lambda dc3, alone: dc3["f1"] - alone["f1"]),
    Gain("AUROC", lambda dc3, alone: dc3["p_a"] - _best(alone)),
    Gain("d, p_o less class", lambda dc3, alone: dc3["d"] - dc3["d_class"]),
    Gain("less k-means", lambda dc3, alone: dc3["d"] - dc3["d_k_means"]),
    Gain("less k-means, alone", lambda dc3, alone: dc3["d"] - alone["d_k_means"]),
)
ACCURACY, MACRO_F1, F1, AUROC = GAINS[:4]


class Setting(NamedTuple):
    """All runs of a data set and so many labeled images."""

    title: str
    labeled: int
    runs: dict[str, dict[int, Run]]  # strategy -> seed -> run

    @property
    def strategies(self) -> list[str]:
        """All but the linear probe, `supervised` first."""
        others = (name for name in self.runs if name not in (SUPERVISED, PROBE))
        return [name for name in (SUPERVISED,) if name in self.runs] + sorted(others)

    def mean(self, strategy: str, model: str, figure: str) -> float:
        """Returns a figure of "alone" or "dc3", on average over seeds, in percent."""
        runs = self.runs[strategy].values()
        return 100 * statistics.mean(run[model][figure] for run in runs)

    def over_supervised(self, strategy: str, figure: str) -> Difference | None:
        """Returns a figure of a strategy alone less that of `supervised` alone.

        None of `supervised` itself, and where it was not trained.
        """
        ours, base = self.runs[strategy], self.runs.get(SUPERVISED, {})
        if strategy == SUPERVISED:
            return None
        values = [
            ours[seed]["alone"][figure] - base[seed]["alone"][figure]
            for seed in sorted(ours.keys() & base.keys())
        ]
        return Difference.of(values) if values else None

    def gain(self, gain: Gain, strategy: str = _OVERALL) -> Difference:
        """Returns what DC3 brings to a strategy, or to all of them on average.

        Strategies of one seed have images and labels in common, so that the interval of
        their average is that of the seeds' averages.
        """
        chosen = self.strategies if strategy == _OVERALL else [strategy]
        runs = [self.runs[name] for name in chosen]
        seeds = sorted(set.intersection(*map(set, runs)))
        return Difference.of(
            [
                statistics.mean(gain.of(of[s]["dc3"], of[s]["alone"]) for of in runs)
                for s in seeds
            ]
        )


def settings(names: dict[str, str], records: list[dict[str, Any]]) -> list[Setting]:
    """Returns the settings of several records, in their order.

    Args:
        names: data set -> what it is called.
        records: of benchmarks/strategies_on_features.py, one for each data set.
    """
    found = []
    for record in records:
        runs: dict[int, dict] = defaultdict(lambda: defaultdict(dict))
        for run in record["results"]:
            cell = run["cell"]
            runs[cell["labeled"]][cell["strategy"]][cell["seed"]] = run
        title = names[record["settings"]["dataset"]]
        found += [Setting(title, n, dict(of)) for n, of in sorted(runs.items())]
    return found


def _table(heads: list[str], rows: Iterator[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw_accuracy(found: list[Setting]) -> str:
    """Returns the accuracy of each strategy alone, and its gain over `supervised`."""

    def cell(setting: Setting, strategy: str) -> str:
        if strategy not in setting.runs:
            return "-"
        text = f"{setting.mean(strategy, 'alone', 'accuracy'):.1f}"
        gain = setting.over_supervised(strategy, "accuracy")
        return text if gain is None else f"{text}, {gain}"

    rows = dict.fromkeys(
        name for setting in found for name in (PROBE, *setting.strategies)
    )
    heads = [f"{s.title}, {s.labeled:,} labeled" for s in found]
    return _table(
        ["strategy alone", *heads],
        ([_name(row), *(cell(setting, row) for setting in found)] for row in rows),
    )


def _name(strategy: str) -> str:
    return {PROBE: "linear probe"}.get(strategy, f"`{strategy}`")


def draw_unlabeled(found: list[Setting]) -> str:
    """Returns all figures of the strategies alone, beside `supervised`."""

    def rows() -> Iterator[list[str]]:
        for setting in found:
            probe = [PROBE] if PROBE in setting.runs else []
            for name in probe + setting.strategies:
                line = [setting.title, f"{setting.labeled:,}", _name(name)]
                for figure in ("accuracy", "macro_f1"):
                    gain = setting.over_supervised(name, figure)
                    shown = "-" if gain is None else str(gain)
                    line += [f"{setting.mean(name, 'alone', figure):.1f}", shown]
                part = ""
                if name not in (PROBE, SUPERVISED):
                    part = f"{setting.mean(name, 'alone', 'mask_rate'):.0f}"
                yield [*line, part]

    heads = ["set", "labeled", "strategy alone", "accuracy", "less `supervised`"]
    heads += ["macro-F1", "less `supervised`", "unlabeled images that took part"]
    return _table(heads, rows())


def draw_dc3(found: list[Setting]) -> str:
    """Returns what DC3 changes, of each strategy, and on average over all."""

    def rows() -> Iterator[list[str]]:
        for setting in found:
            for name in (*setting.strategies, _OVERALL):
                shown = name if name == _OVERALL else _name(name)
                gains = (str(setting.gain(gain, name)) for gain in GAINS)
                yield [setting.title, f"{setting.labeled:,}", shown, *gains]

    heads = ["set", "labeled", "strategy", *(gain.name for gain in GAINS)]
    return _table(heads, rows())


def draw_levels(found: list[Setting]) -> str:
    """Returns the figures that the differences are of."""

    def rows() -> Iterator[list[str]]:
        for setting in found:
            for name in setting.strategies:
                of = functools.partial(setting.mean, name)
                best = [_best(run["alone"]) for run in setting.runs[name].values()]
                clusters = [
                    of("dc3", f"d{kind}") for kind in ("", "_class", "_k_means")
                ]
                clusters.append(of("alone", "d_k_means"))
                yield [
                    setting.title,
                    f"{setting.labeled:,}",
                    _name(name),
                    f"{of('alone', 'accuracy'):.1f} / {of('dc3', 'accuracy'):.1f}",
                    f"{of('dc3', 'certain'):.0f}",
                    f"{of('alone', 'f1'):.1f} / {of('dc3', 'f1'):.1f}",
                    f"{100 * statistics.mean(best):.1f} / {of('dc3', 'p_a'):.1f}",
                    " / ".join(f"{d:.1f}" for d in clusters),
                ]

    heads = ["set", "labeled", "strategy", "accuracy, alone / DC3", "certain"]
    heads += ["F1 of as many, alone / DC3", "AUROC, best alone / p_a"]
    return _table([*heads, "d, p_o / class / k-means / k-means, alone"], rows())


def _told(found: list[Setting], differences: Callable[[Setting], dict]) -> str:
    """Returns where differences leave 0 out, setting by setting, in words."""
    parts = []
    for setting in found:
        by_sign = defaultdict(list)
        for name, difference in differences(setting).items():
            by_sign[difference.sign].append(f"`{name}` {100 * difference.mean:+.1f}")
        clear = [
            f"{word} {', '.join(by_sign[sign])}"
            for sign, word in ((1, "better"), (-1, "worse"))
            if by_sign[sign]
        ]
        shown = "; ".join(clear) or "for none"
        parts.append(f"{setting.title}, {setting.labeled:,} labeled: {shown}.")
    return " ".join(parts)


def summary(found: list[Setting]) -> str:
    """Returns in a few lines where unlabeled images help, and where DC3 does."""

    def unlabeled(setting: Setting) -> dict[str, Difference]:
        gains = {n: setting.over_supervised(n, "accuracy") for n in setting.strategies}
        return {name: gain for name, gain in gains.items() if gain is not None}

    def of_dc3(gain: Gain) -> Callable[[Setting], dict[str, Difference]]:
        return lambda setting: {n: setting.gain(gain, n) for n in setting.strategies}

    lines = [
        "* **Unlabeled images**, accuracy against `supervised`. "
        + _told(found, unlabeled),
        "* **DC3**, accuracy against the strategy alone. "
        + _told(found, of_dc3(ACCURACY)),
    ]
    for gain, told in (
        (F1, "F1 of the images called certain against as many most confident ones"),
        (AUROC, "AUROC of p_a against the best of softmax, entropy and margin"),
    ):
        means = ", ".join(
            f"{setting.gain(gain)} ({setting.title}, {setting.labeled:,} labeled)"
            for setting in found
        )
        lines.append(f"* **DC3**, {told} of the strategy alone, mean of all: {means}.")
    return "\n".join([*lines, "", _how(found)])


def _how(found: list[Setting]) -> str:
    """Returns what the figures are, and how many seeds they are of."""
    trained = [of for s in found for name, of in s.runs.items() if name != PROBE]
    cells = [run["cell"] for of in trained for run in of.values()]

    def values(numbers: Iterable[int]) -> str:
        return " or ".join(f"{number:,}" for number in sorted(set(numbers)))

    return (
        f"In points; 95% intervals over {values(map(len, trained))} seeds, **bold** "
        "where they leave 0 out, which one in twenty does by chance. "
        f"{values(cell['answers'] for cell in cells)} answers each, "
        f"{values(cell['steps'] for cell in cells)} steps."
    )


def sections(names: dict[str, str], records: list[dict[str, Any]]) -> dict[str, str]:
    """Returns marker -> content, of all that is drawn; arguments as of `settings`."""
    if not records:
        return {}
    found = settings(names, records)
    how = _how(found)
    return {
        "strategies summary": summary(found),
        "strategies accuracy": f"{draw_accuracy(found)}\n\n{how}",
        "strategies unlabeled": f"{draw_unlabeled(found)}\n\n{how}",
        "strategies dc3": f"{draw_dc3(found)}\n\n{how}",
        "strategies levels": draw_levels(found),
    }
