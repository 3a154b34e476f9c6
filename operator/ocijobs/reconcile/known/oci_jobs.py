"""What this process has seen of OCI jobs of one OCIJob: of the one that serves, and of one that is being removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, JobState, Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation, noted


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """How far the removal of one OCI job is.

    Attributes:
        job_id: OCID of the OCI job.
        listed_at: when a complete list of its runs was made, since OCI was last asked to delete it.
        active: how many of them were active then.
        conflict: whether OCI refused the deletion with 409, and no run was active since.
        requested_at: when OCI last accepted the deletion.
        seen_at: when OCI told of the job, since it was last asked to delete it.
        state: what it was then.
        absent_at: when a get answered 404 and a list by id was empty.
    """

    job_id: str
    listed_at: datetime | None = None
    active: int = 0
    conflict: bool = False
    requested_at: datetime | None = None
    seen_at: datetime | None = None
    state: JobState | None = None
    absent_at: tuple[datetime, ...] = ()
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    def called(
        self, operation: Operation, *, at: datetime, refusal: Refusal | None = None, epoch: str = ""
    ) -> Removal:
        """Return the memory after a call of `operation`."""
        return replace(
            self, calls=noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        )

    def look_up_answered(
        self, answer: JobRecord | Absent | Refusal, *, at: datetime, epoch: str
    ) -> Removal:
        """Return the memory after OCI told of the job."""
        if isinstance(answer, Refusal):
            return self.called(Operation.LOOK_UP, at=at, refusal=answer, epoch=epoch)
        after = self.called(Operation.LOOK_UP, at=at, epoch=epoch)
        if isinstance(answer, Absent):
            return replace(after, absent_at=(*self.absent_at, at))
        return replace(after, absent_at=(), seen_at=at, state=answer.state)

    def runs_listed(self, answer: int | Refusal, *, at: datetime, epoch: str) -> Removal:
        """Return the memory after all runs were listed: active ones are what a refused deletion is due to."""
        if isinstance(answer, Refusal):
            return self.called(Operation.LIST_RUNS, at=at, refusal=answer, epoch=epoch)
        after = self.called(Operation.LIST_RUNS, at=at, epoch=epoch)
        return replace(after, listed_at=at, active=answer, conflict=self.conflict and not answer)

    def delete_answered(self, answer: Refusal | None, *, at: datetime, epoch: str) -> Removal:
        """Return the memory after OCI was asked to delete the job: what was seen before says nothing of it."""
        called = self.called(Operation.DELETE, at=at, refusal=answer, epoch=epoch)
        after = replace(called, listed_at=None, seen_at=None, state=None)
        if answer is None:
            return replace(after, requested_at=at, conflict=False)
        return replace(after, conflict=answer.kind is RefusalKind.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What OCI was seen to have of the OCI job that serves, or is to be adopted.

    Attributes:
        job_id: OCID of the OCI job.
        at: when OCI last told of it, or settings were last sent.
        record: what it told; None since settings were sent.
        absent_at: when a get answered 404 and a list by id was empty, since it was last seen.
    """

    job_id: str
    at: datetime
    record: JobRecord | None = None
    absent_at: tuple[datetime, ...] = ()
