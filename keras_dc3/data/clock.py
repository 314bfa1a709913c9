"""The epoch that training is in, shared by all batches of a data set."""

from __future__ import annotations

from keras_dc3._validation import check_positive_int


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
