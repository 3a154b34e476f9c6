"""What this process has learnt about one job: memory, which is empty after a restart.

Every decision must be right without it. The `*_answered` methods take what a call brought, or why it was refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ocijobs.reconcile.calls import noted
from ocijobs.reconcile.remote import (
    Absent,
    Call,
    JobRecord,
    JobState,
    Operation,
    Refusal,
    RefusalKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesRead:
    """The job's code as it was read, and the artifact built from it.

    Attributes:
        at: when.
        generation: metadata.generation of the spec that was read for.
        requested: value of the annotation `ocijobs.io/requestedAt` at that time.
        digest: SHA-256 over the files' names and contents.
        missing: what does not exist though it must, in words; then there is no artifact.
        invalid: what is wrong with what was read, in words; then there is no artifact.
        name: file name of the artifact.
        sha256: of the artifact.
        size: of the artifact in bytes.
    """

    at: datetime
    generation: int
    requested: str = ""
    digest: str = ""
    missing: str | None = None
    invalid: str | None = None
    name: str = ""
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """How far the removal of one OCI job is.

    Attributes:
        job_id: OCID of the OCI job.
        listed_at: when a complete list of its runs was made.
        active: how many of them were active then.
        conflict_at: when OCI last refused the deletion with 409.
        requested_at: when OCI accepted the deletion.
        gone: whether OCI says that the job is deleted.
        absent_at: when a get answered 404 and a list by id was empty.
    """

    job_id: str
    listed_at: datetime | None = None
    active: int = 0
    conflict_at: datetime | None = None
    requested_at: datetime | None = None
    gone: bool = False
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
        return replace(after, absent_at=(), gone=answer.state is JobState.DELETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKnown:
    """What this process has learnt about one job.

    Attributes:
        written_token: token of the intent that this process itself wrote; None after a restart.
        doubt: whether a call with that token may have arrived without an answer.
        created: the OCI job that the open intent turned out to be.
        empty_at: when a complete search for the owner tag found nothing.
        sources: what the last reading of the sources gave.
        uploaded: OCI job whose artifact is known to be there.
        record: the newest that OCI told of the job that is being made.
        settings_sent: digest of the settings that OCI took last.
        removal: the OCI job that is being removed, and how far that is.
        written_at: when this process last wrote the status.
    """

    written_token: str | None = None
    doubt: bool = False
    created: JobRecord | None = None
    empty_at: tuple[datetime, ...] = ()
    sources: SourcesRead | None = None
    uploaded: str | None = None
    record: JobRecord | None = None
    settings_sent: str | None = None
    removal: Removal | None = None
    written_at: datetime | None = None
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    def called(
        self, operation: Operation, *, at: datetime, refusal: Refusal | None = None, epoch: str = ""
    ) -> JobKnown:
        """Return the memory after a call of `operation`."""
        return replace(
            self, calls=noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        )

    def intended(self, token: str) -> JobKnown:
        """Return the memory after this process wrote an intent: nothing is known of its calls."""
        paced = {Operation.CREATE, Operation.SEARCH, Operation.UPLOAD, Operation.LOOK_UP}
        return replace(
            self,
            written_token=token,
            doubt=False,
            created=None,
            empty_at=(),
            uploaded=None,
            record=None,
            calls={name: call for name, call in self.calls.items() if name not in paced},
        )

    def create_answered(self, answer: JobRecord | Refusal, *, at: datetime, epoch: str) -> JobKnown:
        """Return the memory after a creation was answered, or was not."""
        if isinstance(answer, Refusal):
            after = self.called(Operation.CREATE, at=at, refusal=answer, epoch=epoch)
            return replace(after, doubt=self.doubt or answer.outcome_unknown)
        return replace(self.called(Operation.CREATE, at=at, epoch=epoch), created=answer)

    def search_answered(
        self, answer: JobRecord | Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after a search by owner tag; None means that a complete one found nothing."""
        if isinstance(answer, Refusal):
            return self.called(Operation.SEARCH, at=at, refusal=answer, epoch=epoch)
        after = self.called(Operation.SEARCH, at=at, epoch=epoch)
        if answer is None:
            return replace(after, empty_at=(*self.empty_at, at))
        return replace(after, created=answer)

    def sources_answered(
        self, answer: SourcesRead | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after the sources were read."""
        if isinstance(answer, Refusal):
            return self.called(Operation.READ_SOURCES, at=at, refusal=answer, epoch=epoch)
        return replace(self.called(Operation.READ_SOURCES, at=at, epoch=epoch), sources=answer)

    def upload_answered(
        self, job_id: str, answer: Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after the artifact was found in OCI or uploaded."""
        after = self.called(Operation.UPLOAD, at=at, refusal=answer, epoch=epoch)
        return after if answer is not None else replace(after, uploaded=job_id)

    def update_answered(
        self, settings_digest: str, answer: Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after settings were sent."""
        after = self.called(Operation.UPDATE, at=at, refusal=answer, epoch=epoch)
        return after if answer is not None else replace(after, settings_sent=settings_digest)

    def look_up_answered(
        self, job_id: str, answer: JobRecord | Absent | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after OCI told of a job: of the one being removed, or of the one being made."""
        if self.removal is not None and self.removal.job_id == job_id:
            removal = self.removal.look_up_answered(answer, at=at, epoch=epoch)
            return replace(self, removal=removal)
        if isinstance(answer, Absent):
            answer = Refusal(
                kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
                message=f"OCI has no job {job_id}",
            )
        if isinstance(answer, Refusal):
            return self.called(Operation.LOOK_UP, at=at, refusal=answer, epoch=epoch)
        return replace(self.called(Operation.LOOK_UP, at=at, epoch=epoch), record=answer)

    def runs_listed(
        self, job_id: str, answer: int | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after all runs of an OCI job were listed; `answer` counts the active ones."""
        removal = self._removal_of(job_id)
        if isinstance(answer, Refusal):
            removal = removal.called(Operation.LIST_RUNS, at=at, refusal=answer, epoch=epoch)
        else:
            removal = replace(
                removal.called(Operation.LIST_RUNS, at=at, epoch=epoch), listed_at=at, active=answer
            )
        return replace(self, removal=removal)

    def delete_answered(
        self, job_id: str, answer: Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after OCI was asked to delete a job."""
        removal = self._removal_of(job_id).called(
            Operation.DELETE, at=at, refusal=answer, epoch=epoch
        )
        if answer is None:
            removal = replace(removal, requested_at=at)
        elif answer.kind is RefusalKind.CONFLICT:
            removal = replace(removal, conflict_at=at)
        return replace(self, removal=removal)

    def _removal_of(self, job_id: str) -> Removal:
        if self.removal is not None and self.removal.job_id == job_id:
            return self.removal
        return Removal(job_id=job_id)
