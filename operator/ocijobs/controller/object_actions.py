"""Actions on our objects in the cluster: create, change and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from ocijobs.api import kinds
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.orphans import Orphans
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.reconcile.actions.objects import (
    AddFinalizer,
    CreateObject,
    DeleteObject,
    DeleteOwned,
    EditObject,
    ListOrphan,
    ObjectAction,
    RemoveFinalizer,
)


class NotTakenError(Exception):
    """The API server refused an object, and the reason is in memory: the actions after it are not carried out."""


class ObjectActions:
    """Carries out actions on objects."""

    def __init__(
        self,
        writer: ObjectWriter,
        orphans: Orphans,
        store: Store,
        memory: Memory,
        clock: Clock,
    ) -> None:
        self._orphans = orphans
        self._writer, self._store, self._memory, self._clock = writer, store, memory, clock

    async def execute(self, entry: Entry, action: ObjectAction) -> None:
        """Carry an action out. An object that has changed since the decision is left alone.

        Raises:
            ApiError: if the API server does not take it.
            NotTakenError: if it refuses an object, and the reason is in memory.
            NotLeadingError: if this process may not write any more.
        """
        match action:
            case AddFinalizer():
                self._store.put(await self._writer.add_finalizer(entry.key, entry.metadata))
                self._finalizer_added(entry, action)
            case RemoveFinalizer():
                self._store.put(await self._writer.remove_finalizer(entry.key, entry.metadata))
            case ListOrphan(orphan=orphan):
                await self._orphans.add(orphan)
            case CreateObject():
                await self._create(entry, action)
            case EditObject(kind=kind, name=name, uid=uid, spec=spec):
                await self._edit(ObjectKey(kind, entry.key.namespace, name), uid, spec)
            case DeleteOwned(kind=kind, name=name, uid=uid):
                await self._delete(ObjectKey(kind, entry.key.namespace, name), uid)
            case DeleteObject():
                meta = entry.metadata
                await self._writer.delete(entry.key, meta.uid, meta.resource_version)
            case _:
                assert_never(action)

    async def _edit(self, key: ObjectKey, uid: str, spec: Mapping[str, bool]) -> None:
        """Edit an object that was made here. A deleted or replaced one is left alone."""
        try:
            self._store.put(await self._writer.edit_spec(key, uid, spec))
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise

    def _finalizer_added(self, entry: Entry, action: AddFinalizer) -> None:
        """Learn that nothing was intended for an object before now."""
        uid, at = entry.metadata.uid, self._clock.now()
        if entry.key.kind == kinds.RUN:
            self._memory.run_answered(uid, (action, None), at)
        elif entry.key.kind == kinds.JOB:
            self._memory.job_answered(uid, (action, None), at)

    async def _create(self, entry: Entry, action: CreateObject) -> None:
        try:
            created = await self._writer.create(dict(action.document))
        except ApiError as error:
            self._learn(entry, action, _refusal(entry, error))
            raise NotTakenError from error
        self._store.put(created)
        self._learn(entry, action, None)

    def _learn(self, entry: Entry, action: CreateObject, refusal: Refusal | None) -> None:
        answer, uid, at = (action, refusal), entry.metadata.uid, self._clock.now()
        match entry.key.kind:
            case kinds.SWEEP:
                self._memory.learn_sweep(uid, lambda known: known.answered(answer, at=at))
            case kinds.SCHEDULE:
                self._memory.learn_schedule(uid, lambda known: known.answered(answer, at=at))
            case _:
                self._memory.run_answered(uid, answer, at)

    async def _delete(self, key: ObjectKey, uid: str) -> None:
        try:
            await self._writer.delete(key, uid)
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise


def _refusal(entry: Entry, error: ApiError) -> Refusal:
    """Return why the API server does not take an object: for good, or for now if it forbids it.

    Raises:
        ApiError: if that is neither. Whose it is that has the name, the watch will tell, which is behind.
    """
    if error.invalid or error.too_large:
        return Refusal(kind=RefusalKind.INVALID, message=error.message)
    if error.forbidden and entry.key.kind in kinds.MAKERS:
        return Refusal(kind=RefusalKind.CONFLICT, message=error.message)
    raise error
