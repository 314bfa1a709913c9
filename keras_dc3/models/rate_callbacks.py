"""Callbacks that set the learning rate of an optimizer."""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from keras_dc3._keras import schedule_of
from keras_dc3.models.training_length import optimizers_in

_RATE = "learning_rate"


def check_rate_callbacks(optimizer: Any, callbacks: Iterable[Any]) -> None:
    """Raises ValueError if a callback sets a rate that follows a schedule.

    Keras would raise where it is set, which can be in the middle of training.
    """
    scheduled = [one for one in optimizers_in(optimizer) if schedule_of(one)]
    if not scheduled:
        return
    for callback in _flatten(callbacks):
        if not sets_learning_rate(callback):
            continue
        schedule = type(schedule_of(scheduled[0])).__name__
        raise ValueError(
            f"`{type(callback).__name__}` sets the learning rate, but that of the "
            f"model's optimizer follows a schedule, `{schedule}`, and cannot be set. "
            "Compile the model with a number as its rate before `fit`: "
            f"`model.compile(optimizer={_with_a_number(scheduled[0])})`; or leave the "
            "callback out."
        )


def _flatten(callbacks: Iterable[Any]) -> Iterator[Any]:
    for callback in callbacks:
        yield callback
        inner = getattr(callback, "callbacks", None)  # of a `CallbackList`
        if isinstance(inner, list | tuple):
            yield from _flatten(inner)


def _with_a_number(optimizer: Any) -> str:
    """Returns code that makes such an optimizer without a schedule."""
    module = type(optimizer).__module__.split(".")[0]
    package = f"{module}.optimizers." if module in ("keras", "keras_dc3") else ""
    rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    return f"{package}{type(optimizer).__name__}(learning_rate={rate:.3g})"


def sets_learning_rate(callback: Any) -> bool:
    """Whether the code of a callback assigns the model's optimizer's `learning_rate`.

    Its methods and functions given to it are looked through, and functions that these
    hand an `.optimizer` to. A rate of anything else, such as of a record that the
    callback keeps, does not count.
    """
    kind = type(callback)
    parts = [getattr(kind, name, None) for name in dir(kind)]
    parts += list(getattr(callback, "__dict__", {}).values())
    seen: set[int] = set()
    return any(_sets_rate(part, seen) for part in parts)


def _sets_rate(part: Any, seen: set[int], is_method: bool = True) -> bool:
    part = getattr(part, "__func__", part)
    if not isinstance(part, types.FunctionType) or id(part) in seen:
        return False
    seen.add(id(part))
    if _assigns_rate(part.__code__, is_method):
        return True
    try:
        used = inspect.getclosurevars(part)
    except ValueError:  # a name in its closure has no value yet
        return False
    return any(_sets_rate(other, seen) for other in used.nonlocals.values()) or any(
        _sets_rate(other, seen, is_method=False) for other in used.globals.values()
    )


def _assigns_rate(code: types.CodeType, is_method: bool) -> bool:
    """Whether code assigns the rate of what its names call an optimizer.

    Args:
        code: of a function.
        is_method: whether it belongs to the callback. Else only what is handed to it
            counts: it may make an optimizer of its own.
    """
    by_name = "setattr" in code.co_names and _RATE in code.co_consts
    if by_name and any(map(_names_optimizer, code.co_names + code.co_varnames)):
        return True
    given = code.co_varnames[: code.co_argcount]
    for owner in _owners_of_rates_set(code):
        if _names_optimizer(owner[-1]) and (is_method or owner[0] in given):
            return True
    inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return any(_assigns_rate(part, is_method) for part in inner)


def _names_optimizer(name: str) -> bool:
    return "optimizer" in name.lower() or name == "opt"


def _owners_of_rates_set(code: types.CodeType) -> Iterator[list[str]]:
    """Yields the names, such as self, model, optimizer, of what gets a rate."""
    names: list[str] = []  # what was loaded last, as far as it is known
    stands_for: dict[str, list[str]] = {}  # local variables
    read: list[str] = []  # whose rate was read last, for `rate *= 0.5`
    for instruction in dis.get_instructions(code):
        kind, value = instruction.opname, instruction.argval
        if kind == "STORE_ATTR" and value == _RATE and names:
            yield names
        # Newer Pythons join two accesses to local variables in one instruction.
        both = value if "FAST" in kind and isinstance(value, tuple) else (value,)
        if kind.startswith("STORE_FAST"):
            stands_for[both[0]] = names
        if "LOAD_FAST" in kind or kind in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
            names = stands_for.get(both[-1]) or [both[-1]]
        elif kind in ("LOAD_ATTR", "LOAD_METHOD") and names:
            if value == "assign" and names[-1] == _RATE and names[1:]:
                yield names[:-1]
            read = names if value == _RATE else read
            names = [*names, value]
        elif kind == "SWAP":
            names = read
        elif kind != "COPY":
            names = []
