"""Jobs while each call to OCI fails in each way, and while what they need goes at each point of their lives."""

from __future__ import annotations

import pytest
from tests.unit.reconcile.simulation.commands import Live, Outage
from tests.unit.reconcile.simulation.job_history import JOB_CALLS, DoJob, JobCommand, Variables
from tests.unit.reconcile.simulation.job_scenario import run_job_history
from tests.unit.reconcile.simulation.job_world import JobCircumstances
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.reconcile.actions.calls import Operation

# One of each kind of answer; random histories have them all.
MISHAPS = (
    Mishap.DROPPED,
    Mishap.THROTTLED,
    Mishap.NOT_FOUND,
    Mishap.CONFLICT,
    Mishap.INVALID,
)
SERVICES = {
    "Data Science": JobCircumstances(activation=5, history_limit=0),
    "Data Flow": JobCircumstances(spark=True, history_limit=0),
}
CHANGES: list[JobCommand] = [DoJob.RENAME, Variables("a"), DoJob.CHANGE_CODE, DoJob.REQUEST]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("operation", JOB_CALLS)
def test_a_job_keeps_every_law_while_a_call_fails(
    operation: Operation, mishap: Mishap, service: str
) -> None:
    """It is made, edited and deleted while the call fails, and each time goes on when it works again."""
    outage, over = Outage(operation, mishap), (DoJob.CLEAR, DoJob.RENEW_CREDENTIALS, Live(601))
    history: list[JobCommand] = [
        *(outage, Live(3), Live(60), *over),
        *(*CHANGES, outage, Live(3), Live(60), *over),
        *(DoJob.DELETE, outage, Live(3), Live(60)),
    ]
    run_job_history(SERVICES[service], history)


LOSSES: dict[str, list[JobCommand]] = {
    "the credentials are refused": [DoJob.REFUSE_CREDENTIALS],
    "the credentials go": [DoJob.LOSE_CREDENTIALS],
    "the code goes": [DoJob.REMOVE_CODE, DoJob.REQUEST],
    "the code breaks": [DoJob.BREAK_CODE, DoJob.REQUEST],
    "the spec is wrong": [DoJob.MISCONFIGURE],
    "others delete the OCI job": [DoJob.TAKE_AWAY],
    "others run the OCI job": [DoJob.LAUNCH_ELSEWHERE],
    "a run is launched": [DoJob.LAUNCH, Live(3), DoJob.LAUNCH],
    "it is paused": [DoJob.PAUSE],
    "it is abandoned": [DoJob.ABANDON],
}
POINTS: dict[str, list[JobCommand]] = {
    "at its beginning": [],
    "while it is made": [Outage(Operation.CREATE, Mishap.DROPPED), Live(3)],
    "while it is ready": [Live(3), Live(60)],
    "while it is edited": [Live(3), Live(60), *CHANGES],
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_job_keeps_every_law_whenever_something_goes(loss: str, point: str, service: str) -> None:
    """It goes, and then the job is deleted."""
    end: list[JobCommand] = [Live(3), Live(601), DoJob.DELETE, Live(3), Live(601)]
    run_job_history(SERVICES[service], [*POINTS[point], *LOSSES[loss], *end])
