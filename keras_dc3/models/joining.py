"""A model of features joined with the backbone that computed them: one of images."""

from __future__ import annotations

from typing import Any

from keras_dc3.backbones import JoinedBackbone
from keras_dc3.models import saving
from keras_dc3.models.image_values import ImageValues

HEADS = (
    "class_head",
    "cluster_head",
    "prototype_head",
    "ambiguity_head",
    "order_head",
    "disagreement_head",
)


def on_images(model: Any) -> Any:
    """Returns a new model of images, which answers as a `DC3Model` of features does.

    Args:
        model: with an `image_backbone`.

    Raises:
        ValueError: if a layer of its backbone lacks a `get_config`.
    """
    frozen = model.image_backbone
    with model.collective.scope():
        copy = saving.copied(model, averaged=model.evaluate_with == "ema")
        parts = frozen, copy.network.standardization, copy.backbone
        config = {
            **model.get_config(),
            "backbone": JoinedBackbone(*parts),
            "evaluate_with": "raw",
            "rescale": False,  # the frozen backbone does it
            "image_backbone": None,
            "feature_source": None,
        }
        joined = type(model).from_config(config)
        if frozen.value_range is None:
            joined.image_values = ImageValues("integers")
        else:
            joined.image_values = ImageValues("floats", *frozen.value_range)
        joined.build((None, *frozen.image_shape))
        for name in HEADS:
            head = getattr(copy.network, name)
            if head is not None:
                getattr(joined.network, name).set_weights(head.get_weights())
        joined.average.reset(joined.network)
        joined.verdict = model.verdict
    return joined
