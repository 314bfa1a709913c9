"""The overclustering output p_o."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register
from keras_dc3._validation import (
    check_choice,
    check_positive_int,
    check_positive_number,
    check_rank,
    check_same_batch,
)
from keras_dc3.layers.prototypes import (
    joined_features,
    move_prototypes,
    remember,
    spread_prototypes,
    squared_distances,
)


@register
class OverclusterHead(keras.layers.Layer):
    """Assigns images to more clusters than there are classes (p_o).

    It has two forms. `"linear"` (the paper's) is a map of the features, trained by
    gradient:

        p_o = softmax(features W + b)

    `"prototypes"` is a k-means that lives in the network, on the features joined with
    the class prediction. No gradient flows through it; `update` moves the prototypes:

        p_o[j] = softmax_j(-|z - c_j|^2 / temperature),
        z = (features / ||features||, 2 sqrt(p_n))

    It remembers z of the last `memory_size` images given to `update`, starts with
    prototypes spread over them as k-means++ does, and makes one step of k-means on them
    per update.

    It computes in float32 whatever the dtype policy, as the losses on it need.

    Args:
        num_clusters: k', the number of clusters, at least 2.
        form: `"linear"` or `"prototypes"`.
        activation: `"softmax"` for probabilities, None for logits.
        kernel_initializer: of the weights, a Keras initializer.
        temperature: of the prototypes, above 0.
        memory_size: of the prototypes.

    Call arguments:
        features: float (n, d).
        class_probabilities: p_n, float (n, k), for the prototypes; no gradient flows
            into it.

    Returns:
        Probabilities or logits, float32 (n, k').

    Raises:
        ValueError: if an argument is not as described; when called, if class
            probabilities are missing.

    Example:

    >>> head = keras_dc3.layers.OverclusterHead(num_clusters=10)
    >>> tuple(head(np.ones((4, 6), "float32")).shape)
    (4, 10)
    """

    def __init__(
        self,
        num_clusters: int,
        form: str = "linear",
        activation: str | None = "softmax",
        kernel_initializer: Any = "glorot_normal",
        temperature: float = 0.1,
        memory_size: int = 2048,
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_positive_int("num_clusters", num_clusters, least=2)
        check_choice("form", form, ("linear", "prototypes"))
        check_choice("activation", activation, ("softmax", None))
        check_positive_number("temperature", temperature)
        check_positive_int("memory_size", memory_size)
        self.num_clusters = int(num_clusters)
        self.form = form
        self.activation = activation
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.temperature = float(temperature)
        self.memory_size = int(memory_size)

    def build(
        self, features_shape: tuple, class_probabilities_shape: Any = None
    ) -> None:
        if self.form == "linear":
            self.kernel = self.add_weight(
                name="kernel",
                shape=(features_shape[-1], self.num_clusters),
                initializer=self.kernel_initializer,
            )
            self.bias = self.add_weight(
                name="bias", shape=(self.num_clusters,), initializer="zeros"
            )
            return
        if class_probabilities_shape is None:
            self._refuse(None)
        width = features_shape[-1] + class_probabilities_shape[-1]
        self.prototypes = self._state(
            "prototypes", (self.num_clusters, width), self.kernel_initializer
        )
        # One row more, for images that are not to be remembered.
        self.memory = self._state("memory", (self.memory_size + 1, width), "zeros")
        self.written = self._state("written", (), "zeros", "int32")
        self.started = self._state("started", (), "zeros", "int32")

    def _state(self, name: str, shape: tuple, initializer: Any, dtype: str = "float32"):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, features: Any, class_probabilities: Any = None) -> Any:
        check_rank("features", features, 2, "(images, features)")
        if self.form == "linear":
            logits = ops.matmul(features, self.kernel) + self.bias
        else:
            z = self._joined(features, class_probabilities)
            distances = squared_distances(z, ops.convert_to_tensor(self.prototypes))
            logits = -distances / self.temperature
        return ops.softmax(logits, axis=-1) if self.activation else logits

    def update(
        self,
        features: Any,
        class_probabilities: Any,
        selected: Any,
        restart: Any = False,
    ) -> None:
        """Moves the prototypes, once per training step.

        Args:
            features: float (n, d), of the global batch.
            class_probabilities: p_n, float (n, k).
            selected: which images to remember, 0 or 1, (n,).
            restart: whether to spread the prototypes anew, a bool scalar. They are
                spread for the first time when 4 images per cluster are remembered, or
                the memory is full.
        """
        points = self._joined(features, class_probabilities)
        last = slice(-self.memory_size, None)  # of a batch that is larger
        memory, written = remember(
            self.memory.value, self.written.value, points[last], selected[last]
        )
        rows = memory[:-1]
        valid = ops.cast(ops.arange(self.memory_size) < written, "float32")
        enough = written >= self.images_to_start
        started = self.started.value > 0
        spread = ops.logical_and(enough, ops.logical_or(~started, restart))
        prototypes = ops.cond(
            spread,
            lambda: spread_prototypes(rows, valid, self.num_clusters),
            lambda: ops.convert_to_tensor(self.prototypes.value),
        )
        started = ops.logical_or(started, spread)
        moved = move_prototypes(prototypes, rows, valid)
        self.prototypes.assign(ops.where(started, moved, prototypes))
        self.memory.assign(memory)
        self.written.assign(written)
        self.started.assign(ops.cast(started, "int32"))

    @property
    def images_to_start(self) -> int:
        """Images to remember before the prototypes are spread for the first time."""
        return min(4 * self.num_clusters, self.memory_size)

    def _joined(self, features: Any, class_probabilities: Any) -> Any:
        if class_probabilities is None:
            self._refuse(class_probabilities)
        check_same_batch(features=features, class_probabilities=class_probabilities)
        return joined_features(features, class_probabilities)

    def _refuse(self, class_probabilities: Any) -> None:
        raise ValueError(
            'An `OverclusterHead` with `form="prototypes"` must be called as '
            "`head(features, class_probabilities)`. Received: "
            f"class_probabilities={class_probabilities!r}"
        )

    def compute_output_shape(
        self, features_shape: tuple, class_probabilities_shape: Any = None
    ) -> tuple:
        return (features_shape[0], self.num_clusters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_clusters": self.num_clusters,
            "form": self.form,
            "activation": self.activation,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "temperature": self.temperature,
            "memory_size": self.memory_size,
        }
