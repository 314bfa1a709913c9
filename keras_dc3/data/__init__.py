"""Images with annotation counts, and the batches to train on.

Importing this needs NumPy and Keras only.
"""

from keras_dc3.data.class_weights import balanced_class_weights
from keras_dc3.data.decoding import ImageFormat, read_image
from keras_dc3.data.image_files import FileImages
from keras_dc3.data.image_folder import FolderListing, list_images
from keras_dc3.data.image_set import ImageSet, ReadableImages
from keras_dc3.data.labels import (
    entropy,
    is_ambiguous,
    is_annotated,
    is_tied,
    majority,
    majority_shares,
    sample_hard_labels,
    soft_labels,
)
from keras_dc3.data.opened_images import MAX_PIXELS, ImageFileError
from keras_dc3.data.plan import BatchPlan, EpochOrder
from keras_dc3.data.policies import Custom, NoAugmentation, Strong, Weak, get_policy
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.sparse_counts import SparseCounts
from keras_dc3.data.splits import Split, check_disjoint, split
from keras_dc3.data.stored_values import ValueRange

__all__ = [
    "MAX_PIXELS",
    "BatchPlan",
    "Custom",
    "EpochOrder",
    "FileImages",
    "FolderListing",
    "ImageFileError",
    "ImageFormat",
    "ImageSet",
    "NoAugmentation",
    "ReadableImages",
    "SemiSupervisedData",
    "SparseCounts",
    "Split",
    "Strong",
    "ValueRange",
    "Weak",
    "balanced_class_weights",
    "check_disjoint",
    "entropy",
    "get_policy",
    "is_ambiguous",
    "is_annotated",
    "is_tied",
    "list_images",
    "majority",
    "majority_shares",
    "read_image",
    "sample_hard_labels",
    "soft_labels",
    "split",
]
