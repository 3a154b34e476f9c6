"""What this process has learnt about objects. A restart begins with an empty memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.children import ChildIndex
from ocijobs.reconcile.actions.calls import Turn
from ocijobs.reconcile.known.identity import IdentityAnswer, IdentityKnown
from ocijobs.reconcile.known.job import JobAnswer, JobKnown
from ocijobs.reconcile.known.run import RunAnswer, RunKnown
from ocijobs.reconcile.known.schedule import ScheduleKnown
from ocijobs.reconcile.known.sweep import SweepKnown
from ocijobs.reconcile.stepped import stepped
from ocijobs.reconcile.unwritten import Unwritten


class Memory:
    """Known facts: of runs and jobs by uid, so that a new object with an old name has none; of identities by key."""

    def __init__(self) -> None:
        self._runs: dict[str, RunKnown] = {}
        self._jobs: dict[str, JobKnown] = {}
        self._sweeps: dict[str, SweepKnown] = {}
        self._schedules: dict[str, ScheduleKnown] = {}
        self._identities: dict[ObjectKey, IdentityKnown] = {}
        self._sources_checked: dict[str, datetime] = {}
        self._refresh: dict[ObjectKey, datetime] = {}
        self._turns: dict[str, Turn] = {}
        self._seen: dict[str, datetime] = {}
        self._unwritten: dict[str, Unwritten[Any]] = {}
        self._without_status_since: dict[str, float] = {}
        self.children = ChildIndex()
        """The children of sweeps."""
        self.queues_served = False
        """Whether Kueue is there and its Workloads were listed."""

    def run(self, uid: str) -> RunKnown:
        """Return what is known of a run."""
        return self._runs.get(uid) or RunKnown()

    def learn_run(self, uid: str, learn: Callable[[RunKnown], RunKnown]) -> RunKnown:
        """Learn of a run, and return what is known of it now."""
        self._runs[uid] = learn(self.run(uid))
        return self._runs[uid]

    def run_answered(self, uid: str, answer: RunAnswer, at: datetime) -> None:
        """Learn what an action on a run has brought."""
        self._runs[uid] = self.run(uid).answered(answer, at=at)

    def job(self, uid: str) -> JobKnown:
        """Return what is known of a job."""
        return self._jobs.get(uid) or JobKnown()

    def learn_job(self, uid: str, learn: Callable[[JobKnown], JobKnown]) -> None:
        """Learn of a job."""
        self._jobs[uid] = learn(self.job(uid))

    def job_answered(self, uid: str, answer: JobAnswer, at: datetime) -> None:
        """Learn what an action on a job has brought."""
        self._jobs[uid] = self.job(uid).answered(answer, at=at)

    def sweep(self, uid: str) -> SweepKnown:
        """Return what is known of a sweep."""
        return self._sweeps.get(uid) or SweepKnown()

    def learn_sweep(self, uid: str, learn: Callable[[SweepKnown], SweepKnown]) -> SweepKnown:
        """Learn of a sweep, and return what is known of it now."""
        self._sweeps[uid] = learn(self.sweep(uid))
        return self._sweeps[uid]

    def schedule(self, uid: str) -> ScheduleKnown:
        """Return what is known of a schedule."""
        return self._schedules.get(uid) or ScheduleKnown()

    def learn_schedule(self, uid: str, learn: Callable[[ScheduleKnown], ScheduleKnown]) -> None:
        """Learn of a schedule."""
        self._schedules[uid] = learn(self.schedule(uid))

    def forget_schedule(self, uid: str) -> None:
        """Forget what was learnt about a schedule, since its firing is complete."""
        self._schedules.pop(uid, None)

    def identity(self, key: ObjectKey) -> IdentityKnown:
        """Return what is known of an identity."""
        return self._identities.get(key) or IdentityKnown()

    def learn_identity(
        self, key: ObjectKey, learn: Callable[[IdentityKnown], IdentityKnown]
    ) -> None:
        """Learn of an identity."""
        self._identities[key] = learn(self.identity(key))

    def identity_answered(
        self, key: ObjectKey, answer: IdentityAnswer, at: datetime
    ) -> IdentityKnown:
        """Learn what an action on credentials has brought, and return what is known of the identity now."""
        known = self._identities[key] = self.identity(key).answered(answer, at=at)
        return known

    def seen_at(self, uid: str) -> datetime | None:
        """Return when an object was first seen, in whole seconds."""
        return self._seen.get(uid)

    def see(self, uid: str, now: datetime) -> None:
        """Note that an object is seen now."""
        self._seen.setdefault(uid, now.replace(microsecond=0))

    def identities(self) -> list[ObjectKey]:
        """Return the identities of which something is known, deleted ones too."""
        return list(self._identities)

    def forget_identity(self, key: ObjectKey) -> None:
        """Forget what was learnt of an identity that is gone and that nothing needs."""
        self._identities.pop(key, None)

    def sources_checked_at(self, job_uid: str) -> datetime | None:
        """Return when the sources were last read to the end that a job's status tells of."""
        return self._sources_checked.get(job_uid)

    def note_sources_checked(self, job_uid: str, at: datetime) -> bool:
        """Note when the sources were read that a job's status tells of; return whether that is news."""
        news = self._sources_checked.get(job_uid) != at
        self._sources_checked[job_uid] = at
        return news

    def refresh_after(self, job: ObjectKey) -> datetime | None:
        """Return the latest time for which some run needs the job's sources."""
        return self._refresh.get(job)

    def want_refresh(self, job: ObjectKey, at: datetime) -> None:
        """Note that a run needs the job's sources as they are at that time or later."""
        self._refresh[job] = max(at, self._refresh.get(job, at))

    def told_turn(self, uid: str, turn: Turn | None, now: datetime) -> Turn | None:
        """Return the turn that an object's status names: it changes only when that time has passed.

        Args:
            uid: of the object.
            turn: the turn as it looks now; None if it does not wait for one.
            now: the time.
        """
        if turn is None:
            self._turns.pop(uid, None)
            return None
        told = self._turns.get(uid)
        if told is None or told.at <= now:
            told = self._turns[uid] = turn
        return told

    def unwritten(self, uid: str) -> Unwritten[Any] | None:
        """Return the whole status of an object if the API server has refused it."""
        return self._unwritten.get(uid)

    def not_written(self, uid: str, unwritten: Unwritten[Any]) -> None:
        """Note a whole status that the API server has refused."""
        self._unwritten[uid] = unwritten

    def written(self, uid: str) -> None:
        """Note that the API server has the whole status of an object."""
        self._unwritten.pop(uid, None)

    def without_status_since(self, uid: str, now: float) -> float:
        """Return since when, in monotonic time, an object has had no status of its generation."""
        return self._without_status_since.setdefault(uid, now)

    def has_status(self, uid: str) -> None:
        """Note that an object has a status of its generation."""
        self._without_status_since.pop(uid, None)

    def clock_stepped(self, by: timedelta) -> None:
        """Move all times that this process has noted, after its clock was set."""
        tables: tuple[dict[Any, Any], ...] = (
            self._runs,
            self._jobs,
            self._sweeps,
            self._schedules,
            self._identities,
            self._sources_checked,
            self._refresh,
            self._turns,
            self._seen,
            self._unwritten,
        )
        for table in tables:
            for key, known in table.items():
                table[key] = stepped(known, by)

    def keep_only(self, alive: Mapping[ObjectKey, str]) -> None:
        """Forget all objects but these (key -> uid), and what was learnt about deleted ones.

        What is known of identities stays: deleted ones may be needed to end what there is.
        """
        uids = set(alive.values())
        for by_uid in (
            self._runs,
            self._jobs,
            self._sweeps,
            self._schedules,
            self._sources_checked,
            self._turns,
            self._seen,
            self._unwritten,
        ):
            for uid in by_uid.keys() - uids:
                del by_uid[uid]
        self.children.keep_only(uids)
        for key in self._refresh.keys() - alive.keys():
            del self._refresh[key]
