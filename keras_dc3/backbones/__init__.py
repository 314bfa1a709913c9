"""Backbones: networks trained elsewhere, by name or your own, and two for pixels.

`pretrained` makes one of the image classifiers of `keras.applications`, or of the image
encoders of KerasHub; `from_model` makes one of any Keras model; `small_cnn` trains from
pixels on a CPU, and `wide_resnet` is the paper's; `feature_mlp` is for features that
were computed before.
"""

from keras_dc3.backbones.backbone import Backbone
from keras_dc3.backbones.features import feature_mlp
from keras_dc3.backbones.fetching import fetch
from keras_dc3.backbones.freezing import blocks_of, set_trainable
from keras_dc3.backbones.frozen import FrozenBackbone
from keras_dc3.backbones.joined import JoinedBackbone
from keras_dc3.backbones.networks import small_cnn, wide_resnet
from keras_dc3.backbones.pretrained import from_model, names, pretrained
from keras_dc3.backbones.scaling import Scaling, get_scaling

__all__ = [
    "Backbone",
    "FrozenBackbone",
    "JoinedBackbone",
    "Scaling",
    "blocks_of",
    "feature_mlp",
    "fetch",
    "from_model",
    "get_scaling",
    "names",
    "pretrained",
    "set_trainable",
    "small_cnn",
    "wide_resnet",
]
