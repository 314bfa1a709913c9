"""The metrics of a step: means under replicas, accuracy, and what callbacks read.

Some log nothing. They are metrics because Keras resets, carries and adds up metrics
through its steps on every backend, and does not save them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_dc3 import _keras
from keras_dc3._decision import is_ambiguous, is_certain
from keras_dc3._registration import register
from keras_dc3.collective import Collective
from keras_dc3.layers import class_uncertainty
from keras_dc3.losses.ties import most_chosen
from keras_dc3.objective import TERMS

# In the order of cause and effect.
WATCHED = ("images", "outputs", *TERMS, "loss")
RATES = ("ambiguous", "mask_rate")
# What training alone logs; and what of it needs unlabeled images.
OF_TRAINING = (*(f"{name}_loss" for name in TERMS), *RATES)
OF_UNLABELED = tuple(name for name in OF_TRAINING if name != "supervised_loss")


class MeanOfShares(keras.metrics.Mean):
    """The mean over all images of what replicas hold shares of.

    Each replica adds the sum of its images over the number of all replicas' images,
    times the number of replicas, as Keras does with a loss. Replicas therefore count
    alike, however many images each has, and a batch as many as it has in all.

    Args:
        collective: the replicas.
        name: of the logged quantity.
    """

    def __init__(self, collective: Collective, name: str):
        super().__init__(name=name)
        self._collective = collective

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds a batch; `sample_weight` is the number of this replica's images."""
        images = self._collective.sum(ops.cast(sample_weight, "float32"))
        super().update_state(values, images / self._collective.replicas)


class ObjectiveMeans:
    """The means that training alone logs: the objective's terms, and two rates.

    Args:
        collective: the replicas.

    Attributes:
        metrics: all of them, in their order.
    """

    def __init__(self, collective: Collective):
        self._replicas = collective.replicas
        self._terms = {name: MeanOfShares(collective, f"{name}_loss") for name in TERMS}
        self._rates = {name: keras.metrics.Mean(name=name) for name in RATES}
        self.metrics = [*self._terms.values(), *self._rates.values()]

    def update(
        self,
        terms: dict[str, Any],
        images: Any,
        ambiguity: Any = None,
        mask: Any = None,
    ) -> None:
        """Adds a step of this replica.

        Args:
            terms: those of the objective that were computed.
            images: the number of labeled images.
            ambiguity: p_a of the unlabeled images, (n,); None without such images.
            mask: 0 or 1 for each of them, (n,).
        """
        for name, term in terms.items():
            self._terms[name].update_state(term * self._replicas, images)
        if ambiguity is not None:
            # By image, not by batch: a replica may have fewer, or none.
            self._rates["ambiguous"].update_state(is_ambiguous(ambiguity))
            self._rates["mask_rate"].update_state(mask)


def majority_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Returns how right the predicted class of each image is, (n,).

    1 for the class with the largest soft label, 0 for others; where m classes tie,
    1 / m for each of them, so that no class is preferred by its place. NaN for an
    image whose answer is NaN, which is neither right nor wrong.

    Args:
        y_true: soft labels, (n, k).
        y_pred: class probabilities, (n, k).
    """
    chosen = most_chosen(y_true)
    predicted = ops.one_hot(ops.argmax(y_pred, axis=-1), ops.shape(chosen)[-1])
    share = ops.sum(chosen * predicted, axis=-1) / ops.sum(chosen, axis=-1)
    has_answer = ops.logical_not(ops.any(ops.isnan(y_pred), axis=-1))
    return ops.where(has_answer, share, float("nan"))


@register
class MajorityAccuracy(keras.metrics.MeanMetricWrapper):
    """The mean of `majority_accuracy`: Keras' accuracy, but that ties count in part.

    Args:
        name, dtype: as for every Keras metric.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None):
        super().__init__(majority_accuracy, name=name, dtype=dtype)
        _keras.more_is_better(self)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}


class EpochStatistics(keras.metrics.Metric):
    """Sums over the steps of an epoch, and over the replicas when read.

    `classes` (k,), `clusters` (k',): unlabeled images by their predicted class and
    cluster. `certain` and `pseudo_labels` (k,): those of them with p_a < 0.5, and those
    that pass the strategy's mask, by class.
    `agreement` (3,): of p_a and the entropy of p_n, the sum of their products and of
    each one's squares, as differences from their means in the batch: what changes
    from step to step is no agreement. `finite`: the steps before each of `WATCHED` was
    not finite for the first time, and last the number of all steps.
    """

    def __init__(self, name: str = "epoch_statistics", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.built = False

    def build(self, num_classes: int, num_clusters: int) -> None:
        """Creates the sums, in the scope of the distribution strategy if there is one.

        Not by the constructor, as a model may learn its classes from the data.
        """
        shapes = {
            "classes": num_classes,
            "clusters": num_clusters,
            "certain": num_classes,
            "pseudo_labels": num_classes,
            "agreement": 3,
            "finite": len(WATCHED) + 1,
        }
        self._sums = {
            name: self.add_variable((size,), "zeros", dtype="float32", name=name)
            for name, size in shapes.items()
        }
        self.built = True

    def update_state(
        self,
        images: Any,
        outputs: Any,
        terms: dict[str, Any],
        loss: Any,
        predicted: dict[str, Any] | None = None,
        mask: Any = None,
    ) -> None:
        """Adds a step of this replica.

        Args:
            images: all images of the batch, a structure.
            outputs: all outputs of the network, a structure.
            terms: those of the objective that were computed.
            loss: their sum with all that is added to it.
            predicted: `"classes"`, `"clusters"` and `"ambiguity"` of the unlabeled
                images' anchor view, probabilities; None without such images.
            mask: 0 or 1 for each of them, (n,).
        """
        if not self.built:
            return
        scalars = {**dict.fromkeys(TERMS, 0.0), **terms, "loss": loss, "steps": 0.0}
        scalars = [ops.cast(value, "float32") for value in scalars.values()]
        flags = ops.stack([_is_finite(images), _is_finite(outputs)])
        flags = ops.concatenate([flags, ops.isfinite(ops.stack(scalars))])
        finite = ops.convert_to_tensor(self._sums["finite"])
        flags = ops.logical_and(flags, finite == finite[-1])
        self._add("finite", ops.cast(flags, "float32"))
        if predicted is None:
            return
        classes, clusters = (
            ops.one_hot(ops.argmax(predicted[name], axis=-1), size, dtype="float32")
            for name, size in (
                ("classes", self._sums["classes"].shape[0]),
                ("clusters", self._sums["clusters"].shape[0]),
            )
        )
        self._add("classes", ops.sum(classes, axis=0))
        self._add("clusters", ops.sum(clusters, axis=0))
        certain = ops.cast(is_certain(predicted["ambiguity"]), "float32")
        self._add("certain", ops.sum(classes * certain[:, None], axis=0))
        passed = classes * ops.cast(mask, "float32")[:, None]
        self._add("pseudo_labels", ops.sum(passed, axis=0))
        ambiguity, entropy = (
            _centered(ops.stop_gradient(values))
            for values in (
                predicted["ambiguity"],
                class_uncertainty(predicted["classes"])[:, 0],
            )
        )
        products = [ambiguity * entropy, ambiguity * ambiguity, entropy * entropy]
        self._add("agreement", ops.stack([ops.sum(part) for part in products]))

    def _add(self, name: str, value: Any) -> None:
        variable = self._sums[name]
        variable.assign(variable + ops.stop_gradient(value))

    def result(self) -> dict[str, Any]:
        return {}

    def read(self) -> dict[str, np.ndarray]:
        """Returns the sums of the epoch so far; without any, those of no step."""
        if not self.built:
            names = ("classes", "clusters", "certain", "pseudo_labels", "agreement")
            return dict.fromkeys((*names, "finite"), np.zeros(1))
        return {
            name: np.array(ops.convert_to_numpy(variable), "float64")
            for name, variable in self._sums.items()
        }

    def first_failure(self, replicas: int) -> tuple[int, list[str]] | None:
        """Returns the epoch's first step, from 1, in which something was not finite.

        And what it was, of `WATCHED`. None where nothing of that kind was seen.
        """
        *finite, steps = np.floor_divide(self.read()["finite"], replicas)
        first = min(finite, default=steps)
        if first == steps:
            return None
        return int(first) + 1, [
            name for name, n in zip(WATCHED, finite, strict=True) if n == first
        ]


def _is_finite(structure: Any) -> Any:
    """Returns whether all floating-point tensors of a structure are finite."""
    tensors = [ops.convert_to_tensor(part) for part in tree.flatten(structure)]
    flags = [
        ops.all(ops.isfinite(tensor))
        for tensor in tensors
        if keras.backend.is_float_dtype(tensor.dtype)
    ]
    return ops.all(ops.stack(flags)) if flags else ops.convert_to_tensor(True)


def _centered(values: Any) -> Any:
    count = ops.maximum(ops.cast(ops.shape(values)[0], values.dtype), 1.0)
    return values - ops.sum(values) / count
