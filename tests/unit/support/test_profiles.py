"""How long hypothesis searches is what was asked for: whatever is run, and however pytest is called."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import settings
from tests.support.profiles import DEFAULT, VARIABLE


def test_the_profile_is_the_one_that_was_asked_for() -> None:
    assert settings.get_current_profile_name() == os.environ.get(VARIABLE, DEFAULT)


@pytest.mark.parametrize("where", ["tests", "tests/unit/support", __file__])
def test_it_is_so_wherever_the_tests_are_that_are_named(where: str) -> None:
    """A conftest below the named folder is read later than one above."""
    name = test_the_profile_is_the_one_that_was_asked_for.__name__
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-k", name, where]
    if where == "tests":
        command += ["--ignore-glob=tests/[!u]*", "--ignore-glob=tests/unit/[!s]*"]
    told = subprocess.run(
        command, env={**os.environ, VARIABLE: "dice"}, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
