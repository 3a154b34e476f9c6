"""What is looked at once more after the end: the log, whose lines arrive late, and what the run used of its machines.

Each look has its time after the end, and is not made when as much time again has passed: a finished run costs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.backends.records import LogAddress, RunRecord, RunState
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Call, Caller, Operation
from ocijobs.reconcile.actions.runs import ReadUtilisation
from ocijobs.reconcile.blocking import earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.run.collecting import search_logs
from ocijobs.reconcile.run.ending import shown_tail
from ocijobs.reconcile.run.observation import RunObservation

_UTILISATION_LOOKS = 3
"""How often Monitoring is asked that has nothing of a run yet."""


def look_again(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Decide about a run that has ended, and of which something may still come."""
    status = o.run.status
    submit, ended = status.submit, status.completion_time
    caller = o.identity.caller(submit.region) if submit is not None else None
    nothing: Decision[OCIJobRunStatus] = Decision(status=status)
    if o.backend is None or caller is None or ended is None:
        return nothing
    # Logs that a service keeps itself are whole when the run ends.
    lines = nothing if o.backend.keeps_logs else _last_lines(o, caller, ended, now)
    used = _utilisation(o, caller, ended, now) if o.backend.measured else nothing
    return replace(
        lines,
        status=lines.status.changed(metrics=used.status.metrics),
        actions=(*lines.actions, *used.actions),
        wake_at=earliest(lines.wake_at, used.wake_at),
    )


def _last_lines(
    o: RunObservation, caller: Caller, ended: datetime, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Read the log once more when it has settled: the traceback comes last of all."""
    status, logs = o.run.status, o.run.status.logs
    settle = timedelta(seconds=o.settings.log_settle_seconds)
    if (
        logs is None
        or logs.log_id is None
        or logs.log_group_id is None
        or now >= ended + 2 * settle
    ):
        return Decision(status=status)
    if now < ended + settle:
        return Decision(status=status, wake_at=ended + settle)
    looked = o.known.calls.get(Operation.SEARCH_LOGS)
    if looked is None or looked.at < ended + settle:
        log = LogAddress(log_group_id=logs.log_group_id, log_id=logs.log_id)
        return _ask(status, search_logs(o, _record(o, log), caller))
    lines = shown_tail(o)
    if not lines or lines == logs.tail:
        return Decision(status=status)
    return Decision(status=status.changed(logs=logs.model_copy(update={"tail": lines})))


def _record(o: RunObservation, log: LogAddress) -> RunRecord:
    status, submit = o.run.status, o.run.status.submit
    return RunRecord(
        id=status.job_run_id or "",
        job_id=submit.job_id if submit is not None else "",
        compartment_id=submit.compartment_id if submit is not None else "",
        state=RunState.UNKNOWN,
        accepted_at=status.accepted_time,
        finished_at=status.completion_time,
        log=log,
    )


def _utilisation_due(call: Call | None, ended: datetime, settle: timedelta) -> datetime:
    """Return when Monitoring is to be asked, or asked again."""
    due = ended + settle
    if call is None or call.at < due:
        return due
    return call.at + settle / _UTILISATION_LOOKS


def _utilisation(
    o: RunObservation, caller: Caller, ended: datetime, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Read what the last attempt used, once Monitoring has it. Where that is refused, it is not told."""
    status, submit = o.run.status, o.run.status.submit
    settle = timedelta(seconds=o.settings.utilisation_settle_seconds)
    began, run_id = status.start_time, status.job_run_id
    if submit is None or run_id is None or began is None or status.metrics is not None:
        return Decision(status=status)
    if o.known.utilisation is not None:
        return Decision(status=status.changed(metrics=o.known.utilisation))
    call = o.known.calls.get(Operation.READ_UTILISATION)
    if now >= ended + 2 * settle or (call is not None and call.refusal is not None):
        return Decision(status=status)
    due = _utilisation_due(call, ended, settle)
    if now < due:
        return Decision(status=status, wake_at=due)
    read = ReadUtilisation(
        caller=caller,
        compartment_id=submit.compartment_id,
        run_id=run_id,
        start=began,
        end=ended,
    )
    return _ask(status, read)


def _ask(status: OCIJobRunStatus, action: Action) -> Decision[OCIJobRunStatus]:
    return Decision(status=status, actions=(action,))
