"""Attempts: a run that fails is tried again as its policy says, and suspended and late ones end as they should."""

from __future__ import annotations

import pytest
from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.stage import Stage

retries_soon = pytest.mark.settings(retry_pause_min_seconds=1, retry_pause_max_seconds=2)
"""Attempts follow each other at once, for people."""


def fails(stage: Stage, code: int = 3, **plan: object) -> None:
    """Let every run fail in OCI."""
    stage.emulator.set_mode(
        default={"accepted": 0.2, "inProgress": 0.2, "outcome": "FAILED", "exitCode": code, **plan}
    )


@retries_soon
def test_a_run_that_fails_is_tried_again_as_often_as_its_limit_says(stage: Stage) -> None:
    fails(stage)
    stage.identity()
    stage.apply(manifests.job(), manifests.run(backoffLimit=2))
    status = stage.until_ended("run")["status"]
    assert status["phase"] == "Failed"
    assert condition({"status": status}, "Failed")["reason"] == "BackoffLimitExceeded"
    assert [attempt["number"] for attempt in status["attempts"]] == [0, 1, 2]
    assert [attempt["exitCode"] for attempt in status["attempts"]] == [3, 3, 3]
    assert status["attemptCount"] == status["failed"] == 3
    assert len({attempt["jobRunId"] for attempt in status["attempts"]}) == 3
    assert len(stage.job_runs()) == 3
    assert stage.until_event("run", "Retrying")


@retries_soon
def test_an_attempt_after_the_job_has_changed_is_like_the_first_one(stage: Stage) -> None:
    fails(stage, inProgress=3600)
    stage.identity()
    env = [{"name": "A", "value": "1"}]
    stage.apply(
        manifests.job(env=env), manifests.run(backoffLimit=1, env=[{"name": "B", "value": "2"}])
    )
    first = stage.until_reason("OCIJobRun", "run", "Running")["status"]
    stage.patch("OCIJob", "job", {"spec": {"env": [{"name": "A", "value": "changed"}]}})
    assert stage.until_synced("job")["status"]["jobId"] != first["jobId"]
    fails(stage)
    stage.emulator.force_run(first["jobRunId"], "FAILED")
    stage.until_ended("run")
    bodies = [
        {**run.job_configuration_override_details.environment_variables}
        for run in (stage.job_run(each.id) for each in stage.job_runs())
    ]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert bodies[0]["A"] == "1"
    assert len({run.job_id for run in stage.job_runs()}) == 1


def test_an_exit_code_that_the_policy_names_ends_the_run_at_once(stage: Stage) -> None:
    fails(stage, code=42)
    stage.identity()
    rule = {"action": "Fail", "onExitCodes": {"operator": "In", "values": [42]}}
    stage.apply(manifests.job(), manifests.run(backoffLimit=5, failurePolicy={"rules": [rule]}))
    status = stage.until_ended("run")["status"]
    assert status["exitCode"] == 42
    assert status["attemptCount"] == 1
    assert condition({"status": status}, "Failed")["reason"] == "RunFailed"


def test_a_suspended_run_is_launched_when_it_is_resumed(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run(suspend=True))
    held = stage.until_reason("OCIJobRun", "run", "Suspended")
    assert phase(held) == "Suspended"
    assert condition(held, "Suspended")["status"] == "True"
    assert not stage.job_runs()
    stage.patch("OCIJobRun", "run", {"spec": {"suspend": False}})
    assert phase(stage.until_ended("run")) == "Succeeded"


def test_suspending_a_run_that_is_active_cancels_it_and_resuming_makes_another_attempt(
    stage: Stage,
) -> None:
    stage.emulator.set_mode(default={"accepted": 0.2, "inProgress": 600})
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    stage.until_reason("OCIJobRun", "run", "Running")
    stage.patch("OCIJobRun", "run", {"spec": {"suspend": True}})
    held = stage.until("OCIJobRun", "run", lambda document: phase(document) == "Suspended")
    assert held["status"]["attempts"][0]["lifecycleState"] == "CANCELED"
    assert "failed" not in held["status"]
    stage.emulator.set_mode(default={"accepted": 0.2, "inProgress": 0.2})
    stage.patch("OCIJobRun", "run", {"spec": {"suspend": False}})
    ended = stage.until_ended("run")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["attemptCount"] == 2


def test_a_run_that_takes_longer_than_its_deadline_is_ended_and_fails(stage: Stage) -> None:
    stage.emulator.set_mode(default={"accepted": 0.2, "inProgress": 600})
    stage.identity()
    stage.apply(manifests.job(), manifests.run(activeDeadlineSeconds=3, backoffLimit=3))
    ended = stage.until_ended("run")
    assert condition(ended, "Failed")["reason"] == "DeadlineExceeded"
    assert ended["status"]["attemptCount"] == 1
    assert stage.job_run_state(ended["status"]["jobRunId"]) == "CANCELED"


def test_an_attempt_without_a_machine_in_time_has_failed(stage: Stage) -> None:
    stage.emulator.set_mode(default={"accepted": 600, "inProgress": 1})
    stage.identity()
    stage.apply(manifests.job(), manifests.run(preRunningDeadlineSeconds=2))
    ended = stage.until_ended("run")
    assert condition(ended, "Failed")["reason"] == "PreRunningDeadlineExceeded"


def test_an_ended_run_expires_but_not_while_another_waits_for_it(stage: Stage) -> None:
    stage.identity()
    stage.apply(
        manifests.job(),
        manifests.run("first", ttlSecondsAfterFinished=1),
        manifests.run("second", dependsOn=[{"name": "first"}], suspend=True),
    )
    assert phase(stage.until_ended("first")) == "Succeeded"
    stage.until_reason("OCIJobRun", "second", "Suspended")
    # One that ends later and that nobody waits for has expired: so would the first have.
    stage.create(manifests.run("unawaited", ttlSecondsAfterFinished=1))
    stage.until_gone("OCIJobRun", "unawaited")
    assert stage.get("OCIJobRun", "first")
    stage.patch("OCIJobRun", "second", {"spec": {"suspend": False}})
    assert phase(stage.until_ended("second")) == "Succeeded"
    stage.until_gone("OCIJobRun", "first")


def test_a_run_brings_its_own_job_along(stage: Stage) -> None:
    stage.identity()
    run = manifests.run(jobTemplate={"spec": manifests.job()["spec"]})
    del run["spec"]["jobRef"]
    stage.apply(run)
    assert phase(stage.until_ended("run")) == "Succeeded"
    job = stage.get("OCIJob", "run")
    assert job["metadata"]["ownerReferences"][0]["kind"] == "OCIJobRun"
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJob", "run")


def test_a_run_of_an_oci_job_outside_the_cluster(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job())
    job_id = stage.until_synced("job")["status"]["jobId"]
    run = manifests.run(jobId=job_id, env=[{"name": "WHO", "value": "me"}])
    del run["spec"]["jobRef"]
    stage.apply(run)
    ended = stage.until_ended("run")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["jobId"] == job_id


def test_a_run_has_machines_and_a_log_of_its_own(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    stage.apply(
        manifests.job(),
        manifests.run(
            infrastructure={
                "shapeName": "VM.Standard.E4.Flex",
                "jobShapeConfigDetails": {"ocpus": 2, "memoryInGBs": 32},
            },
            logging={"enableLogging": False},
        ),
    )
    status = stage.until_ended("run")["status"]
    run = stage.job_run(status["jobRunId"])
    machine = run.job_infrastructure_configuration_override_details
    assert machine.shape_name == "VM.Standard.E4.Flex"
    assert machine.job_shape_config_details.ocpus == 2
    assert machine.block_storage_size_in_gbs == 50
    assert run.job_log_configuration_override_details.enable_logging is False
    assert status["binding"]["shapeName"] == "VM.Standard.E4.Flex"
    assert "logs" not in status
