"""Images with annotation counts, and the batches to train on.

Importing this needs NumPy and Keras only.
"""

from keras_dc3.data.image_set import ImageSet, ReadableImages
from keras_dc3.data.labels import (
    balanced_class_weights,
    entropy,
    is_ambiguous,
    is_annotated,
    majority,
    sample_hard_labels,
    soft_labels,
)
from keras_dc3.data.plan import BatchPlan, EpochOrder
from keras_dc3.data.policies import Custom, NoAugmentation, Strong, Weak, get_policy
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.splits import Split, check_disjoint, split

__all__ = [
    "BatchPlan",
    "Custom",
    "EpochOrder",
    "ImageSet",
    "NoAugmentation",
    "ReadableImages",
    "SemiSupervisedData",
    "Split",
    "Strong",
    "Weak",
    "balanced_class_weights",
    "check_disjoint",
    "entropy",
    "get_policy",
    "is_ambiguous",
    "is_annotated",
    "majority",
    "sample_hard_labels",
    "soft_labels",
    "split",
]
