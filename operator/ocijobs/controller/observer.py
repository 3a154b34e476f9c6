"""Observations, put together from the store and the memory, without any IO."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from heapq import nsmallest
from operator import methodcaller

from ocijobs.api.conditions import ConditionType, find
from ocijobs.api.identity import IdentityDefaults, IdentityReference, OCIIdentity
from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import OCIJobRun
from ocijobs.api.job_run_status import OCIJobRunStatus, Phase
from ocijobs.api.kueue import WORKLOAD, Workload
from ocijobs.api.metadata import ObjectKey
from ocijobs.api.names import ANNOTATION_SCHEDULED_TIME
from ocijobs.api.reasons import Reason, reason_named
from ocijobs.api.run_binding import JobBinding
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.sweep import OCIJobSweep
from ocijobs.api.sweep_status import SweepPhase
from ocijobs.clock import Clock
from ocijobs.controller.memory import Memory
from ocijobs.controller.relations import relations_of
from ocijobs.controller.store import Entry, Store
from ocijobs.reconcile.identity import IdentityObservation, view_identity
from ocijobs.reconcile.identity_view import DEFAULT_IDENTITY, IdentityView
from ocijobs.reconcile.job.observation import JobObservation, RunView
from ocijobs.reconcile.ownership import belongs
from ocijobs.reconcile.run.attempts import attempt_number
from ocijobs.reconcile.run.known import RunKnown
from ocijobs.reconcile.run.observation import QueueView, RunObservation
from ocijobs.reconcile.run.pod_sets import workload_name
from ocijobs.reconcile.schedule.firings import object_name
from ocijobs.reconcile.schedule.observation import MadeView, ScheduleObservation
from ocijobs.reconcile.sweep.children import BATCH
from ocijobs.reconcile.sweep.names import child_name
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.settings import Settings


class Observer:
    """Puts together what a decision rests on."""

    def __init__(
        self,
        store: Store,
        memory: Memory,
        clock: Clock,
        settings: Settings,
        cluster_id: str,
        *,
        workloads: Store,
    ) -> None:
        self._store, self._workloads = store, workloads
        self._memory = memory
        self._clock = clock
        self._settings = settings
        self._cluster_id = cluster_id

    def run(self, run: OCIJobRun) -> RunObservation:
        """Return what is observed of a run."""
        meta = run.metadata
        job = self._job(meta.namespace, run.job_name or "")
        return RunObservation(
            run=run,
            job=job,
            job_checked_at=self._memory.serves(job.metadata.uid) if job is not None else None,
            ahead=self._ahead(run, job) if job is not None and job.spec.max_active_runs else 0,
            shared=self._shared(run),
            relations=relations_of(self._store, ObjectKey("OCIJobRun", meta.namespace, meta.name)),
            identity=self.identity_view(meta.namespace, _identity_of_run(run, job)),
            cluster_id=self._cluster_id,
            known=self._known(run),
            job_known=self._memory.job(meta.uid),
            settings=self._settings,
            queue=self._queue(run),
        )

    def _queue(self, run: OCIJobRun) -> QueueView:
        """Return what Kueue says of a run."""
        if not self._memory.queues_served:
            return QueueView()
        key = ObjectKey(WORKLOAD, run.metadata.namespace, workload_name(run))
        entry = self._workloads.get(key)
        workload = entry.resource if entry is not None else None
        return QueueView(served=True, workload=workload if isinstance(workload, Workload) else None)

    def _job(self, namespace: str, name: str) -> OCIJob | None:
        entry = self._store.get(ObjectKey("OCIJob", namespace, name))
        return entry.resource if entry is not None and isinstance(entry.resource, OCIJob) else None

    def _known(self, run: OCIJobRun) -> RunKnown:
        """Return what is known of the attempt that is under way; what was known of a former one is forgotten."""
        uid, number = run.metadata.uid, attempt_number(run.status)
        known = self._memory.run(uid)
        if known.attempt == number:
            return known
        return self._memory.learn_run(uid, methodcaller("of_attempt", number))

    def _shared(self, run: OCIJobRun) -> JobBinding | None:
        """Return the job as the run's sweep is bound to it."""
        owner = run.metadata.controller
        if owner is None or owner.kind != "OCIJobSweep":
            return None
        entry = self._store.get(ObjectKey(owner.kind, run.metadata.namespace, owner.name))
        sweep = entry.resource if entry is not None else None
        if not isinstance(sweep, OCIJobSweep) or sweep.metadata.uid != owner.uid:
            return None
        return sweep.status.binding

    def sweep(self, sweep: OCIJobSweep) -> SweepObservation:
        """Return what is observed of a sweep."""
        meta = sweep.metadata
        job = self._job(meta.namespace, sweep.spec.job_ref.name)
        reference = identity_of_job(job) if job else IdentityReference(name=DEFAULT_IDENTITY)
        known, children = self._memory.sweep(meta.uid), self._memory.children.of(meta.uid)
        return SweepObservation(
            sweep=sweep,
            job=job,
            job_checked_at=self._memory.serves(job.metadata.uid) if job is not None else None,
            identity=self.identity_view(meta.namespace, reference),
            children=children,
            strangers=self._strangers(sweep, max(known.created, children.created)),
            relations=relations_of(
                self._store, ObjectKey("OCIJobSweep", meta.namespace, meta.name)
            ),
            known=known,
            settings=self._settings,
        )

    def schedule(self, schedule: OCIJobSchedule) -> ScheduleObservation:
        """Return what is observed of a schedule."""
        uid = schedule.metadata.uid
        if schedule.status.starting is None:
            self._memory.forget_schedule(uid)
        made = (made_view(entry) for entry in self._store.owned_by(uid))
        return ScheduleObservation(
            schedule=schedule,
            made=tuple(one for one in made if one is not None),
            known=self._memory.schedule(uid),
            settings=self._settings,
            taken=self._taken(schedule),
        )

    def _taken(self, schedule: OCIJobSchedule) -> frozenset[str]:
        """Return which names of the firing that is being started objects of others have."""
        meta, at = schedule.metadata, schedule.status.starting
        if at is None:
            return frozenset()
        keys = (
            ObjectKey(one.kind, meta.namespace, object_name(schedule, at, one.name))
            for one in schedule.spec.resources
        )
        found = (self._store.get(key) for key in keys)
        return frozenset(e.key.name for e in found if e and not belongs(e.metadata, meta))

    def _strangers(self, sweep: OCIJobSweep, created: int) -> frozenset[int]:
        """Return which of the next children's names are taken by others."""
        meta, first = sweep.metadata, max(created, sweep.status.created or 0)
        taken = set()
        for index in range(first, first + BATCH):
            name = child_name(meta.name, index)
            entry = self._store.get(ObjectKey("OCIJobRun", meta.namespace, name))
            if entry is not None and not belongs(entry.metadata, meta):
                taken.add(index)
        return frozenset(taken)

    def _ahead(self, run: OCIJobRun, job: OCIJob) -> int:
        """Return how many runs of the job are live, or wait for their turn before this one does."""
        meta, place = job.metadata, _place(run)
        return sum(
            run_view(other).live or (_waits(other) and _place(other) < place)
            for other in self._store.open_runs_of(meta.namespace, meta.name)
            if other.metadata.uid != run.metadata.uid
        )

    def next_in_turn(self, job: OCIJob) -> list[ObjectKey]:
        """Return the runs that wait for their turn and come next, as many as may be active."""
        runs = self._store.open_runs_of(job.metadata.namespace, job.metadata.name)
        waiting = (_place(run) for run in runs if _waits(run))
        return [
            ObjectKey("OCIJobRun", job.metadata.namespace, name)
            for _, name in nsmallest(job.spec.max_active_runs or len(runs), waiting)
        ]

    def job(self, job: OCIJob) -> JobObservation:
        """Return what is observed of a job."""
        meta = job.metadata
        return JobObservation(
            job=job,
            identity=self.identity_view(meta.namespace, identity_of_job(job)),
            runs=tuple(run_view(run) for run in self._runs_that_matter(job)),
            pinned=self._pinned(meta.namespace, meta.name),
            cluster_id=self._cluster_id,
            known=self._memory.job(meta.uid),
            settings=self._settings,
            refresh_after=self._memory.refresh_after(
                ObjectKey("OCIJob", meta.namespace, meta.name)
            ),
        )

    def _runs_that_matter(self, job: OCIJob) -> Iterable[OCIJobRun]:
        """Yield the runs that have not ended and the one that was launched last: others matter to no job."""
        meta = job.metadata
        yield from self._store.open_runs_of(meta.namespace, meta.name)
        launched = (
            run
            for entry in self._store.runs_of(meta.namespace, meta.name)
            if isinstance(run := entry.resource, OCIJobRun) and run.status.accepted_time is not None
        )
        last = max(launched, key=_launched_at, default=None)
        if last is not None and last.status.phase is not None and last.status.phase.terminal:
            yield last

    def _pinned(self, namespace: str, job_name: str) -> frozenset[str]:
        """Return the OCI jobs that sweeps are bound to which have not ended."""
        return frozenset(
            sweep.status.binding.job_id
            for entry in self._store.of_kind("OCIJobSweep", namespace)
            if isinstance(sweep := entry.resource, OCIJobSweep)
            and sweep.spec.job_ref.name == job_name
            and not (sweep.status.phase is not None and sweep.status.phase.terminal)
            and sweep.status.binding is not None
            and sweep.status.binding.job_id is not None
        )

    def identity(self, identity: OCIIdentity) -> IdentityObservation:
        """Return what is observed of an identity."""
        key = ObjectKey("OCIIdentity", identity.metadata.namespace, identity.metadata.name)
        return IdentityObservation(
            identity=identity,
            users=tuple(str(user) for user in self.users_of(key) if self._holds(user)),
            known=self._memory.identity(key),
            settings=self._settings,
        )

    def identity_view(self, namespace: str, reference: IdentityReference) -> IdentityView:
        """Return an identity as what refers to it sees it."""
        key = ObjectKey(reference.kind, namespace, reference.name)
        entry = self._store.get(key)
        identity = entry.resource if entry is not None else None
        if entry is None and self._memory.identity(key).gone_since is None:
            now = self._clock.now()
            self._memory.learn_identity(
                key,
                lambda known: known if known.credentials else replace(known, gone_since=now),
            )
        known = self._memory.identity(key)
        view = view_identity(
            reference, identity if isinstance(identity, OCIIdentity) else None, known
        )
        return replace(view, defaults=self._with_operator_defaults(view.defaults))

    def _with_operator_defaults(self, defaults: IdentityDefaults) -> IdentityDefaults:
        """Return the identity's defaults, and the operator's where it has none."""
        settings = self._settings
        return IdentityDefaults(
            compartment_id=defaults.compartment_id or settings.default_compartment_id,
            project_id=defaults.project_id or settings.default_project_id,
            log_group_id=defaults.log_group_id or settings.default_log_group_id,
        )

    def users_of(self, identity: ObjectKey) -> Iterable[ObjectKey]:
        """Yield the jobs, sweeps and runs of the namespace that use an identity."""
        for entry in self._store.of_kind("OCIJob", identity.namespace):
            job = entry.resource
            if isinstance(job, OCIJob) and identity_of_job(job).name == identity.name:
                yield entry.key
        for entry in self._store.of_kind("OCIJobSweep", identity.namespace):
            sweep = entry.resource
            if isinstance(sweep, OCIJobSweep) and sweep.status.binding is None:
                job = self._job(identity.namespace, sweep.spec.job_ref.name)
                if job is not None and identity_of_job(job).name == identity.name:
                    yield entry.key
        for entry in self._store.of_kind("OCIJobRun", identity.namespace):
            run = entry.resource
            if not isinstance(run, OCIJobRun) or (
                run.status.phase is not None
                and run.status.phase.terminal
                and not run.metadata.has_finalizer
            ):
                continue
            used = _identity_of_run(run, self._job(identity.namespace, run.job_name or ""))
            if used.name == identity.name:
                yield entry.key

    def _holds(self, user: ObjectKey) -> bool:
        """Whether something of the user is in OCI, so that the identity is needed to end it."""
        entry = self._store.get(user)
        return entry is not None and entry.metadata.has_finalizer


_DOUBTFUL = frozenset({Reason.NOT_AUTHORIZED_OR_NOT_FOUND, Reason.OCI_CONFLICT})
"""What a run is told whose OCI job is no more."""


def identity_of_job(job: OCIJob) -> IdentityReference:
    """Return the identity of a job: the one that it was made with, else the one that it names, else the default."""
    return job.status.identity or job.spec.identity_ref or IdentityReference(name=DEFAULT_IDENTITY)


def _identity_of_run(run: OCIJobRun, job: OCIJob | None) -> IdentityReference:
    """Return the identity of a run: the one of its launch, else its job's."""
    if run.status.submit is not None:
        return run.status.submit.identity
    binding = run.status.binding
    if binding is not None and binding.identity is not None and run.status.attempts:
        return binding.identity
    if run.spec.job_id is not None:
        return run.spec.identity_ref or IdentityReference(name=DEFAULT_IDENTITY)
    return identity_of_job(job) if job is not None else IdentityReference(name=DEFAULT_IDENTITY)


def _launched_at(run: OCIJobRun) -> tuple[datetime, str]:
    """Return what orders runs that were launched."""
    return run.status.accepted_time or run.metadata.creation_timestamp, run.metadata.name


def _place(run: OCIJobRun) -> tuple[datetime, str]:
    """Return what orders runs that wait for their turn."""
    return run.metadata.creation_timestamp, run.metadata.name


def _waits(run: OCIJobRun) -> bool:
    """Whether nothing keeps a run from its launch but its turn."""
    status = run.status
    if status.submit is not None or run.spec.cancel or run.metadata.deleting:
        return False
    ended = status.phase is not None and status.phase.terminal
    return not ended and _reason(run) in {None, Reason.PENDING, Reason.MAX_ACTIVE_RUNS}


def run_view(run: OCIJobRun) -> RunView:
    """Return a run as its job sees it."""
    status = run.status
    ended = status.phase is not None and status.phase.terminal
    return RunView(
        name=run.metadata.name,
        phase=status.phase,
        live=status.submit is not None and not ended,
        job_id=None if ended else _needed_job(status),
        accepted_time=status.accepted_time,
        doubts=status.submit is not None
        and status.job_run_id is None
        and not ended
        and _reason(run) in _DOUBTFUL,
    )


def made_view(entry: Entry) -> MadeView | None:
    """Return a run or a sweep as the schedule sees it that made it."""
    resource, meta = entry.resource, entry.metadata
    time = parse_time(meta.annotations.get(ANNOTATION_SCHEDULED_TIME))
    if not isinstance(resource, OCIJobRun | OCIJobSweep) or time is None:
        return None
    phase = resource.status.phase
    return MadeView(
        kind=entry.key.kind,
        name=meta.name,
        uid=meta.uid,
        scheduled_time=time,
        ended=phase is not None and phase.terminal,
        succeeded=phase in {Phase.SUCCEEDED, SweepPhase.SUCCEEDED},
        completion_time=resource.status.completion_time,
        deleting=meta.deleting,
    )


def parse_time(text: str | None) -> datetime | None:
    """Return the time that an annotation tells; people may have changed it."""
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def _needed_job(status: OCIJobRunStatus) -> str | None:
    """Return the OCI job that the run's attempts are of; None before the first one."""
    if status.submit is not None:
        return status.submit.job_id
    binding = status.binding
    return binding.job_id if binding is not None and status.attempts else None


def _reason(run: OCIJobRun) -> Reason | None:
    ready = find(run.status.conditions, ConditionType.READY)
    return reason_named(ready.reason) if ready is not None else None
