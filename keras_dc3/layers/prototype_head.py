"""The clusters p_o as a k-means that lives in the network."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register, settings
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
class PrototypeHead(keras.layers.Layer):
    """Assigns images to the nearest of k' prototypes, which a k-means moves (p_o).

        p_o[j] = softmax_j(-|z - c_j|^2 / temperature),
        z = (features / ||features||, 2 sqrt(p_n))

    No gradient flows through it. `remember` keeps z of the last `memory_size` images,
    and `move` makes one step of k-means on them, once they are enough to begin with
    prototypes spread over them as k-means++ does.

    It computes in float32 whatever the dtype policy.

    Args:
        num_clusters: k', the number of clusters, at least 2.
        activation: `"softmax"` for probabilities, None for logits.
        initializer: of the prototypes before they are spread, a Keras initializer.
        temperature: above 0.
        memory_size: images to remember.

    Call arguments:
        features: float (n, d).
        class_probabilities: p_n, float (n, k).

    Returns:
        Probabilities or logits, float32 (n, k').

    Raises:
        ValueError: if an argument is not as described.

    Example:

    >>> from keras import ops
    >>> head = keras_dc3.layers.PrototypeHead(2, memory_size=8)
    >>> features = ops.repeat(ops.eye(2, 3), 4, axis=0)
    >>> probabilities = ops.ones((8, 2)) / 2
    >>> head(features, probabilities).shape[1]
    2
    >>> head.remember(features, probabilities, selected=ops.ones(8))
    >>> head.move()
    >>> clusters = ops.argmax(head(features, probabilities), axis=-1)
    >>> len({int(c) for c in clusters[:4]}), int(clusters[0]) == int(clusters[7])
    (1, False)
    """

    def __init__(
        self,
        num_clusters: int,
        activation: str | None = "softmax",
        initializer: Any = "glorot_normal",
        temperature: float = 0.1,
        memory_size: int = 2048,
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_positive_int("num_clusters", num_clusters, least=2)
        check_choice("activation", activation, ("softmax", None))
        check_positive_number("temperature", temperature)
        check_positive_int("memory_size", memory_size)
        self.num_clusters = int(num_clusters)
        self.activation = activation
        self.initializer = keras.initializers.get(initializer)
        self.temperature = float(temperature)
        self.memory_size = int(memory_size)

    def build(self, features_shape: tuple, class_probabilities_shape: tuple) -> None:
        width = features_shape[-1] + class_probabilities_shape[-1]
        self.prototypes = self._state(
            "prototypes", (self.num_clusters, width), self.initializer
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
            autocast=False,  # also where a model of mixed precision calls `remember`
            aggregation="only_first_replica",
        )

    def call(self, features: Any, class_probabilities: Any) -> Any:
        z = self._joined(features, class_probabilities)
        distances = squared_distances(z, ops.convert_to_tensor(self.prototypes))
        logits = -distances / self.temperature
        return ops.softmax(logits, axis=-1) if self.activation else logits

    def remember(self, features: Any, class_probabilities: Any, selected: Any) -> None:
        """Keeps the images of a training step.

        Args:
            features: float (n, d), of the global batch.
            class_probabilities: p_n, float (n, k).
            selected: which images to remember, 0 or 1, (n,).
        """
        points = self._joined(features, class_probabilities)
        last = slice(-self.memory_size, None)  # of a batch that is larger
        memory, written = remember(
            self.memory.value, self.written.value, points[last], selected[last]
        )
        self.memory.assign(memory)
        self.written.assign(written)

    def move(self, restart: Any = False) -> None:
        """Moves the prototypes, once per training step.

        Args:
            restart: whether to spread them anew, a bool scalar. They are spread for the
                first time when `images_to_start` are remembered.
        """
        rows, written = self.memory.value[:-1], self.written.value
        valid = ops.cast(ops.arange(self.memory_size) < written, "float32")
        started = self.started.value > 0
        spread = ops.logical_and(
            written >= self.images_to_start, ops.logical_or(~started, restart)
        )
        prototypes = ops.cond(
            spread,
            lambda: spread_prototypes(rows, valid, self.num_clusters),
            lambda: ops.convert_to_tensor(self.prototypes.value),
        )
        started = ops.logical_or(started, spread)
        moved = move_prototypes(prototypes, rows, valid)
        self.prototypes.assign(ops.where(started, moved, prototypes))
        self.started.assign(ops.cast(started, "int32"))

    @property
    def images_to_start(self) -> int:
        """Images to remember before the prototypes are spread: 4 per cluster, or all
        that can be remembered."""
        return min(4 * self.num_clusters, self.memory_size)

    def _joined(self, features: Any, class_probabilities: Any) -> Any:
        check_rank("features", features, 2, "(images, features)")
        check_same_batch(features=features, class_probabilities=class_probabilities)
        return joined_features(features, class_probabilities)

    def compute_output_shape(
        self, features_shape: tuple, class_probabilities_shape: Any = None
    ) -> tuple:
        return (features_shape[0], self.num_clusters)

    def get_config(self) -> dict[str, Any]:
        clusters = settings(self, "num_clusters", "activation", "initializer")
        memory = settings(self, "temperature", "memory_size")
        return {**super().get_config(), **clusters, **memory}
