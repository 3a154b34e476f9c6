"""Reconciliations that failed. The status of the object says so, and the tries come less and less often."""

from __future__ import annotations

import logging
from datetime import timedelta

from ocijobs.api.shared.metadata import ObjectKey, ObjectMeta
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.reporting import Reporter, status_of
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.log_fields import log_fields
from ocijobs.reconcile.decision import Note
from ocijobs.reconcile.failure import Failure, change_refused, failed_status, unforeseen
from ocijobs.telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)

_ANSWERS, _CONFLICTS = 3, 8
"""How many failures in a row are reported in status: of other answers of the API server, and of conflicts.

Frequent changes by others cause conflicts. So does a JSON patch that the API server will never accept.
"""


class Failures:
    """Reports errors in the reconciliation of objects."""

    def __init__(
        self,
        *,
        store: Store,
        queue: WorkQueue,
        writer: ObjectWriter,
        reporter: Reporter,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._store, self._queue, self._writer = store, queue, writer
        self._reporter, self._metrics, self._clock = reporter, metrics, clock
        self._paused: dict[ObjectKey, tuple[float, ObjectMeta]] = {}
        """Until when an object is left alone, and its metadata when it failed."""

    def pause_of(self, key: ObjectKey) -> float:
        """Return for how many seconds a failed object is left alone: the write of its own status queues it, too.

        An object that was edited is tried at once.
        """
        if key not in self._paused:
            return 0.0
        until, seen = self._paused[key]
        entry = self._store.get(key)
        if entry is None or _identity(entry.metadata) != _identity(seen):
            return 0.0
        return max(0.0, until - self._clock.monotonic())

    def forget(self, key: ObjectKey) -> None:
        """Note that an object was reconciled without failure, or is gone."""
        self._paused.pop(key, None)
        self._queue.forget(key)

    async def tell(self, key: ObjectKey, error: Exception) -> None:
        """Put an object back into the queue after a failure, and write the failure into its status if possible.

        Errors of the API server are reported only after some in a row: most of them pass.

        Raises:
            NotLeadingError: if this process may not write any more.
        """
        failures, seconds = self._queue.retry(key)
        if isinstance(error, ApiError):
            if error.not_found or failures < (_CONFLICTS if error.conflict else _ANSWERS):
                return
            failure = change_refused(error.status, error.reason, error.message)
        else:
            self._metrics.unforeseen("reconcile", type(error).__name__)
            failure = unforeseen(type(error).__name__)
        entry = self._store.get(key)
        if entry is None:
            return
        self._paused[key] = (self._clock.monotonic() + seconds, entry.metadata)
        try:
            await self._write(entry, failure, failures, seconds)
        except NotLeadingError:
            raise
        except ApiError as refused:
            _LOG.warning(
                "%s: its failure could not be reported: %s", key, refused, extra=log_fields()
            )
            if refused.refused:
                note = Note(reason=failure.reason, message=failure.message)
                await self._reporter.tell(entry, (note,))
        except Exception as another:  # noqa: BLE001 - what is told of one error must not end all others' work
            name = type(another).__name__
            _LOG.exception(
                "%s: its failure could not be reported", key, extra=log_fields(error=name)
            )
            self._metrics.unforeseen("telling of an error", name)

    async def _write(self, entry: Entry, failure: Failure, failures: int, seconds: float) -> None:
        """Write the status that reports the failure."""
        former = status_of(entry)
        if former is None:
            return
        now = self._clock.now()
        status = failed_status(
            former,
            failure,
            failures=failures,
            retry_at=now + timedelta(seconds=seconds),
            generation=entry.metadata.generation,
            now=now,
        )
        if status is None:
            return
        answer = await self._writer.write_status(entry.key, entry.metadata, status.document())
        self._store.put(answer)
        await self._reporter.transition(entry, former, status)


def _identity(metadata: ObjectMeta) -> ObjectMeta:
    """Return the part of the metadata that changes only when others change the object."""
    return metadata.model_copy(update={"resource_version": ""})
