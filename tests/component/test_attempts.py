"""Attempts: a run that fails is tried again as its policy says, and suspended and late ones end as they should."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase

pytestmark = pytest.mark.asyncio

LONG = {"inProgress": 100_000}


def fails(world: World, code: int = 3, seconds: float = 1) -> None:
    """Let every run fail in OCI, so many seconds after its code has begun."""
    world.stage.emulator.set_mode(
        default={"inProgress": seconds, "outcome": "FAILED", "exitCode": code}
    )


async def test_a_run_that_fails_is_tried_again_as_often_as_its_limit_says(world: World) -> None:
    stage = world.stage
    fails(world)
    stage.identity()
    world.create(manifests.job(), manifests.run(backoffLimit=2))
    status = (await world.until_ended("run"))["status"]
    assert status["phase"] == "Failed"
    assert condition({"status": status}, "Failed")["reason"] == "BackoffLimitExceeded"
    assert [attempt["number"] for attempt in status["attempts"]] == [0, 1, 2]
    assert [attempt["exitCode"] for attempt in status["attempts"]] == [3, 3, 3]
    assert status["attemptCount"] == status["failed"] == 3
    assert len({attempt["jobRunId"] for attempt in status["attempts"]}) == 3
    assert len(stage.job_runs()) == 3
    await world.operator.see(stage.until_event, "run", "Retrying")
    # Each pause is longer than the one before.
    first, second, third = sorted(run.time_accepted for run in stage.job_runs())
    assert timedelta(seconds=5) <= second - first < third - second <= timedelta(minutes=2)


async def test_an_attempt_after_the_job_has_changed_is_like_the_first_one(world: World) -> None:
    stage = world.stage
    fails(world, seconds=600)
    stage.identity()
    env = [{"name": "A", "value": "1"}]
    world.create(
        manifests.job(env=env), manifests.run(backoffLimit=1, env=[{"name": "B", "value": "2"}])
    )
    first = (await world.until_reason("OCIJobRun", "run", "Running"))["status"]["jobId"]
    stage.patch("OCIJob", "job", {"spec": {"env": [{"name": "A", "value": "changed"}]}})
    await world.until("OCIJob", "job", lambda o: o["status"]["jobId"] != first)
    assert phase(stage.get("OCIJobRun", "run")) == "Running"
    await world.until_ended("run")
    bodies = [
        {**run.job_configuration_override_details.environment_variables}
        for run in (stage.job_run(each.id) for each in stage.job_runs())
    ]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert bodies[0]["A"] == "1"
    assert len({run.job_id for run in stage.job_runs()}) == 1


async def test_an_exit_code_that_the_policy_names_ends_the_run_at_once(world: World) -> None:
    fails(world, code=42)
    world.stage.identity()
    rule = {"action": "Fail", "onExitCodes": {"operator": "In", "values": [42]}}
    world.create(manifests.job(), manifests.run(backoffLimit=5, failurePolicy={"rules": [rule]}))
    status = (await world.until_ended("run"))["status"]
    assert status["exitCode"] == 42
    assert status["attemptCount"] == 1
    assert condition({"status": status}, "Failed")["reason"] == "RunFailed"


async def test_a_suspended_run_is_launched_when_it_is_resumed(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(), manifests.run(suspend=True))
    held = await world.until_reason("OCIJobRun", "run", "Suspended")
    assert phase(held) == "Suspended"
    assert condition(held, "Suspended")["status"] == "True"
    await world.pass_time(minutes=10)
    assert not stage.job_runs()
    stage.patch("OCIJobRun", "run", {"spec": {"suspend": False}})
    assert phase(await world.until_ended("run")) == "Succeeded"


async def test_suspending_a_run_that_is_active_cancels_it_and_resuming_makes_another_attempt(
    world: World,
) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    world.create(manifests.job(), manifests.run())
    await world.until_reason("OCIJobRun", "run", "Running")
    stage.patch("OCIJobRun", "run", {"spec": {"suspend": True}})
    held = await world.until_phase("run", "Suspended")
    assert held["status"]["attempts"][0]["lifecycleState"] == "CANCELED"
    assert "failed" not in held["status"]
    stage.emulator.set_mode(default={})
    stage.patch("OCIJobRun", "run", {"spec": {"suspend": False}})
    ended = await world.until_ended("run")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["attemptCount"] == 2


async def test_a_run_that_takes_longer_than_its_deadline_is_ended_and_fails(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    world.create(manifests.job(), manifests.run(activeDeadlineSeconds=1800, backoffLimit=3))
    ended = await world.until_ended("run")
    assert condition(ended, "Failed")["reason"] == "DeadlineExceeded"
    assert ended["status"]["attemptCount"] == 1
    run = stage.job_run(ended["status"]["jobRunId"])
    assert run.lifecycle_state == "CANCELED"
    # Not before its time, and soon after it.
    took = run.time_finished - run.time_accepted
    assert timedelta(seconds=1795) <= took <= timedelta(seconds=1830)


async def test_an_attempt_without_a_machine_in_time_has_failed(world: World) -> None:
    world.stage.emulator.set_mode(default={"accepted": 100_000})
    world.stage.identity()
    world.create(manifests.job(), manifests.run(preRunningDeadlineSeconds=1200))
    ended = await world.until_ended("run")
    assert condition(ended, "Failed")["reason"] == "PreRunningDeadlineExceeded"
    accepted, completed = (
        datetime.fromisoformat(ended["status"][field])
        for field in ("acceptedTime", "completionTime")
    )
    assert timedelta(seconds=1195) <= completed - accepted <= timedelta(seconds=1230)


async def test_an_ended_run_expires_but_not_while_another_waits_for_it(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(
        manifests.job(),
        manifests.run("first", ttlSecondsAfterFinished=600),
        manifests.run("second", dependsOn=[{"name": "first"}], suspend=True),
    )
    assert phase(await world.until_ended("first")) == "Succeeded"
    await world.until_reason("OCIJobRun", "second", "Suspended")
    await world.pass_time(minutes=20)
    assert stage.get("OCIJobRun", "first")
    stage.patch("OCIJobRun", "second", {"spec": {"suspend": False}})
    assert phase(await world.until_ended("second")) == "Succeeded"
    await world.until_gone("OCIJobRun", "first")


async def test_a_run_brings_its_own_job_along(world: World) -> None:
    stage = world.stage
    stage.identity()
    run = manifests.run(jobTemplate={"spec": manifests.job()["spec"]})
    del run["spec"]["jobRef"]
    world.create(run)
    assert phase(await world.until_ended("run")) == "Succeeded"
    job = stage.get("OCIJob", "run")
    assert job["metadata"]["ownerReferences"][0]["kind"] == "OCIJobRun"
    stage.delete("OCIJobRun", "run")
    await world.until_marked("OCIJob", "run")
    await world.until_gone("OCIJob", "run")


async def test_a_run_of_an_oci_job_outside_the_cluster(world: World) -> None:
    world.stage.identity()
    world.create(manifests.job())
    job_id = (await world.until_reason("OCIJob", "job", "Synced"))["status"]["jobId"]
    run = manifests.run(jobId=job_id, env=[{"name": "WHO", "value": "me"}])
    del run["spec"]["jobRef"]
    world.create(run)
    ended = await world.until_ended("run")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["jobId"] == job_id


async def test_a_run_has_machines_and_a_log_of_its_own(world: World) -> None:
    stage = world.stage
    stage.identity(logGroupId=await world.log_group())
    world.create(
        manifests.job(),
        manifests.run(
            infrastructure={
                "shapeName": "VM.Standard.E4.Flex",
                "jobShapeConfigDetails": {"ocpus": 2, "memoryInGBs": 32},
            },
            logging={"enableLogging": False},
        ),
    )
    status = (await world.until_ended("run"))["status"]
    run = stage.job_run(status["jobRunId"])
    machine = run.job_infrastructure_configuration_override_details
    assert machine.shape_name == "VM.Standard.E4.Flex"
    assert machine.job_shape_config_details.ocpus == 2
    assert machine.block_storage_size_in_gbs == 50
    assert run.job_log_configuration_override_details.enable_logging is False
    assert status["binding"]["shapeName"] == "VM.Standard.E4.Flex"
    assert "logs" not in status
