"""Actions on objects of ours in the cluster: what the operator makes, changes and deletes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import methodcaller
from typing import Any, assert_never

from ocijobs.api import kinds
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.names import LABEL_SWEEP_INDEX
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.orphans import Orphans
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.reconcile.actions.calls import Call
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
    """The API server did not take an object, and why is learnt: what would follow it is not to be done."""


class ObjectActions:
    """Carries out what was decided about objects."""

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
        """Carry an action out. What is not any more as it was decided on is left alone.

        Raises:
            ApiError: if the API server does not take it.
            NotTakenError: if it does not take an object, and why is learnt.
            NotLeadingError: if this process may not write any more.
        """
        match action:
            case AddFinalizer():
                self._store.put(await self._writer.add_finalizer(entry.key, entry.metadata))
                self._held(entry)
            case RemoveFinalizer():
                self._store.put(await self._writer.remove_finalizer(entry.key, entry.metadata))
            case ListOrphan(orphan=orphan):
                await self._orphans.add(orphan)
            case CreateObject(document=document):
                await self._create(entry, document)
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
        """Edit an object that was made here; one that is gone, or another by now, is left alone."""
        try:
            self._store.put(await self._writer.edit_spec(key, uid, spec))
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise

    def _held(self, entry: Entry) -> None:
        """Learn that nothing was intended for an object before now."""
        if entry.key.kind == kinds.RUN:
            self._memory.learn_run(entry.metadata.uid, methodcaller("held"))
        elif entry.key.kind == kinds.JOB:
            self._memory.learn_job(entry.metadata.uid, methodcaller("held"))

    async def _create(self, entry: Entry, document: dict[str, Any]) -> None:
        try:
            created = await self._writer.create(document)
        except ApiError as error:
            if error.invalid or error.too_large:
                self._refused(entry, error.message)
            elif error.forbidden and entry.key.kind in kinds.MAKERS:
                self._forbidden(entry, error.message)
            else:
                # Whose it is that has the name, the watch will tell, which is behind.
                raise
            raise NotTakenError from error
        self._store.put(created)
        self._made(entry, document["metadata"])

    def _refused(self, entry: Entry, why: str) -> None:
        """Learn that the API server does not take an object."""
        uid = entry.metadata.uid
        match entry.key.kind:
            case kinds.SWEEP:
                self._memory.learn_sweep(uid, lambda known: replace(known, refused=why))
            case kinds.SCHEDULE:
                self._memory.learn_schedule(uid, lambda known: replace(known, refused=why))
            case _:
                self._memory.learn_run(uid, lambda known: replace(known, refused=why))

    def _forbidden(self, entry: Entry, why: str) -> None:
        """Learn that the API server forbids an object of a sweep or a schedule for now."""
        uid = entry.metadata.uid

        def again(former: Call | None) -> Call:
            return Call(
                at=self._clock.now(),
                tries=former.tries + 1 if former is not None else 1,
                refusal=Refusal(kind=RefusalKind.CONFLICT, message=why),
                epoch=str(entry.metadata.generation),
            )

        if entry.key.kind == kinds.SWEEP:
            self._memory.learn_sweep(uid, lambda k: replace(k, forbidden=again(k.forbidden)))
        else:
            self._memory.learn_schedule(uid, lambda k: replace(k, forbidden=again(k.forbidden)))

    def _made(self, entry: Entry, metadata: dict[str, Any]) -> None:
        """Learn that the API server has an object."""
        uid, name = entry.metadata.uid, metadata["name"]
        match entry.key.kind:
            case kinds.SWEEP:
                index = int(metadata["labels"][LABEL_SWEEP_INDEX])
                self._memory.learn_sweep(uid, lambda known: known.has_created(index))
            case kinds.SCHEDULE:
                self._memory.learn_schedule(
                    uid, lambda k: replace(k, made=k.made | {name}, forbidden=None)
                )

    async def _delete(self, key: ObjectKey, uid: str) -> None:
        try:
            await self._writer.delete(key, uid)
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise
