"""The learning rate of an optimizer: its schedule, and callbacks that set it."""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from keras_dc3.optimizers import SevenSixteenthsCosine

_RATE = "learning_rate"


def optimizers_in(optimizer: Any) -> list[Any]:
    """Returns the optimizers that an optimizer stands for, mostly itself."""
    if hasattr(optimizer, "inner_optimizer"):  # scales the loss for float16
        return optimizers_in(optimizer.inner_optimizer)
    if hasattr(optimizer, "optimizers"):  # one for each group of weights
        return [one for part in optimizer.optimizers for one in optimizers_in(part)]
    return [optimizer]


def schedule_of(optimizer: Any) -> Any:
    """Returns what the rate of an optimizer is computed by; None for a number."""
    rate = getattr(optimizer, "_learning_rate", None)
    return rate if callable(rate) else None


def schedule_steps(schedule: Any) -> int | None:
    """Returns after how many steps a schedule is used up, None if unknown or never."""
    schedules = keras.optimizers.schedules
    if isinstance(schedule, SevenSixteenthsCosine):
        return schedule.steps
    if isinstance(schedule, schedules.CosineDecay):
        return int(schedule.decay_steps + schedule.warmup_steps)
    if isinstance(schedule, schedules.PolynomialDecay) and not schedule.cycle:
        return int(schedule.decay_steps)
    return None


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
    """Whether the code of a callback assigns an optimizer's `learning_rate`.

    Its methods, functions given to it, and plain functions that these call are looked
    through. An attribute of that name of the callback itself does not count.
    """
    kind = type(callback)
    parts = [getattr(kind, name, None) for name in dir(kind)]
    parts += list(getattr(callback, "__dict__", {}).values())
    seen: set[int] = set()
    return any(_sets_rate(part, seen) for part in parts)


def _sets_rate(part: Any, seen: set[int]) -> bool:
    part = getattr(part, "__func__", part)
    if not isinstance(part, types.FunctionType) or id(part) in seen:
        return False
    seen.add(id(part))
    if _assigns_rate(part.__code__):
        return True
    try:
        used = inspect.getclosurevars(part)
    except ValueError:  # a name in its closure has no value yet
        return False
    called = [*used.nonlocals.values(), *used.globals.values()]
    return any(_sets_rate(other, seen) for other in called)


def _assigns_rate(code: types.CodeType) -> bool:
    if "setattr" in code.co_names and _RATE in code.co_consts:
        return True
    before = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_ATTR" and instruction.argval == _RATE:
            owner = getattr(before, "argval", None)
            owner = owner[-1] if isinstance(owner, tuple) else owner
            if owner != "self":
                return True
        if instruction.argval == "assign" and getattr(before, "argval", 0) == _RATE:
            return True
        before = instruction
    inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return any(map(_assigns_rate, inner))
