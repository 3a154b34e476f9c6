"""The lines of a text that arrives in pieces of any length, in limited memory."""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator

from ocijobs.api.shared.names import RESULTS_KEY
from ocijobs.reconcile.output import TAIL_LINES, LogLines, results_of_line

_GZIP = b"\x1f\x8b"
_GZIP_FORM = 16 + zlib.MAX_WBITS
_PIECE = 1 << 16

_LINE_BYTES = 1 << 15
"""Bytes kept of a line: more than is shown, so that a secret in the shown part is complete and can be masked."""

_RESULT_LINES = 100
_RESULTS = RESULTS_KEY.encode()


_FRAME = re.compile(rb"\s+(at [^\s(]+\(.*\)|\.\.\. \d+ more)\s*")
_FRAMES = 3
"""How many frames of each Java stack are kept: with forty, the last lines would not show the error."""


class LineKeeper:
    """Keeps the last lines, and the last result lines if they are wanted."""

    def __init__(self, *, results: bool) -> None:
        self._wants_results = results
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._results: deque[str] = deque(maxlen=_RESULT_LINES)
        self._begun = bytearray()
        self._has_text = False
        self._frames = 0

    @property
    def has_text(self) -> bool:
        """Whether any line is not blank."""
        return self._has_text or bool(self._begun.strip())

    def add(self, piece: bytes) -> None:
        """Take the next piece of the text."""
        first, *others = piece.split(b"\n")
        self._go_on(first)
        for other in others:
            self._end_line()
            self._go_on(other)

    def lines(self) -> LogLines:
        """Return the kept lines; the text has ended."""
        if self._begun:
            self._end_line()
        return LogLines(tail=tuple(map(_text, self._tail)), results=tuple(self._results))

    def _go_on(self, part: bytes) -> None:
        self._begun += part[: _LINE_BYTES - len(self._begun)]

    def _end_line(self) -> None:
        line = bytes(self._begun)
        self._begun.clear()
        self._has_text = self._has_text or bool(line.strip())
        self._frames = self._frames + 1 if _FRAME.fullmatch(line) else 0
        if self._frames <= _FRAMES:
            self._tail.append(line)
        if self._wants_results and _RESULTS in line and results_of_line(_text(line)) is not None:
            self._results.append(_text(line))


def _text(line: bytes) -> str:
    return line.decode(errors="replace").removesuffix("\r")


def plain(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Return a text in pieces, decompressed if it is gzip. A broken part ends the text."""
    source = iter(chunks)
    beginning = b""
    for chunk in source:
        beginning += chunk
        if len(beginning) >= len(_GZIP):
            break
    if not beginning.startswith(_GZIP):
        yield beginning
        yield from source
        return
    try:
        yield from _decompressed(beginning, source)
    except zlib.error:
        return


def _decompressed(beginning: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    """Return the content of one or several gzip members in small pieces: a few bytes may become a gigabyte."""
    decompressor = zlib.decompressobj(_GZIP_FORM)
    waiting = beginning
    while True:
        piece = decompressor.decompress(waiting, _PIECE)
        if piece:
            yield piece
        waiting = decompressor.unconsumed_tail
        if decompressor.eof:
            waiting = decompressor.unused_data
            decompressor = zlib.decompressobj(_GZIP_FORM)
        if not waiting and not piece:
            waiting = next(source, b"")
            if not waiting:
                return
