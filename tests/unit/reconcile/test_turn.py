"""Waiting for a turn to call OCI, as a status tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.reconcile.simulation.laws import conditions_are_the_tables

from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Turn
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.blocking import describe
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.standing import JOB_STANDINGS, RUN_STANDINGS
from ocijobs.reconcile.turn import await_turn
from ocijobs.testing import DEFAULT_SETTINGS, START, make_ready_job

LATER = START + timedelta(seconds=45)


def awaited(status: Any, turn: Turn, **changes: Any) -> Decision[Any]:
    decision: Decision[Any] = Decision(status=status, **changes)
    return await_turn(decision, turn, generation=3, now=START)


@pytest.mark.parametrize("throttled", [True, False])
@pytest.mark.parametrize("phase", [None, Phase.PENDING, Phase.CANCELLING])
def test_a_run_that_waits_says_until_when(phase: Phase | None, *, throttled: bool) -> None:
    told = awaited(OCIJobRunStatus(phase=phase), Turn(at=LATER, throttled=throttled))
    ready = find(told.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.observed_generation) == (Reason.THROTTLED, 3)
    assert "2026-01-01T12:00:45Z" in ready.message
    assert ("429" in ready.message) is throttled
    assert told.status.phase is (phase or Phase.PENDING)
    conditions_are_the_tables(told.status.conditions, RUN_STANDINGS[told.status.phase])
    # The line wakes it; the time is for the status to be set right.
    assert told.wake_at == LATER + timedelta(seconds=1)


def test_a_job_that_waits_says_so_unless_it_is_ready() -> None:
    turn = Turn(at=LATER, throttled=True)
    told = awaited(OCIJobStatus(), turn)
    conditions_are_the_tables(told.status.conditions, JOB_STANDINGS)
    ready = make_ready_job().status
    assert awaited(ready, turn).status == ready


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.ACCEPTED, Phase.SUCCEEDED, Phase.SUSPENDED])
def test_a_run_that_others_follow_says_what_it_said(phase: Phase) -> None:
    status = OCIJobRunStatus(phase=phase)
    assert awaited(status, Turn(at=LATER, throttled=True)).status == status


def test_what_is_over_in_a_moment_is_not_told() -> None:
    status = OCIJobRunStatus()
    soon = Turn(at=START + timedelta(seconds=4), throttled=False)
    assert awaited(status, soon).status == status


def test_an_earlier_time_stands() -> None:
    wake_at = START + timedelta(seconds=20)
    assert awaited(OCIJobRunStatus(), Turn(at=LATER, throttled=True), wake_at=wake_at).wake_at == (
        wake_at
    )
    passed = Turn(at=START - timedelta(seconds=9), throttled=True)
    assert awaited(OCIJobRunStatus(), passed).wake_at == START + timedelta(seconds=1)


@pytest.mark.parametrize(("wait", "due"), [(45, 45), (0, 1)])
def test_a_call_that_oci_throttles_is_made_again_at_the_time_that_it_gives(
    wait: int, due: int
) -> None:
    until = START + timedelta(seconds=wait)
    refusal = Refusal(kind=RefusalKind.THROTTLED, message="429", until=until)
    call = Call(at=START, tries=9, refusal=refusal, epoch="1")
    again = due_at(call, epoch="1", seed="uid", settings=DEFAULT_SETTINGS)
    assert again == START + timedelta(seconds=due)
    assert (
        describe("creating", refusal) == f"creating: 429; OCI takes calls again at {until:%FT%TZ}"
    )
    # The same refusal at another time is no news.
    assert refusal == Refusal(kind=RefusalKind.THROTTLED, message="429")
