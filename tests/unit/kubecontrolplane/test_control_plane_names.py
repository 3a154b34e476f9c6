"""The namespace of a test."""

import re

import pytest

from kubecontrolplane.testing import namespace_name


@pytest.mark.parametrize(
    "test",
    ["test_a_run", "test_of[a b/c]", "x" * 300, "[é]", "-", "test_" + "-" * 60 + "end"],
    ids=["plain", "parametrised", "long", "foreign letters", "nothing left", "hyphens"],
)
def test_it_is_a_dns_label(test: str) -> None:
    name = namespace_name(test)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)


def test_it_tells_the_test() -> None:
    assert namespace_name("test_a_run[Failed]").startswith("test-a-run-failed-")


def test_it_is_new_each_time() -> None:
    assert namespace_name("test") != namespace_name("test")
