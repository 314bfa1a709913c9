"""Checks and writing that several exports share."""

from __future__ import annotations

import json
import os
from typing import Any

from keras_dc3._writing import whole_file
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.columns import not_unicode


def check_proposals(proposals: Any) -> None:
    """Raises TypeError unless these are `Proposals`."""
    if not isinstance(proposals, Proposals):
        raise TypeError(
            "`proposals` must be a `keras_dc3.Proposals`; read a file with "
            f"`Proposals.from_csv(path)`. Received: {type(proposals).__name__}"
        )


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Writes JSON as UTF-8; the file is complete or not there."""
    try:
        with whole_file(path, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, allow_nan=False, indent=1)
    except UnicodeEncodeError as error:
        raise not_unicode(error) from error
