"""A model with other classes: what its heads know is carried, the rest is kept."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.models import saving
from keras_dc3.models.joining import HEADS
from keras_dc3.probes.disagreement_probe import DisagreementCoefficients

RARE = 0.01  # the most that all new classes together have of an image, as odds
_NEVER = 30.0  # below the mean logit: no probability in float32
_PER_CLASS = 5  # clusters of a head that has to grow


class Rows(NamedTuple):
    """The rows of the class head of a model with other classes.

    Attributes:
        class_of: of each row its class.
        old: of each row the one that it is a copy of; -1 for that of a new class.
    """

    class_of: tuple[int, ...]
    old: tuple[int, ...]

    @classmethod
    def of(cls, change: ClassChange, class_of_row: tuple[int, ...] | None) -> Rows:
        """Returns the rows after a change.

        Args:
            change: of the classes.
            class_of_row: of each row so far its class; None: a row per class.
        """
        if class_of_row is None:
            class_of_row = tuple(range(len(change.before)))
        of_class, old = [], []
        for new, sources in enumerate(change.sources):
            rows = [row for row, c in enumerate(class_of_row) if c in sources] or [-1]
            of_class += [new] * len(rows)
            old += rows
        return cls(tuple(of_class), tuple(old))

    @property
    def if_merged(self) -> tuple[int, ...] | None:
        """`class_of`, or None where each class has one row."""
        plain = self.class_of == tuple(range(len(self.class_of)))
        return None if plain else self.class_of


def grown(model: Any, change: ClassChange) -> Any:
    """Returns a new model with the classes of a change; see `DC3Model.with_classes`.

    Raises:
        ValueError: if no class stays, fewer than two are left, or the backbone cannot
            be copied.
    """
    if not any(change.sources):
        raise ValueError(
            "No class of the model stays, so that its class head knows none: train a "
            "new model, or say by `renamed` what becomes of the old classes."
        )
    rows = Rows.of(change, model.classes.rows)
    number, clusters = len(change.after), model.num_clusters
    with model.collective.scope():
        before = saving.copied(model, averaged=model.evaluate_with == "ema")
        config = {
            **before.get_config(),
            "evaluate_with": model.evaluate_with,
            "backbone": before.backbone,
            "image_backbone": None,
            "num_classes": number,
            "class_names": list(change.after),
            "class_rows": rows.if_merged,
            "num_clusters": clusters if clusters > number else _PER_CLASS * number,
        }
        after = type(model).from_config(
            config, custom_objects=saving.classes_of(before)
        )
        after.image_backbone = model.image_backbone
        after.build((None, *model.image_shape))
        after.network.set_rescale(model.network.rescale)
        _carry(before.network, after.network, change, rows)
        after.average.reset(after.network)
    after.verdict = model.verdict if change.is_none else None
    return after


def _carry(before: Any, after: Any, change: ClassChange, rows: Rows) -> None:
    """Gives the heads and the standardization of a network to another one."""
    if before.standardization is not None:
        after.standardization.set_weights(before.standardization.get_weights())
    for name in HEADS:
        old, new = getattr(before, name), getattr(after, name)
        if old is not None:
            _CARRIERS[name](old, new, change, rows)


def _classes(old: Any, new: Any, change: ClassChange, rows: Rows) -> None:
    new.set_weights(class_rows(*old.get_weights(), rows))


def class_rows(
    kernel: np.ndarray, bias: np.ndarray, rows: Rows
) -> tuple[np.ndarray, np.ndarray]:
    """Returns kernel (d, s) and bias (s,) of the rows of a class head.

    Rows that are kept are copies. Of R such rows, that of a new class is their mean,
    with ln(R RARE / m) added for m new ones. For every image the exponential of a mean
    is at most the mean of the exponentials, so that the odds of all new classes
    together are at most `RARE`: they begin rare, are likeliest where the model
    is least sure of the others, and leave the ratios of these as they were.

    Args:
        kernel: (d, r). bias: (r,).
        rows: of the new head.
    """
    old = np.array(rows.old)
    kept, new = old[old >= 0], old < 0
    kernel_new, bias_new = kernel[:, old], bias[old]
    if new.any():
        odds = math.log(len(kept) * RARE / new.sum())
        kernel_new[:, new] = kernel[:, kept].mean(axis=1, keepdims=True)
        bias_new[new] = bias[kept].mean() + odds
    return kernel_new, bias_new


def _clusters(old: Any, new: Any, change: ClassChange, rows: Rows) -> None:
    (kernel, bias), (drawn, begin) = old.get_weights(), new.get_weights()
    k, more = kernel.shape[1], drawn.shape[1] - kernel.shape[1]
    drawn[:, :k], begin[:k] = kernel, bias
    if more:  # like those of a new head, and rare
        drawn[:, k:] += kernel.mean(axis=1, keepdims=True)
        begin[k:] = bias.mean() + math.log(k * RARE / more)
    new.set_weights([drawn, begin])


def _prototypes(old: Any, new: Any, change: ClassChange, rows: Rows) -> None:
    prototypes, memory, written, started = old.get_weights()
    first = new.get_weights()[0]
    carried = _of_joined(prototypes, change)
    if len(first) > len(carried):  # spread anew among the images that are remembered
        first[: len(carried)], started = carried, np.zeros_like(started)
        carried = first
    new.set_weights([carried, _of_joined(memory, change), written, started])


def _of_joined(points: np.ndarray, change: ClassChange) -> np.ndarray:
    """Returns (features, 2 sqrt(p)) of other classes, where p of merged ones add up."""
    d = points.shape[1] - len(change.before)
    parts = np.zeros((len(points), len(change.after)), points.dtype)
    for new, old in enumerate(change.sources):
        columns = points[:, [d + c for c in old]]
        if len(old) == 1:  # also below 0, where a prototype has not moved yet
            parts[:, new] = columns[:, 0]
        else:
            parts[:, new] = np.sqrt((np.maximum(columns, 0.0) ** 2).sum(axis=1))
    return np.concatenate([points[:, :d], parts], axis=1)


def _ambiguity(old: Any, new: Any, change: ClassChange, rows: Rows) -> None:
    new.set_weights(old.get_weights())
    if old.inputs == "features+uncertainty":
        # Entropy is told as a share of ln k: that of a sure prediction stays.
        share = math.log(len(change.after)) / math.log(len(change.before))
        weights = np.array(new.uncertainty_weights)
        new.uncertainty_weights.assign(weights * np.array([share, 1.0], "float32"))


def _disagreement(old: Any, new: Any, change: ClassChange, rows: Rows) -> None:
    found = old.coefficients
    if found is None or change.merges or change.left_out:
        return  # what people disagree about is something else now
    order = np.array([source[0] if source else -1 for source in change.sources])
    added = order < 0
    kernel, bias = found["class_kernel"][:, order], found["class_bias"][order]
    kernel[:, added] = found["class_kernel"].mean(axis=1, keepdims=True)
    bias[added] = found["class_bias"].mean() - _NEVER
    of_classes = np.where(added, 0.0, found["of_classes"][3:][order])
    new.learn(
        DisagreementCoefficients(
            found["mean"],
            found["deviation"],
            kernel,
            bias,
            np.concatenate([found["of_classes"][:3], of_classes]),
            found["kernel"],
        )
    )


_CARRIERS = {
    "class_head": _classes,
    "cluster_head": _clusters,
    "prototype_head": _prototypes,
    "ambiguity_head": _ambiguity,
    "order_head": _ambiguity,
    "disagreement_head": _disagreement,
}
