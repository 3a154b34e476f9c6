"""Which objects are to be looked at again when another one changes."""

from __future__ import annotations

from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import OCIJobRun
from ocijobs.api.metadata import ObjectKey
from ocijobs.controller.observer import Observer, run_view
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.store import Entry, Store

_COUNTING_SECONDS = 1.0
"""How long changes of a job's runs are gathered before its counts are looked at."""


class Dependents:
    """Listens to the store, and fills the queue."""

    def __init__(self, store: Store, queue: WorkQueue, observer: Observer) -> None:
        self._store, self._queue, self._observer = store, queue, observer

    def changed(self, key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
        """Have an object looked at that has changed, and those that depend on it."""
        self._queue.add(key)
        if key.kind == "OCIJob":
            for run in self._store.runs_of(key.namespace, key.name):
                if isinstance(run.resource, OCIJobRun) and run.resource.status.job_run_id is None:
                    self._queue.add(run.key)
        elif key.kind == "OCIJobRun":
            self._job_of_run(before, after)
        elif key.kind == "OCIIdentity":
            self.identity_changed(key)
        let_go = before is not None and before.metadata.has_finalizer
        if key.kind != "OCIIdentity" and let_go and not (after and after.metadata.has_finalizer):
            self._wake_deleted_identities(key.namespace)

    def identity_changed(self, key: ObjectKey) -> None:
        """Have everything looked at that uses an identity."""
        for user in self._observer.users_of(key):
            self._queue.add(user)

    def _job_of_run(self, before: Entry | None, after: Entry | None) -> None:
        views = [
            run_view(entry.resource) if entry and isinstance(entry.resource, OCIJobRun) else None
            for entry in (before, after)
        ]
        if views[0] == views[1]:
            return
        entry = after or before
        if entry is None or not isinstance(entry.resource, OCIJobRun):
            return
        job = ObjectKey("OCIJob", entry.key.namespace, entry.resource.job_name or "")
        owner = self._store.get(job)
        if views[0] is not None and views[0].live and not (views[1] and views[1].live):
            self._wake_waiting(owner)
        if owner is not None and owner.metadata.deleting:
            self._queue.add(job)
        elif owner is not None:
            self._queue.add_after(job, _COUNTING_SECONDS)

    def _wake_waiting(self, owner: Entry | None) -> None:
        """Have the runs looked at that wait for their turn: one that was live is not."""
        job = owner.resource if owner is not None else None
        if not isinstance(job, OCIJob) or job.spec.max_active_runs is None:
            return
        for key in self._observer.next_in_turn(job):
            self._queue.add(key)

    def _wake_deleted_identities(self, namespace: str) -> None:
        for entry in self._store.of_kind("OCIIdentity", namespace):
            if entry.metadata.deleting:
                self._queue.add(entry.key)
