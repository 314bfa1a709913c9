"""Means, gathers and sums: one replica, and two of `tf.distribute`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3 import collective as collective_module
from keras_dc3.collective import Collective
from keras_dc3.losses import BatchRankAmbiguity


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_one_replica_has_nothing_to_communicate():
    collective = Collective()
    value = ops.convert_to_tensor([1.0, 2.0, 4.0])
    assert collective.replicas == 1
    assert collective.sum(value) is value
    assert collective.gather(value) is value
    assert collective.local(value, like=value) is value
    with collective.scope():
        pass


def test_mean():
    collective = Collective()
    values = ops.convert_to_tensor([1.0, 2.0, 6.0])
    assert float(collective.mean(values)) == 3.0
    # Over the number of rows, as Keras' own reduction: weights do not divide.
    assert float(collective.mean(values, ops.convert_to_tensor([0.0, 1.0, 2.0]))) == (
        pytest.approx(14 / 3)
    )
    assert float(collective.mean(values, np.array([0, 0, 1]))) == 2.0
    assert float(collective.mean(values, ops.zeros(3))) == 0.0


def test_mean_never_broadcasts_weights():
    with pytest.raises(
        ValueError, match=r"`sample_weight` must have shape \(images,\)"
    ):
        Collective().mean(ops.ones(3), np.ones((3, 1)))
    with pytest.raises(ValueError, match="same number of images"):
        Collective().mean(ops.ones(3), np.ones(1))


def test_mean_of_nothing_is_zero():
    assert float(Collective().mean(ops.zeros((0,)))) == 0.0


def test_current_outside_a_strategy_is_the_identity():
    assert type(collective_module.current()) is Collective


def per_replica(strategy, values):
    return strategy.experimental_distribute_values_from_function(
        lambda context: ops.convert_to_tensor(
            values[context.replica_id_in_sync_group], "float32"
        )
    )


UNEVEN = [[1.0, 2.0, 6.0], [5.0, 1.0]]


@pytest.mark.tensorflow
def test_two_replicas(mirrored):
    import tensorflow as tf

    with mirrored.scope():
        collective = collective_module.current()
    assert collective.replicas == 2

    @tf.function(reduce_retracing=True)
    def compute(values):
        def replica(values):
            everything = collective.gather(values)
            return {
                "gather": everything,
                "local": collective.local(everything * 10.0, like=values),
                "sum": collective.sum(tf.reduce_sum(values)),
                "mean": collective.mean(values),
                "weighted": collective.mean(values, weights=values),
            }

        return mirrored.run(replica, args=(values,))

    found = {
        name: [value.numpy() for value in mirrored.experimental_local_results(each)]
        for name, each in compute(per_replica(mirrored, UNEVEN)).items()
    }
    for replica, own in enumerate(UNEVEN):
        np.testing.assert_array_equal(found["gather"][replica], [1, 2, 6, 5, 1])
        np.testing.assert_array_equal(found["local"][replica], np.array(own) * 10)
        assert found["sum"][replica] == 15
    # Shares of the global mean: local sums over the global number of rows.
    np.testing.assert_allclose(found["mean"], [9 / 5, 6 / 5], rtol=1e-6)
    np.testing.assert_allclose(found["weighted"], [41 / 5, 26 / 5], rtol=1e-6)


@pytest.mark.tensorflow
def test_outside_of_a_step_it_is_the_identity(mirrored):
    with mirrored.scope():
        collective = collective_module.current()
        with collective.scope():
            variable = keras.Variable(1.0)
    value = ops.convert_to_tensor([1.0, 2.0])
    assert collective.sum(value) is value
    assert collective.gather(value) is value
    assert collective.local(value, like=value) is value
    assert len(mirrored.experimental_local_results(variable.value)) == 2


@pytest.mark.tensorflow
def test_rank_is_over_the_global_batch(mirrored):
    import tensorflow as tf

    loss = BatchRankAmbiguity(0.4, reduction=None)  # 2 of the 5 images
    scores = [[0.1, 0.2, 0.3], [0.8, 0.9]]

    @tf.function(reduce_retracing=True)
    def compute(values):
        return mirrored.run(lambda p: loss.call(p, p), args=(values,))

    found = mirrored.experimental_local_results(compute(per_replica(mirrored, scores)))
    np.testing.assert_allclose(found[0], -np.log1p(-np.array(scores[0])), rtol=1e-4)
    np.testing.assert_allclose(found[1], -np.log(scores[1]), rtol=1e-4)
