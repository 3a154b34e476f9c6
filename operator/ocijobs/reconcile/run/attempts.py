"""Attempts of a run: each is a job run of its own in OCI, numbered from 0."""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.run.status import Attempt, OCIJobRunStatus
from ocijobs.backends.records import RunState, run_state_named
from ocijobs.reconcile.pacing import fraction
from ocijobs.settings import Settings


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


def retry_at(status: OCIJobRunStatus, uid: str, settings: Settings) -> datetime | None:
    """Return when the next attempt may be launched; None means at once.

    The pause after the n-th failure is 10 s times 2 to the power of n - 1, at most 6 minutes, as batch/v1's Job has it,
    jittered; one that the failure policy ignores is followed by a pause as well. An attempt that was suspended is not.
    """
    last = last_attempt(status)
    if last is None or status.submit is not None or last.reason is None:
        return None
    if last.completion_time is None:
        return None
    failures = sum(attempt.reason is not None for attempt in status.attempts)
    least, most = settings.retry_pause_min_seconds, settings.retry_pause_max_seconds
    pause = min(most, least * 2 ** (failures - 1))
    jittered = pause * (0.8 + 0.2 * fraction(uid, last.number))
    return last.completion_time + timedelta(seconds=jittered)
