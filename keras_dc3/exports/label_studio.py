"""Proposals as tasks of Label Studio."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from keras_dc3._validation import check_choice, check_names, check_seed
from keras_dc3._writing import file_path, whole_file
from keras_dc3.exports.checks import check_proposals, write_json
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.columns import not_unicode
from keras_dc3.review.plan import MODES

QUESTION, IMAGE = "class", "image"  # names in the labeling interface
_HOTKEYS = "1234567890qwertyuiopasdfghjklzxcvbnm"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_label_studio(
    proposals: Proposals,
    path: str | os.PathLike,
    images: str | Callable[[str], str] = "/data/local-files/?d=",
    *,
    mode: str = "dc3",
    model_version: str = "keras_dc3",
    seed: int = 0,
) -> None:
    """Writes a task per image, and beside it the labeling interface they need.

    Make a project, paste the `.xml` file into "Labeling Setup > Code", and import the
    `.json` file. What people answer comes back by "Export > JSON" and
    `Annotations.from_label_studio(file, image="id",
    class_names=proposals.class_names)`.

    A task holds the image's address, its id and, for filters and sorting in the data
    manager, `group`, `proposal` in words, `ambiguity`, `class`, `cluster` and
    `typical`, the place of the image in its group. Its prediction is what an annotator
    sees chosen.

    Args:
        proposals: what to write.
        path: file of the tasks, such as "tasks.json". "tasks.xml" is written, too.
            Both are complete or not there.
        images: where Label Studio finds the images: what stands before the id in their
            address, or a function from id to address. The default is for local files,
            with ids relative to the folder that the server was started with:
            `LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true` and
            `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=<folder>` (and a "Local files"
            storage in the project); for a folder "cod" in it,
            "/data/local-files/?d=cod/".
        mode: "dc3": groups after each other, the most typical images first; certain
            images have their class as prediction, and all of a cluster the class with
            its largest share. "classes": in the order of the classes, each image with
            its own predicted class. "none": blind, in random order, without prediction
            and without any field that tells of one.
        model_version: what Label Studio shows as the origin of the predictions.
        seed: of the order in the mode "none"; an integer of at least 0.

    Raises:
        OSError: if a file cannot be written.
        ValueError, TypeError: if an argument is not as described, or a text cannot
            stand in such a file.

    Example:

    >>> where = "https://my.org/"
    >>> paths = keras_dc3.exports.to_label_studio(proposals, "tasks.json", where)
    """
    check_proposals(proposals)
    check_choice("mode", mode, MODES)
    check_seed(seed)
    if not isinstance(model_version, str) or not model_version:
        raise TypeError(
            "`model_version` must be a non-empty text. Received: "
            f"model_version={model_version!r}"
        )
    root, ending = os.path.splitext(file_path(path))
    if ending.lower() == ".xml":
        raise ValueError(
            "`path` names the file of tasks, such as 'tasks.json'; the labeling "
            f"interface is written beside it. Received: path={os.fspath(path)!r}"
        )
    interface = label_studio_config(proposals.class_names, mode != "none")
    tasks = _tasks(proposals, mode, model_version, seed)
    image_at: dict[str, str] = {}
    for task in tasks:
        name = task["data"]["id"]
        address = task["data"][IMAGE] = _address(images, name)
        if image_at.setdefault(address, name) != name:
            raise ValueError(
                f"The function `images` gives {address!r} for {image_at[address]!r} "
                f"and {name!r}; it must tell images apart."
            )
    write_json(path, tasks)
    with whole_file(f"{root}.xml", "w", encoding="utf-8") as file:
        file.write(interface)


def label_studio_config(class_names: Sequence[str], show_proposal: bool = True) -> str:
    """Returns the labeling interface that the tasks need, as XML.

    Args:
        class_names: k different non-empty strings.
        show_proposal: whether a line above the image tells the proposal in words.

    Raises:
        ValueError, TypeError: if a name is not as described or cannot stand in XML.
    """
    names = check_names("class_names", class_names)
    for name in names:
        found = _NOT_IN_XML.search(name)
        if found:
            raise ValueError(
                f"The class name {name!r} holds {found[0]!r}, which no XML can hold. "
                "Rename the class."
            )
    lines = ["<View>"]
    if show_proposal:
        lines.append('  <Header value="$proposal" size="5"/>')
    lines.append(f'  <Image name="{IMAGE}" value="${IMAGE}" zoom="true"/>')
    lines.append(
        f'  <Choices name="{QUESTION}" toName="{IMAGE}" choice="single" '
        'showInLine="true" required="true">'
    )
    for number, name in enumerate(names):
        key = f' hotkey="{_HOTKEYS[number]}"' if number < len(_HOTKEYS) else ""
        lines.append(f"    <Choice value={quoteattr(name)}{key}/>")
    return "\n".join([*lines, "  </Choices>", "</View>", ""])


def _tasks(
    proposals: Proposals, mode: str, model_version: str, seed: int
) -> list[dict[str, Any]]:
    if mode == "none":
        order = np.random.default_rng(seed).permutation(len(proposals))
        return [{"data": {"id": proposals.ids[row]}} for row in order]
    tasks = []
    if mode == "dc3":
        for group in proposals.groups():
            label = proposals.class_names[group.proposed_class]
            score = float(group.shares[group.proposed_class])
            for place, name in enumerate(group.ids):
                data = {
                    "group": group.name,
                    "proposal": f"{group.name}: {group.description}"
                    if group.kind == "cluster"
                    else group.name,
                    "typical": place + 1,
                }
                known = proposals[name]
                if group.kind == "class":
                    score = known.class_probability
                data |= {"ambiguity": known.ambiguity, "cluster": known.cluster}
                data |= {"class": known.class_name}
                tasks.append(_task(name, data, label, score, model_version))
        return tasks
    order = np.lexsort((-proposals.class_probability, proposals.class_index))
    for row in order:
        name, label = proposals.ids[row], proposals.class_name[row]
        score = float(proposals.class_probability[row])
        data = {"group": label, "proposal": label, "class": label}
        tasks.append(_task(name, data, label, score, model_version))
    return tasks


def _task(
    name: str, data: dict[str, Any], label: str, score: float, model_version: str
) -> dict[str, Any]:
    result = {
        "from_name": QUESTION,
        "to_name": IMAGE,
        "type": "choices",
        "value": {"choices": [label]},
    }
    prediction = {"model_version": model_version, "score": score, "result": [result]}
    return {"data": {"id": name, **data}, "predictions": [prediction]}


def _address(images: str | Callable[[str], str], name: str) -> str:
    if isinstance(images, str):
        try:
            return images + quote(name, safe="/")
        except UnicodeEncodeError as error:
            raise not_unicode(error) from error
    if not callable(images):
        raise TypeError(
            "`images` must be what stands before an id in the address of its image, or "
            f"a function from id to address. Received: images={images!r}"
        )
    address = images(name)
    if not isinstance(address, str) or not address:
        raise TypeError(
            "The function `images` must return the address of an image, a text. "
            f"Received: {address!r} for the id {name!r}"
        )
    return address
