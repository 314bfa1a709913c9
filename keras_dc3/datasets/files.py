"""Reading data sets from files, and checks that images and annotations belong."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_dc3._unpacking import UnpackingError, check_unpacked
from keras_dc3._validation import check_counts
from keras_dc3.annotations.counts import majority
from keras_dc3.data.image_set import ImageSet


def data_folder(data_dir: str | os.PathLike | None) -> Path:
    """Returns `data_dir`, by default the variable KERAS_DC3_DATA, else "data"."""
    return Path(data_dir or os.environ.get("KERAS_DC3_DATA") or "data")


def read_npz(
    path: Path,
    image_shape: tuple[int, int, int],
    class_names: Sequence[str],
    prefix: str | None,
    least_agreement: float,
) -> ImageSet:
    """Reads images, labels and annotation counts from an `.npz` file.

    Args:
        path: file with `images` uint8 (n, h, w, c), `labels` int (n,), `counts` int
            (n, k) and, optionally, `class_names` (k,).
        image_shape: what (h, w, c) must be.
        class_names: what the classes must be, in order.
        prefix: of the ids, `{prefix}_00042` for position 42; None if the file has the
            ids, as `name` (n,).
        least_agreement: see `check_agreement`.

    Raises:
        ValueError: if a part is missing or does not fit.
    """
    needed = ["images", "labels", "counts", *([] if prefix else ["name"])]
    parts = npz_arrays(path)
    missing = [key for key in needed if key not in parts]
    if missing:
        raise ValueError(f"{path} lacks {missing}; it holds {list(parts)}.")
    images, labels, counts = parts["images"], parts["labels"], parts["counts"]
    found = parts.get("class_names")
    found = None if found is None else [str(name) for name in found]
    ids = None if prefix else [str(name) for name in parts["name"]]
    if images.ndim != 4 or images.shape[1:] != image_shape or images.dtype != np.uint8:
        raise ValueError(
            f"The images of {path} must be uint8 (n, {', '.join(map(str, image_shape))}"
            f"). Found: {images.dtype} {images.shape}."
        )
    if found is not None and found != list(class_names):
        raise ValueError(f"The classes of {path} must be {class_names}. Found: {found}")
    if counts.ndim != 2 or counts.shape[1] != len(class_names):
        raise ValueError(
            f"The counts of {path} must have {len(class_names)} columns, one per "
            f"class. Found: {counts.shape}."
        )
    check_agreement(str(path), labels, counts, len(images), least_agreement)
    ids = ids or [f"{prefix}_{i:05d}" for i in range(len(images))]
    return ImageSet(images, ids, counts, class_names)


def npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an `.npz` file.

    Raises:
        ValueError: if it cannot be read, or would unfold to far more than it is; the
            message names it.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                needed = sum(member.file_size for member in archive.infolist())
            way_out = "read it with `numpy.load`, and write it with `numpy.savez`."
            check_unpacked(str(path), os.path.getsize(path), needed, way_out)
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array alone, as `.npy` files do")
        with file:
            return {key: file[key] for key in file}
    except UnpackingError:
        raise
    except Exception as error:  # a damaged file raises nearly anything
        raise _damaged(path, error, ".npz") from error


def npy_array(path: Path, mmap_mode: str | None = None) -> np.ndarray:
    """Returns the array of an `.npy` file; raises as `npz_arrays`."""
    try:
        array = np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it holds several arrays, as `.npz` files do")
    except Exception as error:
        raise _damaged(path, error, ".npy") from error
    return array


def _damaged(path: Path, error: Exception, kind: str) -> ValueError:
    reason = str(error) or type(error).__name__
    if "pickle" in reason:
        reason = "it holds Python objects, or is no file of arrays"
    return ValueError(
        f"{path} is damaged or no `{kind}` file ({reason}); copy or download it again."
    )


def check_agreement(
    source: str,
    labels: np.ndarray,
    counts: np.ndarray,
    number: int,
    least: float,
) -> None:
    """Raises ValueError unless counts and labels seem to be of the same images.

    Args:
        source: where they are from, for messages.
        labels: (n,) int, the original labels.
        counts: (n, k), how many annotators chose each class.
        number: n.
        least: fraction of images whose most chosen class must be their label. Counts
            shifted by an image agree by chance only.
    """
    counts = check_counts(f"counts of {source}", counts)
    if len(counts) != number or np.shape(labels) != (number,):
        raise ValueError(
            f"{source} must have a label and a row of counts for each of {number} "
            f"images. Found: labels {np.shape(labels)}, counts {counts.shape}."
        )
    agreement = float((majority(counts) == labels).mean())
    if agreement < least:
        raise ValueError(
            f"The annotations of {source} do not belong to its images: the most chosen "
            f"class is the original label for only {agreement:.1%} of them, at least "
            f"{least:.0%} are expected. They are probably in another order."
        )
