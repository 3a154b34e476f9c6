"""What is observed of a run: the objects in the cluster, and what this process knows of OCI."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ocijobs.api import kinds
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.kueue import LABEL_QUEUE, Workload
from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME
from ocijobs.backends.backend import Backend
from ocijobs.backends.digest import owner_of
from ocijobs.backends.records import RunState
from ocijobs.backends.registry import backend_for, find_backend
from ocijobs.reconcile.dependencies import Relations
from ocijobs.reconcile.identity_view import IdentityView, Releasable
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.settling import arrived_at, settled
from ocijobs.reconcile.text import shown
from ocijobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """What is known of Kueue: whether the cluster has it, and the run's Workload."""

    served: bool = False
    workload: Workload | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunObservation:
    """Everything that a decision about a run rests on.

    Attributes:
        job: the OCIJob that the run names, if it exists.
        sources_checked_at: when this process last read that job's sources to the end, found or missing.
        seen_at: when this process first saw the run.
        ahead: how many runs of the job are live, or come first; counted only where the job bounds them.
        identity: the identity of the run's calls: the recorded one, else that of the job.
        shared: the job as the run's sweep is bound to it.
        job_known: what is known of an OCI job outside the cluster.
        relations: what the run waits for, and whether others wait for it.
        queue: what Kueue says of it.
    """

    run: OCIJobRun
    job: OCIJob | None
    sources_checked_at: datetime | None
    identity: IdentityView
    cluster_id: str
    known: RunKnown
    settings: Settings
    seen_at: datetime | None = None
    ahead: int = 0
    shared: JobBinding | None = None
    job_known: JobKnown = field(default_factory=JobKnown)
    relations: Relations = field(default_factory=Relations)
    queue: QueueView = field(default_factory=QueueView)

    @property
    def wanted(self) -> bool:
        """Whether the run is still to be carried out."""
        return not (self.run.metadata.deleting or self.run.spec.cancel)

    @property
    def backend(self) -> Backend | None:
        """The service that runs it: of a run that was launched, the one that it was launched on.

        None while that is not known, or if its OCI job is of no service that is known here.
        """
        job_id = self.run.status.job_id or self.run.spec.job_id
        if job_id is not None:
            return find_backend(job_id)
        return backend_for(self.job.spec.infrastructure) if self.job is not None else None

    @property
    def goes_on(self) -> bool:
        """Whether the run has no end of its own: a stream or a session."""
        binding = self.run.status.binding
        if binding is None or binding.template is None or binding.job_id is None:
            return False
        backend = find_backend(binding.job_id)
        return backend is not None and backend.goes_on(binding.template)

    @property
    def queue_name(self) -> str | None:
        """The queue that has to admit the run; without Kueue the label says nothing."""
        return (self.run.metadata.labels.get(LABEL_QUEUE) or None) if self.queue.served else None

    @property
    def scheduled_time(self) -> str | None:
        """The time that a schedule made the run for."""
        return self.run.metadata.annotations.get(ANNOTATION_SCHEDULED_TIME)

    @property
    def of_sweep(self) -> bool:
        """Whether the run is a sweep's, which binds once for all its runs."""
        controller = self.run.metadata.controller
        return controller is not None and controller.kind == kinds.SWEEP

    @property
    def owner(self) -> str:
        """What begins the owner tags of all that the object has in OCI."""
        return owner_of(cluster_id=self.cluster_id, uid=self.run.metadata.uid)

    @property
    def releasable(self) -> Releasable:
        """The run as an object that may be let go."""
        where = self.run.status.submit or self.run.status.binding
        return Releasable(
            kind=kinds.RUN,
            metadata=self.run.metadata,
            identity=self.identity,
            cluster_id=self.cluster_id,
            region=where.region if where is not None else None,
            compartment_id=where.compartment_id if where is not None else None,
        )

    @property
    def held(self) -> bool:
        """Whether nothing may be created for the object now: after a restore it may be there already."""
        return self.settings.hold_new and not self.run.metadata.start_allowed

    @property
    def epoch(self) -> str:
        """Circumstances under which a refusal stands: another generation or other credentials are others."""
        return f"{self.run.metadata.generation}/{self.identity.version}"

    def shown(self, text: str) -> str:
        """Return text from outside as it is shown: what OCI says may quote the values that it was sent."""
        return shown(text, self.secrets)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values of Secrets that the run has, as far as this process has read them."""
        return self.known.values.secrets if self.known.values is not None else ()


def gone(o: RunObservation) -> bool:
    """Whether the job run is gone. A single 404 proves nothing: OCI answers it where a permission lacks, too."""
    record, absent = o.known.record, o.known.absent_at
    if record is not None and record.state is RunState.DELETED:
        return True
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    return bool(absent) and absent[-1] - absent[0] >= confirm


def settled_at(o: RunObservation) -> datetime:
    """Return from when on the run may be launched: the rest of the same apply arrives before.

    A sweep's children need not wait: the sweep did.
    """
    bound = o.run.status.binding is not None
    arrived = arrived_at(o.run.metadata.creation_timestamp, o.seen_at, bound=bound)
    if o.shared is not None:
        return arrived
    return settled(arrived, o.settings.launch_settle_seconds)


def lost_admission(o: RunObservation) -> bool:
    """Whether the attempt was admitted and is not any more; one that was launched without Kueue never was."""
    workload = o.queue.workload
    admitted = workload is not None and workload.admitted
    return o.queue.served and o.run.status.workload is not None and not admitted


def active_deadline(o: RunObservation) -> datetime | None:
    """Return until when the run has to have ended, all attempts together."""
    seconds, since = o.run.spec.active_deadline_seconds, o.run.status.launch_time
    return since + timedelta(seconds=seconds) if seconds is not None and since is not None else None
