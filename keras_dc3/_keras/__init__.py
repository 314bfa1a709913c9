"""The private parts of Keras that this package uses, all of them in this place.

Tried before every merge with the oldest Keras that setup.py allows and the newest; 3.12
and 3.15 when this was written. When a newer one changes one of them, this is the place
to look at; everything else calls what Keras documents.
"""

from keras_dc3._keras.adapted_model import AdaptedModel
from keras_dc3._keras.gradients import adapt_to_replicas
from keras_dc3._keras.parts import (
    begin_with,
    has_direction,
    has_layers,
    layers_in,
    more_is_better,
    operation_of,
    own_layers,
    own_state,
    schedule_of,
    set_schedule,
    takes_training,
)

__all__ = [
    "AdaptedModel",
    "adapt_to_replicas",
    "begin_with",
    "has_direction",
    "has_layers",
    "layers_in",
    "more_is_better",
    "operation_of",
    "own_layers",
    "own_state",
    "schedule_of",
    "set_schedule",
    "takes_training",
]
