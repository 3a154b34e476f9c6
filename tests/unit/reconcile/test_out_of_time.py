"""A run that OCI ends since it took as long as it may has failed, by whatever name OCI calls that end."""

from datetime import timedelta
from typing import Any

import pytest

from ocijobs.api.run.binding import Binding, RunTemplate
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.reconcile.run.failure_policy import Requeue, Retry, Terminal, evaluate
from ocijobs.testing import START, make_run, make_run_observation, make_spark_run_record

MINUTES = 30


def after(minutes: float, state: RunState = RunState.CANCELED) -> RunRecord:
    """Return a run that ended after that time."""
    finished = START + timedelta(minutes=minutes)
    return make_spark_run_record(state, started_at=START, finished_at=finished)


def judged(record: RunRecord, **spec: Any) -> Terminal | Retry | Requeue:
    """Return what its end means for a run of a job whose runs may take half an hour."""
    binding = Binding(template=RunTemplate(maximum_runtime_in_minutes=MINUTES))
    run = make_run(status=OCIJobRunStatus(binding=binding), **spec)
    return evaluate(make_run_observation(run=run), record)


@pytest.mark.parametrize("state", [RunState.CANCELED, RunState.STOPPED, RunState.FAILED])
def test_a_run_that_is_out_of_time_has_failed(state: RunState) -> None:
    verdict = judged(after(MINUTES, state))
    assert isinstance(verdict, Terminal)
    assert (verdict.phase, verdict.reason, verdict.failed) == (Phase.FAILED, Reason.RUN_FAILED, 1)


def test_it_says_what_it_took_too_long_for() -> None:
    verdict = judged(after(MINUTES))
    assert isinstance(verdict, Terminal)
    assert verdict.message == "OCI ended the run after 30 minutes, its maximumRuntimeInMinutes"


def test_another_attempt_may_follow() -> None:
    assert isinstance(judged(after(MINUTES), backoff_limit=1), Retry)


@pytest.mark.parametrize(
    ("minutes", "spec"),
    [(MINUTES - 1, {}), (MINUTES, {"maximum_runtime_in_minutes": 60})],
    ids=["of the job", "of the run"],
)
def test_a_run_that_had_time_left_was_cancelled(minutes: int, spec: dict[str, int]) -> None:
    verdict = judged(after(minutes), **spec)
    assert isinstance(verdict, Terminal)
    assert (verdict.phase, verdict.message) == (Phase.CANCELLED, "cancelled by somebody in OCI")


def test_a_run_that_is_to_be_cancelled_is_cancelled_however_long_it_took() -> None:
    verdict = judged(after(MINUTES), cancel=True)
    assert isinstance(verdict, Terminal)
    assert verdict.phase is Phase.CANCELLED
