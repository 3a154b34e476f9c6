"""What is observed of a sweep: its children in the cluster, its job, and what was seen of children that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.reconcile.dependencies import Relations
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.known.sweep import Children, SweepKnown
from ocijobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepObservation:
    """Everything that a decision about a sweep rests on.

    Attributes:
        job: the OCIJob that the sweep names, if it exists.
        sources_checked_at: when this process last read that job's sources to the end.
        seen_at: when this process first saw the sweep.
        strangers: runs with the name of one of the next children that are not the sweep's.
    """

    sweep: OCIJobSweep
    job: OCIJob | None
    sources_checked_at: datetime | None
    identity: IdentityView
    children: Children
    strangers: frozenset[int]
    relations: Relations
    known: SweepKnown
    settings: Settings
    seen_at: datetime | None = None

    @property
    def held(self) -> bool:
        """Whether nothing may be started now: after a restore, what the sweep started is not known to it."""
        return self.settings.hold_new and not self.sweep.metadata.start_allowed
