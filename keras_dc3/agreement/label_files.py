"""Labels as files: tables, and folders of images. pyarrow only for Parquet."""

from __future__ import annotations

import csv
import json
import os
import shutil
from typing import Any

import numpy as np

from keras_dc3._extras import optional
from keras_dc3._validation import check_outside
from keras_dc3._writing import file_path, whole_file, whole_path

_FORBIDDEN = set('<>:"/\\|?*')


def save(labels: Any, path: str | os.PathLike) -> None:
    """See `FinalLabels.save`."""
    name = file_path(path)
    ending = os.path.splitext(name)[1].lower()
    if ending not in _WRITERS:
        raise ValueError(
            f"The name of a file of labels must end in {', '.join(_WRITERS)}, which "
            f"says in what form it is written. Received: {name!r}"
        )
    _WRITERS[ending](labels, name)


def _csv(labels: Any, path: str) -> None:
    columns = labels.columns()
    with whole_file(path, encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(map(_plain, c) for c in columns.values()), strict=True))


def _json_lines(labels: Any, path: str) -> None:
    columns = labels.columns()
    plain = {name: c for name, c in columns.items() if not name.startswith("p(")}
    with whole_file(path, encoding="utf-8", newline="\n") as file:
        for row in range(len(labels)):
            line = {name: _plain(values[row]) for name, values in plain.items()}
            line["annotators"] = list(labels.annotators[row])
            soft = map(float, labels.soft_labels[row])
            line["notes"] = list(map(list, labels.notes_of.get(labels.ids[row], ())))
            line["soft_label"] = dict(zip(labels.class_names, soft, strict=True))
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _parquet(labels: Any, path: str) -> None:
    what = f"{path} is a Parquet file, which needs pyarrow"
    pa = optional("pyarrow", what, "parquet", '; or write a ".csv"')
    pq = optional("pyarrow.parquet", what, "parquet")
    columns = {name: list(values) for name, values in labels.columns().items()}
    with whole_file(path, "wb") as file:
        pq.write_table(pa.table(columns), file)


_WRITERS = {".csv": _csv, ".jsonl": _json_lines, ".parquet": _parquet}


def _plain(value: Any) -> Any:
    """Returns a value as files have it: whole numbers without a point."""
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else round(float(value), 6)
    return str(value)


def to_folders(
    labels: Any, path: str | os.PathLike, images: str | os.PathLike
) -> dict[str, int]:
    """See `FinalLabels.to_folders`."""
    target, source = file_path(path), os.fspath(images)
    for name in labels.class_names:
        if _FORBIDDEN & set(name) or name in (".", "..") or name != name.strip(" ."):
            raise ValueError(
                f"The class {name!r} cannot name a folder on every system: it must not "
                f"have one of {''.join(sorted(_FORBIDDEN))} or end in a point. Rename "
                "the class, or write a table."
            )
    missing = [i for i in labels.ids if not os.path.isfile(os.path.join(source, i))]
    if missing:
        raise FileNotFoundError(
            f"{len(missing):,} of {len(labels):,} images are no files of {source!r}, "
            f"such as {missing[0]!r}. Name the folder that they lie in."
        )
    check_outside(target, source)
    if os.path.isdir(target) and os.listdir(target):
        raise ValueError(
            f"{target!r} is not empty: images whose class has changed would lie in two "
            "folders. Name a new folder."
        )
    number = dict.fromkeys(labels.class_names, 0)
    with whole_path(target, folder=True) as temporary:
        for image, name in zip(labels.ids, labels.class_name, strict=True):
            copy = os.path.join(temporary, name, image)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy2(os.path.join(source, image), copy)
            number[name] += 1
    return number
