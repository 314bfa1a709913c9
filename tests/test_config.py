"""The named choices: their values, that they are frozen, checked and saved."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_dc3 import DC3Config

DEFAULT = {
    "inverse_weight": 10.0,
    "ambiguity_weight": 1.0,
    "consistency_weight": 0.1,
    "prior": 0.6,
    "rank_by": "uncertainty",
    "ambiguity_inputs": "confidence",
    "cluster_head": "prototypes",
    "stop_ambiguity_features": True,
    "stop_ambiguity_gradient": True,
    "scale_ssl": False,
    "scale_labeled": False,
    "partner": "mean",
    "inverse_pool": "batch",
    "inverse_mask": 0.0,
    "consistency_target": "partner",
    "stop_consistency_target": True,
}
PAPER = {
    "inverse_weight": 10.0,
    "ambiguity_weight": 0.1,
    "consistency_weight": 0.1,
    "prior": 0.6,
    "rank_by": "ambiguity",
    "ambiguity_inputs": "features",
    "cluster_head": "linear",
    "stop_ambiguity_features": False,
    "stop_ambiguity_gradient": False,
    "scale_ssl": True,
    "scale_labeled": True,
    "partner": "random",
    "inverse_pool": "batch",
    "inverse_mask": 0.0,
    "consistency_target": "anchor",
    "stop_consistency_target": False,
}
REFERENCE = {
    **PAPER,
    "stop_ambiguity_gradient": True,
    "scale_labeled": False,
    "inverse_pool": "part",
    "inverse_mask": 0.95,
}
LINEAR = {**DEFAULT, "cluster_head": "linear"}
INVERSE_ONLY = {**LINEAR, "ambiguity_weight": 0.0, "consistency_weight": 0.0}
PRESETS = {
    "default": (DC3Config, DEFAULT),
    "paper": (DC3Config.paper, PAPER),
    "reference": (DC3Config.reference, REFERENCE),
    "ce_inverse_only": (DC3Config.ce_inverse_only, INVERSE_ONLY),
    "vanilla": (DC3Config.vanilla, {**INVERSE_ONLY, "inverse_weight": 0.0}),
    "cc_only": (DC3Config.cc_only, {**DEFAULT, "inverse_weight": 0.0}),
}


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    make, expected = PRESETS[name]
    config = make()
    assert config.get_config() == expected
    assert config.predicts_ambiguity == (name not in ("vanilla", "ce_inverse_only"))
    assert make(prior=0.25).get_config() == {**expected, "prior": 0.25}
    changed = make(ambiguity_weight=0.5, scale_ssl=True).get_config()
    assert changed == {**expected, "ambiguity_weight": 0.5, "scale_ssl": True}


def test_every_field_is_documented():
    for field in dataclasses.fields(DC3Config):
        assert f"        {field.name}: " in DC3Config.__doc__


def test_frozen_hashable_and_comparable():
    config = DC3Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.prior = 0.5
    assert config == DC3Config() != DC3Config(prior=0.5)
    assert len({config, DC3Config(), DC3Config.paper()}) == 2
    assert dataclasses.replace(config, prior=0.5).prior == 0.5


WRONG = [
    *[
        (name, value)
        for name in ("inverse_weight", "ambiguity_weight", "consistency_weight")
        for value in (-1, -1e-9, float("nan"), float("inf"), "1", True, None, [1.0])
    ],
    *[
        (name, value)
        for name in ("prior", "inverse_mask")
        for value in (1.5, -1, float("nan"), float("inf"), "0.6", True, None, [0.6])
    ],
    *[
        (name, value)
        for name in (
            "rank_by",
            "ambiguity_inputs",
            "partner",
            "inverse_pool",
            "consistency_target",
        )
        for value in ("other", "Mean", None, 1, ["mean"])
    ],
    *[
        (name, value)
        for name in (
            "stop_ambiguity_features",
            "stop_ambiguity_gradient",
            "scale_ssl",
            "scale_labeled",
            "stop_consistency_target",
        )
        for value in ("yes", "False", None, 2, 1, 0.0, [True])
    ],
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_wrong_values_name_the_field(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received: {name}="):
        DC3Config(**{name: value})
    for preset in (DC3Config.paper, DC3Config.reference, DC3Config.vanilla):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            preset(**{name: value})


def test_unknown_fields():
    with pytest.raises(TypeError, match="priors"):
        DC3Config(priors=0.5)
    with pytest.raises(TypeError, match="priors"):
        DC3Config.paper(priors=0.5)


@pytest.mark.parametrize("prior", [0, 0.0, 1, 1.0, 0.29])
def test_priors_at_the_ends(prior):
    assert DC3Config(prior=prior).prior == prior


@pytest.mark.parametrize("name", PRESETS)
def test_round_trips(name):
    config = PRESETS[name][0](prior=0.3)
    assert DC3Config.from_config(config.get_config()) == config
    serialized = keras.saving.serialize_keras_object(config)
    assert serialized["registered_name"] == "keras_dc3>DC3Config"
    again = keras.saving.deserialize_keras_object(serialized)
    assert type(again) is DC3Config and again == config


def test_numpy_numbers_become_plain_ones():
    config = DC3Config(
        prior=np.float32(0.5), inverse_weight=np.int64(3), scale_ssl=np.True_
    )
    assert config == DC3Config(prior=0.5, inverse_weight=3.0, scale_ssl=True)
    values = config.get_config()
    assert {type(value) for value in values.values()} == {float, str, bool}
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(config)
    )
    assert again == config
