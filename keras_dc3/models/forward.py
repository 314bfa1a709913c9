"""The forward passes of `DC3Model`: who looks at which view, with which weights."""

from __future__ import annotations

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
        """Returns the outputs for plain images, by the weights in use."""
        if self.evaluate_with == "ema" and not training:
            return self._pass(self.average.values(self.network), images, False)
        images, own = self.collective.spread(self.network.prepare(images))
        return _rows(self.network(images, training=training), own)

    def _probabilities(self, outputs: dict[str, Any]) -> dict[str, Any]:
        ambiguity = ops.sigmoid(outputs["ambiguity_logits"])
        if not self.config.predicts_ambiguity:
            ambiguity = ops.zeros_like(ambiguity)
        clusters = outputs.get("prototype_logits", outputs["cluster_logits"])
        return {
            "classes": ops.softmax(outputs["class_logits"], axis=-1),
            "clusters": ops.softmax(clusters, axis=-1),
            "ambiguity": ambiguity,
        }

    def _joint_pass(self, images: dict[str, Any], training: bool) -> dict[str, Any]:
        """Returns the outputs of several views, from one pass with gradient."""
        prepared = [self.network.prepare(part) for part in images.values()]
        joined, own = self.collective.spread(ops.concatenate(prepared, axis=0))
        outputs = _rows(self.network(joined, training=training), own)
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
        images, own = self.collective.spread(network.prepare(images))
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
        return _rows(outputs, own)
