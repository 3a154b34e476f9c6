"""What this process has learnt about one run: memory, which is empty after a restart.

Every decision must be right without it. `answered` takes what an action brought, or why it was refused, and is the one
way in for that; the shared poll has `listed` and `unlisted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from ocijobs.api.run.observed import LogFile, OutputList, RunMetrics
from ocijobs.api.run.status import Attempt, OCIJobRunStatus, RunSubmission
from ocijobs.backends.records import (
    Absent,
    Refusal,
    RefusalKind,
    RunRecord,
    RunState,
    run_state_named,
)
from ocijobs.backends.values import Values
from ocijobs.reconcile.actions.calls import Call, Operation, noted
from ocijobs.reconcile.actions.objects import AddFinalizer, CreateObject, CreateWorkload
from ocijobs.reconcile.actions.runs import (
    CancelRun,
    CreateRun,
    DeleteRun,
    ListOutputs,
    LookUpRun,
    ReadResults,
    ReadRunLogs,
    ReadUtilisation,
    ReadValues,
    SearchLogs,
    SearchRuns,
)
from ocijobs.reconcile.idempotency import Evidence
from ocijobs.reconcile.output import LogLines, RunOutput, last_results

RunAnswer = (
    tuple[ReadValues, Values | Refusal]
    | tuple[AddFinalizer, None]
    | tuple[CreateObject, Refusal | None]
    | tuple[CreateWorkload, Refusal | None]
    | tuple[CreateRun, RunRecord | Refusal]
    | tuple[SearchRuns, RunRecord | Refusal | None]
    | tuple[LookUpRun, RunRecord | Absent | Refusal]
    | tuple[CancelRun, Refusal | None]
    | tuple[DeleteRun, Refusal | None]
    | tuple[ReadResults, Mapping[str, str] | Refusal | None]
    | tuple[ListOutputs, OutputList | Refusal]
    | tuple[SearchLogs, LogLines | Refusal]
    | tuple[ReadRunLogs, RunOutput | Refusal]
    | tuple[ReadUtilisation, RunMetrics | Refusal | None]
)
"""Each action on a run, and what it may bring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKnown:
    """What this process has learnt about one run.

    Attributes:
        attempt: which attempt all of this is about.
        evidence: of the calls of the intent.
        record: the newest that OCI told of the run.
        told_at: when OCI first told of the record's state.
        ended_at: when this process first knew that the run has ended in OCI.
        unlisted_at: when a complete poll that began after the run was known did not list it.
        lagging: how often in a row a look-up found active what no list had.
        poll_refusal: why the shared poll has not worked for a while; None while it works.
        absent_at: when a get answered 404 and a list by id in the run's compartment was empty.
        values: what the environment's references gave, read at `values_at`.
        results: declared and other results that were found; None as long as none were.
        tail: last lines of output as they were written, secrets included.
        log_files: logs that Data Flow keeps of the run.
        outputs: objects under the outputs' address.
        utilisation: what the run used of its machines; None as long as Monitoring has nothing.
        written_at: when this process last wrote the status.
        refused: why the API server does not take the run's own OCIJob.
        fresh: whether this process set the finalizer, and wrote no intent since.
        unlaunched: the attempt of which it knows that nobody launched it.
        intended_before: whether it has written an intent, of this attempt or another.
        found_empty: whether it has seen the run without a status: a new one, or one whose status was wiped.
        seen_live: whether OCI told of the attempt while it was active.
        discarded: job runs of former attempts whose records are gone.
    """

    attempt: int = 0
    evidence: Evidence = field(default_factory=Evidence)
    record: RunRecord | None = None
    told_at: datetime | None = None
    ended_at: datetime | None = None
    unlisted_at: datetime | None = None
    lagging: int = 0
    poll_refusal: Refusal | None = None
    absent_at: tuple[datetime, ...] = ()
    values: Values | None = None
    values_at: datetime | None = None
    results: Mapping[str, str] | None = None
    tail: tuple[str, ...] | None = field(default=None, repr=False)
    log_files: tuple[LogFile, ...] = ()
    outputs: OutputList | None = None
    utilisation: RunMetrics | None = None
    written_at: datetime | None = None
    discarded: frozenset[str] = frozenset()
    fresh: bool = False
    unlaunched: int | None = None
    intended_before: bool = False
    found_empty: bool = False
    seen_live: bool = False
    refused: str | None = None
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    def of_attempt(self, number: int) -> RunKnown:
        """Return what is known of the attempt of that number: of another one, nothing."""
        if number == self.attempt:
            return self
        return RunKnown(
            attempt=number,
            written_at=self.written_at,
            fresh=self.fresh,
            unlaunched=self.unlaunched,
            intended_before=self.intended_before,
            found_empty=self.found_empty,
        )

    def answered(self, answer: RunAnswer, *, at: datetime) -> RunKnown:  # noqa: C901, PLR0911, PLR0912 - a case for each
        """Return the memory after an action was answered at that time."""
        match answer:
            case (AddFinalizer(), None):
                return self.finalizer_added()
            case (CreateObject(), refusal):
                return replace(self, refused=refusal.message) if refusal is not None else self
            case (ReadValues() as call, values):
                return self.values_answered(values, at=at, epoch=call.epoch)
            case (CreateRun() as call, created):
                return self.create_answered(call.token, created, at=at, epoch=call.epoch)
            case (SearchRuns() as call, found):
                return self.search_answered(call.token, found, at=at, epoch=call.epoch)
            case (LookUpRun() as call, told):
                return self.look_up_answered(told, at=at, epoch=call.epoch)
            case (CreateWorkload() | CancelRun() as call, refusal):
                return self.called(call.operation, at=at, refusal=refusal, epoch=call.epoch)
            case (DeleteRun(run_id=run_id, former=former, epoch=epoch), refusal):
                return self.delete_answered(run_id, refusal, former=former, at=at, epoch=epoch)
            case (ReadResults(), results):
                return self.results_answered(results, at=at)
            case (ListOutputs(), outputs):
                return self.outputs_answered(outputs, at=at)
            case (SearchLogs(), lines):
                return self.logs_answered(lines, at=at)
            case (ReadRunLogs(), output):
                return self.output_answered(output, at=at)
            case (ReadUtilisation(), used):
                return self.utilisation_answered(used, at=at)
            case _:
                assert_never(answer)

    def called(
        self, operation: Operation, *, at: datetime, refusal: Refusal | None = None, epoch: str = ""
    ) -> RunKnown:
        """Return the memory after a call of `operation`."""
        calls = noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        return replace(self, calls=calls)

    def finalizer_added(self) -> RunKnown:
        """Return the memory after this process set the finalizer, without which nothing is intended."""
        return replace(self, fresh=True)

    def status_written(
        self,
        former: OCIJobRunStatus,
        status: OCIJobRunStatus,
        *,
        at: datetime,
        created_at: datetime,
        token_lifetime: timedelta,
    ) -> RunKnown:
        """Return the memory after this process wrote a status over another.

        Args:
            former: the other one.
            status: what was written.
            at: when.
            created_at: metadata.creationTimestamp.
            token_lifetime: for how long OCI surely knows a token.
        """
        empty = self.found_empty or former.phase is None
        after = self
        if status.submit is None and former.submit is not None:
            after = self._without_intent(former, status)
        elif status.submit is not None and status.submit != former.submit:
            young = status.submit.started_at - created_at < token_lifetime
            after = self._with_intent(status.submit, follows=former.submit is not None, young=young)
        return replace(after, written_at=at, found_empty=empty)

    def _without_intent(self, former: OCIJobRunStatus, status: OCIJobRunStatus) -> RunKnown:
        """Return the memory after an intent was taken out of the status."""
        bound = former.job_run_id is not None or self.record is not None
        # What was seen live had no successor then, and what was given up unbound is nowhere.
        known = self.seen_live or not bound
        return replace(self, unlaunched=attempt_number(status) if known else None)

    def _with_intent(self, submit: RunSubmission, *, follows: bool, young: bool) -> RunKnown:
        """Return the memory after an intent was written.

        Args:
            submit: the intent.
            follows: whether another one was in the status, whose call is known to have made nothing.
            young: whether the object is younger than a token lives.
        """
        number = submit.attempt
        first = follows or self.unlaunched == number or (self.fresh and number == 0 and young)
        searches = 0 if first else 2 if self.intended_before else 1
        return replace(
            self,
            evidence=Evidence(token=submit.token, ours=True, searches=searches),
            fresh=False,
            unlaunched=None,
            intended_before=True,
        )

    def create_answered(
        self, token: str, answer: RunRecord | Refusal, *, at: datetime, epoch: str
    ) -> RunKnown:
        """Return the memory after a creation was answered, or was not."""
        refusal = answer if isinstance(answer, Refusal) else None
        evidence = self.evidence.of(token).create_answered(refusal, at=at, epoch=epoch)
        after = replace(self, evidence=evidence)
        return after if isinstance(answer, Refusal) else after.with_record(answer, at)

    def search_answered(
        self, token: str, answer: RunRecord | Refusal | None, *, at: datetime, epoch: str
    ) -> RunKnown:
        """Return the memory after a search by owner tag; None means that a complete one found nothing."""
        refusal = answer if isinstance(answer, Refusal) else None
        evidence = self.evidence.of(token).search_answered(
            refusal, found=answer is not None, at=at, epoch=epoch
        )
        after = replace(self, evidence=evidence)
        return after.with_record(answer, at) if isinstance(answer, RunRecord) else after

    def look_up_answered(
        self, answer: RunRecord | Absent | Refusal, *, at: datetime, epoch: str
    ) -> RunKnown:
        """Return the memory after OCI told of the run itself."""
        if isinstance(answer, Refusal):
            return self.called(Operation.LOOK_UP, at=at, refusal=answer, epoch=epoch)
        after = self.called(Operation.LOOK_UP, at=at, epoch=epoch)
        if isinstance(answer, Absent):
            return replace(after, absent_at=(*self.absent_at, at))
        lags = self.unlisted_at is not None and answer.state.active
        return replace(
            after.with_record(answer, at),
            unlisted_at=None,
            lagging=self.lagging + 1 if lags else 0,
            absent_at=(),
        )

    def listed(self, record: RunRecord, *, at: datetime) -> RunKnown:
        """Return the memory after a list had the run: what is older than known changes nothing."""
        return replace(
            self.with_record(record, at),
            unlisted_at=None,
            lagging=0,
            absent_at=(),
            poll_refusal=None,
        )

    def unlisted(self, *, at: datetime) -> RunKnown:
        """Return the memory after a complete poll did not list the run."""
        return replace(self, unlisted_at=self.unlisted_at or at, poll_refusal=None)

    def values_answered(self, answer: Values | Refusal, *, at: datetime, epoch: str) -> RunKnown:
        """Return the memory after Secrets and ConfigMaps were read; what must exist and does not is a refusal."""
        if isinstance(answer, Refusal):
            return self.called(Operation.READ_VALUES, at=at, refusal=answer, epoch=epoch)
        if answer.missing:
            message = "; ".join(answer.missing)
            refusal = Refusal(kind=RefusalKind.MISSING, message=message)
            return self.called(Operation.READ_VALUES, at=at, refusal=refusal, epoch=epoch)
        after = self.called(Operation.READ_VALUES, at=at, epoch=epoch)
        return replace(after, values=answer, values_at=at)

    def delete_answered(
        self, run_id: str, refusal: Refusal | None, *, former: bool, at: datetime, epoch: str
    ) -> RunKnown:
        """Return the memory after a record was deleted; one of a former attempt that OCI does not find is gone."""
        if not former:
            return self.called(Operation.DELETE, at=at, refusal=refusal, epoch=epoch)
        if refusal is not None and refusal.kind is not RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND:
            return self.called(Operation.DELETE_FORMER, at=at, refusal=refusal, epoch=epoch)
        after = self.called(Operation.DELETE_FORMER, at=at, epoch=epoch)
        return replace(after, discarded=self.discarded | {run_id})

    def results_answered(
        self, answer: Mapping[str, str] | Refusal | None, *, at: datetime
    ) -> RunKnown:
        """Return the memory after `results.json` was read; None means that there is none of this run."""
        if isinstance(answer, Refusal):
            return self.called(Operation.READ_RESULTS, at=at, refusal=answer)
        after = self.called(Operation.READ_RESULTS, at=at)
        # What the driver wrote is authoritative; lines of output only add to it.
        return replace(after, results={**(self.results or {}), **answer}) if answer else after

    def logs_answered(self, answer: LogLines | Refusal, *, at: datetime) -> RunKnown:
        """Return the memory after the log was searched."""
        if isinstance(answer, Refusal):
            return self.called(Operation.SEARCH_LOGS, at=at, refusal=answer)
        after = self.called(Operation.SEARCH_LOGS, at=at)
        found = last_results(answer.results)
        results = {**found, **(self.results or {})} if found or self.results else None
        return replace(after, tail=tuple(answer.tail) or self.tail, results=results)

    def output_answered(self, answer: RunOutput | Refusal, *, at: datetime) -> RunKnown:
        """Return the memory after Data Flow was asked for its logs of the run."""
        if isinstance(answer, Refusal):
            return self.logs_answered(answer, at=at)
        return replace(self.logs_answered(answer.lines, at=at), log_files=answer.files)

    def outputs_answered(self, answer: OutputList | Refusal, *, at: datetime) -> RunKnown:
        """Return the memory after the outputs were listed."""
        if isinstance(answer, Refusal):
            return self.called(Operation.LIST_OUTPUTS, at=at, refusal=answer)
        return replace(self.called(Operation.LIST_OUTPUTS, at=at), outputs=answer)

    def utilisation_answered(
        self, answer: RunMetrics | Refusal | None, *, at: datetime
    ) -> RunKnown:
        """Return the memory after Monitoring was asked; None means that it has nothing of this run."""
        if isinstance(answer, Refusal):
            return self.called(Operation.READ_UTILISATION, at=at, refusal=answer)
        return replace(self.called(Operation.READ_UTILISATION, at=at), utilisation=answer)

    def with_record(self, record: RunRecord, at: datetime) -> RunKnown:
        """Return the memory with what OCI told, unless it is older than what is known."""
        before = self.record
        ended_at = self.ended_at or (at if record.state.ended else None)
        if before is None:
            live = self.seen_live or record.state.active
            return replace(self, record=record, told_at=at, ended_at=ended_at, seen_live=live)
        if not before.superseded_by(record):
            return self
        return replace(
            self,
            ended_at=ended_at,
            told_at=self.told_at if before.state is record.state else at,
            record=_completed(record, before),
        )


def _completed(record: RunRecord, before: RunRecord) -> RunRecord:
    """Return a record with what an earlier one had and a list does not tell."""
    return replace(
        record,
        log=record.log or before.log,
        node_groups=record.node_groups or before.node_groups,
        totals=record.totals or before.totals,
        complete=record.complete or (before.complete and before.state is record.state),
    )


def last_attempt(status: OCIJobRunStatus) -> Attempt | None:
    """Return the attempt that was bound last."""
    return max(status.attempts, key=lambda attempt: attempt.number, default=None)


def attempt_number(status: OCIJobRunStatus) -> int:
    """Return the number of the attempt that is under way, or comes next."""
    if status.submit is not None:
        return status.submit.attempt
    last = last_attempt(status)
    if last is None:
        return 0
    # One that is not over, and whose intent is gone from the status, is under way all the same.
    return last.number + 1 if _over(last) else last.number


def _over(attempt: Attempt) -> bool:
    state = run_state_named(attempt.lifecycle_state)
    return attempt.completion_time is not None or state.ended or state is RunState.DELETED
