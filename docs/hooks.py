"""What `mkdocs build` adds to the pages of this folder.

* the reference: each name in an `__all__` of the package, in the page of its module;
* in the glossary, the legend of the score table, which has one source, the package;
* the tables that benchmarks/report.py writes, and the changelog.

Pages link to files beside this folder, so that they can be read in the repository;
`on_page_markdown` turns these links into those of the site.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = "keras_dc3"
REFERENCE = """# Reference

Every public name. The examples take as given: `keras_dc3`, `keras`, and NumPy as `np`;
`data`, `model` and `proposals` as in the [quick start](../quickstart.md);
`annotations`, who said what; `answers`, read back from
[review sheets](../review-round.md); and `fish`, a folder of images."""


def public_names() -> dict[str, dict[str, str]]:
    """Returns module -> name in its `__all__` -> where that name is defined.

    Modules are read, not imported: some need what may not be installed.
    """
    found = {}
    for path in sorted(ROOT.glob(f"{PACKAGE}/**/*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if any(part.startswith("_") for part in parts):
            continue
        module, names, imported = ".".join(parts), [], {}
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if ast.unparse(node).startswith("__all__ ="):
                names = ast.literal_eval(node.value)
            elif isinstance(node, ast.ImportFrom):
                imported |= {a.name: f"{node.module}.{a.name}" for a in node.names}
        if names:
            names = [name for name in names if name != "__version__"]
            found[module] = {n: imported.get(n, f"{module}.{n}") for n in names}
    return found


def reference() -> dict[str, str]:
    """Returns the pages of the reference: file -> Markdown."""
    modules = public_names()
    top = modules.pop(PACKAGE)
    lines = [REFERENCE, "", "| module | names |", "|---|---|"]
    pages = {}
    for module, names in modules.items():
        page = f"{module.removeprefix(f'{PACKAGE}.')}.md"
        links = ", ".join(f"[`{n}`]({page}#{path})" for n, path in names.items())
        lines.append(f"| [`{module}`]({page}) | {links} |")
        pages[f"reference/{page}"] = _page(module, names)
    elsewhere = {path for names in modules.values() for path in names.values()}
    here = {n: p for n, p in top.items() if p not in elsewhere and p not in modules}
    lines += ["", *(_entry(PACKAGE, name, path) for name, path in here.items())]
    pages["reference/index.md"] = "\n".join(lines)
    return pages


def _page(module: str, names: dict[str, str]) -> str:
    """Returns the page of a module: its docstring, and each of its names."""
    head = f"# {module}\n\n::: {module}\n    options:\n"
    for option in ("show_root_heading", "show_root_toc_entry", "members"):
        head += f"      {option}: false\n"
    return "\n".join([head, *(_entry(module, *item) for item in names.items())])


def _entry(module: str, name: str, path: str) -> str:
    """Returns the entry of a name: under its public name, from where it is defined."""
    options = f"      heading: {module}.{name}\n      toc_label: {name}\n"
    return f"::: {path}\n    options:\n{options}"


def glossary_of_scores() -> str:
    """Returns the columns of the score table with their meaning, as Markdown."""
    from keras_dc3.metrics.score_table import COLUMNS

    lines = ["| column | meaning | key |", "|---|---|---|"]
    for key, (heading, meaning) in COLUMNS.items():
        lines.append(f"| **{heading}** | {meaning} | `{key}` |")
    return "\n".join(lines)


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that are made, and what stands beside this folder."""
    from mkdocs.structure.files import File

    made = {**reference(), "changelog.md": (ROOT / "CHANGELOG.md").read_text("utf-8")}
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.md")):
        made[f"results/{path.name}"] = path.read_text("utf-8")
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.png")):
        name = f"results/{path.name}"
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links to files of the repository into those of the site."""
    if page.file.src_uri == "glossary.md":
        markdown = markdown.replace("<!-- scores -->", glossary_of_scores())
    markdown = markdown.replace("../benchmarks/results/", "results/")
    markdown = markdown.replace("../CHANGELOG.md", "changelog.md")
    markdown = markdown.replace("../../docs/", "../")
    return re.sub(r"<details>", "<details markdown>", markdown)
