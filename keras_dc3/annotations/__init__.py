"""What people said about images: answers, their counts, and what follows from them.

Importing this needs NumPy only; pandas is imported by `to_frame`.
"""

from keras_dc3.annotations.annotations import Annotations
from keras_dc3.annotations.class_weights import balanced_class_weights
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.annotations.counts import (
    disagreement,
    entropy,
    is_ambiguous,
    is_annotated,
    is_tied,
    majority,
    majority_shares,
    sample_hard_labels,
    soft_labels,
)
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.mean_disagreement import MeanDisagreement
from keras_dc3.annotations.names import class_order
from keras_dc3.annotations.records import Records
from keras_dc3.annotations.sparse_counts import SparseCounts

__all__ = [
    "AnnotationError",
    "Annotations",
    "CountedLabels",
    "MeanDisagreement",
    "Records",
    "SparseCounts",
    "balanced_class_weights",
    "class_order",
    "disagreement",
    "entropy",
    "is_ambiguous",
    "is_annotated",
    "is_tied",
    "majority",
    "majority_shares",
    "sample_hard_labels",
    "soft_labels",
]
