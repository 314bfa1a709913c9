"""What Label Studio makes of tasks, made up: as its JSON export would look."""

import numpy as np

from keras_dc3.proposals import Proposals

NAMES = ("cat", "dog", "deer")


def make(ids=None, n=30, names=NAMES, seed=0, width=3):
    """Random proposals with embeddings, if `width` is not 0."""
    ids = [f"folder/img {i}.png" for i in range(n)] if ids is None else ids
    rng = np.random.default_rng(seed)
    return Proposals(
        ids,
        rng.random(len(ids)),
        rng.dirichlet(np.ones(len(names)), len(ids)),
        rng.dirichlet(np.ones(6), len(ids)),
        names,
        rng.normal(size=(len(ids), width)) if width else None,
    )


def exported(tasks, answers):
    """The export of imported tasks.

    Args:
        tasks: as `to_label_studio` writes them.
        answers: for each task a list of (person, label or None to skip or "" for
            nothing chosen, seconds).
    """
    found = []
    for number, (task, given) in enumerate(zip(tasks, answers, strict=True), start=1):
        annotations = []
        for place, (person, label, seconds) in enumerate(given):
            result = {
                "id": "abc",
                "type": "choices",
                "from_name": "class",
                "to_name": "image",
                "origin": "prediction",
                "value": {"choices": [label]},
            }
            annotations.append(
                {
                    "id": 100 * number + place,
                    "completed_by": person,
                    "result": [result] if label else [],
                    "was_cancelled": label is None,
                    "lead_time": seconds,
                }
            )
        found.append(
            {
                "id": number,
                "data": task["data"],
                "annotations": annotations,
                # The export names predictions by number.
                "predictions": [7] * len(task.get("predictions", ())),
                "drafts": [],
            }
        )
    return found
