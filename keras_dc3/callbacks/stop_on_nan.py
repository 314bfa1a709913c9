"""Ends training where the loss is no longer finite, and says what was so first."""

from __future__ import annotations

import math
import os
import threading
from typing import Any

import keras
import numpy as np

from keras_dc3._validation import check_writable_folder
from keras_dc3.callbacks.state import assign_state, read_state, state_variables

# What was not finite first -> what to say of it, in the order of cause and effect.
_CAUSES = {
    "images": "Images of that step hold NaN or infinity: remove or repair them, or the "
    "augmentation that made them.",
    "outputs": "The images were finite, but not the network's outputs for them: its "
    "weights had become NaN or too large in the step before. Lower the learning rate, "
    "or clip the gradients.",
    "loss": "Every term of the objective was finite, but not their sum with the losses "
    "that layers add, such as regularizers.",
    "weights": "The loss was finite, but not its gradients, or the weights were too "
    "large already. Lower the learning rate, or clip the gradients.",
}


class StopOnNaN(keras.callbacks.Callback):
    """Ends training by a `FloatingPointError` where the loss becomes NaN or infinite.

    The error names the epoch, the step, and what was not finite first: the images, the
    network's outputs (its weights), or a term of the objective. It is raised before
    any other callback sees that step, so that no checkpoint of it is written.

    The model then has its state of the last good epoch's end, or of the beginning of
    `fit` where there is none: weights, their average, optimizer, random generators and
    step. `fit(initial_epoch=...)` goes on from there. A state is good if its weights
    are finite, and the loss of the step after it as well.

    `DC3Model.fit` adds one by itself; pass one to have that state written to a file
    too. The state is kept in the main memory of the host, for one epoch: as much as
    weights, average and optimizer take, and twice that during the first step of an
    epoch.

    Args:
        filepath: the `.keras` file to write the last good state to when training ends
            that way; None for none.

    Raises:
        ValueError: if `filepath` ends otherwise.
        OSError: if its folder cannot be written to.

    Example:

    >>> stop = keras_dc3.callbacks.StopOnNaN("good.keras")
    >>> model.fit(data, epochs=50, callbacks=[stop])  # doctest: +SKIP
    """

    async_safe = True  # `on_train_batch_end` only notes what it sees

    def __init__(self, filepath: str | os.PathLike | None = None) -> None:
        super().__init__()
        if filepath is not None:
            filepath = os.fspath(filepath)
            if not filepath.endswith(".keras"):
                raise ValueError(
                    "`filepath` must end with '.keras', as the whole model is saved. "
                    f"Received: filepath={filepath!r}"
                )
        self.filepath = filepath
        self._copies: list[tuple[int, list[np.ndarray]]] = []
        self._failed: tuple[int, float] | None = None
        self._epoch = 0

    def on_train_begin(self, logs: Any = None) -> None:
        if self.filepath is not None:  # better now than when it is needed
            check_writable_folder(os.path.dirname(os.path.abspath(self.filepath)))
        self._copies, self._failed = [], None
        self._thread = threading.get_ident()
        self._variables = state_variables(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        if not self._copies:  # not earlier, as `Backup` may give a state
            self._copies.append((epoch, read_state(self._variables)))

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._failed is not None:
            self._stop(*self._failed)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if math.isfinite(loss):
            del self._copies[:-1]
        elif self._failed is None:
            self._failed = batch, loss
            # Keras may call this from another thread, while the next step runs.
            if threading.get_ident() == self._thread:
                self._stop(batch, loss)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._failed is not None:
            self._stop(*self._failed)
        weights = self.model.network.weights
        if not all(np.isfinite(keras.ops.convert_to_numpy(w)).all() for w in weights):
            self._stop(None, None)  # an activation may hide it from the loss
        failure = self.model.epoch_statistics.first_failure(
            self.model.collective.replicas
        )
        if failure is not None:  # likewise
            self._stop(None, None, "something was NaN or infinite, unseen in the loss")
        self._copies.append((epoch + 1, read_state(self._variables)))

    def on_train_end(self, logs: Any = None) -> None:
        self._copies = []

    def _stop(
        self,
        batch: int | None,
        loss: float | None,
        what: str = "the weights became NaN or infinite",
    ) -> None:
        """Says what was not finite first, and ends training.

        Args:
            batch: the last one that was trained on, from 0; None for all of the epoch.
            loss: what it has become; None where it is finite.
            what: happened instead, where the loss is finite.
        """
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        replicas = self.model.collective.replicas
        # Nothing is known where the loss is made by a `compute_loss` of a user's own,
        # or where the gradients alone were not finite.
        first = self.model.epoch_statistics.first_failure(replicas)
        step, names = first or (batch and batch + 1, [])
        if step == 1 and len(self._copies) > 1:
            self._copies.pop()
        terms = [f"`{name}`" for name in names if name not in _CAUSES]
        causes = [cause for name, cause in _CAUSES.items() if name in names]
        if terms and causes[0] == _CAUSES["loss"]:
            causes = ["The images and the network's outputs for them were finite."]
        if loss is not None:
            what = f"the loss became {loss}"
        elif not names:
            causes = [_CAUSES["weights"]]
        when = f"Epoch {self._epoch + 1}" + ("" if step is None else f", step {step}")
        which = [f"The first not finite: {', '.join(terms)}."] if terms else []
        self._raise(" ".join([f"{when}: {what}.", *which, *causes[:1]]))

    def _raise(self, message: str) -> None:
        """Gives the model its last good state, and raises."""
        epoch, state = self._copies[-1]
        self._copies = []
        assign_state(self.model, self._variables, state)
        when = f"after epoch {epoch}" if epoch else "before the first epoch"
        if self.filepath is not None:
            self.model.save(self.filepath)
            when += f", written to {self.filepath!r}"
        raise FloatingPointError(f"{message} The model has its state {when}.")
