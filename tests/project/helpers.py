"""Small projects, and people who answer their pages by a script."""

import csv
import json
import os

import numpy as np
from PIL import Image

from keras_dc3 import Project, Proposals
from keras_dc3.project import stored_proposals
from keras_dc3.project.rounds import new_round, rounds_of
from tests.review import helpers

CLASSES = ("cod", "eel", "ling")
NUMBER = 60


def write_images(folder, number=NUMBER, size=12):
    """Writes images of three kinds, dark to bright; returns id -> class."""
    os.makedirs(folder, exist_ok=True)
    rng, truth = np.random.default_rng(0), {}
    for i in range(number):
        kind = i % len(CLASSES)
        pixels = 60 + 70 * kind + rng.normal(0, 20, (size, size))
        name = f"img_{i:02d}.png"
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(f"{folder}/{name}")
        truth[name] = CLASSES[kind]
    return truth


def write_answers(path, truth, images, people=("ann", "ben")):
    """Writes a table of answers, all true but for every seventh."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "annotator", "label"])
        for number, image in enumerate(images):
            for person in people:
                label = truth[image]
                if number % 7 == 0 and person == people[-1]:
                    label = CLASSES[0]
                writer.writerow([image, person, label])


def propose_by_hand(project, truth, right=0.8):
    """Puts proposals into the last round, as if a model had been trained in it."""
    one = rounds_of(project.folder)[-1]
    names, k = sorted(truth), len(CLASSES)
    p = np.full((len(names), k), (1 - right) / (k - 1))
    p[np.arange(len(names)), [CLASSES.index(truth[n]) for n in names]] = right
    ambiguity = np.linspace(0, 1, len(names))
    proposals = Proposals(
        names, ambiguity, p, p, CLASSES, embeddings=np.eye(len(names))[:, :5]
    )
    stored_proposals.write(one.path("propose.npz"), proposals)
    one.note("train", labeled=20, scores={"f1": 0.9}, intervals={"f1": [0.8, 0.95]})
    one.note("propose", certain=30, ambiguous=30)
    return proposals


def answer(page, path, name, truth, session=None):
    """Answers a page with the truth, and writes the file that it would download."""
    sheet = helpers.content(page)
    said = helpers.answer(
        page,
        name,
        lambda image, proposed: sheet["classes"].index(truth[image]),
        session or f"session of {name} {sheet['page']}",
    )
    with open(path, "w", encoding="utf-8") as file:
        json.dump(said, file)
    return path


def new_project(folder, answered=30, **options):
    """Makes images and a project with answers to some; returns it and the truth."""
    truth = write_images(folder / "fish")
    write_answers(folder / "answers.csv", truth, sorted(truth)[:answered])
    project = Project.create(
        folder / "project", folder / "fish", folder / "answers.csv", **options
    )
    return project, truth


def asked_project(folder, people, **sheet):
    """A project of which one round is asked about, and the truth."""
    project, truth = new_project(folder)
    new_round(project.folder, 1)
    propose_by_hand(project, truth)
    project.sheet(people, **sheet)
    return project, truth
