"""What the end of an attempt means for the run: its end, another attempt, or waiting while it is suspended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ocijobs.api.run.failure_policy import ExitCodeOperator, FailureAction, FailureRule
from ocijobs.api.run.phase import Phase, StopReason
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobRunStatusChanges
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.backends.registry import backend_of
from ocijobs.reconcile.failure_rules import _pattern
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.status import exit_code

_STOPPED = {
    StopReason.DEADLINE_EXCEEDED: (
        Reason.DEADLINE_EXCEEDED,
        "the run took longer than spec.activeDeadlineSeconds",
    ),
    StopReason.PRE_RUNNING_DEADLINE_EXCEEDED: (
        Reason.PRE_RUNNING_DEADLINE_EXCEEDED,
        "the machine was not there within spec.preRunningDeadlineSeconds",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """The run has ended."""

    phase: Phase
    reason: Reason
    message: str
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Another attempt follows; `failed` is how many count against the limit then."""

    reason: Reason
    message: str
    failed: int


@dataclass(frozen=True, slots=True)
class Requeue:
    """The attempt was cancelled because the run is suspended, or evicted from its queue; it does not count."""


def evaluate(o: RunObservation, record: RunRecord) -> Terminal | Retry | Requeue:
    """Return what the end of the attempt means."""
    status, spec = o.run.status, o.run.spec
    failed = status.failed or 0
    if record.state is RunState.SUCCEEDED:
        return Terminal(
            phase=Phase.SUCCEEDED,
            reason=Reason.SUCCEEDED,
            message=backend_of(record.id).ended_well,
            failed=failed,
        )
    if record.state is RunState.STOPPED and o.goes_on and not ended_by_us(o):
        return Terminal(
            phase=Phase.SUCCEEDED,
            reason=Reason.STOPPED,
            message="the run, which has no end of its own, was stopped in OCI",
            failed=failed,
        )
    failure = _failure(o, record)
    if failure is not None:
        return _after_failure(o, Reason.RUN_FAILED, failure, record)
    if spec.cancel or status.stopping is None:
        by = "spec.cancel" if spec.cancel else "somebody in OCI"
        return Terminal(
            phase=Phase.CANCELLED,
            reason=Reason.CANCELLED,
            message=f"cancelled by {by}",
            failed=failed,
        )
    if status.stopping in {StopReason.SUSPENDED, StopReason.EVICTED}:
        return Requeue()
    reason, message = _STOPPED[status.stopping]
    if status.stopping is StopReason.PRE_RUNNING_DEADLINE_EXCEEDED:
        return _after_failure(o, reason, message, record)
    return Terminal(phase=Phase.FAILED, reason=reason, message=message, failed=failed)


def _failure(o: RunObservation, record: RunRecord) -> str | None:
    """Return why the attempt has failed; None if it was cancelled.

    OCI does not document by which state it ends a run that takes longer than it may: by any but FAILED, nobody has
    cancelled it all the same.
    """
    if record.state is RunState.FAILED:
        return o.shown(record.details).strip() or "OCI says only that the run has failed"
    minutes = _minutes_given(o)
    if minutes is None or ended_by_us(o) or record.started_at is None or record.finished_at is None:
        return None
    if record.finished_at - record.started_at < timedelta(minutes=minutes):
        return None
    return f"OCI ended the run after {minutes} minutes, its maximumRuntimeInMinutes"


def _minutes_given(o: RunObservation) -> int | None:
    """Return how long OCI lets the attempt run, as far as that is said here."""
    binding = o.run.status.binding
    template = binding.template if binding is not None else None
    of_job = template.maximum_runtime_in_minutes if template is not None else None
    return o.run.spec.maximum_runtime_in_minutes or of_job


def _after_failure(
    o: RunObservation, reason: Reason, message: str, record: RunRecord
) -> Terminal | Retry:
    """Return whether a failed attempt is followed by another one."""
    spec, failed = o.run.spec, _failed_before(o, record)
    action = _action(spec, record)
    if action is FailureAction.FAIL or not o.wanted:
        return Terminal(phase=Phase.FAILED, reason=reason, message=message, failed=failed + 1)
    if action is FailureAction.IGNORE:
        return Retry(reason=reason, message=message, failed=failed)
    if failed < spec.backoff_limit:
        return Retry(reason=reason, message=message, failed=failed + 1)
    if spec.backoff_limit:
        message = f"{failed + 1} attempts have failed, the last: {message}"
        reason = Reason.BACKOFF_LIMIT_EXCEEDED
    return Terminal(phase=Phase.FAILED, reason=reason, message=message, failed=failed + 1)


def ended_by_us(o: RunObservation) -> bool:
    """Whether the end of the attempt was asked for here."""
    return o.run.spec.cancel or o.run.metadata.deleting or o.run.status.stopping is not None


def _failed_before(o: RunObservation, record: RunRecord) -> int:
    """Return how many failures count before this one: a stream that was well for long begins anew.

    So do containers of a Pod, whose back-off is reset after ten minutes.
    """
    # What OCI tells is by one clock; what was seen here first is by another, and later.
    began = record.started_at or o.run.status.start_time
    if not o.goes_on or began is None or record.finished_at is None:
        return o.run.status.failed or 0
    healthy = (record.finished_at - began).total_seconds() >= o.settings.stream_healthy_seconds
    return 0 if healthy else o.run.status.failed or 0


def _action(spec: RunSettings, record: RunRecord) -> FailureAction:
    rules = spec.failure_policy.rules if spec.failure_policy is not None else ()
    return next((rule.action for rule in rules if _matches(rule, record)), FailureAction.RETRY)


def _matches(rule: FailureRule, record: RunRecord) -> bool:
    if rule.on_exit_codes is not None:
        code = exit_code(record)
        listed = code in rule.on_exit_codes.values
        wanted = rule.on_exit_codes.operator is ExitCodeOperator.IN
        return code is not None and listed is wanted
    if rule.on_lifecycle_details is None:
        return False
    pattern = _pattern(rule.on_lifecycle_details.pattern)
    return not isinstance(pattern, str) and pattern.search(record.details) is not None


def attempts_after(status: OCIJobRunStatus, verdict: Retry | Requeue) -> JobRunStatusChanges:
    """Return what becomes of a status whose attempt is over, and that another one may follow."""
    reason = verdict.reason if isinstance(verdict, Retry) else None
    message = verdict.message if isinstance(verdict, Retry) else None
    *former, last = sorted(status.attempts, key=lambda attempt: attempt.number)
    update = {"reason": reason, "message": message}
    return {
        "attempts": (*former, last.model_copy(update=update)),
        "attempt_count": status.attempt_count,
        "failed": (verdict.failed if isinstance(verdict, Retry) else status.failed) or None,
        "launch_time": status.launch_time if isinstance(verdict, Retry) else None,
        "stopping": None,
        "workload": None,
        "submit": None,
        "job_run_id": None,
        "lifecycle_state": None,
        "lifecycle_details": None,
        "exit_code": None,
        "accepted_time": None,
        "start_time": None,
        "completion_time": None,
        "console_url": None,
        "logs": None,
        "commit": None,
        "node_groups": (),
    }
