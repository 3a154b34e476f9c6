"""No rule that the emulator leaves open is forgotten."""

import ast
from pathlib import Path

from tests.component.realistic.open_rules import MET, NOT_MET, RULES, other_values


def test_each_rule_is_met_by_tests_or_told_why_not() -> None:
    assert MET.keys() | NOT_MET.keys() == set(RULES)
    assert not MET.keys() & NOT_MET.keys()
    assert all(NOT_MET.values())


def test_each_rule_that_is_met_has_other_values() -> None:
    assert all(other_values(rule) for rule in MET)


def test_each_test_that_is_named_is_there() -> None:
    there = {
        node.name
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.AsyncFunctionDef)
    }
    assert {name for names in MET.values() for name in names} <= there
