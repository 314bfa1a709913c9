"""One page that tells of a project: data, verdict, figures, pictures, rounds."""

from __future__ import annotations

import base64
import html
import io
import json
import warnings
from typing import Any

import numpy as np

from keras_dc3 import plots
from keras_dc3._text import number_of
from keras_dc3._version import __version__
from keras_dc3._writing import whole_file
from keras_dc3.agreement import Agreement, final_labels
from keras_dc3.agreement.tables import MEASURES, MOST_PEOPLE, OF_PEOPLE, shown
from keras_dc3.metrics import Verdict
from keras_dc3.project.learning import answered_of, last_proposals, last_unseen
from keras_dc3.project.status import Status, cost_in_words, f1_of
from keras_dc3.project.workspace import Workspace
from keras_dc3.review.pictures import data_url, find_pictures

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.3rem .8rem;border-bottom:1px solid #8884;
text-align:left;vertical-align:top}pre{white-space:pre-wrap;font-size:.85rem}
.wide{overflow-x:auto}img{max-width:100%;height:auto}.example{max-height:6rem}
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}img{background:#fff}}
"""


def write(path: str, work: Workspace, status: Status) -> None:
    """Writes the page; the file is complete or as it was."""
    parts = [
        f"<h1>{html.escape(work.name)}</h1>",
        f"<p>{number_of(status.images, 'image')}, {status.answered:,} of them with "
        f"answers of people. Next: {_code(status.next_step)}</p>",
        "<h2>Classes</h2>",
        _classes(work),
        "<h2>Rounds</h2>",
        _rounds(status),
    ]
    if status.agreement is not None:
        parts += ["<h2>Agreement</h2>", *_agreement(status.agreement)]
    if status.no_class:
        parts.append("<h2>Answers that are none of the classes</h2>")
        parts += [f"<p>{_code(text)}</p>" for text in status.no_class]
    if status.bias:
        parts += ["<h2>Bias of proposals</h2>", _text(status.bias)]
    if status.stopping is not None:
        parts += ["<h2>Do more answers help?</h2>", _text(str(status.stopping))]
        parts.append(_curve(status.stopping))
    verdict = _verdict(work)
    if verdict is not None:
        parts += ["<h2>Is the model of use?</h2>", _text("\n".join(verdict.lines(88)))]
    parts += _pictures(work)
    parts.append(f"<footer><small>keras_dc3 {__version__}</small></footer>")
    title = html.escape(work.name)
    with whole_file(path, encoding="utf-8", newline="\n") as file:
        file.write(
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{title}</title><style>{_STYLE}</style>{''.join(parts)}</html>\n"
        )


def _text(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def _table(rows: list[list[str]]) -> str:
    """Returns a table of cells that are HTML; the first row is its head."""
    head = "".join(f"<th>{cell}</th>" for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for row in rows[1:]
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _agreement(agreement: Agreement) -> list[str]:
    """Returns how far people agree, in tables whose notes wrap."""
    first, *_ = str(agreement).splitlines()
    rows = [["", "value (95% interval)", "images", ""]]
    for name, heading in MEASURES.items():
        figure = getattr(agreement, name)
        value = shown(name, figure)
        rows.append([heading, value, f"{figure.images:,}", html.escape(figure.note)])
    parts = [f"<p>{html.escape(first)}</p>", _table(rows)]
    if len(agreement.annotators) > 1:
        rows = [["annotator", "answers", *OF_PEOPLE.values()]]
        people = sorted(agreement.people, key=lambda person: -person.answers)
        for one in people[:MOST_PEOPLE]:
            figures = [shown(name, getattr(one, name)) for name in OF_PEOPLE]
            rows.append([html.escape(one.name), f"{one.answers:,}", *figures])
        parts.append(_table(rows))
    return parts + [f"<p>{html.escape(note)}</p>" for note in agreement.notes]


def _code(text: str) -> str:
    """Returns a text in which what stands between backticks is shown as a command."""
    parts = html.escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if number % 2 else part
        for number, part in enumerate(parts)
    )


def _classes(work: Workspace) -> str:
    """Returns a table of the classes: who they are, and how many images have each."""
    answers, proposals = work.answers.all, last_proposals(work)
    k = len(work.settings.classes)
    number = np.zeros(k) if answers is None else np.asarray(answers.counts).sum(axis=0)
    labels = np.zeros(k, int)
    if answers is not None and number.sum() > 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            corrected, _ = work.answers.corrected()
            if proposals is None:
                corrected = answered_of(corrected, work.files)
            found = final_labels(corrected, proposals)
        labels = np.bincount(found.label, minlength=k)
    rows = [["class", "description", "example", "answers", "images with this label"]]
    for row, one in enumerate(work.settings.classes):
        picture = ""
        if one.example:
            for _, found in find_pictures(work.images, [one.example]):
                if not isinstance(found, str):
                    url = data_url(found.shown, 160)
                    name = html.escape(one.example, quote=True)
                    picture = f'<img class="example" alt="{name}" src="{url}">'
        rows.append(
            [
                html.escape(one.name),
                html.escape(one.description),
                picture,
                f"{number[row]:,.0f}",
                f"{labels[row]:,}",
            ]
        )
    kept = [column for column in zip(*rows, strict=True) if any(column[1:])]
    return _table([list(row) for row in zip(*kept, strict=True)])


def _rounds(status: Status) -> str:
    rows = [
        [
            "round",
            "trained on",
            "F1 of certain images (95% interval)",
            "certain / ambiguous",
            "answers",
            "cost",
            "people",
        ]
    ]
    for record in status.rounds:
        trained, proposed = record.get("train"), record.get("propose")
        cost = status.costs.get(record["round"])
        rows.append(
            [
                str(record["round"]),
                f"{trained['labeled']:,} labeled images" if trained else "-",
                f1_of(trained),
                f"{proposed['certain']:,} / {proposed['ambiguous']:,}"
                if proposed
                else "-",
                f"{cost.answers:,}" if cost else "-",
                cost_in_words(cost) if cost else "-",
                html.escape(", ".join(cost.people)) if cost else "-",
            ]
        )
    return _table(rows)


def _verdict(work: Workspace) -> Verdict | None:
    trained = work.last_with("train")
    kept = None if trained is None else trained.record["train"].get("verdict")
    return None if kept is None else Verdict.from_json(json.dumps(kept))


def _curve(stopping: Any) -> str:
    """Returns a picture of the quality of labels by cost; "" where it is not known."""
    if not len(stopping.curve.answers):
        return ""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "<p>Without matplotlib there is no picture of it.</p>"
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes, curve = figure.add_subplot(), stopping.curve
    axes.fill_between(curve.answers, curve.low, curve.high, alpha=0.2, linewidth=0)
    axes.plot(curve.answers, curve.distance)
    axes.axvline(stopping.more.value, linestyle=":", color="gray")
    axes.set_xlabel("further answers (dotted: where they no longer help)")
    axes.set_ylabel("points from what\nall people would say")
    axes.set_ylim(bottom=0)
    return _image(figure, "distance of the labels by further answers")


def _pictures(work: Workspace) -> list[str]:
    found = last_unseen(work)
    if found is None:
        return []
    try:
        figure = plots.plot_proposals(found.judged, work.images)
    except ImportError as error:
        return [f"<p>{html.escape(str(error))}</p>"]
    return ["<h2>Proposals</h2>", _image(figure, "what the model proposes")]


def _image(figure: Any, alt: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
