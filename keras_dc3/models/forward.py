"""The forward passes of `DC3Model`: who looks at which view, with which weights."""

from __future__ import annotations

import math
from typing import Any

from keras import ops, tree

from keras_dc3.models.inputs import check_parts, is_training_batch
from keras_dc3.strategies.strategy import LABELED

# Which views go through the network in one pass together with the labeled images.
JOINED_ROLES = {"joint": ("student",), "per_view": ()}


class ForwardMixin:
    """`call` of `DC3Model`, for images and for training batches."""

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        if not is_training_batch(inputs):
            return self._probabilities(self._infer(inputs, training))
        check_parts(inputs, self.strategy.views)
        roles = {LABELED: "student", **self.strategy.views}
        images = {LABELED: inputs["labeled"], **inputs["unlabeled"]}
        joined_roles = JOINED_ROLES[self.batch_norm]
        joined = [view for view in roles if roles[view] in joined_roles] or [LABELED]
        outputs = {}
        for view, role in roles.items():
            if view in joined:
                continue
            if role == "teacher":
                weights = self.average.values(self.network)
            else:
                weights = [w.value for w in self.network.trainable_variables]
            outputs[view] = self._pass(weights, images[view], training)
        # Last, as a pass forgets the losses that layers added in passes before it.
        outputs |= self._joint_pass({view: images[view] for view in joined}, training)
        return {
            view: outputs[view]
            if role == "student"
            else tree.map_structure(ops.stop_gradient, outputs[view])
            for view, role in roles.items()
        }

    def _infer(self, images: Any, training: bool) -> dict[str, Any]:
        """Returns the outputs for plain images, by the weights in use.

        Outside training, those of an image that cannot be answered are NaN.
        """
        if training:
            return self.network(images, training=True)
        images = ops.convert_to_tensor(images)
        is_empty = isinstance(images.shape[0], int) and not images.shape[0]
        if is_empty:  # TensorFlow cannot convolve it
            images = ops.zeros((1, *images.shape[1:]), images.dtype)
        if self.evaluate_with == "ema":
            outputs = self._pass(self.average.values(self.network), images, False)
        else:
            outputs = self.network(images, training=False)
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

    def _joint_pass(self, images: dict[str, Any], training: bool) -> dict[str, Any]:
        """Returns the outputs of several views, from one pass with gradient."""
        prepared = [self.network.prepare(part) for part in images.values()]
        outputs = self.network(
            ops.concatenate(prepared, axis=0), training=training, prepared=True
        )
        parts, start = {}, 0
        for view, part in zip(images, prepared, strict=True):
            rows = slice(start, start + ops.shape(part)[0])
            parts[view] = {name: value[rows] for name, value in outputs.items()}
            start = rows.stop
        return parts

    def _pass(self, weights: list[Any], images: Any, training: bool) -> dict[str, Any]:
        """Returns the outputs under other trainable weights.

        Moving statistics stay untouched; random seeds advance. Losses that layers add
        do not count here.
        """
        network = self.network
        rows = None
        if training and images.shape[0] in (None, 0):
            # A replica may have no image, which TensorFlow cannot convolve.
            rows = ops.shape(images)[0]
            one = ops.zeros((1, *images.shape[1:]), images.dtype)
            images = ops.concatenate([images, one])[: ops.maximum(rows, 1)]
        outputs, state = network.stateless_call(
            weights,
            [variable.value for variable in network.non_trainable_variables],
            images,
            training=training,
        )
        if training:
            statistics = {id(v) for v in network.non_trainable_weights}
            pairs = zip(network.non_trainable_variables, state, strict=True)
            for variable, value in pairs:
                if id(variable) not in statistics:
                    variable.assign(value)
        if rows is None:
            return outputs
        return tree.map_structure(lambda output: output[:rows], outputs)
