"""Every file of the package in a line, from what each says of itself: docs/files.md.

python docs/files.py  # writes it anew, after a file came, went or is told otherwise
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/files.md"
HEAD = """# Every file in a line

What the files of the package say of themselves, to find the one that does a thing.
Made by `python docs/files.py`.
"""


def first_sentence(path: Path) -> str:
    """Returns what a file says of itself first, in one line."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        words = ast.get_docstring(ast.parse(text)) or ""
    else:
        words = re.sub("^// ?", "", re.match("(?://.*\n)*", text).group(0), flags=re.M)
    paragraph = " ".join(words.split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s+(?=[A-Z])", paragraph)[0]


def page() -> str:
    """Returns the text of docs/files.md."""
    package = ROOT / "keras_dc3"
    folders: dict[Path, list[Path]] = {}
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".js") and path.parent.name != "vendor":  # not ours
            folders.setdefault(path.parent, []).append(path)
    blocks = [HEAD]
    for folder, files in sorted(folders.items()):
        name = folder.relative_to(ROOT)
        rows = [
            f"- `{file.name}`: {first_sentence(file)}"
            for file in files
            if file.name != "__init__.py"
        ]
        start = (
            first_sentence(folder / "__init__.py")
            if (folder / "__init__.py").exists()
            else ""
        )
        blocks.append("\n".join([f"## {name}/", "", start, "", *rows, ""]))
    return "\n".join(blocks)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
