"""`Backup`, and the callbacks that `DC3Model.fit` adds by itself."""

from keras_dc3.callbacks.backup import Backup
from keras_dc3.callbacks.collapse_monitor import CollapseMonitor
from keras_dc3.callbacks.epoch_clock import EpochClock
from keras_dc3.callbacks.stop_on_nan import StopOnNaN

__all__ = ["Backup", "CollapseMonitor", "EpochClock", "StopOnNaN"]
