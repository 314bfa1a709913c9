"""Proposals on a page that people answer in a browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_dc3.proposals.proposals import Proposals


def to_review(
    proposals: Proposals,
    path: str | os.PathLike,
    images: Any,
    mode: str = "dc3",
    *,
    title: str | None = None,
    control: float = 0.1,
    repetitions: float = 0.05,
    seed: int = 0,
    thumbnail_size: int = 160,
    max_images_per_page: int = 2000,
    round_name: str = "",
) -> tuple[str, ...]:
    """Writes a review sheet, a page on which people label in a browser.

    It is one file that needs no server and no network. Answers stay in the browser,
    until they are downloaded as JSON or CSV; `keras_dc3.review.read` reads both.

    In a group, people accept the proposed class for all images at once, after they
    have taken out or named those that do not belong: medoids first, the least typical
    images last. A group of more than 100 images comes in parts. Blind images come alone
    and without a proposal.

    Args:
        path: the file, such as "review.html". Larger sets make several pages,
            "review-1.html", "review-2.html", ...; a warning tells their names.
        images: (n, h, w, c), uint8 or floating point, in the order of the proposals; or
            id -> image; or a set of images with ids, such as `data.unlabeled`; or the
            path of a folder to which the ids are relative. Images that are missing or
            damaged are left out, with a warning.
        mode: "dc3": classes of the certain images and clusters of the ambiguous ones,
            see `groups`; "classes": the predicted class of each image; "none": nothing
            is proposed, all images are blind.
        title: of the page. Default: the name of the file.
        control: share of the images that are blind in the other modes, drawn from all
            alike, in blocks of about ten spread over the page, to measure what
            proposals do to people's answers. They are never shown with a proposal.
        repetitions: share of the blind images that come a second time, unannounced, to
            measure whether people agree with themselves. At most 0.5: they come after
            half of the others at the earliest.
        seed: of the draw and the order of blind images.
        thumbnail_size: longest side of an image on the page, pixels. Larger images are
            made smaller; up to 64 pixels they are PNG, else JPEG of quality 85.
        max_images_per_page: more images make several pages.
        round_name: any text. A page that is written again with the same arguments and
            proposals goes on with the answers that a browser keeps of it; under
            another name it starts empty.

    Returns:
        The paths of the files.

    Raises:
        ImportError: if Pillow is not installed.
        OSError: if a file cannot be written.
        ValueError, TypeError: if an argument is not as described, no image is found, or
            an id or class name is no valid Unicode or has outer blanks.

    Example:

        proposals = model.propose(data.unlabeled)
        proposals.to_review("review.html", data.unlabeled)
    """
    from keras_dc3.review import write

    return write(
        proposals,
        path,
        images,
        mode,
        title=title,
        control=control,
        repetitions=repetitions,
        seed=seed,
        thumbnail_size=thumbnail_size,
        max_images_per_page=max_images_per_page,
        round_name=round_name,
    )
