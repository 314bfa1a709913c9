"""The pictures of a review: small ones, larger ones, and files beside the page."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from keras_dc3._text import some
from keras_dc3._validation import check_empty_folder, check_positive_int
from keras_dc3._writing import whole_path
from keras_dc3.review import pictures

BESIDE = "beside"
LIMIT = 30_000_000  # bytes of a page; browsers and mail take more of it badly
_ALONE = (640, 480, 320, 240)  # longest side of an image that is asked about alone


def checked_size(full_size: Any) -> int | str | None:
    """Returns None, a number of pixels, or "beside"; ValueError for all else."""
    if full_size is None or full_size == BESIDE:
        return full_size
    if isinstance(full_size, str):
        raise ValueError(
            '`full_size` must be a number of pixels, "beside" for files beside the '
            f"page, or None. Received: full_size={full_size!r}"
        )
    check_positive_int("full_size", full_size, least=16)
    return int(full_size)


@dataclass
class Gallery:
    """Addresses of the pictures of a review, by the id of the image.

    Attributes:
        images: what the pictures are made of, see `pictures.find_pictures`.
        ids: of all images, also those that are missing.
        thumbnail_size: longest side in a group, pixels.
        full_size: see `Proposals.to_review`.
        small: id -> address of the thumbnail, of all images that there are.
        large: id -> address of a larger picture, where there is one.
        alone: id -> address of the picture of an image that is asked about alone.
        digests: id -> digest of the pixels.
    """

    images: Any
    ids: Sequence[str]
    thumbnail_size: int
    full_size: int | str | None = None
    small: dict[str, str] = field(default_factory=dict)
    large: dict[str, str] = field(default_factory=dict)
    alone: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def read(self, path: str) -> None:
        """Makes the small pictures and, where these are asked for, the large ones.

        Args:
            path: of the page, beside which the folder of files goes.

        Raises:
            ValueError: if there is no image, where those missing are told; or if the
                folder of files holds others.
        """
        pictures.pillow()
        missing = []
        folder = f"{os.path.splitext(path)[0]}-images"
        if self.full_size == BESIDE:
            advice = "Give the page, from whose name it has its own, another one."
            check_empty_folder(folder, r"[0-9a-f]{20}\.png", advice)
        for name, image in pictures.find_pictures(self.images, self.ids):
            if isinstance(image, str):
                missing.append(f"{name!r} {image}")
                continue
            self.digests[name] = pictures.pixel_digest(image.original)
            self.small[name] = pictures.data_url(image.shown, self.thumbnail_size)
            if self._is_made_smaller(image):
                self._add_large(name, image, folder)
        if not self.small:
            raise ValueError(
                f"There is nothing to review: {some(missing, 3)}. Pass the images that "
                "the proposals were made for."
                if missing
                else "There is nothing to review: the proposals hold no image."
            )
        if missing:
            warnings.warn(
                f"{len(missing):,} of {len(self.ids):,} images are left out of the "
                f"review: {some(missing, 3)}.",
                stacklevel=4,
            )

    def _is_made_smaller(self, image: pictures.Picture) -> bool:
        size = image.shown.shape[1::-1]
        return pictures.fitting(size, self.thumbnail_size) != size

    def _add_large(self, name: str, image: pictures.Picture, folder: str) -> None:
        if self.full_size == BESIDE:
            # The name of a file must not tell what a blind image is.
            file = f"{self.digests[name][:20]}.png"
            with whole_path(os.path.join(folder, file)) as temporary:
                pictures.pillow().fromarray(image.shown).save(temporary, "PNG")
            self.large[name] = quote(f"{os.path.basename(folder)}/{file}")
        elif self.full_size is not None:
            self.large[name] = pictures.data_url(image.shown, self.full_size)

    def size_of(self, grouped: Iterable[str], alone: Iterable[str]) -> int:
        """Returns the bytes of some pictures on a page, in groups and alone."""
        shown = [*(self.small[name] for name in grouped)]
        shown += [self.large[name] for name in grouped if name in self.large]
        shown += [self.address_alone(name) for name in alone]
        return sum(map(len, shown))

    def address_alone(self, name: str) -> str:
        """Returns the address of an image that is asked about alone."""
        embedded = {} if self.full_size == BESIDE else self.large
        return self.alone.get(name) or embedded.get(name) or self.small[name]

    def enlarge_alone(self, pages: Sequence[tuple[int, Collection[str]]]) -> None:
        """Makes larger pictures of the images that are asked about alone.

        As large as pages stay below the limit, at most 640 pixels; if that is less, it
        is told.

        Args:
            pages: bytes of all else, and the images asked about alone, of each page.
        """
        names = [name for _, alone in pages for name in alone]
        if isinstance(self.full_size, int) or not names:
            return
        most = max(_ALONE[0], self.thumbnail_size)
        sizes = [most, *(s for s in _ALONE[1:] if s > self.thumbnail_size)]
        for size in sizes:
            self.alone = {
                name: pictures.data_url(image.shown, size)
                for name, image in pictures.find_pictures(self.images, self.ids, names)
                if not isinstance(image, str)
            }
            if all(
                rest + sum(len(self.alone[name]) for name in alone) <= LIMIT
                for rest, alone in pages
            ):
                break
        else:
            self.alone, size = {}, self.thumbnail_size
        if size < most:
            warnings.warn(
                f"Images that come alone are at most {size} pixels large, as a page "
                f"with all of them in {most} pixels would be above "
                f"{LIMIT // 1_000_000} MB. `full_size={most}` makes more pages "
                "instead.",
                stacklevel=4,
            )
