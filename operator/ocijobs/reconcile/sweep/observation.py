"""What is observed of a sweep: its children in the cluster, its job, and what was seen of children that are gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ocijobs.api.job import OCIJob
from ocijobs.api.job_run_status import Phase
from ocijobs.api.sweep import OCIJobSweep
from ocijobs.reconcile.dependencies import Relations
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a child ended, and what it has reported, as printed."""

    succeeded: bool
    results: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildView:
    """An OCIJobRun of the sweep."""

    name: str
    uid: str
    phase: Phase | None
    outcome: Outcome | None
    suspend: bool
    cancel: bool
    deleting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepKnown:
    """What this process has learnt about one sweep: memory, which is empty after a restart.

    Attributes:
        created: how many children this process knows to have been created, in the order of their indices.
        outcomes: of children whose end was seen, written to the status or not.
        written_at: when this process last wrote the status.
        refused: why the API server does not take a child.
    """

    created: int = 0
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
    written_at: datetime | None = None
    refused: str | None = None

    def seen(self, children: Mapping[int, ChildView]) -> SweepKnown:
        """Return the memory after the children were looked at."""
        news = {
            index: child.outcome
            for index, child in children.items()
            if child.outcome is not None and self.outcomes.get(index) != child.outcome
        }
        created = max(self.created, max(children, default=-1) + 1)
        if not news and created == self.created:
            return self
        return replace(self, created=created, outcomes={**self.outcomes, **news})

    def has_created(self, index: int) -> SweepKnown:
        """Return the memory after the API server has the child of that index."""
        return replace(self, created=max(self.created, index + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepObservation:
    """Everything that a decision about a sweep rests on.

    Attributes:
        job: the OCIJob that the sweep names, if it exists.
        job_checked_at: when this process last read that job's sources to the end.
        children: by index.
        strangers: runs with the name of a child that are not the sweep's.
    """

    sweep: OCIJobSweep
    job: OCIJob | None
    job_checked_at: datetime | None
    identity: IdentityView
    children: Mapping[int, ChildView]
    strangers: frozenset[int]
    relations: Relations
    known: SweepKnown
    settings: Settings
