"""The DC3 model and the network inside it."""

from keras_dc3.models.dc3_model import DC3Model
from keras_dc3.models.image_values import ImageValues
from keras_dc3.models.network import DC3Network

__all__ = ["DC3Model", "DC3Network", "ImageValues"]
