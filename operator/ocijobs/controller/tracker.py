"""The shared poll: it follows runs together, by lists, for each principal, compartment and service.

A record in a list goes into memory and queues its run. A run that is missing in a complete poll is looked up by itself;
`reconcile/run/following.py` decides that. A finished run costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.backend import Backend
from ocijobs.backends.records import Refusal, RefusalKind, RunRecord, internal_refusal
from ocijobs.backends.registry import backend_of
from ocijobs.clock import Clock, wait_for, wall_time
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import identity_key
from ocijobs.cloud.job_service import JobService
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.reconcile.decision import Followed
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.polling import (
    PAGE_SIZE,
    Pace,
    PolledRun,
    PollQuery,
    known_pages,
    plan_poll,
)
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)

_TOLD_AFTER_SECONDS = 60.0
"""How many seconds a poll may fail before the runs say so."""


class GroupKey(NamedTuple):
    """What runs have in common that are polled together."""

    principal: Principal
    compartment_id: str
    backend: Backend


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """A run that is followed, and since when in monotonic time."""

    key: ObjectKey
    uid: str
    attempt: int
    followed: Followed
    since: float


@dataclass(slots=True, kw_only=True)
class _Group:
    """Runs that are polled together, and the outcome of their polls."""

    due: float
    interval: float
    runs: dict[str, TrackedRun] = field(default_factory=dict)
    pages: dict[PollQuery, int] = field(default_factory=dict)
    failing_since: float | None = None
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Tracker:
    """Follows runs for as long as they are active."""

    def __init__(
        self,
        *,
        services: Mapping[str, JobService],
        memory: Memory,
        queue: WorkQueue,
        clock: Clock,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._services, self._memory, self._queue = services, memory, queue
        self._clock, self._metrics = clock, metrics
        self._pace = Pace(
            least_seconds=settings.poll_min_seconds,
            most_seconds=settings.poll_max_seconds,
            rate=settings.oci_rate_max,
        )
        self._groups: dict[GroupKey, _Group] = {}
        self._group_of: dict[str, GroupKey] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Poll. Runs for as long as the operator; the trouble of one group does not affect others."""
        async with asyncio.TaskGroup() as self._tasks:
            for group in self._groups:
                self._tasks.create_task(self._poll_group(group))
            await asyncio.Event().wait()

    def follow(self, key: ObjectKey, uid: str, followed: Followed | None) -> None:
        """Follow a run from now on, or stop following it."""
        wanted = None
        if followed is not None:
            identity = identity_key(key.namespace, followed.caller.identity)
            principal = Principal(identity=identity, region=followed.caller.region)
            backend = backend_of(followed.job_id)
            wanted = GroupKey(principal, followed.compartment_id, backend)
        former = self._group_of.get(uid)
        if former is not None and former != wanted:
            del self._group_of[uid]
            self._groups[former].runs.pop(uid, None)
        if wanted is not None and followed is not None and former != wanted:
            self._group_of[uid] = wanted
            run = TrackedRun(
                key=key,
                uid=uid,
                attempt=self._memory.run(uid).attempt,
                followed=followed,
                since=self._clock.monotonic(),
            )
            self._join(wanted, run)
        self._metrics.followed.set(len(self._group_of))

    def _join(self, key: GroupKey, run: TrackedRun) -> None:
        """Add a run to its group. The next poll comes soon, however long the last pauses were."""
        soon = self._clock.monotonic() + self._pace.least_seconds
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(due=soon, interval=self._pace.least_seconds)
            if self._tasks is not None:
                self._tasks.create_task(self._poll_group(key))
        group.runs[run.uid] = run
        group.due = min(group.due, soon)
        group.woken.set()

    async def _poll_group(self, key: GroupKey) -> None:
        """Poll a group until it has no runs."""
        group = self._groups[key]
        while group.runs:
            wait = group.due - self._clock.monotonic()
            if wait > 0:
                group.woken.clear()
                await wait_for(group.woken, self._clock, wait)
                continue
            started = time.monotonic()
            changed, calls = await self._try_poll(key, group)
            self._metrics.poll_seconds.observe(time.monotonic() - started)
            group.interval = self._pace.next_interval(
                last=group.interval, changed=changed, calls=calls
            )
            jitter = random.uniform(0.9, 1.1)  # noqa: S311 - operators must not poll in step
            group.due = self._clock.monotonic() + group.interval * jitter
        del self._groups[key]

    async def _try_poll(self, key: GroupKey, group: _Group) -> tuple[bool, int]:
        """Poll. The runs report an unexpected error at once, and the next poll comes as usual."""
        began = self._clock.monotonic()
        try:
            return await self._poll(key, group)
        except Exception as error:  # noqa: BLE001 - whatever it is, other groups are polled
            name = type(error).__name__
            _LOG.exception(
                "shared poll: a defect of the operator",
                extra={"principal": str(key.principal), "error": name},
            )
            self._metrics.unforeseen("shared poll", name)
            refusal = internal_refusal("following the run by the shared poll", name)
            if group.failing_since is None:
                group.failing_since = began
            self._tell(list(group.runs.values()), refusal)
            return False, 1

    async def _poll(self, key: GroupKey, group: _Group) -> tuple[bool, int]:
        """Ask once for all runs; return whether any has changed, and how many calls it took."""
        began = self._clock.monotonic()
        watched = {run.followed.run_id: run for run in group.runs.values()}
        polled = [self._polled(run) for run in watched.values()]
        plan = plan_poll(polled, group.pages, key.backend)
        answers = await self._ask(key, plan)
        if isinstance(answers, Refusal):
            return self._refused(key, group, answers, began), len(plan)
        pages = {query: max(1, math.ceil(len(a) / PAGE_SIZE)) for query, a in answers.items()}
        seen = _newest(chain.from_iterable(answers.values()))
        group.pages = known_pages(group.pages, pages, {run.job_id for run in polled})
        group.failing_since = None
        changed = [
            self._learn(run, seen.get(run_id), began)
            for run_id, run in watched.items()
            if run_id in seen or run.since < began
        ]
        return any(changed), sum(pages.values())

    async def _ask(
        self, key: GroupKey, plan: Sequence[PollQuery]
    ) -> Mapping[PollQuery, Sequence[RunRecord]] | Refusal:
        """Return OCI's answer to each query, or the first refusal; no query is made after a refusal."""
        answers: dict[PollQuery, Sequence[RunRecord]] = {}
        for query in plan:
            answer = await self._services[key.backend.name].list_runs(
                key.principal,
                key.compartment_id,
                state=query.state,
                job_id=query.job_id,
                run_id=query.run_id,
            )
            if isinstance(answer, Refusal):
                return answer
            answers[query] = answer
        return answers

    def _polled(self, run: TrackedRun) -> PolledRun:
        record = self._memory.run(run.uid).record
        return PolledRun(
            run_id=run.followed.run_id,
            job_id=run.followed.job_id,
            state=record.state if record is not None else None,
        )

    def _learn(self, run: TrackedRun, record: RunRecord | None, began: float) -> bool:
        """Record what the poll says of a run; return whether it is new."""
        at = wall_time(self._clock, began)

        def learn(known: RunKnown) -> RunKnown:
            return known.unlisted(at=at) if record is None else known.listed(record, at=at)

        before = self._memory.run(run.uid)
        if before.attempt != run.attempt:
            return False
        news = self._memory.learn_run(run.uid, learn) != before
        if news:
            self._queue.add(run.key)
        return news

    def _refused(self, key: GroupKey, group: _Group, refusal: Refusal, began: float) -> bool:
        """Note that a poll failed. If lists are not allowed, runs are looked up one by one, which is slow but works."""
        if group.failing_since is None:
            _LOG.warning(
                "shared poll: %s", refusal.message, extra={"principal": str(key.principal)}
            )
            group.failing_since = began
        runs = list(group.runs.values())
        if refusal.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND:
            news = [self._learn(run, None, began) for run in runs if run.since < began]
            return any(news)
        if began - group.failing_since >= _TOLD_AFTER_SECONDS:
            self._tell(runs, refusal)
        return False

    def _tell(self, runs: list[TrackedRun], refusal: Refusal) -> None:
        """Make the runs report that they can't be followed now."""
        for run in runs:
            if self._memory.run(run.uid).poll_refusal != refusal:
                self._memory.learn_run(run.uid, lambda known: replace(known, poll_refusal=refusal))
                self._queue.add(run.key)


def _newest(records: Iterable[RunRecord]) -> Mapping[str, RunRecord]:
    """Return the most advanced record of each run: a run that changes meanwhile may be in two lists."""
    newest: dict[str, RunRecord] = {}
    for record in records:
        before = newest.get(record.id)
        if before is None or before.superseded_by(record):
            newest[record.id] = record
    return newest
