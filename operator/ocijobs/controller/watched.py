"""What is watched, for whom, and how long the watch waits for what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

from ocijobs.api.crd import KINDS
from ocijobs.api.kueue import KUEUE_GROUP, KUEUE_VERSION
from ocijobs.api.shared.names import GROUP, VERSION
from ocijobs.controller.store import Store
from ocijobs.controller.streams import Answers, Stream, Streams
from ocijobs.kube.login import Login

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
