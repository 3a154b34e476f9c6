"""Decisions ask what a backend is like, not which one it is: no module of the core names one.

What each backend is like, is in `backends/`. So a third one changes nothing in the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CORE = Path(__file__).parents[3] / "operator/ocijobs/reconcile"

A_BACKEND = re.compile(r"data.?(flow|science)", re.IGNORECASE)
"""A name, a text, an OCID's type or a module that is of one backend."""

OF_SPECS = {
    "job/adoption.py",
    "job/naming.py",
    "job/plan.py",
    "run/bound_job.py",
    "run/data_science_request.py",
    "run/launch.py",
    "run/pod_sets.py",
    "run/request.py",
    "run/spark_request.py",
    "serving.py",
}
"""Modules that make requests of specs, or tell of their fields: a spec has a block for each backend."""


def test_only_what_makes_requests_of_specs_names_a_backend() -> None:
    naming = {str(path.relative_to(CORE)): set(_named(path)) for path in CORE.rglob("*.py")}
    assert {module for module, named in naming.items() if named} == OF_SPECS


def test_no_decision_compares_a_backend_by_its_name() -> None:
    members = {"DATA_FLOW", "DATA_SCIENCE"}
    assert not [path for path in CORE.rglob("*.py") if set(_named(path)) & members]


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
