"""The tables of benchmarks/compare_strategies.py."""

from __future__ import annotations

import functools
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from paired_seeds import FEWEST, Difference, points

SUPERVISED, PROBE = "supervised", "linear_probe"
OVERALL = "mean of all"
_UNCERTAINTIES = ("softmax", "entropy", "margin")

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

    dataset: str
    labeled: int
    runs: dict[str, dict[int, Run]]  # strategy -> seed -> run

    @property
    def strategies(self) -> list[str]:
        """All but the linear probe, `supervised` first."""
        others = sorted(name for name in self.runs if name not in (SUPERVISED, PROBE))
        return [name for name in (SUPERVISED,) if name in self.runs] + others

    @property
    def seeds(self) -> int:
        """How many seeds all strategies have."""
        return len(self._common_seeds(self.strategies))

    @property
    def title(self) -> str:
        """The setting, and how many seeds all strategies have."""
        seeds = f"{self.seeds} seed{'s' * (self.seeds != 1)}"
        return f"{self.dataset}, {self.labeled:,} labeled ({seeds})"

    def mean(self, strategy: str, model: str, figure: str) -> float:
        """Returns a figure of "alone" or "dc3", on average over seeds, in percent."""
        runs = self.runs[strategy].values()
        return 100 * statistics.mean(run[model][figure] for run in runs)

    def over_supervised(
        self, figure: str, strategy: str = OVERALL
    ) -> Difference | None:
        """Returns a figure of a strategy alone less that of `supervised` alone.

        None of `supervised` itself, and where it was not trained. `OVERALL`: of all
        others, see `gain`.
        """
        if SUPERVISED not in self.runs:
            return None
        others = [name for name in self.strategies if name != SUPERVISED]
        chosen = others if strategy == OVERALL else [strategy]
        if not chosen or strategy == SUPERVISED:
            return None
        base = self.runs[SUPERVISED]
        seeds = self._common_seeds([*chosen, SUPERVISED])
        return Difference.of(
            [
                statistics.mean(
                    self.runs[name][seed]["alone"][figure] - base[seed]["alone"][figure]
                    for name in chosen
                )
                for seed in seeds
            ]
        )

    def gain(self, gain: Gain, strategy: str = OVERALL) -> Difference:
        """Returns what DC3 brings to a strategy, or to all of them on average.

        Strategies of one seed have images and labels in common, so that the interval of
        their average is that of the seeds' averages.
        """
        chosen = self.strategies if strategy == OVERALL else [strategy]
        runs = [self.runs[name] for name in chosen]
        return Difference.of(
            [
                statistics.mean(gain.of(of[s]["dc3"], of[s]["alone"]) for of in runs)
                for s in self._common_seeds(chosen)
            ]
        )

    def _common_seeds(self, strategies: Iterable[str]) -> list[int]:
        return sorted(set.intersection(*(set(self.runs[name]) for name in strategies)))


def settings(names: dict[str, str], records: list[dict[str, Any]]) -> list[Setting]:
    """Returns the settings of several records, in their order.

    Args:
        names: data set -> what it is called.
        records: of benchmarks/compare_strategies.py, one for each data set.
    """
    found = []
    for record in records:
        runs: dict[int, dict] = defaultdict(lambda: defaultdict(dict))
        for run in record["results"]:
            cell = run["cell"]
            runs[cell["labeled"]][cell["strategy"]][cell["seed"]] = run
        name = names[record["settings"]["dataset"]]
        found += [Setting(name, n, dict(of)) for n, of in sorted(runs.items())]
    return found


def sections(
    names: dict[str, str], records: list[dict[str, Any]], title: str = "strategies"
) -> dict[str, str]:
    """Returns marker -> content, of all that is drawn.

    Args:
        names: as of `settings`.
        records: as of `settings`.
        title: what the markers begin with.
    """
    if not records:
        return {}
    found = settings(names, records)
    how = _how(found)
    return {
        f"{title} summary": summary(found),
        f"{title} accuracy": f"{draw_accuracy(found)}\n\n{how}",
        f"{title} unlabeled": f"{draw_unlabeled(found)}\n\n{how}",
        f"{title} dc3": f"{draw_dc3(found)}\n\n{how}",
        f"{title} levels": draw_levels(found),
    }


def draw_accuracy(found: list[Setting]) -> str:
    """Returns the accuracy of each strategy alone, and its gain over `supervised`."""

    def cell(setting: Setting, strategy: str) -> str:
        gain = setting.over_supervised("accuracy", strategy)
        text = f"{setting.mean(strategy, 'alone', 'accuracy'):.1f}"
        return text if gain is None else f"{text}, {gain}"

    rows = dict.fromkeys(name for s in found for name in (PROBE, *s.strategies))
    lines = (
        [_name(row), *(cell(s, row) if row in s.runs else "-" for s in found)]
        for row in rows
    )
    return _table(["strategy alone", *(setting.title for setting in found)], lines)


def draw_unlabeled(found: list[Setting]) -> str:
    """Returns all figures of the strategies alone, beside `supervised`."""

    def rows() -> Iterator[list[str]]:
        for setting in found:
            probe = [PROBE] if PROBE in setting.runs else []
            for name in [*probe, *setting.strategies, OVERALL]:
                line = [setting.title, _name(name)]
                for figure in ("accuracy", "macro_f1"):
                    gain = setting.over_supervised(figure, name)
                    level = name in setting.runs
                    mean = setting.mean(name, "alone", figure) if level else None
                    line.append("" if mean is None else f"{mean:.1f}")
                    line.append("" if gain is None else str(gain))
                took_part = name in setting.runs and name not in (PROBE, SUPERVISED)
                part = setting.mean(name, "alone", "mask_rate") if took_part else None
                yield [*line, "" if part is None else f"{part:.0f}"]

    heads = ["set", "strategy alone", "accuracy", "less `supervised`"]
    heads += ["macro-F1", "less `supervised`", "unlabeled images that took part"]
    return _table(heads, rows())


def draw_dc3(found: list[Setting]) -> str:
    """Returns what DC3 changes, of each strategy, and on average over all."""
    rows = (
        [setting.title, _name(name), *(str(setting.gain(g, name)) for g in GAINS)]
        for setting in found
        for name in (*setting.strategies, OVERALL)
    )
    return _table(["set", "strategy", *(gain.name for gain in GAINS)], rows)


def draw_levels(found: list[Setting]) -> str:
    """Returns the figures that the differences are of."""

    def rows() -> Iterator[list[str]]:
        for setting in found:
            for name in setting.strategies:
                of = functools.partial(setting.mean, name)
                best = [_best(run["alone"]) for run in setting.runs[name].values()]
                clusters = [of("dc3", d) for d in ("d", "d_class", "d_k_means")]
                clusters.append(of("alone", "d_k_means"))
                yield [
                    setting.title,
                    _name(name),
                    f"{of('alone', 'accuracy'):.1f} / {of('dc3', 'accuracy'):.1f}",
                    f"{of('dc3', 'certain'):.0f}",
                    f"{of('alone', 'f1'):.1f} / {of('dc3', 'f1'):.1f}",
                    f"{100 * statistics.mean(best):.1f} / {of('dc3', 'p_a'):.1f}",
                    " / ".join(f"{d:.1f}" for d in clusters),
                ]

    heads = ["set", "strategy", "accuracy, alone / DC3", "certain"]
    heads += ["F1 of as many, alone / DC3", "AUROC, best alone / p_a"]
    return _table([*heads, "d, p_o / class / k-means / k-means, alone"], rows())


def summary(found: list[Setting]) -> str:
    """Returns in a few lines where unlabeled images help, and where DC3 does."""

    def unlabeled(setting: Setting, strategy: str) -> Difference | None:
        return setting.over_supervised("accuracy", strategy)

    def by_dc3(setting: Setting, strategy: str) -> Difference:
        return setting.gain(ACCURACY, strategy)

    lines = ["**Unlabeled images**, accuracy of a strategy alone against `supervised`:"]
    lines += [_told(setting, unlabeled) for setting in found]
    lines += ["", "**DC3**, accuracy against the strategy alone:"]
    lines += [_told(setting, by_dc3) for setting in found]
    for gain, told in (
        (F1, "F1 of the images called certain, against as many most confident ones"),
        (AUROC, "AUROC of p_a, against the best of softmax, entropy and margin"),
    ):
        lines += ["", f"**DC3**, {told} of the strategy alone, mean of all strategies:"]
        lines += [f"* {setting.title}: {setting.gain(gain)}" for setting in found]
    return "\n".join([*_spaced(lines), "", _how(found)])


def _spaced(lines: list[str]) -> Iterator[str]:
    """Gives each line, and an empty one before the first item of a list."""
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("* ") and not before.startswith("* "):
            yield ""
        yield line


def _told(
    setting: Setting, compare: Callable[[Setting, str], Difference | None]
) -> str:
    """Returns in words what is clear, and the mean of all strategies."""
    by_sign = defaultdict(list)
    for name in setting.strategies:
        if (difference := compare(setting, name)) is not None:
            by_sign[difference.sign].append(f"`{name}` {points(difference.mean)}")
    clear = [
        f"{word} {', '.join(by_sign[sign])}"
        for sign, word in ((1, "better"), (-1, "worse"))
        if by_sign[sign]
    ]
    if (of_all := compare(setting, OVERALL)) is not None:
        clear.append(f"{OVERALL} {of_all}")
    return f"* {setting.title}: {'; '.join(clear) or '-'}"


def _how(found: list[Setting]) -> str:
    """Returns what the figures are."""
    cells = [
        run["cell"]
        for setting in found
        for name in setting.strategies
        for run in setting.runs[name].values()
    ]

    def values(name: str) -> str:
        return " or ".join(f"{n:,}" for n in sorted({cell[name] for cell in cells}))

    intervals = (
        "with 95% intervals over seeds (Student's t of paired differences). **Bold**, "
        "or better and worse, is what leaves 0 out, as one in twenty does by chance"
    )
    if all(setting.seeds < FEWEST for setting in found):
        intervals = f"without intervals, which take {FEWEST} seeds or more"
    return (
        f"In percent; differences in points, {intervals}. {values('answers')} answers "
        f"each, {values('steps')} steps."
    )


def _name(strategy: str) -> str:
    return {PROBE: "linear probe", OVERALL: OVERALL}.get(strategy, f"`{strategy}`")


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
