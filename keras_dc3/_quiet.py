"""TensorFlow's words about drivers and processors, left out of the command line.

To be imported before TensorFlow, which reads the level once. Standard library only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import PurePath

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def is_program(name: str, call: Sequence[str]) -> bool:
    """Whether this process is `keras-dc3` or `python -m keras_dc3...`, no library.

    Args:
        name: of the program, `sys.argv[0]`; "-m" while a module is being found.
        call: the whole command line, `sys.orig_argv`.
    """
    if name != "-m":
        return PurePath(name).stem == "keras-dc3"
    module = [*call, ""][list(call).index("-m") + 1] if "-m" in call else ""
    return module.split(".")[0] == "keras_dc3"


if is_program(sys.argv[0] if sys.argv else "", sys.orig_argv):
    # What matters comes as an exception. Whoever has set a level wants to see it.
    os.environ.setdefault(_LEVEL, "3")
