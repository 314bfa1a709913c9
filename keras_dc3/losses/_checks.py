"""Checks that several losses share."""

from __future__ import annotations

from typing import Any

from keras_dc3._validation import check_rank, check_same_batch


def check_same_clusters(**clusters: Any) -> None:
    """Raises ValueError unless cluster probabilities have rank 2 and equal width."""
    for name, value in clusters.items():
        check_rank(name, value, 2, "(images, clusters)")
    known = {name: value.shape[1] for name, value in clusters.items()}
    if len({width for width in known.values() if width is not None}) > 1:
        widths = ", ".join(f"{name}: {width}" for name, width in known.items())
        raise ValueError(
            f"All arguments must hold the same number of clusters. Received: {widths}"
        )


def check_cluster_pairs(y_true: Any, y_pred: Any) -> None:
    """Raises ValueError unless both have one shape, (images, clusters)."""
    check_same_clusters(y_true=y_true, y_pred=y_pred)
    check_same_batch(y_true=y_true, y_pred=y_pred)


def check_classes(**classes: Any) -> None:
    """Raises ValueError unless classes have rank 1."""
    for name, value in classes.items():
        check_rank(name, value, 1, "(images,)")
