"""The open rules: their values, and what is said of others."""

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from oci_emulator.conduct.rules import Rules, table


def test_values_can_come_as_text() -> None:
    rules = Rules().with_values(
        {
            "oracle_tags": "no",
            "clock_skew_seconds": "5",
            "cancel_grace_seconds": "0.5",
            "environment_merge": "replace",
        }
    )
    assert rules.oracle_tags is False
    assert rules.clock_skew_seconds == 5
    assert rules.cancel_grace_seconds == 0.5
    assert rules.environment_merge == "replace"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("environment_murge", "x", "there is no rule 'environment_murge'"),
        ("environment_merge", "x", "environment_merge is one of merge, replace, not 'x'"),
        ("oracle_tags", "perhaps", "oracle_tags is true or false, not 'perhaps'"),
        ("clock_skew_seconds", "soon", "clock_skew_seconds is a number of 0 or more, not 'soon'"),
        ("clock_skew_seconds", -1, "clock_skew_seconds is a number of 0 or more, not -1"),
        ("cancel_grace_seconds", "nan", "cancel_grace_seconds is a number of 0 or more"),
    ],
)
def test_other_values_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rules().with_values({name: value})


def test_the_json_of_rules_is_read_again() -> None:
    rules = Rules(environment_merge="replace", oracle_tags=False)
    assert Rules().with_values(rules.as_json()) == rules


def test_every_rule_is_in_the_table_and_explained() -> None:
    lines = table().splitlines()
    assert len(lines) == 2 + len(dataclasses.fields(Rules))
    for rule in dataclasses.fields(Rules):
        assert any(line.startswith(f"| `{rule.name}` |") for line in lines)
        assert rule.metadata["doc"].endswith(".")


# Every rule is tested

TESTS = Path(__file__).parents[2]
SETTERS = {"Rules", "Tokens", "set_rules"}
"""What takes rules as keywords."""


def pairs(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What may be the name of a rule and a value of it: in dictionaries, tuples and calls."""
    match node:
        case ast.Dict(keys=keys, values=values):
            yield from ((key, value) for key, value in zip(keys, values, strict=True) if key)
        case ast.Tuple(elts=[name, value, *_]) | ast.Call(args=[name, value, *_]):
            yield name, value
        case ast.Call(func=ast.Name(id=setter) | ast.Attribute(attr=setter), keywords=keywords):
            for keyword in keywords if setter in SETTERS else ():
                yield ast.Constant(keyword.arg), keyword.value


def sets(name: ast.expr, value: ast.expr) -> str:
    """The rule that a pair gives a value to; empty if it is none, or has no such value."""
    known = {rule.name for rule in dataclasses.fields(Rules)}
    if not isinstance(name, ast.Constant) or name.value not in known:
        return ""
    if isinstance(value, ast.Constant):
        try:
            Rules().with_values({name.value: value.value})
        except ValueError:
            return ""
    return str(name.value)


def test_every_rule_is_set_by_a_test() -> None:
    tested = {
        sets(name, value)
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name, value in pairs(node)
    }
    assert {rule.name for rule in dataclasses.fields(Rules)} - tested == set()


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("own(rules={'class_name': 'optional'})", "class_name"),
        ("emulator.set_rules(class_name=value)", "class_name"),
        ("[('class_name', 'optional', {})]", "class_name"),
        ("Bound('storage_mounts_maximum', 1, act)", "storage_mounts_maximum"),
        ("details(class_name='optional')", ""),
        ("{'class_name': 'org.example.Main'}", ""),
        ("{'color': 'red'}", ""),
    ],
)
def test_that_is_told_from_what_only_looks_like_a_rule(source: str, rule: str) -> None:
    found = {sets(*pair) for node in ast.walk(ast.parse(source)) for pair in pairs(node)}
    assert found - {""} == ({rule} if rule else set())
