"""Fetches the weights of a backbone, for machines without a network.

    python -m keras_dc3.backbones fetch efficientnet_b0 --to efficientnet_b0.weights.h5
    python -m keras_dc3.backbones fetch dinov2_small --to dinov2_small
    python -m keras_dc3.backbones names

Copy the file, or for a preset of KerasHub the folder, to the other machine, and pass
its path there as `weights` to `keras_dc3.backbones.pretrained`.
"""

from __future__ import annotations

import sys

from absl import app, flags

from keras_dc3.backbones.fetching import fetch
from keras_dc3.backbones.pretrained import names

_TO = flags.DEFINE_string("to", None, "The file, or for KerasHub the folder, to write.")


def main(argv: list[str]) -> None:
    """Runs the command."""
    words = argv[1:]
    if words == ["names"]:
        print("\n".join(names()))
        return
    if len(words) != 2 or words[0] != "fetch" or _TO.value is None:
        raise app.UsageError("Say `fetch NAME --to FILE`, or `names`.")
    try:
        print(fetch(words[1], _TO.value))
    except (ImportError, OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    app.run(main)
