"""Errors that nobody foresaw: each is told on its object, counted, and tried again later and later."""

from __future__ import annotations

import logging
from datetime import timedelta

from ocijobs.api.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.reporting import Reporter, status_of
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.log_fields import log_fields
from ocijobs.observe.metrics import Metrics
from ocijobs.reconcile.internal_error import failed_status

_LOG = logging.getLogger(__name__)


class Failures:
    """Tells of errors in the reconciliation of objects."""

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

    async def tell(self, key: ObjectKey, error: Exception) -> None:
        """Put an object back whose reconciliation failed, and have its status say so.

        Raises:
            NotLeadingError: if this process may not write any more.
        """
        failures, seconds = self._queue.retry(key)
        self._metrics.unforeseen("reconcile", type(error).__name__)
        entry = self._store.get(key)
        former = status_of(entry) if entry is not None else None
        if entry is None or former is None:
            return
        now = self._clock.now()
        status = failed_status(
            former,
            error=type(error).__name__,
            failures=failures,
            retry_at=now + timedelta(seconds=seconds),
            generation=entry.metadata.generation,
            now=now,
        )
        if status is None:
            return
        try:
            answer = await self._writer.write_status(key, entry.metadata, status.document())
        except ApiError as refused:
            _LOG.warning("%s: its error is not told: %s", key, refused, extra=log_fields())
            return
        self._store.put(answer)
        await self._reporter.transition(entry, former, status)
