"""SIMULATION of the paper's Table 3: are labels from proposals as good, for less work?

    python benchmarks/table3_simulated.py \
        --output benchmarks/results/table3_simulated.json

Scripted annotators, whose answers are drawn from the real soft labels, work through
blind sheets, class proposals (the strategy alone) and DC3 proposals (DC3, same strategy
and seed). The proposals are the saved outputs of trained models: a study of
`benchmarks/table2.py`, which must have run before. What people are assumed to do stands
in `simulated_people.ASSUMPTIONS` and is printed. Reported by seed and acceptance:

    actions   clicks or keys per image and person
    kappa     between people, and within each one's two rounds
    kl        KL(real soft labels || resulting ones), in nats, probabilities of at least
              1e-5, for 1 to `--people` answers per image:
                raw               shares of the answers
                raw_shrunk        the same, drawn towards images of the same proposal
                corrected         without the bias that the blind control share tells
                corrected_shrunk  both
              Of blind answers: raw; raw_shrunk (towards all images); with_classes and
              with_dc3 (towards images with the same proposal, which nobody has seen)
    saved     share of the actions that proposals save where their KL is that of n blind
              answers: both raw; `shrunk`, corrected_shrunk against raw_shrunk blind
              ones; `shrunk_alike`, against blind ones that lean towards images with the
              same proposal, which leaves what is due to the sheet alone
    order     KL by actions for `Proposals.next`, the same questions in random order,
              and blind images in random order

`--train_again` trains on the resulting labels instead; see `retraining.py`.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import asking_order
import numpy as np
import retraining
import simulated_people as people
from absl import app, flags
from simulated_conditions import ESTIMATES, Condition, divergence, saved

import keras_dc3
from keras_dc3.experiments.cell import device, versions
from keras_dc3.experiments.records import Cell, StudyFolder, read_json, write_json

FLAGS = flags.FLAGS
RESULTS = Path(__file__).parent / "results"
MODES = ("none", "classes", "dc3")

flags.DEFINE_list(
    "study",
    [str(RESULTS / "reduced-cifar10h"), str(RESULTS / "reduced-fashionmnist_h")],
    "Folders of studies, <protocol>-<dataset>, with saved outputs.",
)
flags.DEFINE_string("strategy", "mean_teacher", "The strategy of the cells.")
flags.DEFINE_list("seeds", ["1", "2", "3"], "The seeds of the cells.")
flags.DEFINE_list("acceptance", ["0", "0.1", "0.3", "0.5"], "Probabilities to accept.")
flags.DEFINE_integer("people", 20, "Answers per image at most.", lower_bound=2)
flags.DEFINE_integer("kappa_people", 5, "People whose kappa is measured.", 2)
flags.DEFINE_float("control", 0.1, "Share of blind images on a sheet.", 0.0, 1.0)
flags.DEFINE_integer("images", None, "Only the first so many, to try it out.")
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_bool("train_again", False, "Train on the resulting labels instead.")


def read_proposals(folder: str, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Returns the real soft labels of a seed's images, and mode -> proposals."""
    found, truth = {}, None
    for mode, config in (("classes", "vanilla"), ("dc3", "dc3")):
        cell = Cell(FLAGS.strategy, config, seed)
        outputs = StudyFolder(folder).outputs(cell)
        if outputs is None:
            raise FileNotFoundError(
                f"{StudyFolder(folder).outputs_path(cell)} is missing: run "
                "benchmarks/table2.py first, or name another folder by --study."
            )
        outputs = {
            name: v[: FLAGS.images] if v.ndim else v for name, v in outputs.items()
        }
        n, k = outputs["classes"].shape
        found[mode] = keras_dc3.Proposals.from_columns(
            [f"image {i}" for i in range(n)],
            outputs.get("ambiguity", np.zeros(n)),
            outputs["classes"],
            outputs["clusters"],
            np.ones(n),
            [f"class {c}" for c in range(k)],
        )
        if truth is not None and not np.array_equal(truth, outputs["soft_labels"]):
            raise ValueError(f"The cells of seed {seed} in {folder} have other images.")
        truth = outputs["soft_labels"]
    found["none"] = found["classes"]
    return truth, found


def study_of(truth: np.ndarray, proposals: dict[str, Any], seed: int) -> dict[str, Any]:
    """Returns all figures of a seed."""
    crowd = people.Crowd(truth, FLAGS.people, seed)
    numbers = [n for n in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20) if n <= FLAGS.people]
    at = np.array(numbers) - 1
    sheets = {
        mode: people.make_sheet(proposals[mode], mode, 0.0, 0).proposed
        for mode in MODES[1:]
    }
    none = Condition(crowd, proposals["none"], "none", 0.0, FLAGS.control, seed)
    blind = none.blind_divergences(truth, numbers, sheets)
    result: dict[str, Any] = {
        "answers": numbers,
        "model_alone": {
            mode: divergence(truth, proposals[mode].class_probabilities)
            for mode in MODES[1:]
        },
        "right_proposals": {
            mode: float(truth[np.arange(len(truth)), shown].mean())
            for mode, shown in sheets.items()
        },
        "groups": {
            mode: len(people.make_sheet(proposals[mode], mode, 0.0, 0).steps)
            for mode in sheets
        },
        "none": {"actions": 1.0, "kappa": none.kappa(FLAGS.kappa_people), "kl": blind},
    }
    for acceptance in map(float, FLAGS.acceptance):
        one = result[f"acceptance {acceptance:g}"] = {}
        for mode in MODES[1:]:
            condition = Condition(
                crowd, proposals[mode], mode, acceptance, FLAGS.control, seed
            )
            kl = condition.divergences(truth, numbers)
            spent, together = condition.actions.cumsum(axis=0)[at].T
            goals = {
                "raw": (blind["raw"], kl["raw"]),
                "shrunk": (blind["raw_shrunk"], kl["corrected_shrunk"]),
                "shrunk_alike": (blind[f"with_{mode}"], kl["corrected_shrunk"]),
            }
            one[mode] = {
                "actions": float(condition.actions[:, 0].mean()),
                "actions_named_together": float(condition.actions[:, 1].mean()),
                "spent": spent.tolist(),
                "spent_named_together": together.tolist(),
                "kappa": condition.kappa(FLAGS.kappa_people),
                "kl": kl,
                "saved": {n: saved(*g, spent, numbers) for n, g in goals.items()},
                "saved_named_together": {
                    n: saved(*g, together, numbers) for n, g in goals.items()
                },
            }
        one["order"] = asking_order.compare(
            proposals["dc3"], truth, crowd, acceptance, seed, divergence
        )
    return result


def main(argv: list[str]) -> None:
    """Runs the simulation, or trains again."""
    del argv
    print("Assumptions:", *people.ASSUMPTIONS, sep="\n  - ")
    if FLAGS.train_again:
        retraining.run(record)
        return
    start, results = time.perf_counter(), {}
    for folder in FLAGS.study:
        dataset = Path(folder).name.split("-", 1)[-1]
        for seed in map(int, FLAGS.seeds):
            truth, proposals = read_proposals(folder, seed)
            one = study_of(truth, proposals, seed)
            results.setdefault(dataset, {})[str(seed)] = one
            print(f"\nSIMULATION, {dataset}, seed {seed}, {len(truth):,} images")
            print(in_lines(one), flush=True)
    if FLAGS.output:
        write_json(FLAGS.output, record(results, time.perf_counter() - start))
        compact(FLAGS.output)


def compact(path: str) -> None:
    """Puts the lists of numbers of a JSON file on a line each."""
    text = json.dumps(read_json(path), indent=1)
    text = re.sub(r"\[[^\[\]{}\"]+\]", lambda m: " ".join(m[0].split()), text)
    Path(path).write_text(text + "\n", encoding="utf-8")


def in_lines(one: dict[str, Any]) -> str:
    """Returns the main figures of a seed, to print."""
    lines = ["  none: kappa {between:.3f}".format(**one["none"]["kappa"])]
    for name, found in one.items():
        if not name.startswith("acceptance"):
            continue
        for mode in MODES[1:]:
            f = found[mode]
            at = one["answers"].index(min(5, one["answers"][-1]))
            kl = ", ".join(f"{n} {f['kl'][n][at]:.3f}" for n in ESTIMATES)
            lines.append(
                f"  {name}, {mode}: {f['actions']:.3f} actions per image, kappa "
                f"{f['kappa']['between']:.3f}; KL {kl}"
            )
    return "\n".join(lines)


def record(results: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Returns the results with all that is needed to repeat them."""
    names = ["strategy", "seeds", "acceptance", "control"]
    if FLAGS.train_again:
        names += ["answers", "epochs", "steps_per_epoch"]
    else:
        names += ["people", "kappa_people"]
    return {
        "what": "SIMULATION with scripted annotators",
        "command": " ".join(["python", *sys.argv]),
        "date": datetime.date.today().isoformat(),
        "versions": {**versions(), "numpy": np.__version__},
        "device": device(),
        "cores": os.cpu_count(),
        "seed": ", ".join(FLAGS.seeds),
        "seconds": seconds,
        "settings": {name: FLAGS[name].value for name in names},
        "assumptions": list(people.ASSUMPTIONS),
        "results": results,
    }


if __name__ == "__main__":
    app.run(main)
