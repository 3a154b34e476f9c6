"""Which objects are put into the queue when another object changes."""

from __future__ import annotations

from collections.abc import Iterable

from ocijobs.api import kinds
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.controller.entry import Entry, dependency_keys
from ocijobs.controller.observer import Observer
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.relations import expires
from ocijobs.controller.store import Store
from ocijobs.controller.views import run_view
from ocijobs.reconcile.job.observation import RunView

_GATHERING_SECONDS = 0.2
"""Seconds for which changes of children are collected before their owner is queued: it may have hundreds."""

_COUNTING_SECONDS = 1.0
"""Seconds for which changes of a job's runs are collected before its counts are updated."""


class Dependents:
    """Listens to the store, and fills the queue."""

    def __init__(
        self, store: Store, queue: WorkQueue, observer: Observer, *, workloads: Store
    ) -> None:
        self._store, self._queue, self._observer = store, queue, observer
        self._workloads = workloads

    def changed(self, key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
        """Queue an object that has changed, and the objects that depend on it."""
        self._queue.add(key)
        match key.kind:
            case kinds.JOB:
                self.wake_users_of_job(key)
            case kinds.RUN:
                self._job_of_run(before, after)
                self._workload_of_run(before, after)
                if after is None:
                    self._sweep_of_name(key)
            case kinds.IDENTITY:
                self.identity_changed(key)
            case _:
                self._made_by(before, after)
        for waiter in self._store.waiting_for(key):
            self._queue.add(waiter)
        for awaited in self._awaited(before, after):
            self._queue.add(awaited)
        self._owner_of(before, after)
        if key.kind != kinds.IDENTITY and _has_finalizer(before) and not _has_finalizer(after):
            self._wake_identities(key.namespace)

    def workload_changed(self, key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
        """Queue the run of a Workload; or the Workload itself if its run is gone."""
        entry = after or before
        owner = entry.metadata.controller if entry is not None else None
        run = self._store.get(ObjectKey(kinds.RUN, key.namespace, owner.name)) if owner else None
        if run is not None and owner is not None and run.metadata.uid == owner.uid:
            self._queue.add(run.key)
        elif after is not None:
            self._queue.add(key)

    def _workload_of_run(self, before: Entry | None, after: Entry | None) -> None:
        """Queue the Workload of a run that went without deleting it."""
        if before is not None and (after is None or after.metadata.uid != before.metadata.uid):
            for entry in self._workloads.owned_by(before.metadata.uid):
                self._queue.add(entry.key)

    def wake_users_of_job(self, job: ObjectKey) -> None:
        """Have the job's runs and sweeps looked at that are not launched yet."""
        for run in self._store.open_runs_of(job.namespace, job.name):
            if run.status.job_run_id is None:
                self._queue.add(ObjectKey(kinds.RUN, job.namespace, run.metadata.name))
        for entry in self._store.of_kind(kinds.SWEEP, job.namespace):
            sweep = entry.resource
            if (
                isinstance(sweep, OCIJobSweep)
                and sweep.spec.job_ref.name == job.name
                and sweep.status.binding is None
            ):
                self._queue.add(entry.key)

    def identity_changed(self, key: ObjectKey) -> None:
        """Queue an identity, and everything that uses it."""
        self._queue.add(key)
        for user in self._observer.users_of(key):
            self._queue.add(user)

    def _awaited(self, before: Entry | None, after: Entry | None) -> Iterable[ObjectKey]:
        """Yield objects that may expire now, since what waited for them has recorded them, has ended or is gone."""
        entry = after or before
        if entry is None or not isinstance(entry.resource, OCIJobRun | OCIJobSweep):
            return ()
        return (
            key
            for key in dependency_keys(entry.key.namespace, entry.resource)
            if (found := self._store.get(key)) is not None and expires(found)
        )

    def _owner_of(self, before: Entry | None, after: Entry | None) -> None:
        """Queue the owner of a run that is new, is being deleted, is gone, or has another phase."""
        owners = _maker(before), _maker(after)
        same = owners[0] == owners[1]
        if same and before is not None and after is not None and _stage(before) == _stage(after):
            return
        for key in {key for key in owners if key is not None}:
            self._queue.add_after(key, _GATHERING_SECONDS)

    def _sweep_of_name(self, run: ObjectKey) -> None:
        """Queue the sweep that may wait for the name of a run that is gone."""
        sweep = ObjectKey(kinds.SWEEP, run.namespace, run.name.rpartition("-")[0])
        if self._store.get(sweep) is not None:
            self._queue.add_after(sweep, _GATHERING_SECONDS)

    def _made_by(self, before: Entry | None, after: Entry | None) -> None:
        """Queue what a sweep or a schedule made, when it is bound or has recorded an end."""
        if after is None:
            return
        bound, noted = _is_bound(after) and not _is_bound(before), _notes(before) != _notes(after)
        if not (bound or noted):
            return
        for entry in self._store.owned_by(after.metadata.uid):
            if bound or expires(entry):
                self._queue.add(entry.key)

    def _job_of_run(self, before: Entry | None, after: Entry | None) -> None:
        was, is_now, entry = _view(before), _view(after), after or before
        if was == is_now or entry is None or not isinstance(entry.resource, OCIJobRun):
            return
        job = ObjectKey(kinds.JOB, entry.key.namespace, entry.resource.job_name or "")
        owner = self._store.get(job)
        if owner is None:
            return
        if _is_live(was) and not _is_live(is_now):
            self._wake_waiting(owner)
        if owner.metadata.deleting:
            self._queue.add(job)
        else:
            self._queue.add_after(job, _COUNTING_SECONDS)

    def _wake_waiting(self, owner: Entry) -> None:
        """Queue the runs that wait for their turn, since one that was active is not any more."""
        job = owner.resource
        if not isinstance(job, OCIJob) or job.spec.max_active_runs is None:
            return
        for key in self._observer.next_in_turn(job):
            self._queue.add(key)

    def _wake_identities(self, namespace: str) -> None:
        """Queue the identities that may not be needed any more."""
        for entry in self._store.of_kind(kinds.IDENTITY, namespace):
            self._queue.add(entry.key)


def _has_finalizer(entry: Entry | None) -> bool:
    """Whether an object has our finalizer, so that it needs its identity."""
    return entry is not None and entry.metadata.has_finalizer


def _view(entry: Entry | None) -> RunView | None:
    """Return a run in the form that its job needs."""
    run = entry.resource if entry is not None else None
    return run_view(run) if isinstance(run, OCIJobRun) else None


def _is_live(view: RunView | None) -> bool:
    return view is not None and view.live


def _stage(entry: Entry) -> tuple[str | None, bool]:
    resource = entry.resource
    phase = resource.status.phase if isinstance(resource, OCIJobRun | OCIJobSweep) else None
    return phase, entry.metadata.deleting


def _maker(entry: Entry | None) -> ObjectKey | None:
    """Return the sweep or the schedule that made an object."""
    owner = entry.metadata.controller if entry is not None else None
    if entry is None or owner is None or owner.kind not in kinds.MAKERS:
        return None
    return ObjectKey(owner.kind, entry.key.namespace, owner.name)


def _is_bound(entry: Entry | None) -> bool:
    sweep = entry.resource if entry is not None else None
    return isinstance(sweep, OCIJobSweep) and sweep.status.binding is not None


def _notes(entry: Entry | None) -> object:
    """Return what a sweep or a schedule has recorded about what it made."""
    match entry.resource if entry is not None else None:
        case OCIJobSweep(status=status):
            return status.phase, status.completed_indexes, status.failed_indexes
        case OCIJobSchedule(status=schedule):
            return schedule.starting
        case _:
            return None
