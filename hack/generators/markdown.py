"""Markdown in GitHub's dialect."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from generators.files import notice

_CODE_SPAN = re.compile(r"(`[^`]*`)")
_ANCHOR_DROPS = re.compile(r"[^\w\- ]")


def page(title: str, source: str, *blocks: str) -> str:
    """Return a whole page: title, notice, blocks of text with a blank line between them."""
    return "\n\n".join((f"<!-- {notice(source)} -->", f"# {title}", *blocks)) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Cells are Markdown; `text` makes them of prose."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def between(page: str, begin: str, generated: str, end: str) -> str:
    """Return a page that is written by hand with what stands between two markers renewed.

    Raises:
        ValueError: if the page lacks one of them.
    """
    before, begun, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"the page lacks {begin.strip()} or {end.strip()}")
    return f"{before}{begin}{generated}{end}{after}"


def text(prose: str) -> str:
    """Return prose as Markdown that is safe in a cell; what stands in backticks stays code."""
    return "".join(
        _in_cell(part) if part.startswith("`") else _in_cell(_escape(part))
        for part in _CODE_SPAN.split(" ".join(prose.split()))
    )


def prose(description: str) -> tuple[str, ...]:
    """Return a description's blocks: paragraphs, and its indented examples as YAML."""
    return tuple(
        f"```yaml\n{textwrap.dedent(block)}\n```" if block.startswith("  ") else text(block)
        for block in description.split("\n\n")
    )


def code(value: str) -> str:
    """Return a code span that is safe in a cell."""
    return _in_cell(span(value))


def span(value: str) -> str:
    """Return a code span, for anywhere but a cell."""
    fence = "``" if "`" in value else "`"
    pad = " " if value.startswith("`") or value.endswith("`") else ""
    return f"{fence}{pad}{value}{pad}{fence}"


def anchor(heading: str) -> str:
    """Return the fragment that GitHub gives a heading."""
    return _ANCHOR_DROPS.sub("", heading.lower()).replace(" ", "-")


def link(label: str, heading: str, file: str = "") -> str:
    """Return a link to a heading, of this page or of another file."""
    return f"[{label}]({file}#{anchor(heading)})"


def _escape(prose: str) -> str:
    return prose.replace("&", "&amp;").replace("<", "&lt;").replace("*", r"\*").replace("_", r"\_")


def _in_cell(markdown: str) -> str:
    return markdown.replace("|", r"\|")
