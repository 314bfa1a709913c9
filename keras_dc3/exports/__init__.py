"""Proposals for other tools. Importing this needs NumPy only."""

from keras_dc3.exports.cleanlab import pred_probs
from keras_dc3.exports.dcic import to_dcic
from keras_dc3.exports.fiftyone import to_fiftyone
from keras_dc3.exports.label_studio import label_studio_config, to_label_studio

__all__ = [
    "label_studio_config",
    "pred_probs",
    "to_dcic",
    "to_fiftyone",
    "to_label_studio",
]
