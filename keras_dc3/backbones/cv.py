"""Backbones of KerasCV (the extra `[cv]`), whose maintainers have moved to KerasHub."""

from __future__ import annotations

from typing import Any

import keras

from keras_dc3 import _keras
from keras_dc3.backbones.scaling import SCALINGS, Scaling


def is_backbone(network: Any) -> bool:
    """Whether a model is a backbone of KerasCV."""
    return any(
        base.__module__.startswith("keras_cv.") and base.__name__ == "Backbone"
        for base in type(network).__mro__
    )


def scaling_of(network: Any) -> Scaling:
    """Returns what a backbone of KerasCV wants 0..255 to be.

    It divides by 255 itself, or it was made with `include_rescaling=False`.
    """
    layers = _keras.layers_in(network)
    inside = any(isinstance(layer, keras.layers.Rescaling) for layer in layers)
    return SCALINGS["none" if inside else "unit"]
