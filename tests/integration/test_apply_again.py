"""What is applied again, unchanged, is not changed: neither by kubectl nor by tools that sync as Argo CD does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.namespace import Namespace

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("folder", ["model-selection", "model-selection/nightly", "spark"])
def test_an_example_that_is_applied_again_is_unchanged(alone: Namespace, folder: str) -> None:
    first = alone.kubectl("apply", "-k", str(EXAMPLES / folder)).splitlines()
    again = alone.kubectl("apply", "-k", str(EXAMPLES / folder)).splitlines()
    assert first
    assert all(line.endswith(" created") for line in first)
    assert all(line.endswith(" unchanged") for line in again), again
