"""Names of a sweep's children: `<sweep>-<index>`."""

from __future__ import annotations

_DIGITS = 5
"""Digits beyond which a number is no index of a sweep."""


def child_name(sweep: str, index: int) -> str:
    """Return the name of a child."""
    return f"{sweep}-{index}"


def index_of(sweep: str, name: str) -> int | None:
    """Return which child of a sweep has that name; None if none has it."""
    text = name.removeprefix(f"{sweep}-")
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        return None
    index = int(text)
    return index if child_name(sweep, index) == name else None
