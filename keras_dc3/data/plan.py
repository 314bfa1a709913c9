"""The order of the batches, as a function of seed and epoch alone. NumPy only."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from keras_dc3._validation import check_positive_int, check_positive_number, check_seed

_LABELED, _UNLABELED, _SEEDS = range(3)  # keep the streams' random numbers apart


class EpochOrder(NamedTuple):
    """One epoch's batches, as positions in the labeled and unlabeled images.

    labeled: (steps, batch_size) int64. unlabeled: `steps` arrays (m,) int64, empty
    without unlabeled images. seeds: (steps,) int64 in 0..2**31 - 1, from which each
    step's augmentation is drawn.
    """

    labeled: np.ndarray
    unlabeled: list[np.ndarray]
    seeds: np.ndarray


class BatchPlan:
    """Which images stand in which batch.

    Without `steps_per_epoch` an epoch shows every unlabeled image exactly once; its
    last unlabeled batch may be smaller. Labeled images come in reshuffled passes,
    each shown equally often up to one. If the labeled images fill more batches than
    the unlabeled ones, an epoch shows every labeled image once at least, and it is
    the unlabeled images that come in reshuffled passes of full batches.

    With `steps_per_epoch` both are endless streams of reshuffled passes, cut into
    full batches; an epoch goes on where the one before it stopped.

    Labeled batches are always full: images repeat within one if there are fewer than
    `batch_size`.

    Args:
        num_labeled: at least 1.
        num_unlabeled: 0 for supervised training.
        batch_size: labeled images per batch.
        unlabeled_ratio: unlabeled images per labeled one in a batch, above 0.
        seed: integer of at least 0.
        steps_per_epoch: None for the steps that show all images.

    Example:

    >>> plan = keras_dc3.data.BatchPlan(num_labeled=4, num_unlabeled=10, batch_size=4)
    >>> order = plan.epoch(0)
    >>> order.labeled.shape, [len(part) for part in order.unlabeled]
    ((3, 4), [4, 4, 2])
    """

    def __init__(
        self,
        num_labeled: int,
        num_unlabeled: int,
        batch_size: int,
        unlabeled_ratio: float = 1,
        seed: int = 0,
        steps_per_epoch: int | None = None,
    ):
        check_positive_int("num_labeled", num_labeled)
        check_positive_int("num_unlabeled", num_unlabeled, least=0)
        check_positive_int("batch_size", batch_size)
        check_positive_number("unlabeled_ratio", unlabeled_ratio)
        check_seed(seed)
        if steps_per_epoch is not None:
            check_positive_int("steps_per_epoch", steps_per_epoch)
        self.num_labeled = int(num_labeled)
        self.num_unlabeled = int(num_unlabeled)
        self.batch_size = int(batch_size)
        self.unlabeled_ratio = unlabeled_ratio
        self.seed = int(seed)
        self.steps_per_epoch = steps_per_epoch

    @property
    def unlabeled_batch_size(self) -> int:
        """Unlabeled images in a full batch, at least 1."""
        return max(1, round(self.batch_size * self.unlabeled_ratio))

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        if self.steps_per_epoch is not None:
            return int(self.steps_per_epoch)
        return max(
            math.ceil(self.num_labeled / self.batch_size),
            math.ceil(self.num_unlabeled / self.unlabeled_batch_size),
        )

    def epoch(self, epoch: int) -> EpochOrder:
        """Returns the order of the epoch with this number, from 0."""
        check_positive_int("epoch", epoch, least=0)
        steps, size = self.steps, self.unlabeled_batch_size
        labeled = self._stream(_LABELED, epoch, self.num_labeled, self.batch_size)
        if not self.num_unlabeled:
            unlabeled = [np.zeros(0, "int64")] * steps
        else:
            once = self.steps_per_epoch is None and steps == math.ceil(
                self.num_unlabeled / size
            )
            order = self._stream(
                _UNLABELED,
                epoch,
                self.num_unlabeled,
                size,
                stop=self.num_unlabeled if once else None,
            )
            unlabeled = [order[i * size : (i + 1) * size] for i in range(steps)]
        words = np.random.SeedSequence([self.seed, _SEEDS, epoch]).generate_state(steps)
        return EpochOrder(
            labeled.reshape(steps, self.batch_size),
            unlabeled,
            (words >> 1).astype("int64"),
        )

    def _stream(
        self, stream: int, epoch: int, number: int, size: int, stop: int | None = None
    ) -> np.ndarray:
        """Returns an epoch's part of a stream of reshuffled passes over `number`."""
        length = self.steps * size
        if self.steps_per_epoch is None:
            key, start = [self.seed, stream, 0, epoch], 0
        else:
            key, start = [self.seed, stream, 1], epoch * length
        first, last = start // number, (start + length - 1) // number
        passes = [
            np.random.default_rng([*key, i]).permutation(number)
            for i in range(first, last + 1)
        ]
        start -= first * number
        return np.concatenate(passes)[start : start + length][:stop]
