"""A failure, told on each kind in each phase, and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.reconcile.simulation.laws import conditions_are_the_tables

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.failure import (
    Failure,
    change_refused,
    cleared,
    failed_status,
    unforeseen,
)
from ocijobs.reconcile.standing import JOB_STANDINGS, RUN_STANDINGS, SWEEP_STANDINGS, Standing
from ocijobs.testing import START

STATUSES: list[tuple[Any, tuple[Standing, ...]]] = [
    (OCIJobRunStatus(), RUN_STANDINGS[Phase.PENDING]),
    *((OCIJobRunStatus(phase=phase), RUN_STANDINGS[phase]) for phase in Phase),
    (OCIJobSweepStatus(), SWEEP_STANDINGS[SweepPhase.PENDING]),
    *((OCIJobSweepStatus(phase=phase), SWEEP_STANDINGS[phase]) for phase in SweepPhase),
    (OCIJobStatus(), JOB_STANDINGS),
    (OCIJobScheduleStatus(), JOB_STANDINGS),
    (OCIIdentityStatus(), JOB_STANDINGS),
]


FAILURES = [
    (unforeseen("KeyError"), Reason.INTERNAL_ERROR, "KeyError"),
    (
        change_refused(403, "Forbidden", "no \u202e\x1b[1m" + 9999 * "é"),
        Reason.CHANGE_REFUSED,
        "403 F",
    ),
]


def failed(status: Any, failure: Failure, failures: int) -> Any:
    return failed_status(
        status,
        failure,
        failures=failures,
        retry_at=START + timedelta(seconds=7),
        generation=3,
        now=START,
    )


@pytest.mark.parametrize("case", FAILURES, ids=["unforeseen", "refused"])
@pytest.mark.parametrize("failures", [1, 9])
@pytest.mark.parametrize(("status", "standings"), STATUSES)
def test_an_error_is_told_as_a_row_of_the_table_unless_the_object_has_ended(
    status: Any,
    standings: tuple[Standing, ...],
    failures: int,
    case: tuple[Failure, Reason, str],
) -> None:
    failure, reason, word = case
    told = failed(status, failure, failures)
    phase = getattr(status, "phase", None)
    if phase is not None and phase.terminal:
        assert told is None
        return
    shown = conditions_are_the_tables(told.conditions, standings)
    assert not shown[ConditionType.READY]
    assert shown[ConditionType.STALLED] is (
        Standing.STALLED in standings and (failures > 5 or standings[0] is Standing.STALLED)
    )
    ready = find(told.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.observed_generation, told.observed_generation) == (
        reason,
        3,
        3,
    )
    for part in (word, f"attempt {failures};", "2026-01-01T12:00:07Z"):
        assert part in ready.message
    assert "\u202e" not in ready.message
    assert len(ready.message.encode()) < 3000
    after = cleared(told)
    ready = find(after.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.reason == Reason.PENDING
    assert {one.status for one in after.conditions} == {one.status for one in told.conditions}


def test_what_tells_of_no_error_is_decided_on_as_it_is() -> None:
    status = OCIJobStatus()
    assert cleared(status) is status
