"""Text from outside as it is shown: values of Secrets are masked, and nothing in it steers a terminal.

Masking comes last: an escape sequence inside a secret, as `grep --color` makes it, would hide it from the search and
be gone from what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MASK = "***"
SHORTEST_SECRET = 4
"""Values shorter than this are not masked: they would black out half of every line."""

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_ENDS = re.compile(r"[\r\n]+")


def printable(text: str) -> str:
    """Return the text without control characters and ANSI sequences; tabs and line feeds stay."""
    return _CONTROL.sub("", text)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text as it is shown: printable, with what any secret covers of it replaced by `***`.

    A secret of several lines is looked for line by line, as output comes, and without the white space around a line:
    a Secret made from a file ends in a line feed, which no line of output has.
    """
    text = printable(text)
    shown, end = [], 0
    for start, stop in _merged(_covered(text, secrets)):
        shown += [text[end:start], MASK]
        end = stop
    return "".join((*shown, text[end:]))


def _covered(text: str, secrets: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where secrets are in the text, also where they overlap themselves or each other."""
    for part in {part for secret in secrets for part in _parts(secret)}:
        start = text.find(part)
        while start >= 0:
            yield start, start + len(part)
            start = text.find(part, start + 1)


def _parts(secret: str) -> Iterator[str]:
    for part in (secret, *_LINE_ENDS.split(secret)):
        plain = printable(part).strip()
        if len(plain) >= SHORTEST_SECRET:
            yield plain


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, those that overlap made one."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], stop)
        else:
            merged.append((start, stop))
    return merged
