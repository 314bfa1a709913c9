"""YAML, TOML, INI, Python and drawn tables, told by how they are written.

Standard library only.
"""

from __future__ import annotations

import ast
import re
import tomllib

from keras_dc3._kinds.kind import PASS, Kind

_FEW = 20  # lines that are looked at
_SECTION = re.compile(r"\[{1,2}[^\[\]{}\"',;|]+\]{1,2}\s*(#.*)?")
_SETTING = re.compile(r"[^=:,;\t|\[\]{}()]+[=:](?P<value>.*)")
_TOML_VALUE = re.compile(r"\s*([\"'\[{0-9+-]|true\b|false\b).*")
_RULE = re.compile(r"[\s|+:=-]*-{3}[\s|+:=-]*")  # of a drawn table
_PYTHON_NAME = re.compile(
    r"(#.*\n|(import|from) .*\n|\s*\n)*[A-Za-z_]\w*\s*=\s*"
    r"(\{\s*['\"]|\[\s*[({\[]|\(\s*[({\['\"]|(dict|pd|np|pandas|numpy)\b)"
)
_FLOW = re.compile(r"[\[{]\s*([\w./ -]+:\s|[\[{])")
_BRACKETS = {"{": "}", "[": "]", "(": ")"}


def of_text(text: str) -> Kind | None:
    """Returns the kind of a text in one of these notations; None if it may be a table.

    Args:
        text: without blanks in front, and no JSON.
    """
    lines = [line for line in text[:4000].splitlines() if line.strip()][:_FEW]
    return (
        _drawn(lines)
        or _python(text, lines)
        or _settings(text, lines)
        or _yaml(text, lines)
    )


def _drawn(lines: list[str]) -> Kind | None:
    """Of a table with a line of dashes, as in Markdown or printed by a program."""
    for above, rule in zip(["", *lines], lines, strict=False):
        joints = rule.strip().strip("|+")
        drawn = _RULE.fullmatch(rule) and ("|" in joints or "+" in joints)
        if drawn and (not above or "|" in above or rule.strip().startswith("+")):
            return Kind(
                "a table drawn with lines, as in Markdown",
                answers="remove the lines of dashes, what is not in the table, and the "
                'outer "|" of each line',
            )
    return None


def _python(text: str, lines: list[str]) -> Kind | None:
    """Of what Python prints for a list or dict, whole or one a line; or a program."""
    kind = Kind(
        "a list or dict as Python writes it",
        answers=f"load it with `ast.literal_eval` and {PASS}",
    )
    if _PYTHON_NAME.match(text) and not _is_toml(text):
        return Kind("a Python program", answers=f"import its data and {PASS}")
    if text[:1] not in _BRACKETS:
        return None
    if text.rstrip()[-1:] == _BRACKETS[text[0]] and _is_literal(text):
        return kind
    return kind if len(lines) > 1 and all(map(_is_literal, lines[:5])) else None


def _is_literal(text: str) -> bool:
    """Whether a text is one list, tuple, set or dict of Python with something in it."""
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    of_bracket = {"{": dict | set, "[": list, "(": tuple}.get(text.strip()[:1], ())
    return bool(found) and isinstance(found, of_bracket)


def _settings(text: str, lines: list[str]) -> Kind | None:
    """Of TOML and INI: sections and lines "name = value"."""
    said = [line for line in lines if line.lstrip()[:1] not in "#;"]
    sections = [line for line in said if _SECTION.fullmatch(line.strip())]
    settings = [_SETTING.fullmatch(line) for line in said if line not in sections]
    if _is_toml(text):
        is_toml = True
    elif sections and any(settings) and _SECTION.fullmatch(said[0].strip()):
        is_toml = bool(_TOML_VALUE.fullmatch(next(filter(None, settings))["value"]))
        if not is_toml and not all(settings):
            return None
    else:
        return None
    load, what = ("tomllib.load", "TOML") if is_toml else ("configparser", "INI")
    return Kind(
        f"a file of settings ({what})", answers=f"load it with `{load}` and {PASS}"
    )


def _is_toml(text: str) -> bool:
    try:
        return "=" in text[:4000] and bool(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False


def _yaml(text: str, lines: list[str]) -> Kind | None:
    kind = Kind("YAML", answers=f"load it with `yaml.safe_load` and {PASS}")
    if _FLOW.match(text) and _is_one_bracket(text):
        return kind
    entries = [re.sub(r"^\s*-\s+", "", line) for line in lines]
    listed = [e for e, line in zip(entries, lines, strict=True) if e != line.lstrip()]
    if (
        listed
        and listed == entries
        and all(_is_one_bracket(entry) for entry in entries)
    ):
        return kind
    told = text.startswith(("---", "%YAML"))
    entry = re.compile(r"\s*(#.*|-(\s.*)?|---|(- )?[^,;\t|:]+:(\s.*)?)")
    keyed = [line for line in lines if re.match(r"\s*(- )?[^,;\t|:#]+:(\s|$)", line)]
    fits = len(lines) > 1 and keyed and all(map(entry.fullmatch, lines))
    if fits and not told and _has_columns(keyed):
        return None
    return kind if fits or (told and keyed) else None


def _has_columns(lines: list[str]) -> bool:
    """Whether all lines have as many separators, outside of brackets."""
    cells = [re.sub(r"[\[{].*[\]}]", "", line) for line in lines]
    counts = [{cell.count(separator) for cell in cells} for separator in ",;\t|"]
    return any(len(number) == 1 and number != {0} for number in counts)


def _is_one_bracket(text: str) -> bool:
    """Whether a text is in brackets as a whole: "{a: b}", but not "{a},{b}"."""
    text = text.strip()
    if text[:1] not in ("{", "["):
        return False
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth == 0:
            return bracket.end() == len(text)
    return False
