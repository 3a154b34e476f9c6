"""What is observed of a run: the objects in the cluster, and what this process knows of OCI.

`RunKnown` is memory: it is empty after a restart, and every decision must be right without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import OCIJobRun, OutputList
from ocijobs.reconcile.calls import noted
from ocijobs.reconcile.environment import Values
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.remote import Call, Operation, Refusal, RunRecord
from ocijobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKnown:
    """What this process has learnt about one run.

    Attributes:
        written_token: token of the intent that this process itself wrote; None after a restart, when calls of
            a former process may have arrived.
        doubt: whether a call with that token may have arrived without an answer.
        record: the newest that OCI told of the run.
        ended_at: when this process first knew that the run has ended in OCI.
        unlisted_at: when a complete poll that began after the run was known did not list it.
        lagging: how often in a row a look-up found active what no list had.
        poll_refusal: why the shared poll has not worked for a while; None while it works.
        absent_at: when a get answered 404 and a list by id in the run's compartment was empty.
        empty_at: when a complete search for the run's owner tag found nothing.
        values: what the environment's references gave, read at `values_at`.
        results: declared and other results that were found; None as long as none were.
        tail: last lines of output as they were written, secrets included, read at `tail_at`.
        outputs: objects under the outputs' address.
        written_at: when this process last wrote the status.
    """

    written_token: str | None = None
    doubt: bool = False
    record: RunRecord | None = None
    ended_at: datetime | None = None
    unlisted_at: datetime | None = None
    lagging: int = 0
    poll_refusal: Refusal | None = None
    absent_at: tuple[datetime, ...] = ()
    empty_at: tuple[datetime, ...] = ()
    values: Values | None = None
    values_at: datetime | None = None
    results: Mapping[str, str] | None = None
    tail: tuple[str, ...] | None = None
    tail_at: datetime | None = None
    outputs: OutputList | None = None
    written_at: datetime | None = None
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    def called(
        self, operation: Operation, *, at: datetime, refusal: Refusal | None = None, epoch: str = ""
    ) -> RunKnown:
        """Return the memory after a call of `operation`."""
        return replace(
            self, calls=noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        )

    def listed(self, record: RunRecord, at: datetime) -> RunKnown:
        """Return the memory after a list had the run: what is older than known changes nothing."""
        return replace(self._seen(record, at), unlisted_at=None, lagging=0, absent_at=())

    def looked_up(self, record: RunRecord, at: datetime) -> RunKnown:
        """Return the memory after OCI told of the run itself."""
        lags = self.unlisted_at is not None and record.state.active
        return replace(
            self._seen(record, at),
            unlisted_at=None,
            lagging=self.lagging + 1 if lags else 0,
            absent_at=(),
        )

    def intended(self, token: str) -> RunKnown:
        """Return the memory after this process wrote an intent: nothing is known of its calls."""
        paced = {Operation.CREATE, Operation.SEARCH}
        return replace(
            self,
            written_token=token,
            doubt=False,
            empty_at=(),
            calls={name: call for name, call in self.calls.items() if name not in paced},
        )

    def _seen(self, record: RunRecord, at: datetime) -> RunKnown:
        before = self.record
        ended_at = self.ended_at or (at if record.state.ended else None)
        if before is None:
            return replace(self, record=record, ended_at=ended_at)
        if not before.superseded_by(record):
            return self
        return replace(
            self,
            ended_at=ended_at,
            record=replace(
                record,
                log=record.log or before.log,
                complete=record.complete or (before.complete and before.state is record.state),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunObservation:
    """Everything that a decision about a run rests on.

    Attributes:
        job: the OCIJob that the run names, if it exists.
        job_checked_at: when this process last read that job's sources to the end, found or missing.
        identity: the identity of the run's calls: the recorded one, else that of the job.
    """

    run: OCIJobRun
    job: OCIJob | None
    job_checked_at: datetime | None
    identity: IdentityView
    cluster_id: str
    known: RunKnown
    settings: Settings

    @property
    def wanted(self) -> bool:
        """Whether the run is still to be carried out."""
        return not (self.run.metadata.deleting or self.run.spec.cancel)

    @property
    def epoch(self) -> str:
        """Circumstances under which a refusal stands: another generation or other credentials are others."""
        return f"{self.run.metadata.generation}/{self.identity.version}"
