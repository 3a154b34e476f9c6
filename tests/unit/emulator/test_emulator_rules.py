"""The open rules: their values, and what is said of others."""

import dataclasses

import pytest

from oci_emulator.rules import Rules, table


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
