"""Semi-supervised strategies, by class and by short name."""

from __future__ import annotations

from typing import Any

from keras_dc3._registration import lookup
from keras_dc3.strategies._defaults import REFERENCE_STEPS
from keras_dc3.strategies.batch import Batch
from keras_dc3.strategies.declaration import check_declaration
from keras_dc3.strategies.fixmatch import FixMatch
from keras_dc3.strategies.flexmatch import FlexMatch
from keras_dc3.strategies.freematch import FreeMatch
from keras_dc3.strategies.mean_teacher import MeanTeacher
from keras_dc3.strategies.mixmatch import MixMatch
from keras_dc3.strategies.pi_model import PiModel
from keras_dc3.strategies.pseudo_label import PseudoLabel
from keras_dc3.strategies.softmatch import SoftMatch
from keras_dc3.strategies.strategy import SSLStrategy
from keras_dc3.strategies.supervised import Supervised
from keras_dc3.strategies.uda import UDA

_NAMED: dict[str, type[SSLStrategy]] = {
    "supervised": Supervised,
    "pi_model": PiModel,
    "mean_teacher": MeanTeacher,
    "pseudo_label": PseudoLabel,
    "mixmatch": MixMatch,
    "uda": UDA,
    "fixmatch": FixMatch,
    "flexmatch": FlexMatch,
    "freematch": FreeMatch,
    "softmatch": SoftMatch,
}


def names() -> list[str]:
    """Returns the short names of all known strategies.

    Example:

    >>> keras_dc3.strategies.names()
    ['fixmatch', 'flexmatch', 'freematch', 'mean_teacher', 'mixmatch', 'pi_model', \
'pseudo_label', 'softmatch', 'supervised', 'uda']
    """
    return sorted(_NAMED)


def register(name: str, strategy: type[SSLStrategy]) -> None:
    """Makes a strategy of your own known under a short name.

    Args:
        name: to be used as `DC3Model(backbone, ssl=name)`.
        strategy: a subclass of `SSLStrategy`. It must also be registered with
            `keras.saving.register_keras_serializable` for models to be saved.

    Raises:
        ValueError: if another strategy has that name already.
        TypeError: if `name` is no string, or `strategy` no subclass of `SSLStrategy`.

    Example:

    >>> class Eager(keras_dc3.strategies.PseudoLabel):
    ...     pass
    >>> keras_dc3.strategies.register("eager", Eager)
    >>> keras_dc3.strategies.get("eager").threshold
    0.95
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"`name` must be a string. Received: name={name!r}")
    if not (isinstance(strategy, type) and issubclass(strategy, SSLStrategy)):
        raise TypeError(
            "`strategy` must be a subclass of `keras_dc3.strategies.SSLStrategy`. "
            f"Received: {strategy!r}"
        )
    if _NAMED.get(name, strategy) is not strategy:
        raise ValueError(
            f"The strategy name {name!r} is taken by `{_NAMED[name].__name__}`; "
            "choose another."
        )
    _NAMED[name] = strategy


def get(identifier: Any, training_steps: int = REFERENCE_STEPS) -> SSLStrategy:
    """Returns a strategy by short name, class, serialized config or instance.

    Args:
        identifier: such as `"pi_model"`, `PiModel`, or `PiModel(weight=5.0)`.
        training_steps: planned length of the training; sets the ramp of a strategy
            given by name or class (`SSLStrategy.for_training`).

    Raises:
        ValueError: for an unknown name; it lists the known ones and the nearest.
        TypeError: for anything else that is no strategy.

    Example:

    >>> keras_dc3.strategies.get("pi_model", training_steps=1000).ramp_steps
    400
    """
    strategy = lookup(
        "strategy",
        identifier,
        SSLStrategy,
        _NAMED,
        make=lambda cls: cls.for_training(training_steps),
    )
    check_declaration(strategy)
    return strategy


__all__ = [
    "UDA",
    "Batch",
    "FixMatch",
    "FlexMatch",
    "FreeMatch",
    "MeanTeacher",
    "MixMatch",
    "PiModel",
    "PseudoLabel",
    "SSLStrategy",
    "SoftMatch",
    "Supervised",
    "get",
    "names",
    "register",
]
