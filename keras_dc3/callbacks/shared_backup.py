"""A backup that the first of several workers has read, for all of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np

Found = tuple[dict[str, Any], list[bytes]]


def shared(collective: Any, find: Callable[[], Found | None]) -> Found | None:
    """Returns what the first worker finds, in all of them, which all call it.

    Args:
        collective: the workers.
        find: reads a header and the bytes of arrays; called in the first one alone.

    Raises:
        ValueError: in all of them, if `find` raises it in the first one; in the others
            also if it raises OSError there.
        OSError: in the first one, if `find` raises it.
    """
    if collective.workers == 1:
        return find()
    told, arrays, error = None, [], None
    if collective.worker == 0:
        try:
            found = find()
        except (ValueError, OSError) as failure:
            error, told = failure, {"error": f"{failure}"}
        else:
            header, arrays = found or (None, [])
            told = {"header": header, "sizes": [len(part) for part in arrays]}
    told = json.loads(_of_first(collective, json.dumps(told).encode()))
    if error is not None:
        raise error
    if "error" in told:
        raise ValueError(told["error"])
    content = _of_first(collective, b"".join(arrays))
    if told["header"] is None:
        return None
    ends = np.cumsum([0, *told["sizes"]]).tolist()
    return told["header"], [
        content[start:end] for start, end in itertools.pairwise(ends)
    ]


def _of_first(collective: Any, content: bytes) -> bytes:
    """Returns the bytes of the first worker."""
    rows = np.frombuffer(content if collective.worker == 0 else b"", "uint8")
    # One more row for each, as TensorFlow cannot gather none.
    sent = np.concatenate([rows, np.zeros(1, "uint8")])
    received = collective.joined(sent.astype("int32"))
    return received[: len(received) - collective.workers].astype("uint8").tobytes()
