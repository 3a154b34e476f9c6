"""Decisions ask what a backend is like, not which one it is: no module of the core names one.

What each backend is like, is in `backends/`. So a third one changes nothing in the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

OPERATOR = Path(__file__).parents[3] / "operator/ocijobs"

A_BACKEND = re.compile(r"data.?(flow|science)|spark|application", re.IGNORECASE)
"""A name, a text, an OCID's type, a field or a module that is of one backend."""

OF_CALLS = {
    "places.py": {"DATA_FLOW", "DATA_SCIENCE"},
    "reporting.py": {"spark_used"},
}
"""What the shell names: APIs that are called, and a metric. Nothing of it decides what is done."""


def test_no_module_of_the_core_names_a_backend() -> None:
    assert _naming(OPERATOR / "reconcile") == {}


def test_the_shell_names_apis_and_metrics_of_a_backend_and_nothing_else() -> None:
    assert _naming(OPERATOR / "controller") == OF_CALLS


def test_what_all_backends_share_names_none() -> None:
    shared = _naming(OPERATOR / "backends")
    packages = {"data_flow", "data_science"}
    assert {module for module in shared if module.split("/")[0] not in packages} == {"registry.py"}


def _naming(folder: Path) -> dict[str, set[str]]:
    """Return what the modules of a folder name of a single backend."""
    named = {str(path.relative_to(folder)): set(_named(path)) for path in folder.rglob("*.py")}
    return {module: names for module, names in named.items() if names}


def _named(path: Path) -> Iterator[str]:
    """Return what a module has of a single backend in its names and texts; docstrings may tell of it."""
    tree = ast.parse(path.read_text())
    told = {id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) not in told:
            yield from (text for text in _texts(node) if A_BACKEND.search(text))


def _texts(node: ast.AST) -> Iterator[str]:
    """Return the names and the text of one node of a syntax tree."""
    for field in ("id", "attr", "name", "arg", "module", "value"):
        text = getattr(node, field, None)
        if isinstance(text, str):
            yield text
