"""A namespace that is deleted: its Secret goes first, the operator is killed, and nothing goes on in OCI unseen."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.reconcile.simulation.commands import Live, Outage, Steps
from tests.unit.reconcile.simulation.job_history import (
    DoJob,
    JobCommand,
    job_circumstances,
    job_histories,
)
from tests.unit.reconcile.simulation.job_scenario import JobScenario
from tests.unit.reconcile.simulation.job_world import JobCircumstances
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, Do, circumstances, histories
from tests.unit.reconcile.simulation.run_scenario import RunScenario
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.reconcile.actions.calls import Operation

_OTHER_KEY = {Do.RENEW_CREDENTIALS, DoJob.RENEW_CREDENTIALS}
"""A Secret that was changed a moment before it went: of the new key there is no copy yet."""
_LET_GO = {Do.ABANDON, Do.REPLACE, DoJob.ABANDON, DoJob.REPLACE}
"""What lets objects go before."""

KILLS = st.lists(st.integers(0, 6), max_size=6)


def _run_histories() -> st.SearchStrategy[list[Command]]:
    return histories().map(lambda h: [c for c in h if c not in _OTHER_KEY | _LET_GO])


def _job_histories() -> st.SearchStrategy[list[JobCommand]]:
    return job_histories().map(lambda h: [c for c in h if c not in _OTHER_KEY | _LET_GO])


@example(
    # A child whose creation was not answered, and whose sweep goes before it.
    given_=Circumstances(),
    history=[Outage(Operation.CREATE, Mishap.LOST), Live(3), Live(3)],
    kills=[],
    revoked=False,
    swept=True,
)
@example(
    # A child that has its finalizer and no status yet, and a process that ends before it writes one.
    given_=Circumstances(secret=False, results=False, outputs=False),
    history=[Steps(3)],
    kills=[],
    revoked=False,
    swept=True,
)
@given(
    given_=st.booleans().flatmap(lambda spark: circumstances(spark=spark)),
    history=_run_histories(),
    kills=KILLS,
    revoked=st.booleans(),
    swept=st.booleans(),
)
def test_no_run_goes_on_in_a_namespace_that_was_deleted(
    *, given_: Circumstances, history: list[Command], kills: list[int], revoked: bool, swept: bool
) -> None:
    scenario = RunScenario(replace(given_, swept=swept))
    scenario.play(history)
    scenario.end_namespace(kills, revoked=revoked)


@given(
    given_=st.booleans().flatmap(lambda spark: job_circumstances(spark=spark)),
    history=_job_histories(),
    kills=KILLS,
    revoked=st.booleans(),
)
def test_no_job_stays_of_a_namespace_that_was_deleted(
    *, given_: JobCircumstances, history: list[JobCommand], kills: list[int], revoked: bool
) -> None:
    scenario = JobScenario(given_)
    scenario.play(history)
    scenario.end_namespace(kills, revoked=revoked)
