"""What this process has learnt about the code of one job: how its source was read, and how that went."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ocijobs.api.job.status import Artifact, SourceAttempt
from ocijobs.backends.records import Refusal, RefusalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesRead:
    """The job's code as it was read, and the artifact built from it.

    Attributes:
        checked_at: when.
        generation: metadata.generation of the spec that was read for.
        requested: value of the annotation `ocijobs.io/requestedAt` at that time.
        version: what tells one state of a remote source from another without reading it, such as a commit.
        digest: SHA-256 over the files' names and contents.
        missing: what does not exist though it must, in words; then there is no artifact.
        invalid: what is wrong with what was read, in words; then there is no artifact.
        name: file name of the artifact; empty if the job has none, as a container without files.
        sha256: of the artifact.
        size: of the artifact in bytes.
        libraries: of Spark code, the files beside the one that is run.
    """

    checked_at: datetime
    generation: int
    requested: str = ""
    version: str = ""
    digest: str = ""
    missing: str | None = None
    invalid: str | None = None
    name: str = ""
    sha256: str = ""
    size: int = 0
    libraries: tuple[str, ...] = ()

    @property
    def artifact(self) -> Artifact | None:
        """The artifact, as status tells of it; where Spark code goes is not known here."""
        if not self.name:
            return None
        return Artifact(
            name=self.name, sha256=self.sha256, size=self.size, libraries=self.libraries
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNamed:
    """The version that a remote source is at, where that is another one than the current revision's.

    Attributes:
        checked_at: when.
        generation: metadata.generation of the spec that it was asked for.
        requested: value of the annotation `ocijobs.io/requestedAt` at that time.
        version: what tells one state of the source from another.
    """

    checked_at: datetime
    generation: int
    requested: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAttempt:
    """A reading of a remote source whose record this process wrote, and how it ended.

    Attributes:
        record: as it was written.
        ended: whether the process that read has said what came of it.
        failure: how that process ended, if it could say nothing.
    """

    record: SourceAttempt
    ended: bool = False
    failure: str | None = None

    @property
    def open(self) -> bool:
        """Whether it may be under way, or begin."""
        return not self.ended and self.failure is None


def same_attempt(record: SourceAttempt | None, other: SourceAttempt) -> bool:
    """Whether two records are of one attempt, whatever they say of its end."""
    return record is not None and record.model_copy(update={"failure": other.failure}) == other


def attempt_after(attempt: KnownAttempt | None, refusal: Refusal | None) -> KnownAttempt | None:
    """Return an attempt after an answer: it has ended, its process has, or it may be made again."""
    if attempt is None or not attempt.open:
        return attempt
    if refusal is None:
        return replace(attempt, ended=True)
    died = refusal.kind is RefusalKind.DIED
    return replace(attempt, failure=refusal.message) if died else attempt
