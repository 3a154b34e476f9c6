"""What we have to say in a run's output, and the word for not starting the code."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    """Print a line of our own."""
    print(f"ocijobs: {message}", file=sys.stderr, flush=True)


class MissingError(Exception):
    """Something that the code needs is missing, and so it is not started; the message says what to do."""
