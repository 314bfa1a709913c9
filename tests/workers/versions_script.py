"""Begins to train as one of two workers, of which the second has another version.

Arguments: as for `train_script.py`.
"""

import json
import sys
from pathlib import Path

from keras_dc3.models import workers
from tests.models.helpers import make_model
from tests.workers.cluster import join
from tests.workers.life_script import make_data
from tests.workers.network import backbone


def main():
    settings, worker, path = sys.argv[1:]
    settings = json.loads(Path(settings).read_text())
    if worker == "1":
        workers.__version__ = "0.0.1"
    with join(settings["addresses"], int(worker)).scope():
        model = make_model(backbone, "supervised")
    try:
        model.fit(make_data(), epochs=1, verbose=0)
    except RuntimeError as error:
        Path(path).write_text(str(error))


if __name__ == "__main__":
    main()
