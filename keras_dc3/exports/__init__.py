"""Proposals for other tools. Importing this needs NumPy only."""

from keras_dc3.exports.cleanlab import to_cleanlab
from keras_dc3.exports.dcic import to_dcic
from keras_dc3.exports.fiftyone import to_fiftyone
from keras_dc3.exports.label_studio import to_label_studio

__all__ = ["to_cleanlab", "to_dcic", "to_fiftyone", "to_label_studio"]
