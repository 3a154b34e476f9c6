"""Reconciling one object: observe, decide, carry out, write, tell, and come back when it is time.

Nothing is decided here. What is written is what was decided, on the resourceVersion that it was decided on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TypeVar

from ocijobs.api.conditions import ConditionType, find
from ocijobs.api.identity import OCIIdentity
from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import OCIJobRun
from ocijobs.api.kueue import WORKLOAD, Workload
from ocijobs.api.metadata import ObjectKey
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.sweep import OCIJobSweep
from ocijobs.clock import Clock
from ocijobs.controller.execution import Executor
from ocijobs.controller.failures import Failures
from ocijobs.controller.memory import Memory
from ocijobs.controller.observer import Observer
from ocijobs.controller.queue import QueueClosedError, WorkQueue
from ocijobs.controller.reporting import Reporter, Status
from ocijobs.controller.statuses import StatusWriter
from ocijobs.controller.store import Entry, Store
from ocijobs.controller.tracker import Tracker
from ocijobs.controller.turns import Turns
from ocijobs.kube.client import ApiError
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.log_fields import about, log_fields
from ocijobs.observe.metrics import Metrics
from ocijobs.reconcile.decision import Action, Decision, RemoveFinalizer
from ocijobs.reconcile.identity import decide_identity
from ocijobs.reconcile.internal_error import cleared
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.run.attempts import attempt_number
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.queueing import leave_queue
from ocijobs.reconcile.schedule.decide import decide_schedule
from ocijobs.reconcile.sweep.decide import decide_sweep
from ocijobs.reconcile.text import presentable
from ocijobs.reconcile.turn import Turn, await_turn
from ocijobs.reconcile.unreadable import unreadable_status

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a worker works with."""

    store: Store
    workloads: Store
    memory: Memory
    queue: WorkQueue
    observer: Observer
    executor: Executor
    writer: ObjectWriter
    statuses: StatusWriter
    tracker: Tracker
    turns: Turns
    reporter: Reporter
    failures: Failures
    metrics: Metrics
    clock: Clock


LEAST_PAUSE_SECONDS = 1.0
"""Pause of an object whose decisions leave it no rest."""

_MOST_ROUNDS = 1000
"""More rounds in a row than this, in each of which something was done, bring nothing to an end."""

_SLEWED_SECONDS = 30.0
"""Less than this is a clock that is kept right, and no clock that was set."""


class Worker:
    """Takes keys from the queue and reconciles their objects."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings
        self._ahead = self._wall_ahead()
        self._rounds: dict[ObjectKey, int] = {}

    def _wall_ahead(self) -> float:
        """Return by how many seconds the wall clock is ahead of the one that nobody sets."""
        return self._s.clock.now().timestamp() - self._s.clock.monotonic()

    def _heed_clock(self) -> None:
        """Begin anew if the clock was set: what was minutes ago in memory may not be minutes ago."""
        ahead = self._wall_ahead()
        if abs(ahead - self._ahead) <= _SLEWED_SECONDS:
            return
        _LOG.warning(
            "the clock was set by %.0f s: what is known is learnt anew", ahead - self._ahead
        )
        self._ahead = ahead
        self._s.memory.forget_times()
        for key in self._s.store.all_keys():
            self._s.queue.add(key)

    async def run(self) -> None:
        """Work until the queue is closed; what is begun is brought to an end.

        The queue says how many rounds there are at the same time.

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
        """Reconcile, and put the key back if that failed; one object's trouble is never another's."""
        try:
            await self.reconcile(key)
        except NotLeadingError:
            raise
        except ApiError as error:
            self._s.queue.retry(key)
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
        self._s.queue.forget(key)
        return "ok"

    async def reconcile(self, key: ObjectKey) -> None:
        """Bring one object a step further, and plan the next one.

        Raises:
            ApiError: if the API server refuses a write.
            NotLeadingError: if this process may not write any more.
        """
        self._heed_clock()
        if key.kind == WORKLOAD:
            await self._take_away(key)
            return
        entry = self._s.store.get(key)
        if entry is None:
            self._rounds.pop(key, None)
            return
        if entry.resource is None:
            await self._report_unreadable(entry)
            return
        uid = entry.metadata.uid
        with about(uid=uid, attempt=_attempt_of(entry)):
            await self._go_on(key, entry)

    async def _go_on(self, key: ObjectKey, entry: Entry) -> None:
        """Decide about an object, and have that done."""
        decision = self._decide(self._s.statuses.in_effect(entry))
        self._s.tracker.follow(key, entry.metadata.uid, decision.follow)
        self._s.turns.want(key, entry.metadata.uid, wanted=decision.reads)
        actions = self._s.statuses.allowed(entry, decision.actions)
        outcome = await self._s.executor.carry_out(entry, actions)
        decision = self._in_turn(entry, decision, outcome.turn)
        self._log(decision)
        wrote = await self._s.statuses.write(entry, decision.status)
        await self._s.reporter.tell(entry, decision.notes)
        if decision.serves is not None and self._s.memory.set_serves(
            entry.metadata.uid, decision.serves
        ):
            self._wake_runs(key)
        self._come_back(key, decision, went_on=wrote or outcome.news)

    @staticmethod
    def _log(decision: Decision[Status]) -> None:
        ready = find(decision.status.conditions, ConditionType.READY)
        _LOG.debug(
            "decided",
            extra=log_fields(
                reason=ready.reason if ready is not None else None,
                actions=_names(decision.actions),
                wake_at=decision.wake_at.isoformat() if decision.wake_at is not None else None,
            ),
        )

    def _in_turn(
        self, entry: Entry, decision: Decision[Status], turn: Turn | None
    ) -> Decision[Status]:
        """Return the decision of an object whose turn to call OCI it may not be."""
        meta, now = entry.metadata, self._s.clock.now()
        told = self._s.memory.told_turn(meta.uid, turn, now)
        if told is None:
            return decision
        return await_turn(decision, told, generation=meta.generation, now=now)

    def _come_back(self, key: ObjectKey, decision: Decision[Status], *, went_on: bool) -> None:
        """Have the object looked at again: at once where something was done, else when the decision says.

        A decision that does nothing and wakes at once, or that always finds something to do, is a defect: made again
        and again it would hold the loop, and every other object. It gets a pause, and is told of.
        """
        pause = 0.0
        if went_on:
            rounds = self._rounds[key] = self._rounds.get(key, 0) + 1
            defect = rounds > _MOST_ROUNDS
        else:
            self._rounds.pop(key, None)
            if decision.wake_at is None:
                return
            pause = (decision.wake_at - self._s.clock.now()).total_seconds()
            defect = pause <= 0
        if defect:
            pause = LEAST_PAUSE_SECONDS
            self._s.metrics.restless.labels(key.kind).inc()
            _LOG.error(
                "%s: a defect of the operator: its decision asks to be made again at once",
                key,
                extra=log_fields(actions=_names(decision.actions)),
            )
        self._s.queue.add_after(key, pause)

    async def _take_away(self, key: ObjectKey) -> None:
        """Take a Workload out of its queue whose run is gone."""
        entry = self._s.workloads.get(key)
        workload = entry.resource if entry is not None else None
        owner = entry.metadata.controller if entry is not None else None
        if entry is None or owner is None or not isinstance(workload, Workload):
            return
        run = self._s.store.get(ObjectKey("OCIJobRun", key.namespace, owner.name))
        if run is None or run.metadata.uid != owner.uid:
            for action in leave_queue(workload):
                await self._s.executor.execute(entry, action)

    def _decide(self, entry: Entry) -> Decision[Status]:
        observer, now = self._s.observer, self._s.clock.now()
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
        """Say what is wrong with an object that is none of ours to read."""
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

    def _wake_runs(self, job: ObjectKey) -> None:
        for run in self._s.store.open_runs_of(job.namespace, job.name):
            if run.status.job_run_id is None:
                self._s.queue.add(ObjectKey("OCIJobRun", job.namespace, run.metadata.name))
        for entry in self._s.store.of_kind("OCIJobSweep", job.namespace):
            sweep = entry.resource
            if isinstance(sweep, OCIJobSweep) and sweep.status.binding is None:
                self._s.queue.add(entry.key)


ResourceT = TypeVar("ResourceT", OCIJobRun, OCIJob, OCIJobSweep, OCIJobSchedule, OCIIdentity)


def _cleared(resource: ResourceT) -> ResourceT:
    """Return an object as it is decided on: an error that its status tells is over unless it is met again."""
    status = cleared(resource.status)
    if status is resource.status:
        return resource
    return resource.model_copy(update={"status": status})


def _attempt_of(entry: Entry) -> int | None:
    run = entry.resource
    return attempt_number(run.status) if isinstance(run, OCIJobRun) else None


def _names(actions: tuple[Action, ...]) -> list[str]:
    return [type(action).__name__ for action in actions]
