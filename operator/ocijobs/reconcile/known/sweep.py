"""What this process has learnt of a sweep: its children, and what the API server says of new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, refused_again
from ocijobs.reconcile.actions.objects import CreateObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a child ended, and what it has reported, as printed."""

    succeeded: bool
    results: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildView:
    """An OCIJobRun of the sweep that has not ended."""

    name: str
    uid: str
    suspend: bool
    cancel: bool
    deleting: bool


@dataclass(slots=True)
class Children:
    """The children of one sweep as this process has seen them, by index: it changes with them.

    Attributes:
        live: those that are there and have not ended.
        ends: of those whose end was seen, whether they are there or not.
        lost: those that are gone, or are going.
        created: one more than the highest index that was seen.
    """

    live: dict[int, ChildView] = field(default_factory=dict)
    ends: dict[int, Outcome] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    created: int = 0

    def see(self, index: int, view: ChildView, outcome: Outcome | None) -> None:
        """Take note of a child that is there."""
        self.created = max(self.created, index + 1)
        (self.lost.add if view.deleting else self.lost.discard)(index)
        if outcome is None:
            self.live[index] = view
        else:
            self.live.pop(index, None)
            self.ends[index] = outcome

    def lose(self, index: int) -> None:
        """Take note of a child that is gone."""
        self.live.pop(index, None)
        self.lost.add(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepKnown:
    """What this process has learnt about one sweep: memory, which is empty after a restart.

    Attributes:
        created: how many children this process knows to have been created, in the order of their indices.
        written_at: when this process last wrote the status.
        refused: why the API server does not take a child, whatever happens.
        forbidden: the last refusal of a child for what may pass, such as a quota.
    """

    created: int = 0
    written_at: datetime | None = None
    refused: str | None = None
    forbidden: Call | None = None

    def answered(self, answer: tuple[CreateObject, Refusal | None], *, at: datetime) -> SweepKnown:
        """Return the memory after the API server has taken a child, or has refused it at that time."""
        child, refusal = answer
        if refusal is None:
            created = max(self.created, (child.index or 0) + 1)
            return replace(self, created=created, forbidden=None)
        if refusal.kind is RefusalKind.INVALID:
            return replace(self, refused=refusal.message)
        forbidden = refused_again(self.forbidden, refusal, at=at, epoch=child.epoch)
        return replace(self, forbidden=forbidden)
