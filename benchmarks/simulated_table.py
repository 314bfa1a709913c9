"""Tables and a figure of the SIMULATION of the paper's Table 3."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from report_pages import NAMES

_AT = (1, 3, 5, 10)  # answers per image
_PROPOSALS = {"classes": "class proposals", "dc3": "DC3 proposals"}
_ESTIMATES = {
    "raw": "as answered",
    "raw_shrunk": "shrunk",
    "corrected": "corrected",
    "corrected_shrunk": "corrected, shrunk",
}
_BLIND = {
    "raw": "as answered",
    "raw_shrunk": "shrunk",
    "with_classes": "shrunk by predicted class, which nobody saw",
    "with_dc3": "shrunk by DC3 proposal, which nobody saw",
}
_SAVED = {
    "raw": "as answered",
    "shrunk": "corrected, shrunk; against blind, shrunk",
    "shrunk_alike": "corrected, shrunk; against blind, shrunk by the same proposals",
}
_ORDERS = {
    "next": "`proposals.next`",
    "next_agreeing_3": "`proposals.next(agreeing=3)`",
    "random": "the same questions, random order",
    "blind": "blind, random order",
}
_TRAINED_ON = {
    "model_classes": "the strategy alone, no answers",
    "model_dc3": "the strategy with DC3, no answers",
    "labeled": "supervised: the labeled images alone",
    "none raw": "supervised: blind answers",
    "none raw_shrunk": "supervised: blind answers, shrunk",
    "classes raw": "supervised: class proposals, as answered",
    "classes corrected": "supervised: class proposals, corrected",
    "classes corrected_shrunk": "supervised: class proposals, corrected, shrunk",
    "dc3 raw": "supervised: DC3 proposals, as answered",
    "dc3 corrected": "supervised: DC3 proposals, corrected",
    "dc3 corrected_shrunk": "supervised: DC3 proposals, corrected, shrunk",
    "real": "supervised: the real soft labels",
}
Seeds = Sequence[dict[str, Any]]


def _spread(values: Sequence[float | None], digits: int, percent: bool = False) -> str:
    if any(value is None for value in values):
        return "not reached"
    scale = 100 if percent else 1
    values = [scale * value for value in values]
    text = f"{statistics.mean(values):.{digits}f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return text


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(line)} |" for line in lines] + [""]


def draw(record: dict[str, Any]) -> str:
    """Returns all tables as Markdown."""
    lines = []
    for dataset, found in record["results"].items():
        seeds = list(found.values())
        answers = seeds[0]["answers"]
        at = [answers.index(n) for n in _AT if n in answers]
        name = NAMES.get(dataset, dataset)
        for title, table in (
            ("actions and kappa", _actions(seeds)),
            (
                "KL divergence from the real soft labels, by answers an image",
                _kl(seeds, at),
            ),
            ("actions saved where KL is that of n blind answers, %", _saved(seeds, at)),
            ("which images next: KL by actions an image", _order(seeds)),
        ):
            summary = f"<summary><b>SIMULATION, {name}: {title}</b></summary>"
            lines += ["<details>" + summary, "", *table, "</details>", ""]
    return "\n".join([*lines, *_made_by(record)])


def draw_retrained(*records: dict[str, Any]) -> str:
    """Returns the tables of `--train_again` as Markdown; a record per data set."""
    lines = []
    record = _joined(records)
    for dataset, found in record["results"].items():
        seeds = list(found.values())
        rows = []
        for acceptance in _acceptances(seeds):
            for labels in _TRAINED_ON:
                of = [s[acceptance] for s in seeds if acceptance in s]
                of = [found[labels] for found in of if labels in found]
                if not of:
                    continue
                missing = f" ({len(of)} of {len(seeds)} seeds)"
                title = _TRAINED_ON[labels] + missing * (len(of) < len(seeds))
                cells = [acceptance.split()[1], title]
                cells += [
                    _spread([o[n] for o in of], 1, True) for n in ("accuracy", "f1")
                ]
                cells += [_spread([o[n] for o in of], 3) for n in ("kl",)]
                cells += [
                    _spread([o[n] for o in of], 2) if n in of[0] else "-"
                    for n in ("labels_kl", "actions")
                ]
                rows.append(cells)
        header = ("accepts", "trained", "accuracy", "F1", "KL", "KL of the labels")
        name = NAMES.get(dataset, dataset)
        lines += [
            f"**SIMULATION, {name}: trained again**",
            "",
            *_table((*header, "actions per image"), rows),
        ]
    return "\n".join([*lines, *_made_by(record)])


def _joined(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    results = {name: r["results"][name] for r in records for name in r["results"]}
    command = "` and `".join(r["command"] for r in records)
    return {**records[-1], "results": results, "command": command}


def _made_by(record: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    return [
        "Assumptions:",
        "",
        *(f"* {sentence}" for sentence in record["assumptions"]),
        "",
        f"SIMULATION. Made by `{record['command']}` on {record['date']} (seeds "
        f"{record['seed']}; mean ± standard deviation over them; {versions}).",
    ]


def _acceptances(seeds: Seeds) -> list[str]:
    return [name for name in seeds[0] if name.startswith("acceptance")]


def _conditions(seeds: Seeds) -> list[tuple[str, str, Callable[[Any], Any]]]:
    """(acceptance, proposals, what takes the figures of a seed) of each condition."""
    return [
        (name.split()[1], title, lambda seed, n=name, m=mode: seed[n][m])
        for name in _acceptances(seeds)
        for mode, title in _PROPOSALS.items()
    ]


def _actions(seeds: Seeds) -> list[str]:
    def row(accepts, title, take):
        found = [take(seed) for seed in seeds]
        together = [f.get("actions_named_together", 1.0) for f in found]
        return [
            title,
            accepts,
            _spread([f["actions"] for f in found], 2),
            _spread(together, 2),
            _spread([f["kappa"]["between"] for f in found], 1, percent=True),
            _spread([f["kappa"]["within"] for f in found], 1, percent=True),
        ]

    rows = [row("-", "none (blind)", lambda seed: seed["none"])]
    rows += [row(*condition) for condition in _conditions(seeds)]
    right = ", ".join(
        f"{title} {_spread([s['right_proposals'][mode] for s in seeds], 1, True)}% in "
        f"{statistics.mean(s['groups'][mode] for s in seeds):.0f} groups"
        for mode, title in _PROPOSALS.items()
    )
    alone = ", ".join(
        f"{title} {_spread([s['model_alone'][mode] for s in seeds], 2)}"
        for mode, title in _PROPOSALS.items()
    )
    return [
        *_table(
            (
                "proposals",
                "accepts",
                "actions per image",
                "named together",
                "kappa between, %",
                "kappa within, %",
            ),
            rows,
        ),
        f"Answers equal to the proposal without any bias: {right}. KL of the model's "
        f"own probabilities, without any answer: {alone}.",
        "",
    ]


def _kl(seeds: Seeds, at: Sequence[int]) -> list[str]:
    def row(accepts, title, label, take):
        values = [take(seed) for seed in seeds]
        return [
            title,
            accepts,
            label,
            *(_spread([v[i] for v in values], 3) for i in at),
        ]

    rows = [
        row("-", "none (blind)", label, lambda s, n=name: s["none"]["kl"][n])
        for name, label in _BLIND.items()
    ]
    rows += [
        row(accepts, title, label, lambda s, t=take, n=name: t(s)["kl"][n])
        for accepts, title, take in _conditions(seeds)
        for name, label in _ESTIMATES.items()
    ]
    numbers = [f"{seeds[0]['answers'][i]}" for i in at]
    return _table(["proposals", "accepts", "labels", *numbers], rows)


def _saved(seeds: Seeds, at: Sequence[int]) -> list[str]:
    rows = []
    for accepts, title, take in _conditions(seeds):
        for name, label in _SAVED.items():
            cells = []
            for key in ("saved", "saved_named_together"):
                values = [take(seed)[key][name] for seed in seeds]
                cells += [_spread([v[i] for v in values], 0, True) for i in at[1:]]
            rows.append([title, accepts, label, *cells])
    numbers = [f"n = {seeds[0]['answers'][i]}" for i in at[1:]]
    together = [f"{n}, named together" for n in numbers]
    return _table(["proposals", "accepts", "labels", *numbers, *together], rows)


def _order(seeds: Seeds) -> list[str]:
    rows = []
    for name in _acceptances(seeds):
        for order, label in _ORDERS.items():
            values = [seed[name]["order"][order] for seed in seeds]
            columns = zip(*values, strict=True)
            cells = [
                "-" if None in column else _spread(column, 3) for column in columns
            ]
            rows.append([label, name.split()[1], *cells])
    actions = [f"{a:g}" for a in seeds[0][_acceptances(seeds)[0]]["order"]["actions"]]
    return _table(["order", "accepts", *actions], rows)


def figure(record: dict[str, Any], path: str, acceptance: str = "0.1") -> None:
    """Draws KL by actions per image, for people who accept with one probability."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    results = record["results"]
    canvas, axes = plt.subplots(1, len(results), figsize=(11, 4.2), squeeze=False)
    for axis, (dataset, found) in zip(axes[0], results.items(), strict=True):
        seeds = list(found.values())
        blind = {
            "blind, as answered": "raw",
            "blind, shrunk": "raw_shrunk",
            "blind, shrunk by DC3 proposal": "with_dc3",
        }
        curves = {
            label: [(s["answers"], s["none"]["kl"][name]) for s in seeds]
            for label, name in blind.items()
        }
        for mode, title in _PROPOSALS.items():
            parts = [seed[f"acceptance {acceptance}"][mode] for seed in seeds]
            for name in ("raw", "corrected_shrunk"):
                label = f"{title}, {_ESTIMATES[name]}"
                curves[label] = [(p["spent"], p["kl"][name]) for p in parts]
        for label, lines in curves.items():
            x, y = (
                [statistics.mean(column) for column in zip(*part, strict=True)]
                for part in zip(*lines, strict=True)
            )
            style = "--" if "as answered" in label else "-"
            axis.plot(x, y, style, marker=".", label=label)
        axis.set(xscale="log", yscale="log", xlabel="clicks or keys per image")
        axis.set_title(
            f"SIMULATION, {NAMES.get(dataset, dataset)}; proposals accepted with "
            f"{acceptance}",
            fontsize=10,
        )
        axis.grid(alpha=0.3, which="both")
    axes[0][0].set_ylabel("KL from the real soft labels, nats")
    axes[0][0].legend(fontsize=7)
    canvas.tight_layout()
    canvas.savefig(path, dpi=110)
    plt.close(canvas)
