"""Patterns in which ``*`` stands for anything."""


def fits(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern in which ``*`` stands for anything, in linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return text.endswith(last)
