"""Backbones to start from: the paper's network, and one for a CPU.

Any Keras model from images to features serves as a backbone; for larger photographs
those of `keras.applications` are the better choice.
"""

from keras_dc3.backbones.features import feature_mlp
from keras_dc3.backbones.frozen import FrozenBackbone
from keras_dc3.backbones.networks import small_cnn, wide_resnet

__all__ = ["FrozenBackbone", "feature_mlp", "small_cnn", "wide_resnet"]
