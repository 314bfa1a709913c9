"""What a command of `keras-dc3` is, and the flags that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from absl import flags


class Flags:
    """Defines the flags of one command, of which none is known elsewhere.

    Attributes:
        values: what was defined, to be parsed and read.
    """

    def __init__(self):
        self.values = flags.FlagValues()

    def text(self, name: str, default: str | None, about: str) -> None:
        """Defines a flag that takes any text."""
        flags.DEFINE_string(name, default, about, flag_values=self.values)

    def items(self, name: str, about: str, *, may_be_empty: bool = False) -> None:
        """Defines a flag that takes several texts, with commas between.

        One that is given holds some, or a variable of the shell was empty by mistake.
        """
        flags.DEFINE_list(name, None, about, flag_values=self.values)
        if not may_be_empty:
            flags.register_validator(
                name,
                lambda given: given is None or any(map(str.strip, given)),
                "it is empty; say what it holds, or leave it out",
                flag_values=self.values,
            )

    def choice(
        self, name: str, default: str | None, of: Sequence[str], about: str
    ) -> None:
        """Defines a flag that takes one of some words."""
        flags.DEFINE_enum(name, default, list(of), about, flag_values=self.values)

    def switch(self, name: str, about: str, default: bool = False) -> None:
        """Defines a flag that is on or off; off unless it is given."""
        flags.DEFINE_bool(name, default, about, flag_values=self.values)

    def whole(self, name: str, default: int | None, about: str, least: int = 1) -> None:
        """Defines a flag that takes a whole number."""
        flags.DEFINE_integer(
            name, default, about, lower_bound=least, flag_values=self.values
        )

    def number(
        self,
        name: str,
        default: float | None,
        about: str,
        least: float = 0.0,
        most: float | None = None,
    ) -> None:
        """Defines a flag that takes a number, `least` to `most`."""
        flags.DEFINE_float(
            name,
            default,
            about,
            lower_bound=least,
            upper_bound=most,
            flag_values=self.values,
        )


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: as it is called.
        summary: in a line.
        about: in some lines.
        define: defines its flags.
        run: does it: words and flags -> what to print.
        words: what it takes besides flags, for the help; "" for nothing.
        stopped: what to say where it is stopped by Ctrl-C.
    """

    name: str
    summary: str
    about: str
    define: Callable[[Flags], None]
    run: Callable[[Sequence[str], flags.FlagValues], Any]
    words: str = ""
    stopped: str = "Nothing is lost; call it again to go on."

    def flags(self) -> flags.FlagValues:
        """Returns its flags, not yet parsed."""
        of = Flags()
        of.text("project", ".", "The folder of the project.")
        self.define(of)
        return of.values
