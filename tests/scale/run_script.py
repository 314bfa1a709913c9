"""Scores a folder slowly, and is killed after some seconds of it, if any are given.

python run_script.py MODEL SOURCE FOLDER [SECONDS]
"""

import functools
import os
import signal
import sys
import threading
import time

import tensorflow as tf

from keras_dc3.scale.exported import ExportedModel
from tests.scale import helpers

answer = ExportedModel.__call__


def slowly(self, images):
    """Answers so slowly that a kill comes in between."""
    time.sleep(0.02)
    return answer(self, images)


# The model is loaded before the clock of the kill begins.
tf.saved_model.load = functools.cache(tf.saved_model.load)
ExportedModel.__call__ = slowly
ExportedModel(sys.argv[1], embeddings=True).load()
if len(sys.argv) > 4:
    kill = (os.getpid(), signal.SIGKILL)
    threading.Timer(float(sys.argv[4]), os.kill, kill).start()
print(helpers.score(*sys.argv[1:4]))
