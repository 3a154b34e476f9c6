"""What this process has learnt about one job: memory, which is empty after a restart.

Every decision must be right without it. `answered` takes what an action brought, or why it was refused, and is the one
way in for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from ocijobs.api.job.status import OCIJobStatus, SourceAttempt
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, Refusal, RefusalKind
from ocijobs.backends.requests import WantedName
from ocijobs.reconcile.actions.calls import Call, Operation, noted
from ocijobs.reconcile.actions.jobs import (
    CreateJob,
    DeleteCode,
    DeleteJob,
    FindName,
    ListActiveRuns,
    ListShapes,
    LookUpJob,
    ReadSources,
    SearchJobs,
    UpdateJob,
    UploadArtifact,
)
from ocijobs.reconcile.actions.objects import AddFinalizer
from ocijobs.reconcile.idempotency import Evidence
from ocijobs.reconcile.known.oci_jobs import Removal, Watched
from ocijobs.reconcile.known.sources import (
    KnownAttempt,
    SourceNamed,
    SourcesRead,
    attempt_after,
    same_attempt,
)

JobAnswer = (
    tuple[AddFinalizer, None]
    | tuple[ReadSources, SourcesRead | SourceNamed | Refusal]
    | tuple[UploadArtifact, Refusal | None]
    | tuple[FindName, str | Refusal]
    | tuple[ListShapes, tuple[str, ...] | Refusal]
    | tuple[CreateJob, JobRecord | Refusal]
    | tuple[SearchJobs, JobRecord | Refusal | None]
    | tuple[LookUpJob, JobRecord | Absent | Refusal]
    | tuple[UpdateJob, Refusal | None]
    | tuple[ListActiveRuns, int | Refusal]
    | tuple[DeleteJob, Refusal | None]
    | tuple[DeleteCode, Refusal | None]
)
"""Each action on a job, and what it may bring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKnown:
    """What this process has learnt about one job.

    Attributes:
        evidence: of the calls of the open intent.
        created: token of an intent, and the OCI job that it turned out to be.
        sources: what the last reading of the sources gave.
        named: the version of a remote source that is to be read, and the epoch in which it was asked for.
        attempt: the reading that this process began last.
        uploaded: OCI job whose artifact is known to be there.
        record: the newest that OCI told of the job that is being made.
        settings_sent: OCI job that settings were sent to last, and the digest of what OCI took.
        removal: the OCI job that is being removed, and how far that is.
        written_at: when this process last wrote the status.
        names: OCIDs of what the spec gives by name, as far as they were found.
        shapes: the compute shapes that jobs may have.
        first_read_at: when this process first read the sources.
        watched: what OCI was seen to have.
        fresh: whether this process set the finalizer, and wrote no intent since.
        intended_before: whether it has written an intent.
        code_deleted: folders of code that are empty now.
    """

    evidence: Evidence = field(default_factory=Evidence)
    created: tuple[str, JobRecord] | None = None
    sources: SourcesRead | None = None
    named: tuple[str, SourceNamed] | None = None
    attempt: KnownAttempt | None = None
    uploaded: str | None = None
    record: JobRecord | None = None
    settings_sent: tuple[str, str] | None = None
    removal: Removal | None = None
    written_at: datetime | None = None
    names: Mapping[WantedName, str] = field(default_factory=dict)
    shapes: tuple[str, ...] = ()
    first_read_at: datetime | None = None
    watched: Watched | None = None
    code_deleted: frozenset[str] = frozenset()
    fresh: bool = False
    intended_before: bool = False
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    def answered(self, answer: JobAnswer, *, at: datetime) -> JobKnown:  # noqa: C901, PLR0911, PLR0912 - a case for each
        """Return the memory after an action was answered at that time."""
        match answer:
            case (AddFinalizer(), None):
                return self.finalizer_added()
            case (ReadSources() as call, read):
                return self.sources_answered(read, at=at, epoch=call.epoch)
            case (UploadArtifact() as call, refusal):
                return self.upload_answered(call.job_id, refusal, at=at, epoch=call.epoch)
            case (FindName() as call, ocid):
                return self.name_answered(call.name, ocid, at=at, epoch=call.epoch)
            case (ListShapes() as call, shapes):
                return self.shapes_listed(shapes, at=at, epoch=call.epoch)
            case (CreateJob() as call, created):
                return self.create_answered(call.token, created, at=at, epoch=call.epoch)
            case (SearchJobs() as call, found):
                return self.search_answered(call.token, found, at=at, epoch=call.epoch)
            case (LookUpJob() as call, told):
                return self.look_up_answered(call.job_id, told, at=at, epoch=call.epoch)
            case (UpdateJob() as call, refusal):
                digest = call.settings_digest
                return self.update_answered(call.job_id, digest, refusal, at=at, epoch=call.epoch)
            case (ListActiveRuns() as call, active):
                return self.runs_listed(call.job_id, active, at=at, epoch=call.epoch)
            case (DeleteJob() as call, refusal):
                return self.delete_answered(call.job_id, refusal, at=at, epoch=call.epoch)
            case (DeleteCode() as call, refusal):
                return self.code_delete_answered(call.uri, refusal, at=at, epoch=call.epoch)
            case _:
                assert_never(answer)

    def called(
        self, operation: Operation, *, at: datetime, refusal: Refusal | None = None, epoch: str = ""
    ) -> JobKnown:
        """Return the memory after a call of `operation`."""
        return replace(
            self, calls=noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        )

    def finalizer_added(self) -> JobKnown:
        """Return the memory after this process set the finalizer, without which nothing is intended."""
        return replace(self, fresh=True)

    def status_written(
        self,
        former: OCIJobStatus,
        status: OCIJobStatus,
        *,
        at: datetime,
        created_at: datetime,
        token_lifetime: timedelta,
    ) -> JobKnown:
        """Return the memory after this process wrote a status over another.

        Args:
            former: the other one.
            status: what was written.
            at: when.
            created_at: metadata.creationTimestamp.
            token_lifetime: for how long OCI surely knows a token.
        """
        after = replace(self, written_at=at)
        if status.reading is not None and status.reading != former.reading:
            after = after.attempted(status.reading)
        if status.submit is None or status.submit == former.submit:
            return after
        young = status.submit.started_at - created_at < token_lifetime
        # A status that tells of an owner tells what was made, too; one without is of a new job, or was wiped.
        first = former.owner is not None or (self.fresh and young)
        return after.intended(status.submit.token, first=first)

    def intended(self, token: str, *, first: bool) -> JobKnown:
        """Return the memory after an intent was written; one that may not be the first begins with a search."""
        searches = 0 if first else 2 if self.intended_before else 1
        # No call was made for it, or for what it makes, yet.
        others = {Operation.UPLOAD, Operation.LOOK_UP}
        return replace(
            self,
            evidence=Evidence(token=token, ours=True, searches=searches),
            calls={name: call for name, call in self.calls.items() if name not in others},
            fresh=False,
            intended_before=True,
        )

    def created_for(self, token: str) -> JobRecord | None:
        """Return the OCI job that the intent with that token turned out to be."""
        return self.created[1] if self.created is not None and self.created[0] == token else None

    def create_answered(
        self, token: str, answer: JobRecord | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after a creation was answered, or was not."""
        refusal = answer if isinstance(answer, Refusal) else None
        evidence = self.evidence.of(token).create_answered(refusal, at=at, epoch=epoch)
        after = replace(self, evidence=evidence)
        return after if isinstance(answer, Refusal) else replace(after, created=(token, answer))

    def search_answered(
        self, token: str, answer: JobRecord | Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after a search by owner tag; None means that a complete one found nothing."""
        refusal = answer if isinstance(answer, Refusal) else None
        evidence = self.evidence.of(token).search_answered(
            refusal, found=answer is not None, at=at, epoch=epoch
        )
        after = replace(self, evidence=evidence)
        return replace(after, created=(token, answer)) if isinstance(answer, JobRecord) else after

    def attempted(self, record: SourceAttempt) -> JobKnown:
        """Return the memory after this process wrote a record: that it begins to read a source, or how that ended."""
        if self.attempt is not None and same_attempt(record, self.attempt.record):
            return self
        return replace(self, attempt=KnownAttempt(record=record))

    def sources_answered(
        self, answer: SourcesRead | SourceNamed | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after the sources were read, or a remote one was asked for its version."""
        if isinstance(answer, SourceNamed):
            return self._named(answer, epoch)
        refusal = answer if isinstance(answer, Refusal) else None
        after = self.called(Operation.READ_SOURCES, at=at, refusal=refusal, epoch=epoch)
        # What is asked for next is the version: it may be another one by then.
        after = replace(after, named=None, attempt=attempt_after(self.attempt, refusal))
        if isinstance(answer, Refusal):
            return after
        return replace(after, sources=answer, first_read_at=self.first_read_at or at)

    def _named(self, answer: SourceNamed, epoch: str) -> JobKnown:
        """Return the memory after a remote source told its version. How its reading is paced, that does not change."""
        known = self.sources
        same = known is not None and (known.version, known.generation, known.requested) == (
            answer.version,
            answer.generation,
            answer.requested,
        )
        if known is not None and same and known.invalid is not None:
            # What was wrong with it still is.
            return replace(self, sources=replace(known, checked_at=answer.checked_at), named=None)
        return replace(self, named=(epoch, answer))

    def name_answered(
        self, name: WantedName, answer: str | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after a name was looked up."""
        refusal = answer if isinstance(answer, Refusal) else None
        after = self.called(Operation.FIND_NAME, at=at, refusal=refusal, epoch=epoch)
        return (
            after
            if isinstance(answer, Refusal)
            else replace(after, names={**self.names, name: answer})
        )

    def shapes_listed(
        self, answer: tuple[str, ...] | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after the shapes were listed; what can't be listed is not known."""
        refusal = answer if isinstance(answer, Refusal) else None
        after = self.called(Operation.LIST_SHAPES, at=at, refusal=refusal, epoch=epoch)
        return replace(after, shapes=() if isinstance(answer, Refusal) else answer)

    def upload_answered(
        self, job_id: str, answer: Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after the artifact was found in OCI or uploaded."""
        called = self.called(Operation.UPLOAD, at=at, refusal=answer, epoch=epoch)
        # What was deleted before may be here again, whatever the answer.
        after = replace(called, code_deleted=frozenset())
        return after if answer is not None else replace(after, uploaded=job_id)

    def update_answered(
        self,
        job_id: str,
        settings_digest: str,
        answer: Refusal | None,
        *,
        at: datetime,
        epoch: str,
    ) -> JobKnown:
        """Return the memory after settings were sent."""
        after = self.called(Operation.UPDATE, at=at, refusal=answer, epoch=epoch)
        if answer is not None:
            return after
        sent = Watched(job_id=job_id, at=at)
        return replace(after, settings_sent=(job_id, settings_digest), watched=sent)

    def look_up_answered(
        self, job_id: str, answer: JobRecord | Absent | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after OCI told of a job: of the one being removed, or of the one being made."""
        if self.removal is not None and self.removal.job_id == job_id:
            removal = self.removal.look_up_answered(answer, at=at, epoch=epoch)
            return replace(self, removal=removal)
        if isinstance(answer, Absent):
            refusal = Refusal(
                kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
                message=f"OCI has no job {job_id}, or the identity may not see it",
            )
            after = self.called(Operation.LOOK_UP, at=at, refusal=refusal, epoch=epoch)
            former = self.watched if self.watched and self.watched.job_id == job_id else None
            absent = (*(former.absent_at if former is not None else ()), at)
            return replace(after, watched=Watched(job_id=job_id, at=at, absent_at=absent))
        if isinstance(answer, Refusal):
            return self.called(Operation.LOOK_UP, at=at, refusal=answer, epoch=epoch)
        watched = Watched(job_id=job_id, at=at, record=answer)
        after = self.called(Operation.LOOK_UP, at=at, epoch=epoch)
        return replace(after, record=answer, watched=watched)

    def runs_listed(
        self, job_id: str, answer: int | Refusal, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after all runs of an OCI job were listed; `answer` counts the active ones."""
        removal = self._removal_of(job_id).runs_listed(answer, at=at, epoch=epoch)
        return replace(self, removal=removal)

    def delete_answered(
        self, job_id: str, answer: Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after OCI was asked to delete a job."""
        removal = self._removal_of(job_id).delete_answered(answer, at=at, epoch=epoch)
        return replace(self, removal=removal)

    def code_delete_answered(
        self, uri: str, answer: Refusal | None, *, at: datetime, epoch: str
    ) -> JobKnown:
        """Return the memory after the objects of a folder of code were deleted, or kept for others."""
        after = self.called(Operation.DELETE_CODE, at=at, refusal=answer, epoch=epoch)
        gone = self.code_deleted | {uri}
        return after if answer is not None else replace(after, code_deleted=gone)

    def _removal_of(self, job_id: str) -> Removal:
        if self.removal is not None and self.removal.job_id == job_id:
            return self.removal
        return Removal(job_id=job_id)
