"""When an object is queued again. A decision that asks to be made again at once gets a pause."""

from __future__ import annotations

import logging
from typing import Any

from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.status import AnyStatus
from ocijobs.clock import Clock
from ocijobs.controller.queue import WorkQueue
from ocijobs.log_fields import log_fields
from ocijobs.reconcile.decision import Decision
from ocijobs.telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)

LEAST_PAUSE_SECONDS = 1.0
"""Seconds of the pause for an object whose decision asks to be made again at once."""

_MOST_ROUNDS = 1000
"""After more rounds in a row than this, each with an action, the object gets a pause as well."""


class Requeue:
    """Puts objects back into the queue."""

    def __init__(self, queue: WorkQueue, metrics: Metrics, clock: Clock) -> None:
        self._queue, self._metrics, self._clock = queue, metrics, clock
        self._rounds: dict[ObjectKey, int] = {}

    def forget(self, key: ObjectKey) -> None:
        """Note that an object is gone."""
        self._rounds.pop(key, None)

    def come_back(self, key: ObjectKey, decision: Decision[AnyStatus], *, went_on: bool) -> None:
        """Queue an object again: at once if something was done, else at the time of the decision.

        A decision that does nothing and wakes at once, or that always finds something to do, is a defect. Without a
        pause it would keep the loop busy, and every other object waiting. It gets a pause, and is logged.
        """
        pause = 0.0
        if went_on:
            rounds = self._rounds[key] = self._rounds.get(key, 0) + 1
            defect = rounds > _MOST_ROUNDS
        else:
            self._rounds.pop(key, None)
            if decision.wake_at is None:
                return
            pause = (decision.wake_at - self._clock.now()).total_seconds()
            defect = pause <= 0
        if defect:
            pause = LEAST_PAUSE_SECONDS
            self._metrics.hot_loops.labels(key.kind).inc()
            _LOG.error(
                "%s: a defect of the operator: its decision asks to be made again at once",
                key,
                extra=log_fields(**said(decision)),
            )
        self._queue.add_after(key, pause)


def said(decision: Decision[AnyStatus]) -> dict[str, Any]:
    """Return the fields of a decision for its log line."""
    ready = find(decision.status.conditions, ConditionType.READY)
    return {
        "reason": ready.reason if ready is not None else None,
        "actions": [type(action).__name__ for action in decision.actions],
        "wake_at": decision.wake_at.isoformat() if decision.wake_at is not None else None,
    }
