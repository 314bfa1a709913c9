"""Predictions of a model, from whatever holds them. NumPy only."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._text import some, tell
from keras_dc3._validation import check_class_names, check_ids, check_matrix
from keras_dc3.annotations.reading.files import as_text
from keras_dc3.annotations.reading.table_files import is_frame
from keras_dc3.proposals.predictions.embedded import embeddings_for
from keras_dc3.proposals.predictions.files import EMBEDDINGS, of_frame, read_file
from keras_dc3.proposals.predictions.probabilities import as_probabilities
from keras_dc3.proposals.predictions.tables import Columns, choose

_FORMS = (
    "the path of a file (CSV, Parquet, .npz), a pandas data frame, or an array "
    "(images, classes)"
)


@dataclass(frozen=True)
class Predictions:
    """Class probabilities of n images.

    Attributes:
        ids: n names.
        class_names: k names.
        probabilities: (n, k) float64.
        embeddings: (n, d), or None.
    """

    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    probabilities: np.ndarray
    embeddings: np.ndarray | None


def read(
    given: Any,
    embeddings: Any,
    *,
    ids: Sequence[str] | None,
    class_names: Sequence[str] | None,
    id_column: str | None,
    logits: bool,
    encoding: str,
) -> Predictions:
    """Returns predictions; see `Proposals.from_predictions` for the arguments."""
    if class_names is not None:
        class_names = check_class_names("class_names", class_names)
    if ids is not None and id_column is not None:
        raise ValueError(
            "Pass `ids`, names of the images, or `id_column`, the column that holds "
            "them, but not both."
        )
    is_path = isinstance(given, str | os.PathLike)
    found = read_file(given, encoding) if is_path else given
    if is_frame(found):
        found = of_frame(found)
    if isinstance(found, Columns):
        stored = _stored_embeddings(found)
        chosen = choose(
            found, id_column, class_names, named=ids is not None, logits=logits
        )
        tell(f"Predictions of {found.name}:", chosen.notes, stacklevel=3)
        ids = chosen.ids if ids is None else ids
        class_names, values, place = chosen.class_names, chosen.values, found.place
    else:
        if not isinstance(found, dict):
            found = {"predictions": found}
        elif not is_path:
            raise TypeError(
                f"`predictions` must be {_FORMS}; of a dict make a data frame first, "
                "`pandas.DataFrame(...)`. Received: dict"
            )
        values = _matrix(found["predictions"])
        stored = found.get("embeddings")
        ids = _names("ids", ids, found.get("ids"), len(values), "row")
        class_names = _names(
            "class_names", class_names, found.get("class_names"), values.shape[1]
        )
        start = f"{os.fspath(given)!r}, row " if is_path else "Row "
        place = f"{start}{{}}".format
    if not len(values):
        raise ValueError("There are no predictions: the table or array has no row.")
    ids = _checked_ids(ids, place, len(values))
    if stored is not None and embeddings is not None:
        raise ValueError(
            "The file holds embeddings beside the predictions, so that `embeddings` "
            "would be a second set of them. Leave one of both out."
        )
    probabilities = as_probabilities(values, logits, place)
    if stored is None and embeddings is not None:
        stored = embeddings_for(embeddings, ids, id_column)
    return Predictions(
        ids, check_class_names("class_names", class_names), probabilities, stored
    )


def _matrix(values: Any) -> np.ndarray:
    if hasattr(values, "detach"):  # a tensor of PyTorch
        values = values.detach().cpu()
    try:
        values = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            "`predictions` must be numbers, shape (images, classes). Received: rows of "
            "several lengths."
        ) from error
    return check_matrix(
        "predictions", values, f"{_FORMS} of numbers, one column per class"
    ).astype("float64")


def _names(
    argument: str, given: Any, stored: Any, number: int, what: str = "column"
) -> Any:
    """Returns the names that an argument or the file gives."""
    if given is not None and stored is not None and list(given) != list(stored):
        raise ValueError(
            f"`{argument}` differs from what the file holds under this name. Leave it "
            "out, or pass the array itself."
        )
    names = stored if given is None else given
    if names is None:
        raise ValueError(
            f"An array does not name its {what}s: pass `{argument}`, "
            f"{number:,} names in their order."
        )
    names = [as_text(name) or "" for name in names]
    if len(names) != number:
        raise ValueError(
            f"`{argument}` must have one name per {what} of the predictions. Received: "
            f"{len(names):,} names for {number:,} {what}s."
        )
    return names


def _checked_ids(
    ids: Sequence[str], place: Callable[[int], str], number: int
) -> tuple[str, ...]:
    names = list(ids)
    if len(names) != number:
        raise ValueError(
            f"`ids` must have one name per row of the predictions. Received: "
            f"{len(names):,} names for {number:,} rows."
        )
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if not name:
            raise ValueError(f"{place(row)}: the image has no name. Name it.")
        if first.setdefault(name, row) != row:
            raise ValueError(
                f"{place(row)}: the image {name!r} stands in {place(first[name])} "
                "already. Average its predictions, or remove one."
            )
    return check_ids("ids", names, stacklevel=5)


def _stored_embeddings(table: Columns) -> np.ndarray | None:
    """Returns the embeddings that stand in a column of lists; None if there are none.

    Raises:
        ValueError: if several columns may be those, or rows differ in length.
    """
    lists = [
        title
        for title, cells in zip(table.titles, table.cells, strict=True)
        if not isinstance(cells, np.ndarray)
        and any(isinstance(cell, list | np.ndarray) for cell in cells[:1])
    ]
    known = [title for title in EMBEDDINGS if title in lists]
    if not lists:
        return None
    if len(known) != 1 or len(lists) > 1:
        raise ValueError(
            f"{table.name} has columns of lists: {some(map(repr, lists))}. One may be "
            f"{EMBEDDINGS[0]!r}; probabilities stand in a column per class: "
            "`pandas.DataFrame(frame[column].tolist(), columns=class_names)`."
        )
    cells = table.cells[table.titles.index(known[0])]
    lengths = [len(cell) if cell is not None else 0 for cell in cells]
    odd = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
    if odd is not None:
        raise ValueError(
            f"{table.place(odd)}: `{known[0]}` has {lengths[odd]} numbers, but "
            f"{lengths[0]} in the first row."
        )
    return np.array([list(cell) for cell in cells], "float32")
