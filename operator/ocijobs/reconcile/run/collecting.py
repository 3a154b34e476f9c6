"""What a run may have left behind, and the reads that bring it: results, outputs, and what it printed."""

from __future__ import annotations

from ocijobs.api.shared.environment import EnvVar
from ocijobs.backends.environment import expand, merge, references
from ocijobs.backends.records import RefusalKind, RunRecord, RunState
from ocijobs.backends.registry import backend_of
from ocijobs.reconcile.actions.calls import Caller
from ocijobs.reconcile.actions.runs import (
    ListOutputs,
    ReadResults,
    ReadRunLogs,
    ReadValues,
    SearchLogs,
)
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
