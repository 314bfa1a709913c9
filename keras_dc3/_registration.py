"""Registration with Keras' serialization, configs, and lookup by short name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

PACKAGE = "keras_dc3"

# The decorator of every public class: saved models name it "keras_dc3>Class".
register = keras.saving.register_keras_serializable(package=PACKAGE)


def suggest(name: object, known: list[str]) -> str:
    """Returns " Did you mean 'x'?" for the nearest known name, else ""."""
    near = difflib.get_close_matches(str(name).lower().replace("-", "_"), known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def lookup(
    kind: str,
    identifier: Any,
    base: type,
    named: Mapping[str, type],
    make: Callable[[type], Any] = lambda cls: cls(),
) -> Any:
    """Turns a name, config, class or instance into an instance of `base`.

    Args:
        kind: what is looked up, for messages (`"strategy"`).
        identifier: a key of `named`, a config dict as written by
            `keras.saving.serialize_keras_object`, a subclass of `base`, or an
            instance, which is returned as it is.
        base: the class that the result must be an instance of.
        named: short name -> class.
        make: makes an instance of a class found by name or given as a class.

    Raises:
        ValueError: for an unknown name; it lists the known ones and the nearest.
        TypeError: for anything that does not give an instance of `base`.
    """
    if isinstance(identifier, base):
        return identifier
    if isinstance(identifier, str):
        if identifier not in named:
            raise ValueError(
                f"Unknown {kind} {identifier!r}.{suggest(identifier, list(named))} "
                f"Known names: {', '.join(sorted(named))}."
            )
        return make(named[identifier])
    if inspect.isclass(identifier) and issubclass(identifier, base):
        return make(identifier)
    if isinstance(identifier, Mapping):
        found = keras.saving.deserialize_keras_object(dict(identifier))
        if isinstance(found, base):
            return found
    raise TypeError(
        f"A {kind} must be one of the names {sorted(named)}, a subclass or instance "
        f"of `{base.__name__}`, or its serialized config. Received: {identifier!r}"
    )


def settings(thing: Any, *names: str) -> dict[str, Any]:
    """Returns attributes as a config holds them: functions and initializers serialized.

    Args:
        thing: the layer, loss or other object.
        *names: of its attributes, in the order of the config.
    """
    serialize = keras.saving.serialize_keras_object
    values = {name: getattr(thing, name) for name in names}
    return {n: serialize(v) if callable(v) else v for n, v in values.items()}


def model_config(model: keras.Model, **parts: Any) -> dict[str, Any]:
    """Returns the beginning of a model's config: name, dtype and serialized parts.

    Args:
        model: the model.
        **parts: layers and other Keras objects that its constructor takes.
    """
    serialize = keras.saving.serialize_keras_object
    objects = {"dtype": model.dtype_policy, **parts}
    return {"name": model.name, **{k: serialize(v) for k, v in objects.items()}}


def deserialized(
    config: dict[str, Any], names: Iterable[str], custom_objects: Any = None
) -> dict[str, Any]:
    """Returns a copy of a config in which some objects are made again.

    Args:
        config: as `get_config` returns it; a layer in it may be made already.
        names: of the objects; of one that an old config lacks, None is returned.
        custom_objects: as for `keras.saving.deserialize_keras_object`.
    """
    made = {name: config.get(name) for name in names}
    for name, value in made.items():
        if not isinstance(value, keras.layers.Layer):
            made[name] = keras.saving.deserialize_keras_object(
                value, custom_objects=custom_objects
            )
    return {**config, **made}
