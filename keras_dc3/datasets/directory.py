"""Data sets from a folder of images. Reading these needs Pillow (extra `images`)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_dc3._validation import check_choice, check_given_classes
from keras_dc3.annotations import Annotations
from keras_dc3.data.image_files import FileImages
from keras_dc3.data.image_folder import FolderListing, list_images
from keras_dc3.data.opened_images import MAX_PIXELS
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.split_files import splits_beside
from keras_dc3.datasets.answers import counts_of
from keras_dc3.datasets.arrays import split_annotated
from keras_dc3.datasets.class_folders import of_folders, of_part_folders
from keras_dc3.datasets.part_folders import find_parts, parts_of, tell_loose
from keras_dc3.datasets.parted import from_parted, tell_answers_to_unlabeled, with_split

_VALIDATION = 0.2  # of the annotated images


def from_directory(
    images: str | os.PathLike,
    annotations: Annotations | str | os.PathLike | None = None,
    *,
    class_names: Sequence[str] | None = None,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "resize",
    background: int | Sequence[int] = 255,
    max_value: float | None = None,
    value_range: Sequence[float] | None = None,
    max_pixels: int | None = MAX_PIXELS,
    parts: Mapping[str, str | None] | None = None,
    cache: str | os.PathLike | None = None,
    on_error: str = "raise",
    missing: str = "error",
    labeled: int | float | None = None,
    unlabeled: int | float | None = None,
    validation: int | float | None = _VALIDATION,
    seed: int = 0,
    batch_size: int = 64,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Splits the images of a folder into labeled, unlabeled and validation ones.

    The id of an image is its path in the folder, with "/". Images stay in their files
    and are read when they are trained on. Which files are images, and how they become
    arrays, `data.list_images` and `data.read_image` say.

    Without `annotations`, a folder in the folder is a class, "cod" of "cod/a/1.png";
    images in none, or in one called "unlabeled", "unlabelled" or "no label", in
    capitals or not, have no annotation, unless `class_names` has that class. Names are
    compared with composed letters (NFC). Folders whose names may mean the same stay two
    classes, with a warning. With `annotations`, folders mean no class, and images that
    nobody annotated have none.

    Folders called "train", "val", "test" and the like, in capitals or not, are parts,
    with or without `annotations`: the images of "train" (or "training", "labeled") are
    the labeled ones, those of "val" ("valid", "validation", "dev", "eval") validate,
    those of "unlabeled" are unlabeled, and those of "test" ("testing", "holdout") are
    kept apart, in `data.test`. Without `annotations`, folders in them are classes,
    "train/cod/1.png": one list for all parts, which is that of "train" unless
    `class_names` is given. Where only some folders are called so, `parts` must say what
    they are.

    Labels, sizes that are not given, and images without annotation are as `from_arrays`
    says. Where folders are parts, all of "train" is labeled, but for what `validation`
    draws of it if there is no folder for that; `labeled` and `unlabeled` then are of
    the images of "train".

    A `split` takes the place of these parts, but `data.test` stays apart, unless the
    split names its images.

    In the next round, with more answers, use `data.with_labels(answers)`, or `split`
    with what `data.save_split` wrote: a new split would validate on images that were
    trained on. That is told where `annotations` were merged, or where a saved split of
    these images lies beside their file.

    Args:
        images: the folder.
        annotations: `Annotations`, or a CSV file with the columns `image`, `annotator`
            and `label`; for others use `Annotations.from_csv`, `from_wide` and so on.
            They name images by id, with or without extension, or without folder where
            only one has the name.
        class_names: the classes, in the order that numbers them, whatever folders or
            annotations there are. Default: those found, in the order of
            `annotations.class_order`.
        image_size: (height, width) to bring all images to. Default: the size that all
            have.
        channels: 1 for gray, 3 for color. Default: 3 if any image has color.
        fit: for images of another size: "resize" to the size, whatever it does to the
            proportions; "pad" to within it; "crop" to cover it.
        background: what transparent pixels are laid over and "pad" fills with, a gray
            value or (red, green, blue).
        max_value: what is white in images of more than 8 bits per value or with a sign.
            Default: one scale for all of them, found in the files and told; see
            `data.FileImages`.
        value_range: (low, high), what is black and what is white there.
        max_pixels: most pixels of a file; None for no limit.
        parts: what each folder in the folder is: "labeled", "unlabeled", "validation",
            "test", or None to leave it out. {} if none is a part, so that each is a
            class. Default: found by their names.
        cache: None to decode an image each time, "memory" to keep all, or a folder to
            keep them in, for later runs too; see `data.FileImages`.
        on_error: "raise" stops at images that cannot be read, and names them. "skip"
            decodes all before training and leaves those out, with a warning;
            `data.labeled.skipped` and `describe` list them.
        missing: what to do about annotated images that are not in the folder: "error",
            or "drop" to leave them out, with a warning.
        labeled, unlabeled, validation: sizes of the parts, as for `from_arrays`. By
            default all that `validation` leaves is labeled; a fifth of it where all
            images have answers, which is told.
        seed: of the split, the labels, and the batches.
        batch_size: labeled images per training batch.
        **kwargs: as for `from_arrays`.

    Raises:
        ImportError: without Pillow.
        FileNotFoundError: if there is no such folder or table.
        AnnotationError: if the table cannot be read, or an image of it is not in the
            folder; it names file and line.
        ImageFileError: if images cannot be read. The message lists 20 at most, `files`
            of the error all. Before training up to 10,000 files are looked at, and as
            many decoded as have 300 million pixels together; a warning tells if that is
            not all.
        ValueError, TypeError: if something does not fit.

    Example:

    >>> data = keras_dc3.datasets.from_directory(
    ...     "fish", "answers.csv", image_size=(64, 64), fit="pad"
    ... )
    """
    check_choice("on_error", on_error, ("raise", "skip"))
    check_choice("missing", missing, ("error", "drop"))
    if class_names is not None:
        class_names = check_given_classes("class_names", class_names)
    listing = list_images(images)
    _check_listing(images, listing)
    folders = find_parts(images, listing.files, class_names, parts)
    files, part, table = listing.files, None, None
    if folders is not None:
        part = dict(zip(files, parts_of(files, folders), strict=True))
        tell_loose(images, files)
        files = tuple(name for name in files if part[name] is not None)
    if annotations is None:
        if part is None:
            counts, class_names = of_folders(images, files, class_names)
        else:
            of_files = [part[name] for name in files]
            counts, class_names = of_part_folders(images, files, of_files, class_names)
    else:
        if isinstance(annotations, str | os.PathLike):
            table = annotations
            annotations = Annotations.from_csv(annotations, class_names=class_names)
        counts, class_names = counts_of(annotations, files, class_names, missing)
    whole = FileImages(
        images,
        files,
        counts,
        class_names,
        image_size=image_size,
        channels=channels,
        fit=fit,
        background=background,
        max_value=max_value,
        value_range=value_range,
        max_pixels=max_pixels,
        cache=cache,
    )
    if on_error == "skip":
        whole = whole.readable()
    _ = whole.image_shape  # damaged files are told before a split that cannot be had
    name = Path(images).resolve().name
    kwargs = {"name": name, "seed": seed, "batch_size": batch_size, **kwargs}
    sizes = (labeled, unlabeled, validation)
    if part is not None:
        parts_in_order = [part[name] for name in whole.ids]
        if kwargs.get("split") is not None:
            return with_split(whole, parts_in_order, **kwargs)
        if validation != _VALIDATION and "validation" in folders.values():
            raise ValueError(
                f"The folders of {os.fspath(images)!r} say which images validate, so "
                f"that `validation` is not to be given. Received: validation="
                f"{validation!r}. Leave it out, or pass `parts` with another part, or "
                "None, for that folder."
            )
        kwargs.pop("split", None)
        if annotations is not None:
            tell_answers_to_unlabeled(whole, parts_in_order)
        return from_parted(whole, parts_in_order, sizes, **kwargs)
    if kwargs.get("split") is None:
        _tell_new_split(annotations, table, whole.ids)
    return split_annotated(whole, *sizes, **kwargs)


def _tell_new_split(
    annotations: Annotations | None, table: str | os.PathLike | None, ids: Sequence[str]
) -> None:
    """Warns where the answers may be of a second round.

    Args:
        annotations: the answers, if there are any.
        table: the file that they were read from, if they were.
        ids: of the images.
    """
    saved = [] if table is None else splits_beside(table, ids)
    if saved:
        known = f"Beside {os.fspath(table)!r} lies the saved split {saved[0]!r}"
        split = f"`split={saved[0]!r}`"
    elif getattr(annotations, "merged", False):
        known = "These annotations were merged"
        split = "the `split` that `data.save_split` wrote"
    else:
        return
    warnings.warn(
        f"{known}, and the split is drawn anew: if a model was trained on some of "
        "these images already, they may validate now. To keep its validation images, "
        f"pass {split}, or use `data.with_labels(annotations)`.",
        stacklevel=3,
    )


def _check_listing(folder: str | os.PathLike, listing: FolderListing) -> None:
    """Raises ValueError if there is no image; tells of those that are left out."""
    left_out = ", ".join(f"{n:,} {end}" for end, n in listing.left_out.items())
    if not listing.files:
        found = [left_out] if left_out else []
        if listing.passed_over:
            found.append(f"{listing.passed_over:,} hidden files and folders")
        raise ValueError(
            f"There is no image in {os.fspath(folder)!r} that can be read; found were "
            f"{' and '.join(found) or 'no image files at all'}. Name the folder that "
            "holds the images, or convert them, to PNG for example."
        )
    if left_out:
        warnings.warn(
            f"{left_out} left out of {os.fspath(folder)!r}: image files of a kind that "
            f"cannot be read, beside {len(listing.files):,} of others. Convert them, "
            "to PNG for example.",
            stacklevel=3,
        )
