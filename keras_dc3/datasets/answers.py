"""Who answered what, as counts of the images of a data set."""

from __future__ import annotations

from collections.abc import Sequence

from keras_dc3._text import tell
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.counts import in_class_order
from keras_dc3.annotations.selecting import FILES, Words, match_names
from keras_dc3.annotations.sparse_counts import SparseCounts


def counts_of(
    annotations: Annotations,
    files: Sequence[str],
    class_names: tuple[str, ...] | None,
    missing: str,
    words: Words = FILES,
) -> tuple[SparseCounts, tuple[str, ...]]:
    """Returns counts and class names of annotated images.

    Args:
        annotations: who said what.
        files: names of all images.
        class_names: the classes; None for those of the annotations.
        missing: "error", or "drop" to leave out annotated images that are not there.
        words: what `files` are called in messages.

    Raises:
        TypeError: if they are no `Annotations`.
        AnnotationError: see `Annotations.match`.
    """
    if not isinstance(annotations, Annotations):
        raise TypeError(
            "`annotations` must be `keras_dc3.Annotations` or the path of a CSV file. "
            f"Received: {type(annotations).__name__}"
        )
    counts = annotations.counts
    if class_names is None:
        class_names = annotations.class_names
    else:
        counts = in_class_order(counts, annotations.class_names, class_names)
    found, notes = match_names(
        annotations.ids, files, annotations.places, missing, words=words
    )
    if annotations.cannot_disagree and counts.any():
        notes.append(
            "There is at most one annotation per image, so that all soft labels are "
            "one-hot: ambiguity cannot be measured. Ask several people."
        )
    tell("Images and annotations:", notes, stacklevel=3)
    position = {name: i for i, name in enumerate(files)}
    rows = [i for i, name in enumerate(annotations.ids) if name in found]
    places = [position[found[annotations.ids[row]]] for row in rows]
    return SparseCounts.from_rows(counts[rows], places, len(files)), class_names
