"""Puts observations together from the store and the memory, without any IO."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from operator import methodcaller

from ocijobs.api import kinds
from ocijobs.api.identity import OCIIdentity
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.kueue import WORKLOAD, Workload
from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.shared.metadata import IdentityReference, ObjectKey
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.backends.registry import backend_for
from ocijobs.clock import Clock
from ocijobs.controller.identities import Identities, identity_of_job, identity_of_run
from ocijobs.controller.memory import Memory
from ocijobs.controller.relations import relations_of
from ocijobs.controller.store import Store
from ocijobs.controller.turns import Turns
from ocijobs.controller.views import (
    code_folders,
    launched_at,
    made_view,
    run_view,
    turn_order,
    waits,
)
from ocijobs.reconcile.identity import IdentityObservation
from ocijobs.reconcile.identity_view import DEFAULT_IDENTITY
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.known.run import RunKnown, attempt_number
from ocijobs.reconcile.ownership import belongs
from ocijobs.reconcile.run.observation import QueueView, RunObservation
from ocijobs.reconcile.run.pod_sets import workload_name
from ocijobs.reconcile.schedule.firings import object_name
from ocijobs.reconcile.schedule.observation import ScheduleObservation
from ocijobs.reconcile.sweep.children import BATCH
from ocijobs.reconcile.sweep.indices import child_name
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.settings import Settings


class Observer:
    """Puts together everything that a decision depends on."""

    def __init__(
        self,
        store: Store,
        memory: Memory,
        clock: Clock,
        settings: Settings,
        cluster_id: str,
        *,
        workloads: Store,
        turns: Turns,
    ) -> None:
        self._store, self._workloads, self._turns = store, workloads, turns
        self._memory = memory
        self._settings = settings
        self._identities = Identities(store, memory, clock, settings)
        self._cluster_id = cluster_id

    def run(self, run: OCIJobRun) -> RunObservation:
        """Return the observation of a run."""
        meta = run.metadata
        job = self._store.job(meta.namespace, run.job_name or "")
        return RunObservation(
            run=run,
            job=job,
            sources_checked_at=self._memory.sources_checked_at(job.metadata.uid)
            if job is not None
            else None,
            seen_at=self._memory.seen_at(meta.uid),
            ahead=self._ahead(run, job) if job is not None and job.spec.max_active_runs else 0,
            shared=self._shared(run),
            relations=relations_of(self._store, ObjectKey(kinds.RUN, meta.namespace, meta.name)),
            identity=self._identities.view(meta.namespace, identity_of_run(run, job)),
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

    def _known(self, run: OCIJobRun) -> RunKnown:
        """Return what is known of the present attempt; what was known of a former one is forgotten."""
        uid, number = run.metadata.uid, attempt_number(run.status)
        known = self._memory.run(uid)
        if known.attempt == number:
            return known
        return self._memory.learn_run(uid, methodcaller("of_attempt", number))

    def _shared(self, run: OCIJobRun) -> JobBinding | None:
        """Return the job to which the run's sweep is bound."""
        owner = run.metadata.controller
        if owner is None or owner.kind != kinds.SWEEP:
            return None
        entry = self._store.get(ObjectKey(owner.kind, run.metadata.namespace, owner.name))
        sweep = entry.resource if entry is not None else None
        if not isinstance(sweep, OCIJobSweep) or sweep.metadata.uid != owner.uid:
            return None
        return sweep.status.binding

    def sweep(self, sweep: OCIJobSweep) -> SweepObservation:
        """Return the observation of a sweep."""
        meta = sweep.metadata
        job = self._store.job(meta.namespace, sweep.spec.job_ref.name)
        reference = identity_of_job(job) if job else IdentityReference(name=DEFAULT_IDENTITY)
        known, children = self._memory.sweep(meta.uid), self._memory.children.of(meta.uid)
        return SweepObservation(
            sweep=sweep,
            seen_at=self._memory.seen_at(meta.uid),
            job=job,
            sources_checked_at=self._memory.sources_checked_at(job.metadata.uid)
            if job is not None
            else None,
            identity=self._identities.view(meta.namespace, reference),
            children=children,
            strangers=self._strangers(sweep, max(known.created, children.created)),
            relations=relations_of(self._store, ObjectKey(kinds.SWEEP, meta.namespace, meta.name)),
            known=known,
            settings=self._settings,
        )

    def schedule(self, schedule: OCIJobSchedule) -> ScheduleObservation:
        """Return the observation of a schedule."""
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
        """Return which names of the present firing are taken by objects of others."""
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
            entry = self._store.get(ObjectKey(kinds.RUN, meta.namespace, name))
            if entry is not None and not belongs(entry.metadata, meta):
                taken.add(index)
        return frozenset(taken)

    def _ahead(self, run: OCIJobRun, job: OCIJob) -> int:
        """Return how many runs of the job are active, or come before this one in the line for a turn."""
        meta, place = job.metadata, turn_order(run)
        return sum(
            run_view(other).live or (waits(other) and turn_order(other) < place)
            for other in self._store.open_runs_of(meta.namespace, meta.name)
            if other.metadata.uid != run.metadata.uid
        )

    def next_in_turn(self, job: OCIJob) -> list[ObjectKey]:
        """Return the next runs in the line for a turn, as many as may be active."""
        runs = self._store.open_runs_of(job.metadata.namespace, job.metadata.name)
        waiting = (turn_order(run) for run in runs if waits(run))
        return [
            ObjectKey(kinds.RUN, job.metadata.namespace, name)
            for _, name in nsmallest(job.spec.max_active_runs or len(runs), waiting)
        ]

    def job(self, job: OCIJob) -> JobObservation:
        """Return the observation of a job."""
        meta = job.metadata
        return JobObservation(
            job=job,
            identity=self._identities.view(meta.namespace, identity_of_job(job)),
            runs=tuple(run_view(run) for run in self._runs_that_matter(job)),
            pinned=self._pinned(meta.namespace, meta.name),
            code_in_use=self._code_of_others(job),
            cluster_id=self._cluster_id,
            known=self._memory.job(meta.uid),
            settings=self._settings,
            turn=self._turns.of(meta.uid),
            refresh_after=self._memory.refresh_after(
                ObjectKey(kinds.JOB, meta.namespace, meta.name)
            ),
        )

    def _runs_that_matter(self, job: OCIJob) -> Iterable[OCIJobRun]:
        """Yield the runs that have not ended and the one that was launched last; the job needs no others."""
        meta = job.metadata
        yield from self._store.open_runs_of(meta.namespace, meta.name)
        launched = (
            run
            for entry in self._store.runs_of(meta.namespace, meta.name)
            if isinstance(run := entry.resource, OCIJobRun) and run.status.accepted_time is not None
        )
        last = max(launched, key=launched_at, default=None)
        if last is not None and last.status.ended:
            yield last

    def _pinned(self, namespace: str, job_name: str) -> frozenset[str]:
        """Return the OCI jobs to which sweeps are bound that have not ended."""
        return frozenset(
            sweep.status.binding.job_id
            for entry in self._store.of_kind(kinds.SWEEP, namespace)
            if isinstance(sweep := entry.resource, OCIJobSweep)
            and sweep.spec.job_ref.name == job_name
            and not sweep.status.ended
            and sweep.status.binding is not None
            and sweep.status.binding.job_id is not None
        )

    def _code_of_others(self, job: OCIJob) -> frozenset[str]:
        """Return the folders of code that other jobs use; only looked up if a folder of this job is to be deleted."""
        meta = job.metadata
        going = meta.deleting or any(revision.removing for revision in job.status.revisions)
        if not going or not backend_for(job.spec.infrastructure).code_in_bucket:
            return frozenset()
        return frozenset(
            uri
            for entry in self._store.of_kind(kinds.JOB, meta.namespace)
            if entry.metadata.uid != meta.uid and isinstance(entry.resource, OCIJob)
            for uri in code_folders(entry.resource)
        )

    def code_in_use(self, uri: str) -> bool:
        """Whether any job still uses a folder of code."""
        jobs = (entry.resource for entry in self._store.of_kind(kinds.JOB))
        return any(uri in code_folders(job) for job in jobs if isinstance(job, OCIJob))

    def identity(self, identity: OCIIdentity) -> IdentityObservation:
        """Return the observation of an identity."""
        return self._identities.observation(identity)

    def needed(self, identity: ObjectKey) -> bool:
        """Whether something that uses an identity may be in OCI."""
        return self._identities.needed(identity)

    def users_of(self, identity: ObjectKey) -> Iterable[ObjectKey]:
        """Yield the jobs, sweeps and runs of the namespace that use an identity."""
        return self._identities.users_of(identity)
