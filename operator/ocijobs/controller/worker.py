"""Reconciles one object: observe, decide, carry out, write, report, and come back when it is time.

Nothing is decided here. The status that was decided is written with the resourceVersion on which it was decided.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import TypeVar

from ocijobs.api import kinds
from ocijobs.api.identity import OCIIdentity
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.kueue import WORKLOAD, Workload
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.status import AnyStatus
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.clock import Clock
from ocijobs.controller.dependents import Dependents
from ocijobs.controller.entry import Entry
from ocijobs.controller.execution import Executor
from ocijobs.controller.failures import Failures
from ocijobs.controller.interim_status import InterimStatus
from ocijobs.controller.memory import Memory
from ocijobs.controller.observer import Observer
from ocijobs.controller.queue import QueueClosedError, WorkQueue
from ocijobs.controller.reporting import Reporter
from ocijobs.controller.requeue import Requeue, said
from ocijobs.controller.statuses import StatusWriter
from ocijobs.controller.store import Store
from ocijobs.controller.tracker import Tracker
from ocijobs.controller.turns import Turns
from ocijobs.kube.client import ApiError
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.log_fields import about, log_fields
from ocijobs.reconcile.actions.calls import Turn
from ocijobs.reconcile.actions.objects import RemoveFinalizer
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.failure import cleared, unreadable_status
from ocijobs.reconcile.identity import decide_identity
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.known.run import attempt_number
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.queueing import leave_queue
from ocijobs.reconcile.schedule.decide import decide_schedule
from ocijobs.reconcile.sweep.decide import decide_sweep
from ocijobs.reconcile.text import presentable
from ocijobs.reconcile.turn import await_turn
from ocijobs.telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a worker needs."""

    store: Store
    workloads: Store
    memory: Memory
    queue: WorkQueue
    observer: Observer
    dependents: Dependents
    executor: Executor
    writer: ObjectWriter
    statuses: StatusWriter
    tracker: Tracker
    turns: Turns
    reporter: Reporter
    failures: Failures
    metrics: Metrics
    clock: Clock


class Worker:
    """Takes keys from the queue and reconciles their objects."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings
        self._requeue = Requeue(surroundings.queue, surroundings.metrics, surroundings.clock)
        self._interim_status = InterimStatus(
            surroundings.executor, surroundings.memory, surroundings.clock, self._write
        )

    async def run(self) -> None:
        """Work until the queue is closed; rounds that have begun are completed.

        The queue limits how many rounds there are at the same time.

        Raises:
            NotLeadingError: when this process may not write any more.
        """
        try:
            async with asyncio.TaskGroup() as rounds:
                while True:
                    try:
                        key = await self._s.queue.get()
                    except QueueClosedError:
                        break
                    rounds.create_task(self._round(key), name=f"round of {key}")
                    # Where nothing in a round suspends, all others get their turn here: the lease, the watch, health.
                    await asyncio.sleep(0)
        except* NotLeadingError as group:
            raise group.exceptions[0] from None

    async def _round(self, key: ObjectKey) -> None:
        started = time.monotonic()
        result = "error"
        try:
            with about(kind=key.kind, namespace=key.namespace, name=key.name):
                result = await self._attempt(key)
        finally:
            self._s.metrics.reconciles.labels(key.kind, result).inc()
            self._s.metrics.reconcile_seconds.labels(key.kind).observe(time.monotonic() - started)
            self._s.executor.end_round(key)
            self._s.queue.done(key)

    async def _attempt(self, key: ObjectKey) -> str:
        """Reconcile, and put the key back if that failed. The trouble of one object does not affect others."""
        if (seconds := self._s.failures.pause_of(key)) > 0:
            self._s.queue.add_after(key, seconds)
            return "backoff"
        try:
            await self.reconcile(key)
        except NotLeadingError:
            raise
        except ApiError as error:
            await self._s.failures.tell(key, error)
            if error.conflict or error.not_found:
                # It is another one by now, or gone: the watch brings that.
                return "conflict"
            _LOG.warning("%s: %s", key, error, extra=log_fields())
            return "error"
        except Exception as error:  # noqa: BLE001 - whatever it is, the other objects are served
            _LOG.exception(
                "%s: a defect of the operator", key, extra=log_fields(error=type(error).__name__)
            )
            await self._s.failures.tell(key, error)
            return "error"
        self._s.failures.forget(key)
        return "ok"

    async def reconcile(self, key: ObjectKey) -> None:
        """Bring one object a step further, and plan the next step.

        Raises:
            ApiError: if the API server refuses a write.
            NotLeadingError: if this process may not write any more.
        """
        if key.kind == WORKLOAD:
            await self._take_away(key)
            return
        entry = self._s.store.get(key)
        if entry is None:
            self._requeue.forget(key)
            return
        if entry.resource is None:
            await self._report_unreadable(entry)
            return
        uid = entry.metadata.uid
        with about(uid=uid, attempt=_attempt_of(entry)):
            await self._go_on(key, entry)

    async def _go_on(self, key: ObjectKey, entry: Entry) -> None:
        """Decide about an object, and carry the decision out."""
        decision = self._decide(self._s.statuses.in_effect(entry))
        self._s.tracker.follow(key, entry.metadata.uid, decision.follow)
        self._s.turns.want(key, entry.metadata.uid, wanted=decision.reads)
        decision = replace(decision, actions=self._s.statuses.allowed(entry, decision.actions))
        carried = await self._interim_status.carry_out(entry, decision)
        decision = self._in_turn(entry, carried.decision, carried.outcome.turn)
        _LOG.debug("decided", extra=log_fields(**said(decision)))
        # An interim status has changed the object: the decision's own status comes in the next round.
        wrote = carried.wrote or await self._write(entry, decision)
        await self._s.reporter.tell(entry, decision.notes)
        if decision.sources_checked_at is not None and self._s.memory.note_sources_checked(
            entry.metadata.uid, decision.sources_checked_at
        ):
            self._s.dependents.wake_users_of_job(key)
        self._requeue.come_back(key, decision, went_on=wrote or carried.outcome.news)
        if carried.write_in is not None and not wrote:
            self._s.queue.add_after(key, carried.write_in)

    async def _write(self, entry: Entry, decision: Decision[AnyStatus]) -> bool:
        return await self._s.statuses.write(entry, decision.status)

    def _in_turn(
        self, entry: Entry, decision: Decision[AnyStatus], turn: Turn | None
    ) -> Decision[AnyStatus]:
        """Return the decision, with the wait in its status if it is not the object's turn to call OCI."""
        meta, now = entry.metadata, self._s.clock.now()
        told = self._s.memory.told_turn(meta.uid, turn, now)
        if told is None:
            return decision
        return await_turn(decision, told, generation=meta.generation, now=now)

    async def _take_away(self, key: ObjectKey) -> None:
        """Remove a Workload from its queue whose run is gone."""
        entry = self._s.workloads.get(key)
        workload = entry.resource if entry is not None else None
        owner = entry.metadata.controller if entry is not None else None
        if entry is None or owner is None or not isinstance(workload, Workload):
            return
        run = self._s.store.get(ObjectKey(kinds.RUN, key.namespace, owner.name))
        if run is None or run.metadata.uid != owner.uid:
            for action in leave_queue(workload):
                await self._s.executor.execute(entry, action)

    def _decide(self, entry: Entry) -> Decision[AnyStatus]:
        observer, now = self._s.observer, self._s.clock.now()
        self._s.memory.see(entry.metadata.uid, now)
        match entry.resource:
            case OCIJobRun() as run:
                return decide_run(observer.run(_cleared(run)), now)
            case OCIJobSchedule() as schedule:
                return decide_schedule(observer.schedule(_cleared(schedule)), now)
            case OCIJobSweep() as sweep:
                return decide_sweep(observer.sweep(_cleared(sweep)), now)
            case OCIJob() as job:
                return decide_job(observer.job(_cleared(job)), now)
            case OCIIdentity() as identity:
                return decide_identity(observer.identity(_cleared(identity)), now)
            case _:  # pragma: no cover - what can't be read is reported before
                raise AssertionError(entry.key.kind)

    async def _report_unreadable(self, entry: Entry) -> None:
        """Report what is wrong with an object that does not validate."""
        if entry.metadata.deleting and entry.metadata.abandoned and entry.metadata.has_finalizer:
            await self._s.executor.execute(entry, RemoveFinalizer())
            return
        status = unreadable_status(
            entry.document.get("status") or {},
            problem=entry.problem or "",
            generation=entry.metadata.generation,
            now=self._s.clock.now(),
        )
        if status is not None:
            answer = await self._s.writer.write_status(
                entry.key, entry.metadata, presentable(status)
            )
            self._s.store.put(answer)


ResourceT = TypeVar("ResourceT", OCIJobRun, OCIJob, OCIJobSweep, OCIJobSchedule, OCIIdentity)


def _cleared(resource: ResourceT) -> ResourceT:
    """Return an object as it is decided on: a reported error counts as over unless it is met again."""
    status = cleared(resource.status)
    if status is resource.status:
        return resource
    return resource.model_copy(update={"status": status})


def _attempt_of(entry: Entry) -> int | None:
    run = entry.resource
    return attempt_number(run.status) if isinstance(run, OCIJobRun) else None
