"""Checks at public boundaries. Each raises one sentence that says how to fix it."""

from keras_dc3._validation.arrays import (
    check_channels_last,
    check_class_labels,
    check_counts,
    check_distributions,
    check_indices,
    check_matrix,
    check_rank,
    check_same_batch,
    check_soft_labels,
    check_unit_interval,
)
from keras_dc3._validation.features import (
    as_floats,
    check_feature_rank,
    check_features,
    check_finite,
)
from keras_dc3._validation.folders import (
    check_empty_folder,
    check_outside,
    tell_of_pictures,
)
from keras_dc3._validation.names import (
    check_class_names,
    check_given_classes,
    check_ids,
    check_names,
    check_ordered,
)
from keras_dc3._validation.values import (
    check_choice,
    check_not_negative,
    check_open_probability,
    check_positive_int,
    check_positive_number,
    check_probability,
    check_seed,
    check_writable_folder,
    is_number,
)

__all__ = [
    "as_floats",
    "check_channels_last",
    "check_choice",
    "check_class_labels",
    "check_class_names",
    "check_counts",
    "check_distributions",
    "check_empty_folder",
    "check_feature_rank",
    "check_features",
    "check_finite",
    "check_given_classes",
    "check_ids",
    "check_indices",
    "check_matrix",
    "check_names",
    "check_not_negative",
    "check_open_probability",
    "check_ordered",
    "check_outside",
    "check_positive_int",
    "check_positive_number",
    "check_probability",
    "check_rank",
    "check_same_batch",
    "check_seed",
    "check_soft_labels",
    "check_unit_interval",
    "check_writable_folder",
    "is_number",
    "tell_of_pictures",
]
