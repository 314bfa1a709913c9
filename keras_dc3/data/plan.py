"""What batches are made of: the order of images and the seeds of their views."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._validation import check_positive_int, check_positive_number, check_seed
from keras_dc3.collective import Share
from keras_dc3.data.image_set import ReadableImages
from keras_dc3.data.moments import Moments
from keras_dc3.data.policies import Policy


class EpochClock:
    """Holds `epoch`, an int of at least 0.

    Order and augmentation of the batches are functions of seed and epoch alone;
    whoever trains sets the epoch before it asks for the epoch's iterator.
    """

    def __init__(self, epoch: int = 0):
        self.epoch = epoch

    @property
    def epoch(self) -> int:
        """The number of the current epoch, from 0."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        check_positive_int("epoch", epoch, least=0)
        self._epoch = int(epoch)


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

    >>> plan = keras_dc3.data.plan.BatchPlan(4, 10, batch_size=4)
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


@dataclass(frozen=True)
class Recipe:
    """What `pipeline.training_dataset` and `batches.TrainingBatches` make alike.

    A batch is `({"labeled": (b, h, w, c), "unlabeled": {view: (m, h, w, c)}}, labels)`
    or, without views, `(images, labels)`; labels are (b,) int32 or (b, k) float32. For
    images of features stand (b, d) and (m, d).

    Args:
        plan: the order of the images.
        clock: says which epoch to make.
        labeled, unlabeled: the images; `unlabeled` is None without views.
        labels: of the labeled images, (n,) int32 or soft, (n, k) float32.
        policy: augmentation of the labeled images.
        views: name -> augmentation of each view of the unlabeled images.
        value_range: (low, high) that strong augmentation works in; None for features.
        moments: of the training features; None for images.
        positions: whether a batch also has `"positions"`, (m,) int32: which of the
            unlabeled images it shows.
        share: which parts of each batch are made, one after the other; None: all.
    """

    plan: BatchPlan
    clock: EpochClock
    labeled: ReadableImages
    labels: np.ndarray
    unlabeled: ReadableImages | None
    policy: Policy
    views: Mapping[str, Policy]
    value_range: tuple[float, float] | None
    moments: Moments | None = None
    positions: bool = False
    share: Share | None = None

    def inputs(self, labeled: Any, views: Mapping[str, Any], at: Any) -> dict[str, Any]:
        """Returns the inputs of a batch with views.

        Args:
            labeled: the labeled images.
            views: view -> the unlabeled images as it shows them.
            at: their positions, (m,) int32.
        """
        told = {"positions": at} if self.positions else {}
        return {"labeled": labeled, "unlabeled": views, **told}


def stream_number(name: str) -> int:
    """Returns what tells a view's random draws from those of the other views.

    Named, not counted: a view's augmentation does not depend on which others there
    are. An integer in 0..2**31 - 1.
    """
    return zlib.crc32(name.encode()) & 0x7FFFFFFF
