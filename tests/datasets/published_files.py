"""Made-up copies of the authors' archives, in their two layouts."""

import json
import zipfile

import numpy as np
from PIL import Image

PLANKTON = [f"class {i}" for i in range(10)]
TURKEY = ["head", "healthy", "plumage"]


def draw(path, number, size=(12, 9)):
    """Writes an image whose color tells its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((*size, 3), [number % 256, number // 256, 7], "uint8")
    Image.fromarray(pixels).save(path)


def make_dcic(folder, classes, per_fold=20, votes=3, folds=(1, 2, 3, 4, 5), unsure=0):
    """Writes the layout of DCIC; returns path in the folder -> counts.

    The first `unsure` images of a fold get no valid answer.
    """
    rng = np.random.default_rng(0)
    counts = {}
    sets = [
        {"name": f"INVALID {i}", "user_mail": "INVALID", "annotation_time": -1}
        for i in range(votes)
    ]
    for one in sets:
        one["dataset_name"], one["annotations"] = folder.name, []
    number = 0
    for fold in folds:
        for i in range(per_fold):
            name = f"fold{fold}/img {number:04d}.png"
            draw(folder / name, number)
            counts[name] = [0] * len(classes)
            for vote, one in enumerate(sets):
                label = (number + (vote == 2 and number % 4 == 0)) % len(classes)
                found = None if i < unsure else classes[label]
                if found:
                    counts[name][label] += 1
                one["annotations"].append(
                    {
                        "image_path": f"{folder.name}/{name}",
                        "class_label": found,
                        "created_at": "01-01-2022-00-00-00",
                    }
                )
            number += 1
    for one in sets:
        rng.shuffle(one["annotations"])
    (folder / "annotations.json").write_text(json.dumps(sets))
    return counts


def make_folders(folder, sizes, classes):
    """Writes the layout of DC3: part -> images of each class."""
    number = 0
    for part, size in sizes.items():
        for name in classes:
            for i in range(size):
                draw(folder / part / name / f"{name}_{i}.png", number)
                number += 1


def make_zip(path, folder, inside=None):
    """Packs a folder, as `inside`."""
    with zipfile.ZipFile(path, "w") as file:
        for member in sorted(folder.rglob("*")):
            if member.is_file():
                name = member.relative_to(folder).as_posix()
                file.write(member, name if inside is None else f"{inside}/{name}")
