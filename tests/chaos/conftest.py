"""Tests that roll dice: CHAOS_SEED repeats what was thrown, as far as the machine's own timing allows."""

import os
import random
import secrets

import pytest
from tests.integration.conftest import stage

__all__ = ["stage"]


@pytest.fixture
def chance() -> random.Random:
    """Dice, whose seed the test prints."""
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(2**32))
    print(f"CHAOS_SEED={seed}")
    return random.Random(seed)  # noqa: S311 - no secret
