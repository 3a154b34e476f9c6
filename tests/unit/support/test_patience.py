"""The variable that stretches the deadlines of tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.patience import VARIABLE, factor

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("text", "expected"), [("", 1), ("1", 1), ("2.5", 2.5), ("1e1", 10)])
def test_it_is_a_number_and_one_by_default(text: str, expected: float) -> None:
    assert factor(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "long", "3x"])
def test_what_is_no_positive_number_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{VARIABLE}={text}: "):
        factor(text)


def test_every_wait_is_as_much_longer_as_the_environment_says() -> None:
    code = "from tests.support.patience import patience; print(patience(60), patience(5))"
    environment = {**os.environ, VARIABLE: "3"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["180.0", "15.0"]
