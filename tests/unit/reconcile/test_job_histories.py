"""Histories of jobs that once broke a law: what was wrong is in the log of the commit that added the row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.reconcile.simulation.commands import Crash, Live, Outage, Strike
from tests.unit.reconcile.simulation.job_history import DoJob, JobCommand, Variables
from tests.unit.reconcile.simulation.job_scenario import JobScenario, run_job_history
from tests.unit.reconcile.simulation.job_world import JobCircumstances
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.reconcile.actions.calls import Operation

SPARK = JobCircumstances(spark=True)

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
    "code whose OCI job others deleted goes when another code is wanted before it is made again": (
        SPARK,
        [
            Live(3),
            DoJob.TAKE_AWAY,
            Outage(Operation.CREATE, Mishap.QUOTA),
            *([Live(601)] * 3),
            DoJob.CHANGE_CODE,
            DoJob.REQUEST,
            Live(3),
        ],
    ),
    "so it does where the OCI job was made again and the answer is missing": (
        SPARK,
        [
            Live(3),
            DoJob.TAKE_AWAY,
            Outage(Operation.CREATE, Mishap.DROPPED),
            *([Live(601)] * 3),
            DoJob.RENAME,
            Live(3),
            DoJob.CHANGE_CODE,
            DoJob.REQUEST,
            Live(3),
        ],
    ),
    "code that was deleted and comes back by an upload without an answer is deleted again": (
        replace(SPARK, history_limit=0),
        [
            Live(3),
            DoJob.CHANGE_CODE,
            DoJob.REQUEST,
            *([Live(10)] * 3),
            Live(181),
            DoJob.REVERT_CODE,
            Outage(Operation.UPLOAD, Mishap.DROPPED),
            DoJob.REQUEST,
            Live(3),
            Live(3),
            DoJob.DELETE,
            Live(3),
        ],
    ),
    "code that two revisions have stays when one of them goes": (
        replace(SPARK, history_limit=0),
        [Live(3), DoJob.DOWNGRADE_SPARK, *([Live(3)] * 3), Live(10)],
    ),
    "code that another job has stays, and goes with that job": (
        replace(SPARK, history_limit=0),
        [
            Live(3),
            DoJob.OTHERS_TAKE_CODE,
            DoJob.CHANGE_CODE,
            DoJob.REQUEST,
            *([Live(10)] * 3),
            DoJob.OTHERS_DROP_CODE,
        ],
    ),
    "what others gave an application that no update takes away is not set back again and again": (
        SPARK,
        [Live(3), DoJob.CHANGE_ELSEWHERE],
    ),
    "variables of a Spark job are changed in place": (
        SPARK,
        [Live(3), Variables("a"), Live(3), Variables("b"), Live(3), Variables("a"), Live(3)],
    ),
}


@pytest.mark.parametrize(("circumstances", "history"), HISTORIES.values(), ids=HISTORIES.keys())
def test_every_law_is_kept_although(
    circumstances: JobCircumstances, history: list[JobCommand]
) -> None:
    run_job_history(circumstances, history)


@pytest.mark.parametrize(
    ("spark", "made"), [(False, 3), (True, 1)], ids=["Data Science", "Data Flow"]
)
def test_variables_make_another_job_on_data_science_and_none_on_data_flow(
    *, spark: bool, made: int
) -> None:
    history: list[JobCommand] = [Live(3), Variables("a"), Live(3), Variables("b"), Live(3)]
    scenario = run_job_history(JobCircumstances(spark=spark), history)
    assert len(scenario.world.oci.jobs) == made
    assert scenario.world.oci.calls[Operation.UPDATE] == (2 if spark else 0)


def test_another_version_of_spark_makes_another_application_of_the_same_code() -> None:
    history: list[JobCommand] = [Live(3), DoJob.DOWNGRADE_SPARK, Live(3), Live(3)]
    scenario = JobScenario(SPARK)
    scenario.play(history)
    assert len(scenario.world.oci.jobs) == 2
    assert len(scenario.world.applications.folders) == 1
