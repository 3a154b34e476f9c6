"""What is watched, and whether the watch still hears: when each stream was last answered.

A healthy stream has an answer about every minute even if nothing changes: a bookmark of the API server, or the answer
to kopf's new request after `WatchTimes.silent_seconds`. Several threads write here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import product
from typing import NamedTuple

from ocijobs.api.crd import KINDS
from ocijobs.api.kueue import KUEUE_GROUP, KUEUE_VERSION
from ocijobs.api.shared.names import GROUP, VERSION
from ocijobs.controller.store import Store
from ocijobs.kube.login import Login

STALE_SECONDS = 120.0
"""Seconds after which a stream without an answer is stale: neither a bookmark came, nor an answer to a new request."""

_GAP_SECONDS = 30.0
"""Seconds. Requests are well if they are answered at least this often; the lease alone asks every few seconds."""


class Stream(NamedTuple):
    """A watch of one kind of object."""

    resource: str
    """Plural of the kind."""
    namespace: str
    """Empty for the whole cluster."""


def stream_of(path: str) -> Stream:
    """Return the stream of a URL's path: that of a list or a watch."""
    *_, before, above, resource = ("", "", *path.rstrip("/").split("/"))
    return Stream(resource, above if before == "namespaces" else "")


class Streams:
    """The expected streams, and when each was last answered."""

    def __init__(self, stale_seconds: float = STALE_SECONDS) -> None:
        self.stale_seconds = stale_seconds
        self._heard: dict[Stream, float] = {}

    def expect(self, streams: Iterable[Stream]) -> None:
        """Expect answers of these streams from now on."""
        now = time.monotonic()
        self._heard |= {stream: self._heard.get(stream, now) for stream in streams}

    def dismiss(self, streams: Iterable[Stream]) -> None:
        """Do not expect answers of these streams any more."""
        for stream in streams:
            self._heard.pop(stream, None)

    def heard(self, stream: Stream) -> None:
        """Note an answer of a stream; others than the expected ones are ignored."""
        if stream in self._heard:
            self._heard[stream] = time.monotonic()

    def heard_at(self, stream: Stream) -> float:
        """Return when an expected stream was last answered, in monotonic time."""
        return self._heard[stream]

    def silence(self) -> Mapping[str, float]:
        """Return for each resource how many seconds ago the most silent of its streams was answered."""
        now = time.monotonic()
        silence: dict[str, float] = {}
        for stream, at in tuple(self._heard.items()):
            silence[stream.resource] = max(silence.get(stream.resource, 0.0), now - at)
        return silence

    def fresh(self) -> Mapping[str, bool]:
        """Return for each resource whether all of its streams were answered lately."""
        return {resource: s < self.stale_seconds for resource, s in self.silence().items()}


class Answers:
    """Whether ordinary requests are answered, and since when."""

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


OURS = tuple((GROUP, VERSION, kind.plural) for kind in KINDS)
"""All of our kinds."""


WORKLOADS = ((KUEUE_GROUP, KUEUE_VERSION, "workloads"),)
"""What Kueue has of our runs; only where Kueue is."""


Resources = tuple[tuple[str, str, str], ...]
"""Group, version and plural of what is watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTimes:
    """How long kopf waits for what. Tests have shorter ones."""

    connect_seconds: float = 10.0
    request_seconds: float = 30.0
    silent_seconds: float = 70.0
    """A stream without a sign of life is asked for anew; bookmarks come every minute."""
    longest_pause_seconds: float = 8.0
    """Between attempts at what fails."""
    again_seconds: float = 5.0
    """Between the end of a watch and the next one."""
    look_seconds: float = 5.0
    """How often it is asked whether all is heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is watched, and for whom.

    Attributes:
        store: what is fed.
        login: as whom.
        streams: what is told of each answer.
        answers: how ordinary requests fare.
        gap: called in the loop of the store when deletions may have been missed.
        namespaces: which are watched; all if none are named.
        resources: what is watched.
        times: how long kopf waits.
    """

    store: Store
    login: Login
    streams: Streams
    answers: Answers
    gap: Callable[[], None]
    namespaces: tuple[str, ...]
    resources: Resources = OURS
    times: WatchTimes = field(default_factory=WatchTimes)

    def names(self) -> tuple[Stream, ...]:
        """Return the streams."""
        plurals = (plural for _, _, plural in self.resources)
        return tuple(Stream(*each) for each in product(plurals, self.namespaces or ("",)))
