"""What becomes of runs of Data Flow: batch runs, which end by themselves, and streams, which go on until stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.reconcile.simulation.commands import Crash, Live, Outage, Sleep
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, Do, Progress
from tests.unit.reconcile.simulation.run_outputs import LOG_FILES
from tests.unit.reconcile.simulation.run_scenario import RunScenario, run_history
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.api.run.observed import RunMetrics
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.conditions import Condition, ConditionType, find, is_true
from ocijobs.backends.data_flow.requests import ApplicationRunRequest, SparkMachine, SparkSettings
from ocijobs.backends.records import RunState
from ocijobs.reconcile.actions.calls import Operation

BATCH = Circumstances(spark=True)
STREAM = Circumstances(stream=True)
MACHINE = SparkMachine(shape="VM.Standard.E4.Flex", ocpus=1, memory_in_gbs=16)
STREAMING: list[Command] = [Live(3), Progress(RunState.IN_PROGRESS), Live(3)]


def _played(circumstances: Circumstances, history: list[Command]) -> RunScenario:
    """Play a history and leave it there, all laws watched so far."""
    scenario = RunScenario(circumstances)
    scenario.play(history)
    return scenario


def _status(scenario: RunScenario) -> OCIJobRunStatus:
    return scenario.world.api.present.status


def _ready(status: OCIJobRunStatus) -> Condition:
    ready = find(status.conditions, ConditionType.READY)
    assert ready is not None
    return ready


def _attempts(status: OCIJobRunStatus) -> list[str]:
    return [attempt.lifecycle_state for attempt in status.attempts]


def _sent(scenario: RunScenario, number: int) -> SparkSettings | None:
    """Return what an attempt was sent in place of what its application says."""
    request = scenario.world.oci.runs[number].request
    assert isinstance(request, ApplicationRunRequest)
    return request.spark


def test_a_word_count_succeeds_with_its_totals_its_logs_and_its_last_lines() -> None:
    history = [*STREAMING, Live(30), Progress(RunState.SUCCEEDED), Live(3), Live(3)]
    scenario = _played(BATCH, history)
    status = _status(scenario)
    assert (status.phase, status.backend) == (Phase.SUCCEEDED, BackendName.DATA_FLOW)
    assert is_true(status.conditions, ConditionType.COMPLETE)
    assert status.exit_code is None
    assert status.metrics == RunMetrics(
        total_ocpu=2,
        data_read_in_bytes=2048,
        data_written_in_bytes=512,
        run_duration_in_milliseconds=33_000,
    )
    assert status.start_time is not None
    assert status.completion_time is not None
    assert (status.completion_time - status.start_time).total_seconds() == 33
    assert status.logs is not None
    assert status.logs.files == LOG_FILES
    assert status.logs.tail is not None
    assert status.logs.tail[0] == f"run {status.job_run_id}"
    assert scenario.world.api.status_writes == 4


def test_a_run_whose_driver_fails_says_why_and_shows_its_last_lines() -> None:
    status = _status(_played(BATCH, [*STREAMING, Live(30), Progress(RunState.FAILED), Live(3)]))
    assert (status.phase, _ready(status).reason) == (Phase.FAILED, "RunFailed")
    assert _ready(status).message == "The driver ended with an exception."
    assert status.logs is not None
    assert status.logs.tail


def test_a_secret_that_the_code_prints_is_masked() -> None:
    circumstances = replace(BATCH, secret=True)
    status = _status(_played(circumstances, [*STREAMING, Progress(RunState.FAILED), Live(3)]))
    assert status.logs is not None
    assert status.logs.tail is not None
    assert "password: ***" in status.logs.tail


def test_logs_that_are_late_are_waited_for() -> None:
    circumstances = replace(BATCH, log_lag=90)
    history = [*STREAMING, Live(30), Progress(RunState.FAILED), Live(3)]
    scenario = _played(circumstances, history)
    assert _ready(_status(scenario)).reason == "CollectingResults"
    scenario.play([Live(3)] * 35)
    status = _status(scenario)
    assert status.phase is Phase.FAILED
    assert status.logs is not None
    assert status.logs.files == LOG_FILES


def test_logs_that_may_not_be_read_are_not_waited_for() -> None:
    history: list[Command] = [
        *STREAMING,
        Live(30),
        Outage(Operation.SEARCH_LOGS, Mishap.NOT_FOUND),
        Progress(RunState.SUCCEEDED),
        Live(3),
    ]
    status = _status(_played(BATCH, history))
    assert status.phase is Phase.SUCCEEDED


def test_a_run_that_ended_before_it_began_has_no_logs_and_waits_for_none() -> None:
    status = _status(_played(BATCH, [Live(3), Progress(RunState.CANCELED), Live(3)]))
    assert (status.phase, _ready(status).reason) == (Phase.CANCELLED, "Cancelled")
    assert status.logs is not None
    assert status.logs.files == ()


def test_declared_results_are_read_from_the_logs() -> None:
    circumstances = replace(BATCH, results=True, log_lag=10)
    run = run_history(circumstances, [*STREAMING, Progress(RunState.SUCCEEDED)]).world.api.present
    assert run.status.results == {"auc": "0.930"}


@pytest.mark.parametrize(
    ("circumstances", "ended"), [(BATCH, "CANCELED"), (STREAM, "STOPPED")], ids=["batch", "stream"]
)
def test_a_run_that_is_cancelled_here_is_cancelled(
    circumstances: Circumstances, ended: str
) -> None:
    history = [*STREAMING, Do.CANCEL, Live(3), Progress(RunState.CANCELED), Live(3)]
    status = _status(_played(circumstances, history))
    assert (status.phase, status.lifecycle_state) == (Phase.CANCELLED, ended)
    assert _ready(status).message == "cancelled by spec.cancel"


@pytest.mark.parametrize(
    ("circumstances", "ended"),
    [(BATCH, ["CANCELED", "SUCCEEDED"]), (STREAM, ["STOPPED", "STOPPED"])],
    ids=["batch", "stream"],
)
def test_a_suspended_run_is_launched_again_when_it_is_resumed(
    circumstances: Circumstances, ended: list[str]
) -> None:
    history = [*STREAMING, Do.SUSPEND, Live(3), Progress(RunState.CANCELED), Live(3)]
    scenario = _played(circumstances, history)
    assert _status(scenario).phase is Phase.SUSPENDED
    scenario.play([Do.UNSUSPEND])
    scenario.finish()
    status = _status(scenario)
    assert (status.phase, _attempts(status)) == (Phase.SUCCEEDED, ended)


def test_a_stream_in_progress_is_ready_and_nothing_more_is_written_of_it() -> None:
    scenario = _played(STREAM, STREAMING)
    status = _status(scenario)
    assert (status.phase, _ready(status).reason) == (Phase.RUNNING, "Streaming")
    assert is_true(status.conditions, ConditionType.READY)
    writes = scenario.world.api.status_writes
    scenario.play([Live(15)] * 40)
    scenario.play([Crash(), *([Live(15)] * 3)])
    assert scenario.world.api.status_writes == writes == 3


def test_a_batch_run_in_progress_is_not_ready() -> None:
    status = _status(_played(BATCH, STREAMING))
    assert (status.phase, _ready(status).reason) == (Phase.RUNNING, "Running")
    assert not is_true(status.conditions, ConditionType.READY)


def test_a_stream_that_somebody_stops_has_succeeded() -> None:
    history = [*STREAMING, Do.TAKE_AWAY, Progress(RunState.STOPPED), Live(3)]
    status = _status(_played(STREAM, history))
    assert (status.phase, _ready(status).reason) == (Phase.SUCCEEDED, "Stopped")


def test_a_stream_that_takes_longer_than_it_may_has_failed() -> None:
    circumstances = replace(STREAM, deadline=100)
    history = [*STREAMING, Live(100), Live(3), Progress(RunState.CANCELED), Live(3)]
    status = _status(_played(circumstances, history))
    assert (status.phase, _ready(status).reason) == (Phase.FAILED, "DeadlineExceeded")


FAILING: list[Command] = [
    Progress(RunState.IN_PROGRESS),
    Live(60),
    Progress(RunState.FAILED),
    *([Live(10)] * 6),
]


def test_a_stream_that_fails_is_started_again() -> None:
    scenario = _played(replace(STREAM, backoff_limit=1), [Live(3), *FAILING])
    assert _status(scenario).failed == 1
    assert len(scenario.world.oci.runs) == 2
    scenario.play(FAILING)
    status = _status(scenario)
    assert (status.phase, _ready(status).reason) == (Phase.FAILED, "BackoffLimitExceeded")


@pytest.mark.parametrize("between", [Live(3), Crash(300)], ids=["awake", "with another clock"])
def test_failures_of_a_stream_that_was_well_for_ten_minutes_are_forgotten(between: Command) -> None:
    well: list[Command] = [Progress(RunState.IN_PROGRESS), between, *([Live(60)] * 10)]
    scenario = _played(
        replace(STREAM, backoff_limit=1),
        [Live(3), *FAILING, *well, Progress(RunState.FAILED), *([Live(10)] * 6)],
    )
    assert _status(scenario).failed == 1
    assert len(scenario.world.oci.runs) == 3
    scenario.play(FAILING)
    assert _status(scenario).phase is Phase.FAILED


def test_an_operator_whose_clock_is_behind_does_not_take_a_stream_for_well() -> None:
    circumstances = replace(STREAM, backoff_limit=1)
    failing: list[Command] = [
        Crash(-3600),
        Progress(RunState.IN_PROGRESS),
        Live(60),
        Progress(RunState.FAILED),
        *([Live(10)] * 6),
    ]
    scenario = _played(circumstances, [Live(3), *FAILING, *failing])
    assert _status(scenario).phase is Phase.FAILED


def test_a_stream_that_was_well_while_the_operator_was_down_was_well() -> None:
    history: list[Command] = [
        Live(3),
        *FAILING,
        Progress(RunState.IN_PROGRESS),
        Sleep(1000),
        Progress(RunState.FAILED),
        *([Live(10)] * 6),
    ]
    scenario = _played(replace(STREAM, backoff_limit=1), history)
    assert len(scenario.world.oci.runs) == 3


def test_a_second_attempt_is_sent_what_the_first_one_found_in_its_application() -> None:
    history: list[Command] = [
        *STREAMING,
        Progress(RunState.FAILED),
        Live(3),
        Do.EDIT_JOB,
        Do.SYNC_JOB,
        *([Live(10)] * 3),
    ]
    scenario = _played(replace(BATCH, backoff_limit=1), history)
    assert scenario.world.application_env["PLAIN"] == "x2"
    assert _sent(scenario, 0) is None
    assert _sent(scenario, 1) == SparkSettings(
        driver=MACHINE,
        executor=MACHINE,
        num_executors=1,
        configuration={
            "dataflow.auth": "resource_principal",
            "spark.driverEnv.PLAIN": "x1",
            "spark.executorEnv.PLAIN": "x1",
        },
        parameters={},
        arguments=(),
    )
