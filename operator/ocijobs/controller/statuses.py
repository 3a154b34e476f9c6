"""Writes statuses: the whole status, or as much of it as the API server accepts."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import methodcaller
from typing import Any, assert_never

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status import AnyStatus
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.reporting import Reporter, status_of
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.decision import Note
from ocijobs.reconcile.text import presentable
from ocijobs.reconcile.unwritten import NOTHING, WHOLE, Unwritten, allowed, reduced
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """How the API server refused a whole status, and how often."""

    words: str
    tries: int


class StatusWriter:
    """Writes statuses, and remembers those that the API server has refused."""

    def __init__(
        self,
        *,
        writer: ObjectWriter,
        store: Store,
        memory: Memory,
        queue: WorkQueue,
        reporter: Reporter,
        metrics: Metrics,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._writer, self._store, self._memory, self._queue = writer, store, memory, queue
        self._reporter, self._metrics = reporter, metrics
        self._clock, self._settings = clock, settings

    def in_effect(self, entry: Entry) -> Entry:
        """Return an object with the status from which decisions go on: the whole one, even if it is not written yet."""
        unwritten = self._memory.unwritten(entry.metadata.uid)
        if unwritten is None or entry.resource is None:
            return entry
        if unwritten.stored != status_of(entry):
            # Somebody has written another one: that is what it is now.
            self._memory.written(entry.metadata.uid)
            return entry
        resource = entry.resource.model_copy(update={"status": unwritten.status})
        return replace(entry, resource=resource)

    def allowed(self, entry: Entry, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        """Return the actions that may be carried out while the whole status is only in memory."""
        unwritten = self._memory.unwritten(entry.metadata.uid)
        if unwritten is None or unwritten.level < NOTHING:
            return actions
        return allowed(actions, deleting=entry.metadata.deleting)

    async def write(self, entry: Entry, status: AnyStatus) -> bool:
        """Write a status if it has changed; return whether decisions go on from another status now.

        Raises:
            ApiError: if the object has changed, or the API server does not answer.
            NotLeadingError: if this process may not write any more.
        """
        uid, former = entry.metadata.uid, _status_of(entry)
        if presentable(status.document()) == former.document():
            self._memory.written(uid)
            return False
        unwritten = self._memory.unwritten(uid)
        level = self._level(entry, unwritten)
        if level == NOTHING and unwritten is not None:
            self._memory.not_written(uid, replace(unwritten, status=status))
            self._plan(entry, unwritten)
            return bool(unwritten.status != status)
        level, refused, wrote = await self._write_what_is_taken(entry, status, unwritten, level)
        if refused is None or level == WHOLE:
            self._memory.written(uid)
            return wrote
        return self._remember(entry, status, unwritten, level, refused) or wrote

    async def _write_what_is_taken(
        self, entry: Entry, status: AnyStatus, unwritten: Unwritten[Any] | None, level: int
    ) -> tuple[int, _Refused | None, bool]:
        """Write as much of a status as the API server accepts.

        Returns:
            The accepted level, why the whole status was refused if it was, and whether anything was written.
        """
        former = _status_of(entry)
        refused = _Refused(words=unwritten.refused, tries=unwritten.tries) if unwritten else None
        while level < NOTHING:
            try:
                wrote = await self._write(entry, former, status, level, refused)
            except ApiError as error:
                if not error.refused:
                    raise
                if level == WHOLE:
                    refused = await self._note(entry, unwritten, error)
                level += 1
            else:
                return level, refused, wrote
        return level, refused, False

    def _level(self, entry: Entry, unwritten: Unwritten[Any] | None) -> int:
        """Return the level to begin with: the whole status is not tried at every change."""
        if unwritten is None or unwritten.generation != entry.metadata.generation:
            return WHOLE
        due = unwritten.retry_at(entry.metadata.uid, self._settings)
        return WHOLE if self._clock.now() >= due else unwritten.level

    async def _write(
        self,
        entry: Entry,
        former: AnyStatus,
        status: AnyStatus,
        level: int,
        refused: _Refused | None,
    ) -> bool:
        """Write a status reduced to a level, if that differs; return whether it does."""
        part: Any = status
        if level > WHOLE:
            part = reduced(
                part,
                level,
                refused=refused.words if refused is not None else "",
                generation=entry.metadata.generation,
                former=former,
                now=self._clock.now(),
            )
        document = presentable(part.document())
        if document == former.document():
            return False
        answer = await self._writer.write_status(entry.key, entry.metadata, document)
        self._learn(entry, former, status)
        self._store.put(answer)
        await self._reporter.transition(entry, former, status)
        return True

    async def _note(
        self, entry: Entry, unwritten: Unwritten[Any] | None, error: ApiError
    ) -> _Refused:
        """Report a refused whole status: in the log, in metrics, and by an Event."""
        _LOG.error("%s: the API server refuses the status: %s", entry.key, error)
        self._metrics.status_refused.labels(entry.key.kind, str(error.status)).inc()
        message = f"the API server refuses the whole status ({error.status} {error.reason}): {error.message}"
        await self._reporter.tell(
            entry,
            (Note(reason=Reason.STATUS_REFUSED, message=message),),
        )
        tries = unwritten.tries + 1 if unwritten is not None else 1
        return _Refused(words=f"{error.status} {error.reason}", tries=tries)

    def _remember(
        self,
        entry: Entry,
        status: AnyStatus,
        before: Unwritten[Any] | None,
        level: int,
        refused: _Refused,
    ) -> bool:
        """Remember a status that is not written as a whole; return whether it differs from the former one."""
        tried = before is None or refused.tries != before.tries
        stored = self._store.get(entry.key)
        unwritten: Unwritten[Any] = Unwritten(
            status=status,
            stored=_status_of(stored if stored is not None else entry),
            level=level,
            refused=refused.words,
            generation=entry.metadata.generation,
            tries=refused.tries,
            at=self._clock.now() if tried or before is None else before.at,
        )
        self._memory.not_written(entry.metadata.uid, unwritten)
        self._plan(entry, unwritten)
        return before is None or before.status != status

    def _plan(self, entry: Entry, unwritten: Unwritten[Any]) -> None:
        left = unwritten.retry_at(entry.metadata.uid, self._settings) - self._clock.now()
        self._queue.add_after(entry.key, left.total_seconds())

    def _learn(self, entry: Entry, former: AnyStatus, status: AnyStatus) -> None:
        """Remember the write: no other process acts on an intent that this one wrote."""
        at, uid = self._clock.now(), entry.metadata.uid
        given = {
            "at": at,
            "created_at": entry.metadata.creation_timestamp,
            "token_lifetime": timedelta(seconds=self._settings.token_lifetime_seconds),
        }
        match status:
            case OCIJobRunStatus():
                self._memory.learn_run(uid, methodcaller("status_written", former, status, **given))
            case OCIJobSweepStatus():
                self._memory.learn_sweep(uid, lambda known: replace(known, written_at=at))
            case OCIJobStatus():
                self._memory.learn_job(uid, methodcaller("status_written", former, status, **given))
            case OCIJobScheduleStatus() | OCIIdentityStatus():
                pass
            case _:
                assert_never(status)


def _status_of(entry: Entry) -> AnyStatus:
    status = status_of(entry)
    if status is None:  # pragma: no cover - what can't be read is reported before
        raise AssertionError(entry.key.kind)
    return status
