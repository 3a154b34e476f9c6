"""Histories of runs that once broke a law: what was wrong is in the log of the commit that added the row."""

from __future__ import annotations

import pytest
from tests.unit.reconcile.simulation.commands import Crash, Jump, Live, Outage, Sleep, Steps, Strike
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, Do, Progress
from tests.unit.reconcile.simulation.run_scenario import run_history
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.backends.records import RunState
from ocijobs.reconcile.actions.calls import Operation

HISTORIES: dict[str, tuple[Circumstances, list[Command]]] = {
    "a Secret that was changed after the launch does not unmask the value that the run had": (
        Circumstances(secret=True),
        [Live(3), Crash(), Do.CHANGE_SECRET],
    ),
    "a second cancellation that OCI refuses does not show the run as going on": (
        Circumstances(),
        [Live(3), Do.CANCEL, Steps(2), Sleep(200)],
    ),
    "a restart while OCI is ending a run does not show the run as going on": (
        Circumstances(lag=20),
        [Live(3), Live(30), Do.CANCEL, Live(0), Crash(), Live(3)],
    ),
    "a launch that was given up with its job, and made anew with another, has a token of its own": (
        Circumstances(),
        [Strike(Operation.CREATE, Mishap.THROTTLED), Live(3), Do.DELETE_JOB, Live(3)],
    ),
    "a list that lags behind the status of a former process takes nothing back": (
        Circumstances(lag=20),
        [Live(3), Live(30), Do.CANCEL, Live(3), Crash(), Live(3), Crash()],
    ),
    "a run that only lists tell of is not looked up again and again": (
        Circumstances(),
        [
            Live(3),
            Progress(RunState.IN_PROGRESS),
            Outage(Operation.LOOK_UP, Mishap.NOT_FOUND),
            Live(3),
        ],
    ),
    "a cancelled run whose outputs can't be listed at once is shown as cancelling all the while": (
        Circumstances(outputs=True),
        [
            Live(3),
            Do.CANCEL,
            Strike(Operation.LIST_OUTPUTS, Mishap.DROPPED),
            Live(3),
            Progress(RunState.FAILED),
            Live(3),
        ],
    ),
    "the last look at the log, which OCI does not answer, is not repeated": (
        Circumstances(),
        [
            Live(3),
            Progress(RunState.SUCCEEDED),
            Live(3),
            Live(3),
            Outage(Operation.SEARCH_LOGS, Mishap.LOST),
            Live(60),
            Live(3),
            Live(3),
        ],
    ),
    "the deletion of a record, whose answer is lost, is found to be done": (
        Circumstances(delete_record=True),
        [
            Live(3),
            Progress(RunState.SUCCEEDED),
            Do.DELETE,
            Strike(Operation.DELETE, Mishap.DROPPED),
            Live(3),
        ],
    ),
    "two searches that a clock set ahead puts an hour apart prove nothing": (
        Circumstances(deadline=100),
        [
            Crash(300),
            Strike(Operation.CREATE, Mishap.LATE),
            Strike(Operation.CREATE, Mishap.NOT_FOUND),
            Live(3),
            Jump(3600),
        ],
    ),
    "a run that only lists tell of ends all the same": (
        Circumstances(),
        [
            Live(3),
            Outage(Operation.LOOK_UP, Mishap.NOT_FOUND),
            Progress(RunState.FAILED),
            Live(3),
            Live(3),
            Live(200),
        ],
    ),
    "results of a run that took no time, and whose logs are late, are awaited": (
        Circumstances(spark=True, results=True, log_lag=10),
        [Live(3), Progress(RunState.SUCCEEDED)],
    ),
}


@pytest.mark.parametrize(("circumstances", "history"), HISTORIES.values(), ids=HISTORIES.keys())
def test_every_law_is_kept_although(circumstances: Circumstances, history: list[Command]) -> None:
    run_history(circumstances, history)
