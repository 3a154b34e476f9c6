"""What is observed of a job: the objects in the cluster, and what this process knows of its sources and of OCI.

`JobKnown` is memory: it is empty after a restart, and every decision must be right without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import Phase
from ocijobs.reconcile.calls import noted
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.remote import Call, JobRecord, Operation, Refusal
from ocijobs.settings import Settings


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run of the job, as far as the job's decisions need it.

    `live` is true of a run that is launched or being launched and has not ended.
    """

    name: str
    phase: Phase | None
    live: bool
    job_id: str | None
    accepted_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobObservation:
    """Everything that a decision about a job rests on.

    Attributes:
        refresh_after: a run wants sources that were read no earlier than this.
    """

    job: OCIJob
    identity: IdentityView
    runs: tuple[RunView, ...]
    cluster_id: str
    known: JobKnown
    settings: Settings
    refresh_after: datetime | None = None

    @property
    def epoch(self) -> str:
        """Circumstances under which a refusal stands: another generation or other credentials are others."""
        return f"{self.job.metadata.generation}/{self.identity.version}"
