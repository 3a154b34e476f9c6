"""Runs that are stopped, deleted or left without what they need, at each point of their lives."""

from __future__ import annotations

import pytest
from tests.unit.reconcile.simulation.commands import Live, Outage
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, Do, Progress
from tests.unit.reconcile.simulation.run_scenario import run_history
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.backends.records import RunState
from ocijobs.reconcile.actions.calls import Operation

POINTS: dict[str, list[Command]] = {
    "before its launch": [],
    "while it is launched": [Outage(Operation.CREATE, Mishap.THROTTLED), Live(3)],
    "while nobody knows whether it is": [Outage(Operation.CREATE, Mishap.DROPPED), Live(3)],
    "while it runs": [Live(3), Progress(RunState.IN_PROGRESS), Live(3)],
    "when it has ended in OCI": [Live(3), Progress(RunState.FAILED)],
    "when it has ended": [Live(3), Progress(RunState.SUCCEEDED), *([Live(60)] * 3)],
}
DEEDS: dict[str, list[Command]] = {
    "it is cancelled": [Do.CANCEL],
    "it is suspended": [Do.SUSPEND, Live(60), Do.UNSUSPEND],
    "it is paused": [Do.PAUSE],
    "its record is to go with it": [Do.DELETE_RECORD, Live(60), Do.DELETE],
    "it is deleted": [Do.DELETE],
    "it is deleted and abandoned": [Do.DELETE, Do.ABANDON],
    "it is deleted without credentials": [
        Do.DELETE_RECORD,
        Live(60),
        Do.LOSE_CREDENTIALS,
        Do.DELETE,
    ],
    "the credentials go": [Do.LOSE_CREDENTIALS],
    "the credentials are refused": [Do.REFUSE_CREDENTIALS],
    "others delete it": [Do.TAKE_AWAY, Do.POLL],
    "the record can't be deleted": [
        Do.DELETE_RECORD,
        Live(3),
        Outage(Operation.DELETE, Mishap.CONFLICT),
        Do.DELETE,
    ],
    "the deletion of the record has no answer": [
        Do.DELETE_RECORD,
        Live(3),
        Outage(Operation.DELETE, Mishap.DROPPED),
        Do.DELETE,
    ],
}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("deed", DEEDS)
def test_a_run_keeps_every_law_whatever_is_done_and_when(deed: str, point: str) -> None:
    circumstances = Circumstances(backoff_limit=1)
    run_history(circumstances, [*POINTS[point], *DEEDS[deed], *([Live(30)] * 2), Live(601)])
