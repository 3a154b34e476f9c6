"""What is observed of a job: the objects in the cluster, and what this process knows of its sources and of OCI."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ocijobs.api import kinds
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.phase import Phase
from ocijobs.backends.backend import Backend
from ocijobs.backends.digest import owner_of
from ocijobs.backends.registry import backend_for
from ocijobs.reconcile.identity_view import IdentityView, Releasable
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.settings import Settings


class Turn(Enum):
    """Whether a job may read its remote source now: a few do at a time."""

    NONE = "has not asked"
    WAITING = "waits"
    GRANTED = "may read"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run of the job, as far as the job's decisions need it.

    `live` is true of a run that is launched or being launched and has not ended; `job_id` is the OCI job that a run
    which has not ended needs; `doubts` is true of one that OCI answers as though there were no such OCI job.
    """

    name: str
    phase: Phase | None
    live: bool
    job_id: str | None
    accepted_time: datetime | None
    doubts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobObservation:
    """Everything that a decision about a job rests on.

    Attributes:
        pinned: OCI jobs that sweeps are bound to which have not ended.
        code_in_use: folders of code that other jobs have.
        turn: whether the job may read its remote source now.
        refresh_after: a run wants sources that were read no earlier than this.
    """

    job: OCIJob
    identity: IdentityView
    runs: tuple[RunView, ...]
    cluster_id: str
    known: JobKnown
    settings: Settings
    refresh_after: datetime | None = None
    pinned: frozenset[str] = frozenset()
    code_in_use: frozenset[str] = frozenset()
    turn: Turn = Turn.GRANTED

    @property
    def backend(self) -> Backend:
        """The service that runs the job."""
        return backend_for(self.job.spec.infrastructure)

    @property
    def owner(self) -> str:
        """What begins the owner tags of all that the object has in OCI."""
        return owner_of(cluster_id=self.cluster_id, uid=self.job.metadata.uid)

    @property
    def releasable(self) -> Releasable:
        """The job as an object that may be let go."""
        status = self.job.status
        return Releasable(
            kind=kinds.JOB,
            metadata=self.job.metadata,
            identity=self.identity,
            cluster_id=self.cluster_id,
            region=status.region,
            compartment_id=status.compartment_id,
            project_id=status.project_id,
        )

    @property
    def held(self) -> bool:
        """Whether nothing may be created for the object now: after a restore it may be there already."""
        return self.settings.hold_new and not self.job.metadata.start_allowed

    @property
    def epoch(self) -> str:
        """Circumstances under which a refusal stands: another generation or other credentials are others."""
        return f"{self.job.metadata.generation}/{self.identity.version}"
