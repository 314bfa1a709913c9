"""The forward passes of a training step: who looks at which view, by which weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops, tree

from keras_dc3.collective import Collective
from keras_dc3.layers import WeightAverage, ordered_on_each_side
from keras_dc3.models.strategy_step import StrategyStep
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import LABELED, MIXING

# batch_norm -> which views go through the network together with the labeled images.
JOINED_ROLES = {"joint": ("student",), "per_view": ()}
Outputs = dict[str, Any]


class Passes:
    """Runs a network by its weights or their average, on images or on views of them.

    Args:
        network: a `DC3Network`.
        average: of its weights.
        collective: the replicas that share a batch.
        strategy: says who looks at which view.
        batch_norm: `"joint"` or `"per_view"`, see `DC3Model`.
    """

    def __init__(
        self,
        network: keras.layers.Layer,
        average: WeightAverage,
        collective: Collective,
        strategy: SSLStrategy,
        batch_norm: str,
    ):
        self._network, self._average = network, average
        self._collective = collective
        self._step = StrategyStep(strategy, collective)
        mixed = dict.fromkeys(strategy.mixed, "student")
        self._roles = {LABELED: "student", **strategy.views, **mixed}
        self._joined_roles = JOINED_ROLES[batch_norm]

    def of_batch(self, inputs: Mapping[str, Any], training: bool) -> dict[str, Outputs]:
        """Returns view -> outputs for a training batch, the labeled images among them.

        Without gradient where the view's role says so. Where the strategy mixes views,
        "mixing" is how.
        """
        images = {LABELED: inputs["labeled"], **inputs["unlabeled"]}
        images = {
            view: self._network.prepare(images[view])
            for view in self._roles
            if view in images
        }
        mixed, mixing = self._step.mixed_images(images)
        images |= mixed
        roles, joined = self._roles, self._joined_roles
        together = [view for view in roles if roles[view] in joined] or [LABELED]
        outputs = {
            view: self.apart(images[view], role == "teacher", training)
            for view, role in roles.items()
            if view not in together
        }
        # Last, as a pass forgets the losses that layers added in passes before it.
        outputs |= self._joint({view: images[view] for view in together}, training)
        outputs = {
            view: outputs[view]
            if role == "student"
            else tree.map_structure(ops.stop_gradient, outputs[view])
            for view, role in roles.items()
        }
        return outputs if mixing is None else {**outputs, MIXING: mixing}

    def strategy_losses(
        self, targets: Any, outputs: dict[str, Outputs], step: Any, positions: Any
    ) -> tuple[Any, Any, Any]:
        """Returns what the strategy says of a step, as `StrategyStep.losses` does.

        Args:
            targets, step, positions: as there.
            outputs: what `of_batch` returns.
        """
        logits = {view: outputs[view]["class_logits"] for view in self._roles}
        mixing = outputs.get(MIXING)
        return self._step.losses(targets, logits, mixing, step, positions)

    def remember(self, anchor: Outputs, selected: Any) -> None:
        """Gives the prototypes the unlabeled images of a training step.

        It belongs to the forward pass, like the moving statistics of
        BatchNormalization.

        Args:
            anchor: what `of_batch` returns for the anchor view, n images.
            selected: which of them to remember, 0 or 1, (n,).
        """
        gather = self._collective.gather
        self._network.prototype_head.remember(
            gather(ops.stop_gradient(anchor["features"])),
            gather(ops.softmax(ops.stop_gradient(anchor["class_logits"]), axis=-1)),
            gather(ops.stop_gradient(selected)),
        )

    def answer(self, images: Any, averaged: bool) -> Outputs:
        """Returns the outputs for plain images, NaN where they cannot be answered."""
        images = ops.convert_to_tensor(images)
        is_empty = isinstance(images.shape[0], int) and not images.shape[0]
        if is_empty:  # TensorFlow cannot convolve it
            images = ops.zeros((1, *images.shape[1:]), images.dtype)
        if averaged:
            prepared = self._network.prepare(images)
            outputs = self.apart(prepared, averaged=True, training=False)
        else:
            outputs = self.own(self._network.prepare(images), training=False)
        if is_empty:
            return tree.map_structure(lambda output: output[:0], outputs)
        good = self._network.can_answer(images)
        if good is None:
            return outputs
        return {name: _nan_where(~good, value) for name, value in outputs.items()}

    def own(self, prepared: Any, training: bool) -> Outputs:
        """Returns the outputs for prepared images, by the weights themselves."""
        images, own = self._collective.spread(prepared)
        return _rows(self._network(images, training=training, prepared=True), own)

    def apart(self, prepared: Any, averaged: bool, training: bool) -> Outputs:
        """Returns the outputs of a pass that changes nothing but random seeds.

        Moving statistics stay untouched. Losses that layers add do not count here.

        Args:
            prepared: images (n, ...) as the backbone takes them.
            averaged: whether by the averages of all weights, frozen or not, instead of
                the weights themselves.
            training: as for every Keras layer.
        """
        network = self._network

        def values(variables: list[Any]) -> list[Any]:
            value = self._average.value_of if averaged else lambda v: v.value
            return [value(variable) for variable in variables]

        images, own = self._collective.spread(prepared)
        outputs, state = network.stateless_call(
            values(network.trainable_variables),
            values(network.non_trainable_variables),
            images,
            training=training,
            prepared=True,
        )
        if training:
            statistics = {id(v) for v in network.non_trainable_weights}
            pairs = zip(network.non_trainable_variables, state, strict=True)
            for variable, value in pairs:
                if id(variable) not in statistics:
                    variable.assign(value)
        return _rows(outputs, own)

    def _joint(self, prepared: dict[str, Any], training: bool) -> dict[str, Outputs]:
        """Returns the outputs of several views, from one pass with gradient."""
        outputs = self.own(ops.concatenate(list(prepared.values()), axis=0), training)
        parts, start = {}, 0
        for view, part in prepared.items():
            rows = slice(start, start + ops.shape(part)[0])
            parts[view] = {name: value[rows] for name, value in outputs.items()}
            start = rows.stop
        return parts


def probabilities(outputs: Outputs, predicts_ambiguity: bool) -> dict[str, Any]:
    """Returns "classes", "clusters" and "ambiguity" of a network's outputs.

    Args:
        outputs: as `DC3Network` returns them.
        predicts_ambiguity: whether the ambiguity is trained; else it is 0.
    """
    ambiguity = ops.sigmoid(outputs["ambiguity_logits"])
    if "order_logits" in outputs:
        order = ops.sigmoid(outputs["order_logits"])
        if "disagreement" in outputs:  # -1 where nothing was learned
            disagreement = outputs["disagreement"]
            order = ops.where(disagreement < 0, order, disagreement)
        ambiguity = ordered_on_each_side(ambiguity, order)
    if not predicts_ambiguity:
        ambiguity = ops.zeros_like(ambiguity)
    classes = outputs["class_logits"]
    clusters = outputs.get("prototype_logits", outputs["cluster_logits"])
    # Said once more: XLA may make numbers of NaN in a softmax.
    unknown = ops.any(ops.isnan(classes), axis=-1)
    return {
        "classes": _nan_where(unknown, ops.softmax(classes, axis=-1)),
        "clusters": _nan_where(unknown, ops.softmax(clusters, axis=-1)),
        "ambiguity": _nan_where(unknown, ambiguity),
    }


def _nan_where(rows: Any, values: Any) -> Any:
    """Returns values (n, ...) with NaN in some rows, (n,) bool."""
    each = ops.reshape(rows, (-1, *[1] * (len(values.shape) - 1)))
    return ops.where(each, ops.cast(math.nan, values.dtype), values)


def _rows(outputs: Outputs, rows: slice) -> Outputs:
    if rows == slice(None):
        return outputs
    return {name: value[rows] for name, value in outputs.items()}
