"""How long tests wait: one variable stretches every deadline of theirs, for a machine that is slow or busy."""

import math
import os
from functools import cache

VARIABLE = "TEST_PATIENCE"


def patience(seconds: float) -> float:
    """Return how many seconds to wait at most for what takes a quick machine well below that many.

    Raises:
        ValueError: if TEST_PATIENCE is no positive number.
    """
    return seconds * _factor()


@cache
def _factor() -> float:
    return factor(os.environ.get(VARIABLE, ""))


def factor(text: str) -> float:
    """Return the number that deadlines are multiplied by; 1 if the text is empty.

    Raises:
        ValueError: if it is no positive number.
    """
    try:
        number = float(text or "1")
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"{VARIABLE}={text}: give a positive number, such as 3")
    return number
