"""Runs one command of `keras-dc3`, and tells in one sentence what went wrong."""

from __future__ import annotations

import difflib
import os
import sys
import textwrap
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress

from absl import flags, logging

from keras_dc3._version import __version__
from keras_dc3.command_line.command import Command
from keras_dc3.command_line.commands import COMMANDS
from keras_dc3.command_line.wording import Translated, in_flags, quoted

_WIDTH = 88
_STOPPED = 130  # as the shell has it for Ctrl-C
_CLOSED = 141  # as it has it where nobody reads on, as behind `| head`


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: those of the command line, without the name of the program. None:
            those that the program was called with.

    Returns:
        The exit status: 0, 1 for what could not be done, 2 for a wrong call.

    Example:

    >>> keras_dc3.command_line.main(["version"])
    keras_dc3 0.2.0
    0
    """
    try:
        status = _main(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        with suppress(OSError, ValueError):  # a stream that is no file
            # What is left in the buffer goes nowhere, and no error tells so at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED


def _main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("help", "-h", "--help", "-help"):
        named = arguments[1:2]
        if named and named[0] in COMMANDS:
            print(_help(COMMANDS[named[0]]))
            return 0
        print(_overview())
        return 0
    name, *rest = arguments
    if name in ("version", "--version"):
        print(f"keras_dc3 {__version__}")
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return _wrong(f"{name!r} is no command.{hint} `keras-dc3 help` lists them.")
    command = COMMANDS[name]
    if {"-h", "--help", "-help"} & set(rest):
        print(_help(command))
        return 0
    values = command.flags()
    try:
        _, *words = values([f"keras-dc3 {name}", *rest])
    except flags.Error as error:
        what = str(error).rstrip(".")
        return _wrong(f"{what}. `keras-dc3 help {name}` tells what there is.")
    if command.words == "" and words:
        return _wrong(
            f"`keras-dc3 {name}` takes no {words[0]!r}: {_instead(words, values)} "
            f"`keras-dc3 help {name}` lists them."
        )
    return _run(command, words, values)


def _instead(words: Sequence[str], values: flags.FlagValues) -> str:
    """Returns how to give words that a command does not take, in a sentence."""
    for name in values.flag_values_dict():
        if values[name].present and isinstance(values[name].value, list):
            joined = quoted(",".join([*values[name].value, *words]))
            return f"several are given with commas between, `--{name} {joined}`."
    return "what it needs is given as flags."


def _run(command: Command, words: Sequence[str], values: flags.FlagValues) -> int:
    logging.set_verbosity(logging.WARNING)

    def translated(text: str) -> str:
        return in_flags(text, values.flag_values_dict())

    def tell(message: Warning | str, *_: object, **__: object) -> None:
        print(_wrapped(f"Note: {translated(str(message))}"), file=sys.stderr)

    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(Translated(sys.stdout, translated)),
        ):
            warnings.showwarning = tell  # in a line, without the source
            warnings.simplefilter("default", UserWarning)
            told = command.run(words, values)
    except KeyboardInterrupt:
        print(f"\nStopped. {command.stopped}", file=sys.stderr)
        return _STOPPED
    except BrokenPipeError:
        raise
    except (ImportError, OSError, ValueError, FloatingPointError) as error:
        print(f"\n{_wrapped(translated(_said(error)))}", file=sys.stderr)
        return 1
    if told is not None:
        print(translated(str(told)))
    return 0


def _said(error: Exception) -> str:
    """Returns what an error says, without the number that the system gives it."""
    reason = getattr(error, "strerror", None)
    if reason is None:
        return str(error)
    file = getattr(error, "filename", None)
    return reason if file is None else f"{file}: {reason}"


def _wrong(text: str) -> int:
    print(_wrapped(text), file=sys.stderr)
    return 2


def _wrapped(text: str) -> str:
    lines = (
        textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "\n".join(lines)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [
        "keras-dc3: from pictures on whose labels people disagree to a label file.",
        "",
        "    keras-dc3 COMMAND [FLAGS]     (`keras-dc3 help COMMAND` tells of one)",
        "",
        *(f"  {name:{width}}  {one.summary}" for name, one in COMMANDS.items()),
        "",
        _wrapped(
            "A project is a folder; commands work on the one that they are called in, "
            "or on that of --project. Each can be stopped and called again, and says "
            "what to do next."
        ),
    ]
    return "\n".join(lines)


def _help(command: Command) -> str:
    values = command.flags()
    lines = [
        f"keras-dc3 {command.name} {command.words}".rstrip() + " [FLAGS]",
        "",
        _wrapped(command.about),
        "",
    ]
    for name in sorted(values.flag_values_dict()):
        flag = values[name]
        known = flag.default not in (None, False, "", [])
        default = _default(flag.default) if known else ""
        text = f"{flag.help}{default}"
        no = "" if not isinstance(flag.default, bool) else "[no]"
        lines.append(f"  --{no}{name}")
        lines.append(
            textwrap.fill(
                text, _WIDTH, initial_indent="      ", subsequent_indent="      "
            )
        )
    return "\n".join(lines)


def _default(value: object) -> str:
    shown = ",".join(map(str, value)) if isinstance(value, list) else repr(value)
    return f" Default: {shown}"


if __name__ == "__main__":
    sys.exit(main())
