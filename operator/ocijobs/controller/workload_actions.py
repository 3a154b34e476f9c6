"""Actions on the Workload of a run: create, change, finish and delete it."""

from __future__ import annotations

from http import HTTPStatus

from ocijobs.api.kueue import WORKLOAD
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.workloads import Workloads
from ocijobs.reconcile.actions.objects import (
    CreateWorkload,
    DeleteWorkload,
    FinishWorkload,
    PatchWorkload,
    WorkloadAction,
)

_REFUSED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""Answers of the API server, or of Kueue's webhook, for an error that only an edit can correct."""


class WorkloadActions:
    """Carries out actions on Workloads."""

    def __init__(self, workloads: Workloads, store: Store, memory: Memory, clock: Clock) -> None:
        self._workloads, self._store = workloads, store
        self._memory, self._clock = memory, clock

    async def execute(self, entry: Entry, action: WorkloadAction) -> None:
        """Carry an action out. An object that is gone already is no error.

        Raises:
            ApiError: if the API server does not take it, or the Workload has changed.
            NotLeadingError: if this process may not write any more.
        """
        if isinstance(action, CreateWorkload):
            refusal = await self._create(action)
            answer = action, refusal
            self._memory.run_answered(entry.metadata.uid, answer, self._clock.now())
            return
        key = ObjectKey(WORKLOAD, entry.key.namespace, action.name)
        try:
            await self._change(key, action)
        except ApiError as error:
            if not error.not_found:
                raise
            self._store.remove(key)

    async def _create(self, action: CreateWorkload) -> Refusal | None:
        """Create the Workload; return why that is not possible now, or None."""
        name, priority = action.priority_class, None
        if name is not None:
            value = await self._workloads.priority(name)
            if value is None:
                message = f"there is no WorkloadPriorityClass {name}"
                return Refusal(kind=RefusalKind.MISSING, message=message)
            priority = (name, value)
        try:
            self._store.put(await self._workloads.create(action.document, priority))
        except ApiError as error:
            if error.conflict:
                # The watch brings it.
                return Refusal(kind=RefusalKind.CONFLICT, message=error.message)
            if error.status in _REFUSED:
                message = f"the Workload is refused: {error.message}"
                return Refusal(kind=RefusalKind.INVALID, message=message)
            raise
        return None

    async def _change(
        self, key: ObjectKey, action: PatchWorkload | FinishWorkload | DeleteWorkload
    ) -> None:
        if isinstance(action, PatchWorkload):
            answer = await self._workloads.patch(key, action.changes, status=action.status)
        elif isinstance(action, FinishWorkload):
            answer = await self._workloads.finish(key, action.condition)
        else:
            answer = await self._workloads.delete(key, action.uid)
            if answer["kind"] != WORKLOAD:
                self._store.remove(key, action.uid)
                return
        if _gone(answer):
            self._store.remove(key, answer["metadata"]["uid"])
        else:
            self._store.put(answer)


def _gone(document: dict[str, object]) -> bool:
    """Whether an answer is the last one about an object: it is deleted, and no finalizer keeps it."""
    meta = document["metadata"]
    return isinstance(meta, dict) and "deletionTimestamp" in meta and not meta.get("finalizers")
