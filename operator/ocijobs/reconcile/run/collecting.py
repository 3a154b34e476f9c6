"""What a run may have left behind, and the reads that bring it: results, outputs, what it printed, and what it used.

Late looks come after the end: the log is read once more, since lines arrive late, and Monitoring is asked. Each has its
time after the end, and is not made when as much time again has passed: a finished run costs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.environment import EnvVar
from ocijobs.backends.environment import expand, merge, references
from ocijobs.backends.records import LogAddress, RefusalKind, RunRecord, RunState
from ocijobs.backends.registry import backend_of
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Call, Caller, Operation
from ocijobs.reconcile.actions.runs import (
    ListOutputs,
    ReadResults,
    ReadRunLogs,
    ReadUtilisation,
    ReadValues,
    SearchLogs,
)
from ocijobs.reconcile.blocking import earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.output import tail
from ocijobs.reconcile.run.observation import RunObservation

_PASSING = frozenset({RefusalKind.UNAVAILABLE, RefusalKind.THROTTLED, RefusalKind.INTERNAL})


Read = ReadValues | ReadResults | ListOutputs | SearchLogs | ReadRunLogs
"""What brings something that a run has left behind, or masks it."""


def wanted_reads(o: RunObservation, record: RunRecord, caller: Caller) -> tuple[Read, ...]:
    """Return the reads of all that this run may have left behind."""
    actions: list[Read] = []
    uri = outputs_uri(o, record.id)
    if uri is not None:
        if declared(o):
            actions.append(ReadResults(caller=caller, run_id=record.id, outputs_uri=uri))
        actions.append(ListOutputs(caller=caller, outputs_uri=uri))
    if (reads := _log_read(o, record, caller)) is not None:
        actions.append(reads)
    keys = references(merge(_bound_variables(o), o.run.spec.env))
    if actions and o.known.values is None and keys:
        # Secrets are masked in all of it.
        actions.insert(0, ReadValues(keys=keys, epoch=o.epoch))
    return tuple(actions)


def _log_read(
    o: RunObservation, record: RunRecord, caller: Caller
) -> SearchLogs | ReadRunLogs | None:
    """Return the read of what the run printed; None where that is not kept."""
    if backend_of(record.id).keeps_logs:
        return ReadRunLogs(caller=caller, run_id=record.id, results=bool(declared(o)))
    return search_logs(o, record, caller) if record.log is not None else None


def _bound_variables(o: RunObservation) -> tuple[EnvVar, ...]:
    """Return the job's variables, as the run was launched with them."""
    binding = o.run.status.binding
    if binding is not None and binding.template is not None:
        return binding.template.env
    return o.job.spec.env if o.job is not None else ()


def search_logs(o: RunObservation, record: RunRecord, caller: Caller) -> SearchLogs:
    """Return the search for the run's last lines, and for its result lines where some are declared."""
    if record.log is None:
        raise AssertionError  # pragma: no cover - callers ask for runs with a log
    return SearchLogs(
        caller=caller,
        compartment_id=record.compartment_id,
        run_id=record.id,
        log=record.log,
        since=record.accepted_at or o.run.metadata.creation_timestamp,
        until=record.finished_at,
        results=bool(declared(o)),
    )


def outputs_uri(o: RunObservation, run_id: str) -> str | None:
    """Return where the run's outputs are."""
    binding = o.run.status.binding
    if binding is None or binding.outputs_uri is None:
        return None
    return expand(binding.outputs_uri, {"JOB_RUN_OCID": run_id})


def declared(o: RunObservation) -> tuple[str, ...]:
    """Return the names of the results that the run is to report."""
    binding = o.run.status.binding
    return (binding.results or ()) if binding is not None else ()


def lacking(o: RunObservation) -> tuple[str, ...]:
    """Return those that have not been found yet."""
    found = o.known.results or {}
    return tuple(name for name in declared(o) if name not in found)


def unanswered(o: RunObservation, record: RunRecord, action: Read) -> bool:
    """Whether it is worth waiting for another answer to this read."""
    refusal = o.known.calls[action.operation].refusal
    if refusal is not None and refusal.kind in _PASSING:
        return True
    unread = isinstance(action, ReadRunLogs) and refusal is None and not o.known.log_files
    if unread and _began(record):
        return True
    reads = isinstance(action, ReadResults | SearchLogs | ReadRunLogs)
    return reads and record.state is RunState.SUCCEEDED and bool(lacking(o))


def _began(record: RunRecord) -> bool:
    """Whether a run has got as far as to have logs that its service keeps."""
    return record.totals is not None and bool(record.totals.milliseconds)


def shown_tail(o: RunObservation) -> tuple[str, ...] | None:
    """Return the last lines for the status, or None where secrets in them could not be masked."""
    lines = o.known.tail
    if lines is None or not _secrets_known(o):
        return None
    return tail(lines, o.secrets)


def _secrets_known(o: RunObservation) -> bool:
    """Whether every Secret is known as the run was launched with it: a changed one has another value."""
    binding, values = o.run.status.binding, o.known.values
    bound = binding.values if binding is not None else ()
    read = values.objects if values is not None else ()
    return all(item in read for item in bound if item.kind == "Secret")


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
