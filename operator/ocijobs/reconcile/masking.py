"""Secrets in text from outside: wherever one stands, and wherever the text was cut, it is masked.

What is looked for are *forms* of each value: as it is and without the white space around it (4 characters or more),
each of its lines (8 or more), and as base64, in URLs and in JSON (8 or more). The law: where a form stood in the whole
output, no 8 of its characters in a row are shown, however the output was cut into the texts that come here. A form of
fewer than 8 characters is masked where it is whole.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from ocijobs.reconcile.legible import CUT, HIDDEN, SEQUENCE, UNSEEN, legible

MASK = "***"
SHORTEST_SECRET = 4
"""Values shorter than this are not masked: they would black out half of every line."""

SHORTEST_PART = 8
"""Lines, encoded forms and pieces of secrets that are shorter would be found where no secret is."""

_PERCENT = re.compile(r"%[0-9A-F]{2}")


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text as `legible` has it, with what any secret covers of it replaced by `***`."""
    forms = {form for secret in secrets for form in _forms(secret)}
    if not forms:
        return legible(text)
    kept = _kept(text, HIDDEN)
    hidden = _covered(text, kept, forms)
    if SEQUENCE.search(text) is not None:
        # What looks like the end of a sequence may be the beginning of a secret.
        hidden |= _covered(text, _kept(text, UNSEEN), forms)
    if not hidden:
        return "".join(text[start:stop] for start, stop in kept)
    return _starred(text, kept, hidden)


def _starred(text: str, kept: list[tuple[int, int]], hidden: set[int]) -> str:
    """Return what is kept of the text, each row of hidden characters as one mask."""
    shown: list[str] = []
    for index in (index for start, stop in kept for index in range(start, stop)):
        if index not in hidden:
            shown.append(text[index])
        elif not shown or shown[-1] is not MASK:
            shown.append(MASK)
    return "".join(shown)


def _kept(text: str, unseen: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return the parts of the text that are left without what matches."""
    ends = [(match.start(), match.end()) for match in unseen.finditer(text)]
    starts = [0, *(stop for _, stop in ends)]
    stops = [*(start for start, _ in ends), len(text)]
    return [(start, stop) for start, stop in zip(starts, stops, strict=True) if start < stop]


def _covered(text: str, kept: list[tuple[int, int]], forms: Iterable[str]) -> set[int]:
    """Return the indices of the characters that forms cover in what is kept of the text."""
    plain = "".join(text[start:stop] for start, stop in kept)
    spans = [span for form in forms for span in (*_whole(plain, form), *_cut(plain, form))]
    if not spans:
        return set()
    index = [at for start, stop in kept for at in range(start, stop)]
    return {at for start, stop in spans for at in index[start:stop]}


def _whole(text: str, form: str) -> Iterator[tuple[int, int]]:
    """Yield where a form is in the text, also where it overlaps itself."""
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _cut(text: str, form: str) -> Iterator[tuple[int, int]]:
    """Yield where a part of a form is in the text that is all that a cut has left of it."""
    if len(form) <= SHORTEST_PART:
        return
    begin = 0
    for piece in text.split(CUT):
        end = begin + len(piece)
        if len(piece) >= SHORTEST_PART:
            if piece in form:
                yield begin, end
            yield from _at_the_end(text, begin, end, form)
            yield from _at_the_beginning(text, begin, end, form)
        begin = end + len(CUT)


def _at_the_end(text: str, begin: int, end: int, form: str) -> Iterator[tuple[int, int]]:
    first = form[:SHORTEST_PART]
    start = text.find(first, max(begin, end - len(form)), end)
    while start >= 0:
        if form.startswith(text[start:end]):
            yield start, end
            return
        start = text.find(first, start + 1, end)


def _at_the_beginning(text: str, begin: int, end: int, form: str) -> Iterator[tuple[int, int]]:
    last = form[-SHORTEST_PART:]
    start = text.rfind(last, begin, min(end, begin + len(form)))
    while start >= 0:
        stop = start + len(last)
        if form.endswith(text[begin:stop]):
            yield begin, stop
            return
        start = text.rfind(last, begin, stop - 1)


def _forms(secret: str) -> Iterator[str]:
    """Yield all that a secret is looked for as."""
    plain = legible(secret)
    for value in {plain, plain.strip()}:
        if len(value.strip()) >= SHORTEST_SECRET:
            yield value
    lines = [line.strip() for line in plain.split("\n")]
    yield from (line for line in lines if len(line) >= SHORTEST_PART)
    for value in {secret, secret.strip()}:
        encoded = (*_base64(value), *_quoted(value))
        yield from (form for form in encoded if len(form) >= SHORTEST_PART)


def _base64(secret: str) -> Iterator[str]:
    """Yield the secret in base64, alone and as it is in the middle of something longer.

    What stands before it there has 0, 1 or 2 bytes more than a multiple of 3; the characters at its ends have bits of
    its neighbours, too.
    """
    value = secret.encode(errors="replace")
    forms = [base64.b64encode(value).decode()]
    for before, mixed in enumerate((0, 2, 3)):
        text = base64.b64encode(bytes(before) + value).decode().rstrip("=")
        forms.append(text[mixed : -1 if (before + len(value)) % 3 else None])
    for form in forms:
        yield form
        yield form.replace("+", "-").replace("/", "_")


def _quoted(secret: str) -> Iterator[str]:
    """Yield the secret as it is in a URL and in JSON."""
    value = secret.encode(errors="replace")
    for form in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield form
        yield _PERCENT.sub(lambda match: match[0].lower(), form)
    for ascii_only in (True, False):
        yield legible(json.dumps(secret, ensure_ascii=ascii_only)[1:-1])
