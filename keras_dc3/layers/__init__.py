"""Layers: the heads of DC3, the average of a network's weights, and scaled features."""

from keras_dc3.layers.ambiguity_head import (
    AmbiguityHead,
    class_uncertainty,
    error_logit,
    ordered_on_each_side,
)
from keras_dc3.layers.disagreement_head import DisagreementHead
from keras_dc3.layers.feature_standardization import FeatureStandardization
from keras_dc3.layers.merged_class_head import MergedClassHead
from keras_dc3.layers.overcluster_head import OverclusterHead
from keras_dc3.layers.prototype_head import PrototypeHead
from keras_dc3.layers.weight_average import WeightAverage

__all__ = [
    "AmbiguityHead",
    "DisagreementHead",
    "FeatureStandardization",
    "MergedClassHead",
    "OverclusterHead",
    "PrototypeHead",
    "WeightAverage",
    "class_uncertainty",
    "error_logit",
    "ordered_on_each_side",
]
