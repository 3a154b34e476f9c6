"""What we have to say in a run's output, and the word for not starting the code."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    """Print a line of our own."""
    print(f"ocijobs: {message}", file=sys.stderr, flush=True)


def why(error: BaseException) -> str:
    """Return an error in one line; of an answer of OCI only what tells something, since the SDK says much more."""
    code, message = getattr(error, "code", None), getattr(error, "message", None)
    if isinstance(code, str) and isinstance(message, str):
        return f"{code}: {message}"
    return f"{type(error).__name__}: {error}"


class MissingError(Exception):
    """Something that the code needs is missing, and so it is not started; the message says what to do."""
