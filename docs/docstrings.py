"""Shows the part `Example:` of a docstring, written as in Keras, as code."""

import re
from typing import Any

import griffe

_HEADING = re.compile(r"[A-Z][\w ]+:$")


class Examples(griffe.Extension):
    """Makes of `Example:` and the lines below it the section `Examples:`."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Indents the examples of one docstring below their heading."""
        if obj.docstring is None:
            return
        lines, inside = [], False
        for line in obj.docstring.value.split("\n"):
            if _HEADING.match(line):
                inside = line == "Example:"
                lines.append("Examples:" if inside else line)
            else:
                lines.append(f"    {line}" if inside and line else line)
        obj.docstring.value = "\n".join(lines)
