"""Indices of a sweep's children: their names, `<sweep>-<index>`, and sets of them as `1,3-5,7`."""

from __future__ import annotations

from collections.abc import Iterable


def to_intervals(indices: Iterable[int]) -> str:
    """Return the indices in order, runs of them joined."""
    parts: list[str] = []
    first = last = -2
    for index in (*sorted(set(indices)), None):
        if index is not None and index == last + 1:
            last = index
            continue
        if first >= 0:
            parts.append(str(first) if first == last else f"{first}-{last}")
        first = last = index if index is not None else -2
    return ",".join(parts)


def from_intervals(text: str | None) -> frozenset[int]:
    """Return the indices that a text names."""
    found: set[int] = set()
    for part in (text or "").split(","):
        if part:
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def names_index(text: str | None, index: int | None) -> bool:
    """Whether a text names an index."""
    if index is None:
        return False
    pairs = (part.partition("-") for part in (text or "").split(",") if part)
    return any(int(first) <= index <= int(last or first) for first, _, last in pairs)


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
