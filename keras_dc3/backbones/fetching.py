"""Weights fetched where there is a network, for where there is none."""

from __future__ import annotations

import os

from keras_dc3._validation import check_writable_folder
from keras_dc3._writing import whole_path
from keras_dc3.backbones import applications, hub
from keras_dc3.backbones.pretrained import kind_of


def fetch(name: str, to: str | os.PathLike) -> str:
    """Fetches the weights of a backbone and writes them where you say.

    What stood there is replaced as a whole, or stays. On the command line:
    `python -m keras_dc3.backbones fetch NAME --to FILE`.

    Args:
        name: as for `pretrained`.
        to: a file that ends in `.weights.h5`; for a preset of KerasHub a folder, new,
            empty, or with an older one.

    Returns:
        What to do with it, for people.

    Raises:
        ValueError: for an unknown name, or a path that ends otherwise.
        OSError: if there is no network, or nothing can be written.

    Example:

    ```python
    keras_dc3.backbones.fetch("efficientnet_b0", "efficientnet_b0.weights.h5")
    ```
    """
    to = os.fspath(to)
    known = kind_of(name)
    is_preset = known is None
    if not is_preset and not to.endswith(".weights.h5"):
        raise ValueError(
            f"Name a file that ends in .weights.h5, such as {name}.weights.h5. "
            f"Received: {to!r}"
        )
    found = os.listdir(to) if is_preset and os.path.isdir(to) else []
    if found and "config.json" not in found:
        raise ValueError(
            f"The folder {to!r} holds files that are no preset of KerasHub; name an "
            "empty or new folder."
        )
    check_writable_folder(os.path.dirname(os.path.abspath(to)))
    with whole_path(to, folder=is_preset) as temporary:
        if is_preset:
            hub.fetch(name, temporary)
        else:
            network = applications.make(known, "imagenet").network
            network.save_weights(temporary)
    what = "folder" if is_preset else "file"
    return (
        f"Written: {to}. Copy this {what} to the other machine and pass its path: "
        f'keras_dc3.backbones.pretrained("{name}", weights="{os.path.basename(to)}").'
    )
