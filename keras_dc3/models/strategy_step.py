"""The strategy's part of a training step, where images lie on several replicas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops, tree

from keras_dc3.collective import Collective
from keras_dc3.strategies import Batch, SSLStrategy
from keras_dc3.strategies.batch import LABELED
from keras_dc3.strategies.declaration import losses_per_image


class StrategyStep:
    """Hands a strategy the images of a step: this replica's for losses, else all.

    So no strategy has to know of replicas: what it mixes, and its state, are those of
    the global batch.

    Args:
        strategy: the strategy.
        collective: the replicas that share a batch.
    """

    def __init__(self, strategy: SSLStrategy, collective: Collective):
        self._strategy, self._collective = strategy, collective

    def mixed_images(self, images: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """Returns mixed view -> images, and how they were mixed.

        Args:
            images: view, or "labeled", -> images as the backbone takes them, (n, ...).
        """
        if not self._strategy.mixed:
            return {}, None
        parts = self._gathered(images)
        mixing = self._strategy.draw_mixing(
            {name: ops.shape(part)[0] for name, part in parts.items()}
        )
        return self._own(self._strategy.mix(parts, mixing), images), mixing

    def losses(
        self,
        targets: Any,
        logits: dict[str, Any],
        mixing: Any,
        step: Any,
        positions: Any,
    ) -> tuple[Any, Any, Any]:
        """Updates the strategy's state, and returns what `losses_per_image` does.

        Args:
            targets: class distributions of the labeled images, (m, k).
            logits: view, mixed view or "labeled" -> class logits.
            mixing: how images were mixed.
            step: number of training steps taken so far.
            positions: of the unlabeled images, (n,); None where they are not known.
        """
        strategy = self._strategy
        told = {LABELED: targets}
        if strategy.mixed:
            shown = {LABELED: targets, **strategy.guess(logits)}
            shown = tree.map_structure(ops.stop_gradient, shown)
            told |= self._own(strategy.mix(self._gathered(shown), mixing), shown)
        batch = Batch(logits, told, step, positions)
        if type(strategy).update is not SSLStrategy.update:
            strategy.update(self._of_all(batch))
        return losses_per_image(strategy, batch)

    def _of_all(self, batch: Batch) -> Batch:
        """Returns a batch of the images of all replicas, without gradient."""

        def gather(value: Any) -> Any:
            return self._collective.gather(ops.stop_gradient(value))

        positions = batch.positions
        return Batch(
            {view: gather(value) for view, value in batch.logits.items()},
            {part: gather(value) for part, value in batch.targets.items()},
            batch.step,
            None if positions is None else gather(ops.cast(positions, "int32")),
        )

    def _gathered(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the rows of all replicas, of the parts that are mixed."""
        parts = dict.fromkeys(self._strategy.mixed.values())
        return {name: self._collective.gather(rows[name]) for name in parts}

    def _own(self, mixed: Mapping[str, Any], rows: Mapping[str, Any]) -> dict[str, Any]:
        """Returns this replica's rows of mixed ones."""
        return {
            view: self._collective.local(mixed[view], rows[part])
            for view, part in self._strategy.mixed.items()
        }
