"""The core's contract for jobs, over generated histories."""

from __future__ import annotations

from hypothesis import given
from tests.unit.reconcile.simulation.job_history import JobCommand, job_circumstances, job_histories
from tests.unit.reconcile.simulation.job_scenario import run_job_history
from tests.unit.reconcile.simulation.job_world import JobCircumstances


@given(job_circumstances(), job_histories())
def test_a_job_keeps_every_law_in_every_history(
    given_: JobCircumstances, history: list[JobCommand]
) -> None:
    run_job_history(given_, history)


@given(job_circumstances(spark=True), job_histories())
def test_a_spark_job_keeps_every_law_in_every_history(
    given_: JobCircumstances, history: list[JobCommand]
) -> None:
    run_job_history(given_, history)


@given(job_circumstances(remote=True), job_histories())
def test_a_job_whose_code_is_elsewhere_keeps_every_law_in_every_history(
    given_: JobCircumstances, history: list[JobCommand]
) -> None:
    run_job_history(given_, history)
