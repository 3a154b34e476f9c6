"""Batch as the controller calls it: a service in memory, on the clock of the test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from tests.support.batch import BATCH, BatchJobRequest, BatchTaskRequest

from ocijobs.api.job.status import Artifact
from ocijobs.api.shared.names import TAG_OWNER
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import (
    Absent,
    JobState,
    Refusal,
    RefusalKind,
    RunRecord,
    RunState,
)
from ocijobs.backends.requests import JobChange, JobCreation, RunCreation, expect
from ocijobs.cloud.clients import Principal
from ocijobs.testing import ManualClock, make_ocid

_QUEUED = timedelta(seconds=20)
"""For how long a task waits before it is in progress."""

_CONFLICT = Refusal(kind=RefusalKind.CONFLICT, message="409 IncorrectState")


@dataclass
class Job:
    """A job."""

    id: str
    request: BatchJobRequest
    code: bytes = b""
    deleted: bool = False


@dataclass
class Task:
    """A run, and what it will come to."""

    id: str
    request: BatchTaskRequest
    accepted_at: datetime
    outcome: RunState
    takes: timedelta
    ended: tuple[RunState, datetime] | None = None
    deleted: bool = False

    def state(self, now: datetime) -> RunState:
        """Return the state at a time."""
        if self.deleted:
            return RunState.DELETED
        if self.ended is not None:
            return self.ended[0]
        if now < self.accepted_at + _QUEUED:
            return RunState.ACCEPTED
        if now < self.accepted_at + _QUEUED + self.takes:
            return RunState.IN_PROGRESS
        return self.outcome

    def record(self, now: datetime, *, complete: bool) -> RunRecord:
        """Return what is told of the task."""
        state = self.state(now)
        ends = self.ended[1] if self.ended else self.accepted_at + _QUEUED + self.takes
        return RunRecord(
            id=self.id,
            job_id=self.request.job_id,
            compartment_id=self.request.compartment_id,
            state=state,
            accepted_at=self.accepted_at,
            finished_at=ends if state.ended or state is RunState.DELETED else None,
            owner=self.request.tags.freeform[TAG_OWNER],
            complete=complete,
        )


@dataclass
class BatchPort:
    """Jobs and tasks of Batch.

    Attributes:
        outcome: what tasks come to that are made from now on.
        takes: for how long those are in progress.
        calls: how often each was called.
    """

    clock: ManualClock
    outcome: RunState = RunState.SUCCEEDED
    takes: timedelta = timedelta(minutes=5)
    jobs: list[Job] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    _tokens: dict[str, Job | Task] = field(default_factory=dict)

    async def create_job(
        self, principal: Principal, request: JobCreation, token: str
    ) -> JobRecord | Refusal:
        """Create a job; the same token gives the same job."""
        del principal
        self.calls["create_job"] += 1
        made = self._tokens.get(token)
        if made is None:
            ocid = make_ocid(BATCH.job_type, str(len(self.jobs) + 1))
            made = Job(ocid, expect(request, BatchJobRequest))
            self.jobs.append(made)
            self._tokens[token] = made
        return _told(expect(made, Job))

    async def search_jobs(
        self, principal: Principal, compartment_id: str, project_id: str | None, owner: str
    ) -> JobRecord | Refusal | None:
        """Return the oldest job with the owner tag."""
        del principal, compartment_id
        assert project_id is None
        self.calls["search_jobs"] += 1
        found = (job for job in self.jobs if _owner(job) == owner and not job.deleted)
        return next((_told(job) for job in found), None)

    async def look_up_job(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> JobRecord | Absent | Refusal:
        """Return a job."""
        del principal, compartment_id
        self.calls["look_up_job"] += 1
        return next((_told(job) for job in self.jobs if job.id == job_id), Absent())

    async def upload_artifact(
        self, principal: Principal, job_id: str, artifact: Artifact, content: BinaryIO
    ) -> Refusal | None:
        """Keep the code of a job."""
        del principal, artifact
        self.calls["upload_artifact"] += 1
        self._job(job_id).code = content.read()
        return None

    async def update_job(
        self, principal: Principal, job_id: str, settings: JobChange
    ) -> Refusal | None:
        """Refuse: there is no such call."""
        del principal, job_id, settings
        raise AssertionError("nothing of a job of Batch is changed in place")

    async def count_active_runs(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> int | Refusal:
        """Return how many tasks of a job are active."""
        del principal, compartment_id
        self.calls["count_active_runs"] += 1
        return sum(task.request.job_id == job_id and self._active(task) for task in self.tasks)

    async def delete_job(self, principal: Principal, job_id: str) -> Refusal | None:
        """Delete a job without active tasks."""
        del principal
        self.calls["delete_job"] += 1
        if any(task.request.job_id == job_id and self._active(task) for task in self.tasks):
            return _CONFLICT
        self._job(job_id).deleted = True
        return None

    async def create_run(
        self, principal: Principal, request: RunCreation, token: str
    ) -> RunRecord | Refusal:
        """Create a task; the same token gives the same task."""
        del principal
        self.calls["create_run"] += 1
        made = self._tokens.get(token)
        if made is None:
            made = Task(
                make_ocid(BATCH.run_type, str(len(self.tasks) + 1)),
                expect(request, BatchTaskRequest),
                self.clock.now(),
                self.outcome,
                self.takes,
            )
            self.tasks.append(made)
            self._tokens[token] = made
        return expect(made, Task).record(self.clock.now(), complete=True)

    async def search_runs(
        self, principal: Principal, compartment_id: str, job_id: str, owner: str
    ) -> RunRecord | Refusal | None:
        """Return the oldest task with the owner tag."""
        del principal, compartment_id
        self.calls["search_runs"] += 1
        records = (task.record(self.clock.now(), complete=False) for task in self.tasks)
        return next((r for r in records if (r.job_id, r.owner) == (job_id, owner)), None)

    async def look_up_run(
        self, principal: Principal, compartment_id: str, run_id: str
    ) -> RunRecord | Absent | Refusal:
        """Return a task."""
        del principal, compartment_id
        self.calls["look_up_run"] += 1
        return self._task(run_id).record(self.clock.now(), complete=True)

    async def cancel_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """End a task at once."""
        del principal
        self.calls["cancel_run"] += 1
        task = self._task(run_id)
        if not self._active(task):
            return _CONFLICT
        task.ended = RunState.CANCELED, self.clock.now()
        return None

    async def delete_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Delete the record of a task that has ended."""
        del principal
        self.calls["delete_run"] += 1
        task = self._task(run_id)
        if self._active(task):
            return _CONFLICT
        task.deleted = True
        return None

    async def list_runs(
        self,
        principal: Principal,
        compartment_id: str,
        *,
        state: RunState | None = None,
        job_id: str | None = None,
        run_id: str | None = None,
    ) -> tuple[RunRecord, ...] | Refusal:
        """Return tasks by one filter: Batch takes no two of them together."""
        del principal
        self.calls["list_runs"] += 1
        assert [state, job_id, run_id].count(None) == 2
        assert state is None or state in BATCH.active_states
        records = (task.record(self.clock.now(), complete=False) for task in self.tasks)
        return tuple(
            record
            for record in records
            if record.compartment_id == compartment_id
            and (state is None or record.state is state)
            and (job_id is None or record.job_id == job_id)
            and (run_id is None or record.id == run_id)
        )

    def _active(self, task: Task) -> bool:
        return task.state(self.clock.now()).active

    def _job(self, job_id: str) -> Job:
        return next(job for job in self.jobs if job.id == job_id)

    def _task(self, run_id: str) -> Task:
        return next(task for task in self.tasks if task.id == run_id)


def _owner(job: Job) -> str:
    return job.request.settings.tags.freeform[TAG_OWNER]


def _told(job: Job) -> JobRecord:
    return JobRecord(
        id=job.id,
        compartment_id=job.request.compartment_id,
        state=JobState.DELETED if job.deleted else JobState.ACTIVE,
        owner=_owner(job),
        content=job.request,
    )
