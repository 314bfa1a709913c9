"""Classes that are added, renamed, merged or put into another order. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keras_dc3._names import composed
from keras_dc3._text import as_list, some
from keras_dc3._validation import check_class_names, check_ordered


@dataclass(frozen=True)
class ClassChange:
    """What becomes of each of k classes, and which m there are then.

    Made by `ClassChange.of`. Everything that has classes is carried by the same rule:
    answers, data, proposals and models, by their `with_classes`.

    Attributes:
        before: the k names.
        after: the m names.
        becomes: for each of `before` its position among `after`; -1 where it is left
            out.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    becomes: tuple[int, ...]

    @classmethod
    def of(
        cls,
        before: Sequence[str],
        class_names: Sequence[str],
        renamed: Mapping[str, str | None] | None = None,
    ) -> ClassChange:
        """Returns the change to other classes.

        Args:
            before: names of the classes so far.
            class_names: names of all classes from now on, in their order.
            renamed: old name -> new name, of classes that do not keep theirs. Those
                that get the same name, or that of a class that keeps it, are merged.
                None leaves a class out. A new class has no old name.

        Raises:
            TypeError: if `class_names` have no order, or `renamed` is no mapping.
            ValueError: if two new names are alike, an old name is no class, a new name
                is none of `class_names`, or an old class would vanish unsaid.

        Example:

        >>> from keras_dc3.annotations.class_changes import ClassChange
        >>> change = ClassChange.of(
        ...     ["roe deer", "red deer", "cat"],
        ...     ["cat", "deer", "fox"],
        ...     {"roe deer": "deer", "red deer": "deer"},
        ... )
        >>> change.becomes, change.added
        ((1, 1, 0), ('fox',))
        """
        before = tuple(map(composed, before))
        check_ordered("class_names", class_names)
        after = check_class_names("class_names", list(class_names), clean=True)
        if not after:
            raise ValueError("`class_names` must name at least one class.")
        renamed = {} if renamed is None else renamed
        if not isinstance(renamed, Mapping):
            raise TypeError(
                "`renamed` must be a dict of old name to new name. Received: "
                f"{type(renamed).__name__}"
            )
        new_of = {name: name for name in before if name in after}
        for old, new in renamed.items():
            old = composed(old) if isinstance(old, str) else old
            if old not in before:
                raise ValueError(
                    f"`renamed` says what becomes of {old!r}, but the classes so far "
                    f"are {as_list(before)}."
                )
            new_of[old] = _new_name(old, new, after)
        gone = [name for name in before if name not in new_of]
        if gone:
            raise ValueError(
                f"{some(map(repr, gone))} would vanish: say what becomes of it by "
                f"`renamed={{{gone[0]!r}: ...}}`, the name of one of the new classes "
                f"{as_list(after)}, or None to leave it out."
            )
        places = {None: -1, **{name: place for place, name in enumerate(after)}}
        return cls(before, after, tuple(places[new_of[name]] for name in before))

    @cached_property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """For each new class the positions of the old ones that it is made of."""
        old: list[list[int]] = [[] for _ in self.after]
        for place, new in enumerate(self.becomes):
            if new >= 0:
                old[new].append(place)
        return tuple(map(tuple, old))

    @property
    def added(self) -> tuple[str, ...]:
        """New classes that no old one became."""
        pairs = zip(self.after, self.sources, strict=True)
        return tuple(name for name, old in pairs if not old)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Old classes that become none."""
        pairs = zip(self.before, self.becomes, strict=True)
        return tuple(name for name, new in pairs if new < 0)

    @property
    def merges(self) -> bool:
        """Whether several old classes become one."""
        return any(len(old) > 1 for old in self.sources)

    @property
    def is_none(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after and self.becomes == tuple(
            range(len(self.before))
        )

    def of_labels(self, labels: np.ndarray) -> np.ndarray:
        """Returns the new positions of old classes, of whatever shape; -1 stays."""
        return np.array([*self.becomes, -1])[np.asarray(labels)]

    def of_values(self, values: np.ndarray) -> np.ndarray:
        """Returns (n, m), the sums of old columns, of counts or shares (n, k)."""
        carried = np.zeros((len(values), len(self.after)), values.dtype)
        for new, old in enumerate(self.sources):
            carried[:, new] = values[:, list(old)].sum(axis=1)
        return carried

    def __str__(self) -> str:
        """What changes, in a line."""
        said = []
        for name, old in zip(self.after, self.sources, strict=True):
            names = [self.before[place] for place in old]
            if len(names) > 1:
                said.append(f"{some(map(repr, names))} are {name!r} now")
            elif names and names[0] != name:
                said.append(f"{names[0]!r} is called {name!r} now")
        said += [f"{name!r} is new" for name in self.added]
        said += [f"{name!r} is left out" for name in self.left_out]
        kept = [self.before[old[0]] for old in self.sources if old]
        if not said and kept != list(self.before):
            said.append("the order has changed")
        return f"Classes: {'; '.join(said) or 'as before'}."


def _new_name(old: str, new: str | None, after: tuple[str, ...]) -> str | None:
    """Returns what `old` is called among the classes `after`; None for none of them."""
    name = composed(new) if isinstance(new, str) else new
    if new is not None and name not in after:
        raise ValueError(
            f"`renamed` makes {new!r} of {old!r}, but the new classes are "
            f"{as_list(after)}. Add it to `class_names`, or correct it."
        )
    return name
