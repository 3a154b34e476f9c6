"""Histories of jobs that once broke a law: what was wrong is in the log of the commit that added the row."""

from __future__ import annotations

import pytest
from tests.unit.reconcile.simulation.commands import Crash, Live, Strike
from tests.unit.reconcile.simulation.job_history import DoJob, JobCommand, Variables
from tests.unit.reconcile.simulation.job_scenario import run_job_history
from tests.unit.reconcile.simulation.job_world import JobCircumstances
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.reconcile.remote import Operation

HISTORIES: dict[str, tuple[JobCircumstances, list[JobCommand]]] = {
    "a deletion that takes long is watched, and not asked for again and again": (
        JobCircumstances(deletion=200),
        [],
    ),
    "an OCI job whose deletion is repeated is found to be gone": (
        JobCircumstances(history_limit=0),
        [Live(3), Variables("a"), Live(3), Live(601)],
    ),
    "a revision that is wanted again while its OCI job is being deleted gets another": (
        JobCircumstances(history_limit=0, deletion=200),
        [Live(3), Variables("a"), Live(3), Live(3), Variables("b"), Live(3), Variables("a")],
    ),
    "a job edited while the answer to its creation is missing gets its newest settings": (
        JobCircumstances(),
        [
            Strike(Operation.CREATE, Mishap.DROPPED),
            Strike(Operation.CREATE, Mishap.DROPPED),
            Live(3),
            DoJob.RENAME,
        ],
    ),
    "an OCI job that others delete while its settings are edited is made again": (
        JobCircumstances(),
        [Live(3), DoJob.RENAME, DoJob.TAKE_AWAY],
    ),
    "an OCI job that others delete before its code is there is made again": (
        JobCircumstances(activation=60),
        [Live(3), DoJob.TAKE_AWAY, DoJob.UPLOAD],
    ),
    "what others change is set back": (
        JobCircumstances(),
        [Live(3), DoJob.CHANGE_ELSEWHERE],
    ),
    "sources that are wanted as of a time to come are not read until then": (
        JobCircumstances(),
        [Crash(-300), DoJob.LAUNCH],
    ),
    "a revision is not bound to the OCI job of another where the answer to its intent's write is lost": (
        JobCircumstances(),
        [Live(3), Variables("a"), DoJob.LOSE_WRITE_ANSWER, Live(3)],
    ),
}


@pytest.mark.parametrize(("circumstances", "history"), HISTORIES.values(), ids=HISTORIES.keys())
def test_every_law_is_kept_although(
    circumstances: JobCircumstances, history: list[JobCommand]
) -> None:
    run_job_history(circumstances, history)
