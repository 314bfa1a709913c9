"""Trains on JAX in one process, or as one of two by `jax.distributed`; prints all.

Arguments: this process's number, or "alone"; the address of the first one; and the
file to write to. Each process has its own half of each batch.
"""

import json
import sys

import jax
import keras
import numpy as np

from tests.models.helpers import arrays, make_model, strategy
from tests.workers.network import backbone

IMAGES, BATCH = 80, 8


def main():
    worker, address, path = sys.argv[1:]
    if worker != "alone":
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(address, num_processes=2, process_id=int(worker))
    x, y = arrays("mean_teacher", n=IMAGES)
    size = BATCH
    if worker != "alone":
        assert jax.process_count() == jax.device_count() == 2
        distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
        keras.distribution.set_distribution(distribution)
        size = BATCH // 2
        own = np.arange(IMAGES).reshape(-1, 2, size)[:, int(worker)].reshape(-1)
        x, y = keras.tree.map_structure(lambda part: part[own], (x, y))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=0.05)
    model = make_model(
        backbone, strategy("mean_teacher"), ema_decay=0.9, optimizer=optimizer
    )
    options = {"batch_size": size, "shuffle": False, "verbose": 0}
    history = model.fit(x, y, **options).history
    weights = {f"weight_{i}": value for i, value in enumerate(model.get_weights())}
    np.savez(path, logs=json.dumps(history), **weights)


if __name__ == "__main__":
    main()
