"""Annotators who answer review sheets by a script: nobody is real."""

import json
import os
import re

import numpy as np

from keras_dc3 import review


def answer(page, path, name, truth, acceptance, rng):
    """Answers a page as a person would, and writes the file that it lets them download.

    Args:
        page: the HTML file.
        path: of the JSON file to write.
        name: of the annotator.
        truth: image -> probabilities of the classes.
        acceptance: how often a proposal is accepted whatever the person thinks.
        rng: draws the answers.
    """
    with open(page, encoding="utf-8") as file:
        found = re.search(r'id="data">(.*?)</script>', file.read())
    sheet = json.loads(found[1])
    classes, now = sheet["classes"], "2026-01-01T10:00:00.000Z"
    rows = []
    for step in sheet["steps"]:
        proposed = classes[step["label"]] if step["kind"] == "group" else None
        for image in (sheet["images"][number] for number in step["images"]):
            label = str(rng.choice(classes, p=truth[image]))
            if proposed is not None and rng.random() < acceptance:
                label = proposed
            rows.append(
                {
                    "image": image,
                    "label": label,
                    "proposed": proposed,
                    "group": step["name"],
                    "accepted": label == proposed,
                    "repetition": step.get("again", False),
                    "seconds": 2.0 if proposed is None else 0.5,
                    "started": now,
                    "ended": now,
                }
            )
    kept = ("title", "mode", "fingerprint", "page", "page_number", "pages", "seed")
    content = {
        "format": "keras_dc3 review",
        "version": 1,
        **{key: sheet[key] for key in kept},
        "annotator": name,
        "session": f"session of {name}",
        "started": now,
        "saved": now,
        "finished": True,
        "classes": classes,
        "images": sheet["images"],
        "rows": len(rows),
        "annotations": rows,
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)


def ask(questions, images, truth, folder, *, people, acceptance, seed=0):
    """Writes a page for each person, has it answered, and reads all files.

    Args:
        questions: what the pages ask, of `Proposals.next`.
        images: the images, with ids.
        truth: image -> probabilities of the classes.
        folder: for the pages and the answers.
        people: how many.
        acceptance: see `answer`.
        seed: of the answers.
    """
    paths = []
    for person in range(people):
        stem = os.path.join(folder, f"person-{person + 1}")
        questions.to_review(f"{stem}.html", images, seed=person, repetitions=0.2)
        answer(
            f"{stem}.html",
            f"{stem}.json",
            f"person {person + 1}",
            truth,
            acceptance,
            np.random.default_rng([seed, person]),
        )
        paths.append(f"{stem}.json")
    return review.read(paths, proposals=questions.proposals, images=images)


def divergence(truth, labels):
    """Returns the mean KL divergence from the truth, probabilities of at least 1e-5."""
    logs = np.log(truth.clip(1e-5) / labels.clip(1e-5))
    return float((truth * logs).sum(axis=1).mean())
