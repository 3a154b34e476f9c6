"""Whether the watch still hears: when each of its streams was last answered, and whether others' requests are.

A stream that is well is heard of every minute or so even if nothing changes: by a bookmark of the API server, or
because kopf asks anew after `WatchTimes.silent_seconds`. What is noted here comes from several threads.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import NamedTuple

STALE_SECONDS = 120.0
"""A stream that was not answered for this long is stale: no bookmark has come, nor an answer to asking anew."""

_GAP_SECONDS = 30.0
"""Requests that are answered at least this often are well; the lease alone asks every few seconds."""


class Stream(NamedTuple):
    """A watch of one kind of object."""

    resource: str
    """Plural of the kind."""
    namespace: str
    """Empty for the whole cluster."""


def stream_of(path: str) -> Stream:
    """Return the stream that a URL's path is of, that of a list or a watch."""
    *_, before, above, resource = ("", "", *path.rstrip("/").split("/"))
    return Stream(resource, above if before == "namespaces" else "")


class Streams:
    """The streams that are expected, and when each was last answered."""

    def __init__(self, stale_seconds: float = STALE_SECONDS) -> None:
        self.stale_seconds = stale_seconds
        self._heard: dict[Stream, float] = {}

    def expect(self, streams: Iterable[Stream]) -> None:
        """Expect answers of these from now on."""
        now = time.monotonic()
        self._heard |= {stream: self._heard.get(stream, now) for stream in streams}

    def dismiss(self, streams: Iterable[Stream]) -> None:
        """Expect nothing of these any more."""
        for stream in streams:
            self._heard.pop(stream, None)

    def heard(self, stream: Stream) -> None:
        """Note an answer of a stream; one that is not expected is none of ours."""
        if stream in self._heard:
            self._heard[stream] = time.monotonic()

    def heard_at(self, stream: Stream) -> float:
        """Return when a stream that is expected was last answered, in monotonic time."""
        return self._heard[stream]

    def silence(self) -> Mapping[str, float]:
        """Return for each resource for how many seconds the most silent of its streams was not answered."""
        now = time.monotonic()
        silence: dict[str, float] = {}
        for stream, at in tuple(self._heard.items()):
            silence[stream.resource] = max(silence.get(stream.resource, 0.0), now - at)
        return silence

    def fresh(self) -> Mapping[str, bool]:
        """Return for each resource whether all of its streams were answered lately."""
        return {resource: s < self.stale_seconds for resource, s in self.silence().items()}


class Answers:
    """Whether ordinary requests are answered well, and since when."""

    def __init__(self) -> None:
        self._since = self._last = float("-inf")

    def note(self, status: int) -> None:
        """Note the status of an answer, 0 for none."""
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        now = time.monotonic()
        if now - self._last > _GAP_SECONDS:
            self._since = now
        self._last = now

    @property
    def well_since(self) -> float | None:
        """Since when requests are answered, in monotonic time; None if they are not."""
        return self._since if time.monotonic() - self._last <= _GAP_SECONDS else None
