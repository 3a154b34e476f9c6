"""Variables of ADS as those of manifests, and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.shared.environment import EnvVar
from ocijobs.backends.environment import expand, resolve
from ocijobs.backends.values import NO_VALUES
from ocijobs.cli.environment import (
    literal,
    references_from_ads,
    references_to_ads,
    variables_from_ads,
)


@pytest.mark.parametrize(
    ("ads", "ours"),
    [
        ("${A}/b", "$(A)/b"),
        ("$$5", "$$5"),
        ("$A", "$A"),
        ("plain", "plain"),
        ("${A}${B}", "$(A)$(B)"),
    ],
)
def test_references_are_written_as_a_pod_has_them(ads: str, ours: str) -> None:
    assert references_from_ads(ads) == ours
    assert references_to_ads(ours) == ads


@given(st.lists(st.sampled_from(["${A}", "$$", "x", "/", "${LONG_NAME}"]), max_size=6))
def test_they_come_back_as_they_were(parts: list[str]) -> None:
    text = "".join(parts)
    assert references_to_ads(references_from_ads(text)) == text


@given(st.text("A$(){}"))
def test_a_literal_text_has_no_references(text: str) -> None:
    assert expand(literal(text), {"A": "a"}) == text
    assert literal("$5") == "$5"


def _resolved(env: Any) -> dict[str, str]:
    return resolve((EnvVar.model_validate(v) for v in variables_from_ads(env)), NO_VALUES)


def test_a_variable_may_refer_to_one_that_comes_later_as_in_ads() -> None:
    env = [{"name": "URI", "value": "oci://${BUCKET}/x"}, {"name": "BUCKET", "value": "b"}]
    assert _resolved(env) == {"BUCKET": "b", "URI": "oci://b/x"}


def test_variables_that_refer_to_each_other_are_left_as_they_are() -> None:
    env = {"A": "${B}", "B": "${A}"}
    assert [v["name"] for v in variables_from_ads(env)] == ["B", "A"]


def test_what_is_no_text_is_json_as_in_ads() -> None:
    env = {"NONE": None, "LIST": [1, "a"], "NUMBER": 3, "FLAG": True}
    assert _resolved(env) == {"NONE": "", "LIST": '[1, "a"]', "NUMBER": "3", "FLAG": "true"}
