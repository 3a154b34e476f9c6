"""Reports what happens to objects: Events, metrics of runs that end, and the log."""

from __future__ import annotations

import logging
from collections import OrderedDict

from ocijobs.api.identity import OCIIdentity
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status import AnyStatus
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.kube.events import EventRecorder, EventSubject
from ocijobs.log_fields import log_fields
from ocijobs.reconcile.decision import Note, transition_notes
from ocijobs.telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)
_REMEMBERED = 4096


def status_of(entry: Entry) -> AnyStatus | None:
    """Return the status of an object; None if the object does not validate."""
    match entry.resource:
        case OCIJobRun() | OCIJob() | OCIJobSweep() | OCIJobSchedule() | OCIIdentity():
            return entry.resource.status
        case _:
            return None


class Reporter:
    """Posts Events, logs changes of objects, and counts ends of runs."""

    def __init__(
        self, recorder: EventRecorder, metrics: Metrics, clock: Clock, *, own: EventSubject
    ) -> None:
        self._recorder, self._metrics, self._clock, self._own = recorder, metrics, clock, own
        self._told: OrderedDict[str, tuple[Note, ...]] = OrderedDict()

    async def transition(self, entry: Entry, before: AnyStatus, after: AnyStatus) -> None:
        """Report the change from one status to another."""
        _log_change(entry.key, before, after)
        subject = EventSubject(key=entry.key, uid=entry.metadata.uid)
        for note in transition_notes(before.conditions, after.conditions):
            await self._recorder.post(subject, note)
        if isinstance(before, OCIJobRunStatus) and isinstance(after, OCIJobRunStatus):
            self._measure(before, after)

    async def tell(self, entry: Entry, notes: tuple[Note, ...]) -> None:
        """Post notes that no change of the status implies, unless they were posted last time already."""
        uid = entry.metadata.uid
        if not notes or self._told.get(uid) == notes:
            return
        self._told[uid] = notes
        self._told.move_to_end(uid)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        for note in notes:
            await self._recorder.post(EventSubject(key=entry.key, uid=uid), note)
            if note.reason == Reason.ORPHANED:
                await self._orphaned(entry.key, note)

    async def _orphaned(self, key: ObjectKey, note: Note) -> None:
        """Report a let-go object where the report outlives it: log, metrics, and the operator's own namespace."""
        message = f"{key}: {note.message}"
        _LOG.warning(message, extra=log_fields())
        self._metrics.orphaned.labels(key.kind).inc()
        await self._recorder.post(self._own, Note(reason=note.reason, message=message))

    def _measure(self, before: OCIJobRunStatus, after: OCIJobRunStatus) -> None:
        backend = after.backend or ""
        if before.start_time is None and after.start_time and after.accepted_time:
            waited = (after.start_time - after.accepted_time).total_seconds()
            self._metrics.start_seconds.labels(backend).observe(max(0.0, waited))
        if after.phase is not None and after.ended and before.phase is not after.phase:
            self._measure_end(after, after.phase, backend)

    def _measure_end(self, after: OCIJobRunStatus, phase: Phase, backend: str) -> None:
        ready = find(after.conditions, ConditionType.READY)
        reason = ready.reason if ready else ""
        self._metrics.runs_ended.labels(backend, phase, reason).inc()
        if after.metrics is not None:
            self._metrics.spark_used(after.metrics)
        if after.completion_time is None:
            return
        if after.start_time is not None:
            ran = (after.completion_time - after.start_time).total_seconds()
            self._metrics.run_seconds.labels(backend).observe(max(0.0, ran))
        lag = (self._clock.now() - after.completion_time).total_seconds()
        self._metrics.status_lag_seconds.observe(max(0.0, lag))


def _log_change(key: ObjectKey, before: AnyStatus, after: AnyStatus) -> None:
    """Log a change of phase or of Ready's reason."""
    phase = getattr(after, "phase", None)
    former, ready = (find(one.conditions, ConditionType.READY) for one in (before, after))
    if ready is None:
        return
    if getattr(before, "phase", None) == phase and former and former.reason == ready.reason:
        return
    _LOG.info(
        "%s: %s",
        key,
        f"{phase}, {ready.reason}" if phase is not None else ready.reason,
        extra=log_fields(phase=phase, reason=ready.reason, why=ready.message),
    )
