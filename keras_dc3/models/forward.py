"""The forward passes of `DC3Model`: who looks at which view, with which weights."""

from __future__ import annotations

import math
from typing import Any

from keras import ops, tree

from keras_dc3.models.inputs import check_parts, is_training_batch
from keras_dc3.strategies.strategy import LABELED

# Which views go through the network in one pass together with the labeled images.
JOINED_ROLES = {"joint": ("student",), "per_view": ()}


def _rows(outputs: dict[str, Any], rows: slice) -> dict[str, Any]:
    if rows == slice(None):
        return outputs
    return {name: value[rows] for name, value in outputs.items()}


class ForwardMixin:
    """`call` of `DC3Model`, for images and for training batches."""

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        if not is_training_batch(inputs):
            return self._probabilities(self._infer(inputs, training))
        check_parts(inputs, self.ssl.views)
        roles = {LABELED: "student", **self.ssl.views}
        images = {LABELED: inputs["labeled"], **inputs["unlabeled"]}
        joined_roles = JOINED_ROLES[self.batch_norm]
        joined = [view for view in roles if roles[view] in joined_roles] or [LABELED]
        outputs = {}
        for view, role in roles.items():
            if view in joined:
                continue
            averaged = role == "teacher"
            outputs[view] = self._pass(images[view], averaged, training)
        # Last, as a pass forgets the losses that layers added in passes before it.
        outputs |= self._joint_pass({view: images[view] for view in joined}, training)
        outputs = {
            view: outputs[view]
            if role == "student"
            else tree.map_structure(ops.stop_gradient, outputs[view])
            for view, role in roles.items()
        }
        if training:
            self.remember(outputs)
        return outputs

    def _infer(self, images: Any, training: bool) -> dict[str, Any]:
        """Returns the outputs for plain images, by the weights in use.

        Outside training, those of an image that cannot be answered are NaN.
        """
        if training:
            return self._own_pass(self.network.prepare(images), training=True)
        images = ops.convert_to_tensor(images)
        is_empty = isinstance(images.shape[0], int) and not images.shape[0]
        if is_empty:  # TensorFlow cannot convolve it
            images = ops.zeros((1, *images.shape[1:]), images.dtype)
        if self.evaluate_with == "ema":
            outputs = self._pass(images, averaged=True, training=False)
        else:
            outputs = self._own_pass(self.network.prepare(images), training=False)
        if is_empty:
            return tree.map_structure(lambda output: output[:0], outputs)
        good = self.network.can_answer(images)
        if good is None:
            return outputs

        def known(output: Any) -> Any:
            each = ops.reshape(good, (-1, *[1] * (len(output.shape) - 1)))
            return ops.where(each, output, ops.cast(math.nan, output.dtype))

        return tree.map_structure(known, outputs)

    def _probabilities(self, outputs: dict[str, Any]) -> dict[str, Any]:
        ambiguity = ops.sigmoid(outputs["ambiguity_logits"])
        if not self.config.predicts_ambiguity:
            ambiguity = ops.zeros_like(ambiguity)
        clusters = outputs.get("prototype_logits", outputs["cluster_logits"])
        # Said once more: XLA may make numbers of NaN in a softmax.
        is_unknown = ops.any(ops.isnan(outputs["class_logits"]), axis=-1)

        def known(values: Any) -> Any:
            rows = is_unknown if len(values.shape) == 1 else is_unknown[:, None]
            return ops.where(rows, ops.cast(math.nan, values.dtype), values)

        return {
            "classes": known(ops.softmax(outputs["class_logits"], axis=-1)),
            "clusters": known(ops.softmax(clusters, axis=-1)),
            "ambiguity": known(ambiguity),
        }

    def _own_pass(self, prepared: Any, training: bool) -> dict[str, Any]:
        """Returns the outputs for prepared images, by the weights themselves."""
        images, own = self.collective.spread(prepared)
        return _rows(self.network(images, training=training, prepared=True), own)

    def _joint_pass(self, images: dict[str, Any], training: bool) -> dict[str, Any]:
        """Returns the outputs of several views, from one pass with gradient."""
        prepared = [self.network.prepare(part) for part in images.values()]
        outputs = self._own_pass(ops.concatenate(prepared, axis=0), training)
        parts, start = {}, 0
        for view, part in zip(images, prepared, strict=True):
            rows = slice(start, start + ops.shape(part)[0])
            parts[view] = {name: value[rows] for name, value in outputs.items()}
            start = rows.stop
        return parts

    def _pass(self, images: Any, averaged: bool, training: bool) -> dict[str, Any]:
        """Returns the outputs of a pass that changes nothing but random seeds.

        Moving statistics stay untouched. Losses that layers add do not count here.

        Args:
            images: (n, h, w, c).
            averaged: whether by the averages of all weights, frozen or not, instead of
                the weights themselves.
            training: as for every Keras layer.
        """
        network = self.network

        def values(variables: list[Any]) -> list[Any]:
            value = self.average.value_of if averaged else lambda v: v.value
            return [value(variable) for variable in variables]

        images, own = self.collective.spread(network.prepare(images))
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
