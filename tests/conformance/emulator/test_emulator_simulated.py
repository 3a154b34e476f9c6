"""Simulated runs, the clock, faults and the journal: what tests of clients are made with."""

import http.client
import json
import threading
from collections.abc import Callable
from typing import Any

import oci
import pytest
from oci.exceptions import RequestException, ServiceError

from oci_emulator.testing import EmulatorError


@pytest.fixture
def simulated(own: Callable[..., Any]) -> Any:
    return own(mode="simulated")


@pytest.mark.parametrize(
    ("plan", "state", "details"),
    [
        ({}, "SUCCEEDED", "Job run artifact execution succeeded. Infrastructure de-provisioning."),
        (
            {"outcome": "FAILED", "exitCode": 7},
            "FAILED",
            "Job run artifact execution failed with exit code 7.",
        ),
        (
            {"outcome": "FAILED", "lifecycleDetails": "out of host capacity"},
            "FAILED",
            "out of host capacity",
        ),
        ({"outcome": "CANCELED"}, "CANCELED", "Job run canceled."),
        ({"outcome": "NEEDS_ATTENTION"}, "NEEDS_ATTENTION", "The run needs attention."),
    ],
)
def test_a_run_ends_as_planned(
    simulated: Any, plan: dict[str, Any], state: str, details: str
) -> None:
    simulated.emulator.set_mode(default=plan)
    run = simulated.start(simulated.job().id)
    simulated.emulator.wait_for_run(run.id, state)
    got = simulated.data_science.get_job_run(run.id).data
    assert (got.lifecycle_state, got.lifecycle_details) == (state, details)
    assert (got.time_finished is None) == (state == "NEEDS_ATTENTION")


def test_a_run_takes_as_long_as_planned(simulated: Any) -> None:
    simulated.emulator.set_mode(default={"accepted": 200, "inProgress": 600})
    simulated.emulator.set_rate(0)
    run = simulated.start(simulated.job().id)
    simulated.emulator.advance(3600)
    ended = simulated.ended(run.id)
    assert (ended.time_started - ended.time_accepted).total_seconds() == pytest.approx(200, abs=0.1)
    assert (ended.time_finished - ended.time_started).total_seconds() == pytest.approx(600, abs=0.1)


def test_plans_are_chosen_by_name_and_tag(simulated: Any) -> None:
    simulated.emulator.set_mode(
        plans=[
            {"match": {"displayName": "bad-*"}, "outcome": "FAILED"},
            {"match": {"freeformTags": {"kind": "stuck"}}, "outcome": "NEEDS_ATTENTION"},
        ]
    )
    job = simulated.job()
    runs = {
        "FAILED": simulated.start(job.id, display_name="bad-1"),
        "NEEDS_ATTENTION": simulated.start(job.id, freeform_tags={"kind": "stuck"}),
        "CANCELED": simulated.start(
            job.id, freeform_tags={"emulator.plan": json.dumps({"outcome": "CANCELED"})}
        ),
        "SUCCEEDED": simulated.start(job.id),
    }
    for state, run in runs.items():
        simulated.emulator.wait_for_run(run.id, state)
    with pytest.raises(ServiceError, match="has no field 'speed'"):
        simulated.start(job.id, freeform_tags={"emulator.plan": '{"speed": 1}'})


def test_a_real_emulator_simulates_single_runs(cloud: Any) -> None:
    job = cloud.job(b"raise SystemExit(9)")
    plan = json.dumps({"outcome": "SUCCEEDED"})
    run = cloud.start(job.id, freeform_tags={"emulator.plan": plan})
    assert cloud.ended(run.id).lifecycle_state == "SUCCEEDED"
    assert cloud.emulator.run(run.id)["pids"] == []


def test_simulated_output_has_the_values_of_each_run(simulated: Any) -> None:
    simulated.emulator.set_mode(default={"output": ["$displayName of $jobId", "$ALPHA $index"]})
    job = simulated.job(
        environment={"ALPHA": "0.1"},
        job_log_configuration_details=simulated.auto_log(simulated.log_group()),
    )
    for index in (1, 2):
        run = simulated.ended(simulated.start(job.id, display_name=f"run-{index}").id)
        assert simulated.lines(run) == [f"run-{index} of {job.id}", f"0.1 {index}"]


def test_output_comes_as_time_passes_and_stops_with_a_cancel(simulated: Any) -> None:
    emulator = simulated.emulator
    emulator.set_mode(default={"inProgress": 100, "output": [f"line {n}" for n in range(10)]})
    group = simulated.log_group()
    emulator.set_rate(0)
    run = simulated.start(simulated.job(job_log_configuration_details=simulated.auto_log(group)).id)
    emulator.advance(30)
    query = f'search "{simulated.tenancy}/{group}" | sort by datetime | select data.message as m'
    assert [row["m"] for row in simulated.search(query)] == ["line 0", "line 1", "line 2"]
    simulated.data_science.cancel_job_run(run.id)
    emulator.advance(100)
    assert len(simulated.search(query)) == 3


def test_a_simulated_run_respects_its_maximum_run_time(simulated: Any) -> None:
    simulated.emulator.set_mode(default={"inProgress": 3600})
    simulated.emulator.set_rate(0)
    run = simulated.start(simulated.job(minutes=5).id)
    simulated.emulator.advance(3600)
    ended = simulated.ended(run.id)
    assert ended.lifecycle_state == "FAILED"
    assert "maximum runtime of 5 minutes" in ended.lifecycle_details


@pytest.mark.parametrize(
    ("rule", "state"), [("own-outcome", "SUCCEEDED"), ("canceled", "CANCELED")]
)
def test_a_simulated_run_may_finish_while_it_is_canceled(
    own: Callable[..., Any], rule: str, state: str
) -> None:
    cloud = own(mode="simulated", profile="realistic", rules={"cancel_race": rule})
    cloud.emulator.set_mode(default={"accepted": 1, "inProgress": 10})
    cloud.emulator.set_rate(0)
    run = cloud.start(cloud.job().id)
    cloud.emulator.advance(5)
    cloud.data_science.cancel_job_run(run.id)
    assert cloud.data_science.get_job_run(run.id).data.lifecycle_state == "CANCELING"
    cloud.emulator.advance(30)
    assert cloud.data_science.get_job_run(run.id).data.lifecycle_state == state


def test_a_run_that_needs_attention_can_be_canceled(simulated: Any) -> None:
    simulated.emulator.set_mode(default={"outcome": "NEEDS_ATTENTION"})
    run = simulated.start(simulated.job().id)
    simulated.emulator.wait_for_run(run.id, "NEEDS_ATTENTION")
    simulated.data_science.cancel_job_run(run.id)
    assert simulated.ended(run.id).lifecycle_state == "CANCELED"


def test_a_run_can_be_put_into_any_state_or_removed(simulated: Any) -> None:
    simulated.emulator.set_mode(default={"inProgress": 3600})
    emulator, client = simulated.emulator, simulated.data_science
    run = simulated.start(simulated.job().id)
    for state, details in (
        ("NEEDS_ATTENTION", "look at me"),
        ("IN_PROGRESS", "Job run artifact execution in progress."),
        ("FAILED", "Job run artifact execution failed with exit code 5."),
        ("DELETED", None),
    ):
        options: dict[str, Any] = {"exitCode": 5} if state == "FAILED" else {}
        if state == "NEEDS_ATTENTION":
            options = {"lifecycleDetails": details}
        emulator.force_run(run.id, state, **options)
        got = client.get_job_run(run.id).data
        assert got.lifecycle_state == state
        assert details is None or got.lifecycle_details == details
    emulator.remove_run(run.id)
    with pytest.raises(ServiceError) as caught:
        client.get_job_run(run.id)
    assert caught.value.status == 404
    with pytest.raises(EmulatorError, match="lifecycleState: must be one of"):
        emulator.force_run(simulated.start(run.job_id).id, "HAPPY")


# Faults


def test_an_error_is_injected_and_nothing_is_carried_out(simulated: Any) -> None:
    emulator = simulated.emulator
    job = simulated.job()
    emulator.add_fault("CreateJobRun", status=429, code="TooManyRequests", retryAfter=7, count=1)
    with pytest.raises(ServiceError) as caught:
        simulated.start(job.id)
    assert (caught.value.status, caught.value.code) == (429, "TooManyRequests")
    assert caught.value.headers["retry-after"] == "7"
    assert simulated.data_science.list_job_runs(simulated.tenancy).data == []
    simulated.start(job.id)
    assert [entry.fault for entry in emulator.journal("CreateJobRun")] == ["status", ""]


def test_an_answer_is_lost_after_all_was_carried_out(simulated: Any) -> None:
    emulator, client = simulated.emulator, simulated.data_science
    details = simulated.run_details(simulated.job().id)
    emulator.add_fault("CreateJobRun", action="drop", count=1)
    with pytest.raises((RequestException, http.client.HTTPException)):
        client.create_job_run(details, opc_retry_token="token")
    [run] = client.list_job_runs(simulated.tenancy).data
    again = client.create_job_run(details, opc_retry_token="token").data
    assert again.id == run.id
    dropped, answered = emulator.journal("CreateJobRun")
    assert (dropped.fault, dropped.status, answered.replayed) == ("drop", 200, True)


def test_a_request_is_refused_before_anything_is_carried_out(simulated: Any) -> None:
    details = simulated.run_details(simulated.job().id)
    fault = simulated.emulator.add_fault("CreateJobRun", action="refuse")
    with pytest.raises((RequestException, http.client.HTTPException)):
        simulated.data_science.create_job_run(details)
    assert simulated.data_science.list_job_runs(simulated.tenancy).data == []
    simulated.emulator.remove_fault(fault)
    assert simulated.data_science.create_job_run(details).status == 200


def test_an_answer_is_delayed(simulated: Any) -> None:
    emulator = simulated.emulator
    fault = emulator.add_fault("ListJobs", delay=600)
    impatient = oci.data_science.DataScienceClient(
        simulated.config,
        service_endpoint=emulator.http,
        retry_strategy=oci.retry.NoneRetryStrategy(),
        timeout=(60, 0.1),
    )
    with pytest.raises(RequestException, match="Read timed out"):
        impatient.list_jobs(simulated.tenancy)
    emulator.remove_fault(fault)
    emulator.add_fault("ListJobs", delay=0.01, count=1)
    assert simulated.data_science.list_jobs(simulated.tenancy).data == []
    [delayed] = emulator.journal("ListJobs")
    assert (delayed.fault, delayed.status) == ("delay", 200)


def test_a_fault_that_can_not_be_is_refused(simulated: Any) -> None:
    with pytest.raises(EmulatorError, match="needs a status, an action or a delay"):
        simulated.emulator.add_fault("ListJobs")


# Journal and clock


def test_who_waits_for_a_request_is_told_as_soon_as_it_came(simulated: Any) -> None:
    since = simulated.emulator.last_seq()
    threading.Timer(0.1, lambda: simulated.data_science.list_jobs(simulated.tenancy)).start()
    [entry] = simulated.emulator.wait_for("ListJobs", since=since)
    assert (entry.service, entry.status, entry.method) == ("datascience", 200, "GET")
    assert entry.query == f"compartmentId={simulated.tenancy}"
    with pytest.raises(EmulatorError, match="0 of 1 requests 'DeleteJob' came"):
        simulated.emulator.wait_for("DeleteJob", seconds=0.1)


def test_the_journal_counts_and_is_cleared(simulated: Any) -> None:
    job = simulated.job()
    with pytest.raises(ServiceError):
        simulated.upload(job.id, b"again")
    assert simulated.emulator.counts() == {
        "CreateJob": {"200": 1},
        "CreateJobArtifact": {"204": 1, "409": 1},
    }
    entry = simulated.emulator.journal("CreateJobArtifact", status=409)[0]
    assert (entry.code, entry.bytes_in) == ("Conflict", 5)
    assert entry.bytes_out > 0
    last = simulated.emulator.last_seq()
    simulated.emulator.clear_journal()
    assert simulated.emulator.counts() == {}
    simulated.job(None)
    assert simulated.emulator.journal()[0].seq == last + 1


def test_time_goes_faster_if_wanted(simulated: Any) -> None:
    simulated.emulator.set_mode(default={"inProgress": 36000})
    simulated.emulator.set_rate(360000)
    run = simulated.start(simulated.job().id)
    assert simulated.ended(run.id).lifecycle_state == "SUCCEEDED"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("PUT", "clock", {"advance": -1}, "0 or more"),
        ("PUT", "clock", {"forward": 1}, "'forward' is unknown here; known are advance, rate"),
        ("PUT", "rules", {"speed": 1}, "there is no rule 'speed'"),
        ("PUT", "mode", {"profile": "slow"}, "there is no profile 'slow'"),
        ("PUT", "policies", {}, "statements: are required"),
        ("GET", "journal?color=red", None, "'color' is unknown here"),
        ("GET", "nothing", None, "The control API has no GET"),
        ("DELETE", "faults/99", None, "fault 99"),
        ("GET", "runs/none", None, "job run none"),
    ],
)
def test_the_control_api_explains_what_it_refuses(
    simulated: Any, method: str, path: str, body: object, message: str
) -> None:
    with pytest.raises(EmulatorError) as caught:
        simulated.emulator.control(method, path, body)
    assert message in str(caught.value)
    assert ": 4" in str(caught.value)
