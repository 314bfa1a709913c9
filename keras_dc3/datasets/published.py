"""Data sets that the authors have published: found, fetched and split.

Such a set is described by a `PublishedSet`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_dc3._validation import check_choice, check_positive_int
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.splits import Split, split_images
from keras_dc3.datasets import archives, layouts
from keras_dc3.datasets.npz_files import data_folder

DCIC_RECORD, DC3_DOI = "8115942", "10.5281/zenodo.5550916"


@dataclass(frozen=True)
class PublishedSet:
    """Where a data set is published, and what it is.

    Args:
        name: ours.
        dcic: name of its folder and archive in DCIC.
        image_size: (h, w) that images are brought to.
        num_classes: in DCIC.
        sizes: fractions of the annotated images that are labeled, unlabeled and for
            validation if nothing else is asked for.
        folders: names of its folder in the archive of DC3; empty if it has none.
        folder_classes: classes there; default as in DCIC.
        file: name of the archive in DCIC, without `.zip`; default that of the folder.
    """

    name: str
    dcic: str
    image_size: tuple[int, int]
    num_classes: int
    sizes: tuple[float, float, float] = (0.16, 0.64, 0.2)
    folders: tuple[str, ...] = ()
    folder_classes: int | None = None
    file: str = ""

    @property
    def archive(self) -> str:
        """The file of DCIC's record."""
        return f"{self.file or self.dcic}.zip"

    def load(
        self,
        data_dir: str | os.PathLike | None = None,
        *,
        labeled: int | float | None = None,
        unlabeled: int | float | None = None,
        validation: int | float | None = None,
        dcic_slice: int | None = None,
        layout: str | None = None,
        image_size: tuple[int, int] | None = None,
        rename: Mapping[str, str | None] | None = None,
        cache: str | os.PathLike | None = None,
        download: bool = True,
        seed: int = 0,
        split: Any = None,
        stratify: bool = False,
        groups: Any = None,
        labels: str | None = "sampled",
        **kwargs: Any,
    ) -> SemiSupervisedData:
        """Loads a data set from the authors' archives.

        Two layouts are read. That of DCIC has every answer of every annotator
        (`annotations.json`), and the images in five folds. That of DC3 has folders
        `train`, `val` and `unlabeled` with a folder per class in each: one answer per
        image, so that only F1 can be judged.

        Images stay in their files until they are looked at, and are brought to three
        channels.

        Args:
            data_dir: folder of the data sets, or of this one. Default: the variable
                KERAS_DC3_DATA, else "data". Where it has neither layout, DCIC's archive
                is unpacked there if it is there, else fetched from its record.
            labeled, unlabeled, validation: int for a number, float for a fraction of
                the annotated images; None for none. If none is given: the parts that
                the layout of DC3 has, and for DCIC the sizes of the paper.
            dcic_slice: 1 to 5, DCIC's own division: a fold validates, the next one is
                kept as `test`, of the others `labeled` (default 0.2) is labeled and the
                rest unlabeled.
            layout: "dcic" or "folders", to read that alone. Default: what is there,
                DCIC first.
            image_size: (h, w) to bring images to. Default: the paper's, else their own.
            rename: class name -> new name; classes that get the same name become one.
                In the layout of DCIC, None for a name makes it no answer.
            cache: "memory" or a folder, to decode each image once; see
                `data.FileImages`.
            download: whether to use the network at all.
            seed: of the split, the labels, and the batches.
            split, stratify, groups: see `SemiSupervisedData.from_image_set`.
            labels: likewise; by default one class is drawn, as in the paper.
            **kwargs: further arguments of `SemiSupervisedData`.

        Raises:
            ImportError: without Pillow.
            FileNotFoundError: without the files; it says which to fetch from where.
            ArchiveError: for an archive that is damaged.
            ValueError: if parts do not fit.
        """
        sizes = (labeled, unlabeled, validation)
        _check_slice(dcic_slice, [split, unlabeled, validation, groups], layout)
        parted, kind = self.read(
            data_dir,
            layout=layout if dcic_slice is None else "dcic",
            rename=rename,
            download=download,
            image_size=image_size,
            cache=cache,
        )
        images, part = parted
        drawn: dict[str, Any] = {"stratify": stratify, "groups": groups}
        kwargs["labels"] = labels
        if dcic_slice is not None:
            split, test = _slice(parted, dcic_slice, labeled, seed, stratify)
            drawn["stratify"] = False
        elif kind == "folders" and split is None and sizes == (None, None, None):
            names = Split._fields
            split = Split(*(np.flatnonzero(part == name) for name in names))
            test = np.flatnonzero(part == "test")
        else:
            test = np.empty(0, "int64")
            if sizes == (None, None, None):
                sizes = self.sizes
        data = SemiSupervisedData.from_image_set(
            images, *sizes, seed=seed, split=split, **drawn, name=self.name, **kwargs
        )
        data.test = images.subset(test) if test.size else None
        return data

    def read(
        self,
        data_dir: str | os.PathLike | None = None,
        *,
        layout: str | None = None,
        rename: Mapping[str, str | None] | None = None,
        download: bool = True,
        image_size: tuple[int, int] | None = None,
        cache: str | os.PathLike | None = None,
    ) -> tuple[layouts.PartedImages, str]:
        """Returns all images with the part each is in, and the layout, as above."""
        check_choice("layout", layout, (None, "dcic", "folders"))
        kind, folder = self._found(data_folder(data_dir), layout, download)
        options = {
            "image_size": image_size or self.image_size,
            "channels": 3,
            "cache": cache,
        }
        if kind == "dcic":
            number = self.num_classes
            parted = layouts.read_dcic(folder, rename, **options)
        else:
            number = self.folder_classes or self.num_classes
            known = number if rename is None else None
            parted = layouts.read_class_folders(folder, rename, known, **options)
        found = parted.images.class_names
        if rename is None and len(found) != number:
            raise ValueError(
                f"The data set {self.name!r} has {number} classes, but {str(folder)!r} "
                f"has {len(found)}: {list(found)}. Name its folder by `data_dir`, "
                "unpack it again, or say by `rename` which classes are one."
            )
        return parted, kind

    def _found(
        self, folder: Path, layout: str | None, download: bool
    ) -> tuple[str, Path]:
        """Returns the layout and its folder, after fetching it if it has to be."""
        names = [self.dcic, f"raw_datasets/{self.dcic}", *self.folders]
        places = [*(folder / name for name in names), folder]
        found = layouts.find_layout(places, layout)
        if found is not None:
            return found
        why = ""
        if layout != "folders":
            archive, target = folder / self.archive, folder / self.dcic
            if target.exists():
                why = f" (There is {str(target)!r}, but without `{layouts.DCIC_MARK}`.)"
            elif not archive.is_file() and download:
                why = self._fetched(archive)
            if archive.is_file() and not target.exists():
                archives.unpack(archive, target, [layouts.DCIC_MARK])
                return "dcic", target
        raise FileNotFoundError(self._what_to_fetch(folder, layout) + why)

    def _fetched(self, archive: Path) -> str:
        """Fetches DCIC's archive; returns why it could not be had, or nothing."""
        url = f"https://zenodo.org/record/{DCIC_RECORD}/files/{self.archive}"
        try:
            checksum = archives.record_checksum(DCIC_RECORD, self.archive)
            archives.download(url, archive, checksum)
        except archives.NETWORK_ERRORS as error:
            return f" (Fetching it failed: {error}.)"
        return ""

    def _what_to_fetch(self, folder: Path, layout: str | None) -> str:
        ways = []
        if layout != "folders":
            ways.append(
                f"put `{self.archive}` of https://zenodo.org/record/{DCIC_RECORD} "
                f"there, packed or unpacked to {str(folder / self.dcic)!r}"
            )
        if layout != "dcic" and self.folders:
            ways.append(
                f"unpack the archive of https://doi.org/{DC3_DOI} so that there is "
                f"{str(folder / self.folders[0] / layouts.FOLDER_MARK)!r}"
            )
        return (
            f"The data set {self.name!r} is not in {str(folder)!r}: "
            f"{'; or '.join(ways)}; or name its folder by `data_dir` or KERAS_DC3_DATA."
        )


def _check_slice(number: Any, others: list[Any], layout: str | None) -> None:
    if number is None:
        return
    check_positive_int("dcic_slice", number)
    if number > layouts.FOLDS:
        raise ValueError(
            f"`dcic_slice` must lie in 1..{layouts.FOLDS}. Received: {number}"
        )
    if layout == "folders" or any(value is not None for value in others):
        raise ValueError(
            "`dcic_slice` says which images of DCIC are unlabeled and validate. Pass "
            "it, or `split`, `unlabeled`, `validation`, `groups` or another `layout`, "
            "not both."
        )


def _slice(
    parted: layouts.PartedImages,
    number: int,
    labeled: int | float | None,
    seed: int,
    stratify: bool,
) -> tuple[Split, np.ndarray]:
    """Returns the split of DCIC's slice, and the positions of its test images."""
    images, part = parted
    validation, test = number % layouts.FOLDS + 1, (number + 1) % layouts.FOLDS + 1
    rows = {}
    for name, fold in {"validation": validation, "test": test}.items():
        rows[name] = np.flatnonzero((part == f"fold{fold}") & images.annotated)
        if not rows[name].size:
            raise ValueError(
                f"Slice {number} takes fold{fold} for {name}, which has no annotated "
                "image. Choose another `dcic_slice`."
            )
    held = np.isin(part, [f"fold{validation}", f"fold{test}"])
    training = np.flatnonzero(~held)
    within = split_images(
        images.subset(training),
        (0.2 if labeled is None else labeled, None, None),
        seed,
        stratify=stratify,
    )
    known = training[within.labeled]
    rest = np.setdiff1d(training, known)
    return Split(known, rest, rows["validation"]), rows["test"]
