"""Scores a folder slowly, and is killed after some seconds of it, if any are given.

python run_script.py MODEL SOURCE FOLDER [SECONDS]
"""

import os
import signal
import sys
import threading
import time

from keras_dc3.scale.exported import ExportedModel
from tests.scale import helpers

answer, load = ExportedModel.__call__, ExportedModel.load


def slowly(self, images):
    """Answers so slowly that a kill comes in between."""
    time.sleep(0.02)
    return answer(self, images)


def load_and_wait(self):
    """Loads the model; the clock of the kill begins."""
    load(self)
    if len(sys.argv) > 4:
        kill = (os.getpid(), signal.SIGKILL)
        threading.Timer(float(sys.argv[4]), os.kill, kill).start()


ExportedModel.__call__, ExportedModel.load = slowly, load_and_wait
print(helpers.score(*sys.argv[1:4]))
