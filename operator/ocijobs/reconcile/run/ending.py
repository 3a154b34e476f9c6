"""The end of a run: what it leaves behind is collected, then phase, results and `Complete` come in one write.

Nothing waits for long: the last lines and the outputs are taken as they are found; declared results of a run that
has succeeded are awaited for `resultsWaitSeconds`, since logs arrive late.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.run.observed import OutputList, RunMetrics
from ocijobs.api.run.phase import Phase, StopReason
from ocijobs.api.run.status import OCIJobRunStatus, RunLogs, RunSubmission
from ocijobs.api.shared.conditions import Condition, ConditionStatus, ConditionType
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.decision import Decision, Note
from ocijobs.reconcile.output import RESULTS_LIMIT_BYTES, within_limit
from ocijobs.reconcile.run.collecting import (
    Read,
    declared,
    lacking,
    shown_tail,
    unanswered,
    wanted_reads,
)
from ocijobs.reconcile.run.failure_policy import Requeue, Retry, Terminal, attempts_after, evaluate
from ocijobs.reconcile.run.finalizing import finalize
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.status import reflect, suspended, write_status
from ocijobs.reconcile.text import shown

_URI_LIMIT_BYTES = 2048

AGAIN_SECONDS = 3.0
"""Pause between two looks for what has not come yet."""


def end(
    o: RunObservation, submit: RunSubmission, record: RunRecord, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Decide about a run that has ended in OCI and not yet in status."""
    if another_may_follow(o):
        return record_and_look_on(o, record, now)
    if o.run.metadata.deleting:
        return finalize(o, now)
    verdict = evaluate(o, record)
    if not isinstance(verdict, Terminal):
        return _go_on(o, record, verdict, now)
    caller = o.identity.caller(submit.region)
    deadline = _deadline(o, record, o.known.ended_at or now)
    if caller is None and record.state is RunState.SUCCEEDED and lacking(o) and now < deadline:
        # Credentials may come back while results are awaited.
        return Decision(status=_collecting(o, record, now), wake_at=deadline)
    wanted = wanted_reads(o, record, caller) if caller is not None else ()
    return _collect(o, record, verdict, wanted, deadline=deadline, now=now)


def _collect(
    o: RunObservation,
    record: RunRecord,
    verdict: Terminal,
    wanted: tuple[Read, ...],
    *,
    deadline: datetime,
    now: datetime,
) -> Decision[OCIJobRunStatus]:
    """Read what is wanted, at first once, and what did not come again until the deadline; then write the end."""
    first = tuple(action for action in wanted if action.operation not in o.known.calls)
    if first:
        return Decision(status=o.run.status, actions=first)
    open_ = tuple(action for action in wanted if unanswered(o, record, action))
    if not open_ or now >= deadline:
        return Decision(status=_ended(o, record, verdict, now), notes=_notes(o))
    again_at = max(o.known.calls[action.operation].at for action in open_) + timedelta(
        seconds=AGAIN_SECONDS
    )
    status = _collecting(o, record, now)
    if now < again_at:
        return Decision(status=status, wake_at=min(again_at, deadline))
    return Decision(status=status, actions=open_)


def _deadline(o: RunObservation, record: RunRecord, ended_at: datetime) -> datetime:
    """Return until when something is awaited: a run that ended long ago is looked at once."""
    wait = timedelta(seconds=o.settings.results_wait_seconds)
    return min(ended_at + wait, max(ended_at, (record.finished_at or ended_at) + wait))


def _collecting(o: RunObservation, record: RunRecord, now: datetime) -> OCIJobRunStatus:
    cancelling = o.run.status.phase is Phase.CANCELLING
    return write_status(
        o,
        now,
        phase=Phase.CANCELLING if cancelling else Phase.RUNNING,
        reason=Reason.COLLECTING_RESULTS,
        message="the run has ended in OCI; its results and last lines are awaited",
        **reflect(o, record),
    )


def _go_on(
    o: RunObservation, record: RunRecord, verdict: Retry | Requeue, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Let another attempt follow, at once or when the run is resumed."""
    recorded = o.run.status.changed(**reflect(o, record))
    ended = recorded.completion_time or now
    *former, last = sorted(recorded.attempts, key=lambda attempt: attempt.number)
    attempts = (*former, last.model_copy(update={"completion_time": ended}))
    recorded = recorded.changed(attempts=attempts)
    changes = attempts_after(recorded, verdict)
    if isinstance(verdict, Requeue) and o.run.spec.suspend:
        return Decision(status=suspended(o, now, **changes))
    if isinstance(verdict, Requeue):
        evicted = o.run.status.stopping is StopReason.EVICTED
        message = "queued again" if evicted else "resumed"
        status = write_status(
            o, now, phase=Phase.PENDING, reason=Reason.PENDING, message=message, **changes
        )
        return Decision(status=status)
    number = last.number + 1
    message = f"attempt {number} ended as {verdict.reason}, another follows: {verdict.message}"
    status = write_status(
        o, now, phase=Phase.PENDING, reason=Reason.RETRYING, message=message, **changes
    )
    return Decision(status=status)


def _ended(
    o: RunObservation, record: RunRecord, verdict: Terminal, now: datetime
) -> OCIJobRunStatus:
    phase, reason, message = verdict.phase, verdict.reason, verdict.message
    changes = reflect(o, record)
    logs: RunLogs | None = changes["logs"]
    lines = shown_tail(o)
    if logs is not None and lines is not None:
        logs = logs.model_copy(update={"tail": lines})
    if logs is not None:
        changes["logs"] = logs.model_copy(update={"files": o.known.log_files})
    return write_status(
        o,
        now,
        phase=phase,
        reason=reason,
        message=message,
        also=_results_ready(o, now),
        **changes
        | {
            "completion_time": changes["completion_time"] or now,
            "failed": verdict.failed or None,
            "results": _results(o),
            "outputs": _outputs(o),
            "metrics": _totals(record),
        },
    )


def _totals(record: RunRecord) -> RunMetrics | None:
    """Return what Data Flow counts of the run; what Monitoring has of others comes later."""
    totals = record.totals
    if totals is None:
        return None
    return RunMetrics(
        total_ocpu=totals.ocpus,
        data_read_in_bytes=totals.read_bytes,
        data_written_in_bytes=totals.written_bytes,
        run_duration_in_milliseconds=totals.milliseconds,
    )


def _results(o: RunObservation) -> dict[str, str] | None:
    found = {
        name: shown(value, o.secrets, most_bytes=RESULTS_LIMIT_BYTES)
        for name, value in (o.known.results or {}).items()
        if name in declared(o)
    }
    return found if found and within_limit(found) else None


def _outputs(o: RunObservation) -> OutputList | None:
    found = o.known.outputs
    if found is None:
        return None
    objects = tuple(shown(uri, o.secrets, most_bytes=_URI_LIMIT_BYTES) for uri in found.objects)
    return found.model_copy(update={"objects": objects})


def _results_ready(o: RunObservation, now: datetime) -> tuple[Condition, ...]:
    names = declared(o)
    if not names:
        return ()
    missing = tuple(name for name in names if name not in (_results(o) or {}))
    return (
        Condition(
            type=ConditionType.RESULTS_READY,
            status=ConditionStatus.FALSE if missing else ConditionStatus.TRUE,
            reason=Reason.RESULT_MISSING if missing else Reason.RESULTS_COLLECTED,
            message=(
                f"declared in spec.results of the OCIJob, and not reported: {', '.join(missing)}"
                if missing
                else f"reported: {', '.join(names)}"
            ),
            observed_generation=o.run.metadata.generation,
            last_transition_time=now,
        ),
    )


def _notes(o: RunObservation) -> tuple[Note, ...]:
    told = (
        (Operation.SEARCH_LOGS, Reason.LOGS_UNAVAILABLE, "the run's log can't be read"),
        (Operation.LIST_OUTPUTS, Reason.OUTPUTS_UNAVAILABLE, "the run's outputs can't be listed"),
    )
    notes = []
    for operation, reason, what in told:
        call = o.known.calls.get(operation)
        if call is not None and call.refusal is not None:
            message = f"{what}: {call.refusal.message}"
            notes.append(Note(reason=reason, message=message))
    return tuple(notes)


def another_may_follow(o: RunObservation) -> bool:
    """Whether an attempt that has ended was found where the status was wiped: the next one may be there, too."""
    known = o.known
    searched = known.evidence.searches > 0
    return not o.wanted and known.found_empty and searched and not known.seen_live


def record_and_look_on(
    o: RunObservation, record: RunRecord, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Write an attempt down that has ended, so that the next one is looked for."""
    recorded = o.run.status.changed(**reflect(o, record))
    status = write_status(
        o,
        now,
        phase=Phase.PENDING,
        reason=Reason.SEARCHING,
        message="an attempt was found that has ended; whether another one followed is looked up",
        **attempts_after(recorded, Requeue()),
    )
    return Decision(status=status)
