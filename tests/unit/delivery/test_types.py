"""Where nothing is decided without types: no Any, and nothing that stands for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "operator/ocijobs"
TYPED = ("api", "backends", "reconcile")
UNTYPED_NAMES = {"Any", "cast"}
IGNORED = re.compile(r"#\s*type:\s*ignore")


def holes(code: str) -> Iterator[str]:
    """Yield where code leaves the types."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.ImportFrom | ast.Attribute | ast.Name):
            continue
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module == "typing":
            names = [each.name for each in node.names]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.Name):
            names = [node.id]
        yield from (f"{node.lineno}: {name}" for name in names if name in UNTYPED_NAMES)
    for number, line in enumerate(code.splitlines(), start=1):
        if IGNORED.search(line):
            yield f"{number}: type: ignore"


@pytest.mark.parametrize("folder", TYPED)
def test_what_is_decided_on_has_types(folder: str) -> None:
    modules = sorted((PACKAGE / folder).rglob("*.py"))
    assert modules
    found = [f"{path.name}:{hole}" for path in modules for hole in holes(path.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "from typing import Any",
        "import typing\nx: typing.Any = 1",
        "from typing import cast",
        "x = 1  # type: ignore[assignment]",
    ],
)
def test_a_hole_is_found(code: str) -> None:
    assert list(holes(code))
