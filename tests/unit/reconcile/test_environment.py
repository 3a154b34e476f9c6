"""Variables and arguments, as a Pod has them."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.shared.environment import EnvVar
from ocijobs.backends.environment import (
    characters,
    command_line,
    expand,
    merge,
    names_in,
    references,
    reserved_names,
    resolve,
)
from ocijobs.backends.values import NO_VALUES, ValueKey, Values

DEFINED = {"NAME": "value", "EMPTY": "", "LOOP": "$(NAME)"}


def env(**values: str) -> tuple[EnvVar, ...]:
    """Return variables with values."""
    return tuple(EnvVar(name=name, value=value) for name, value in values.items())


def secret(name: str, key: str, *, optional: bool = False) -> EnvVar:
    """Return a variable that refers to a Secret."""
    selector = {"name": "keys", "key": key, "optional": optional}
    return EnvVar.model_validate({"name": name, "valueFrom": {"secretKeyRef": selector}})


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        # Cases of Kubernetes' own table (third_party/forked/golang/expansion/expand_test.go).
        ("$(NAME)", "value"),
        ("a-$(NAME)-b", "a-value-b"),
        ("$(NAME)$(NAME)", "valuevalue"),
        ("$(EMPTY)", ""),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$(LOOP)", "$(NAME)"),
        ("$$(NAME)", "$(NAME)"),
        ("$$$(NAME)", "$value"),
        ("$$$$(NAME)", "$$(NAME)"),
        ("pid $$", "pid $"),
        ("$(NAME", "$(NAME"),
        ("$NAME ${NAME} $", "$NAME ${NAME} $"),
        ("$()", "$()"),
    ],
)
def test_references_are_expanded_as_in_a_pod(text: str, expanded: str) -> None:
    assert expand(text, DEFINED) == expanded


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_text_without_a_dollar_is_never_changed(text: str, variables: dict[str, str]) -> None:
    plain = text.replace("$", "")
    assert expand(plain, variables) == plain
    assert names_in(plain) == ()


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_whatever_is_escaped_comes_out_as_it_was(text: str, variables: dict[str, str]) -> None:
    assert expand(text.replace("$", "$$"), variables) == text


def test_a_variable_sees_those_before_it() -> None:
    assert resolve(env(A="$(B)", B="1", C="$(B)2"), NO_VALUES) == {"A": "$(B)", "B": "1", "C": "12"}


def test_an_override_replaces_a_variable_in_its_place_and_adds_its_own() -> None:
    merged = merge(env(A="1", B="2"), env(C="3", A="4"))
    assert [(v.name, v.value) for v in merged] == [("A", "4"), ("B", "2"), ("C", "3")]


def test_a_value_that_was_read_is_not_expanded() -> None:
    values = Values(values={ValueKey("Secret", "keys", "k"): "$(A)"})
    assert resolve((*env(A="1"), secret("B", "k")), values) == {"A": "1", "B": "$(A)"}
    assert values.secrets == ("$(A)",)


def test_a_key_is_told_with_the_object_that_it_is_of() -> None:
    assert str(ValueKey("Secret", "keys", "k")) == "key 'k' of Secret keys"


def test_an_optional_reference_that_gave_nothing_leaves_its_variable_out() -> None:
    assert resolve((secret("A", "k", optional=True),), NO_VALUES) == {}


def test_a_key_is_optional_only_if_all_that_refer_to_it_say_so() -> None:
    variables = (secret("A", "k", optional=True), secret("B", "k"), secret("C", "l", optional=True))
    assert references(variables) == (
        (ValueKey("Secret", "keys", "k"), False),
        (ValueKey("Secret", "keys", "l"), True),
    )


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="$"), max_size=20), max_size=5))
def test_a_shell_splits_the_command_line_into_the_arguments(args: list[str]) -> None:
    line = command_line(args, {})
    assert (shlex.split(line) if line is not None else []) == args


@pytest.mark.parametrize("name", ["JOB_RUN_OCID", "JOB_RUN_ENTRYPOINT", "OCIJOBS_X"])
def test_names_that_belong_to_others_are_found(name: str) -> None:
    assert reserved_names(env(JOB="x", **{name: "x"})) == (name,)


def test_the_limit_counts_names_and_values() -> None:
    assert characters({"AB": "cde", "F": ""}) == 6
