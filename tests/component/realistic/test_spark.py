"""Spark on a Data Flow that takes minutes, forgets answers and shows logs late."""

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase

pytestmark = pytest.mark.asyncio

ERROR = "Exception in thread main: no such table"


def _identity(world: World) -> None:
    stage = world.stage
    stage.identity(artifactBucketUri=f"{stage.bucket('code')}/spark")


async def test_an_application_and_its_runs_are_made_once_though_the_operator_is_killed(
    world: World,
) -> None:
    stage = world.stage
    _identity(world)
    for operation in ("CreateRun", "CreateApplication", "PutObject"):
        stage.emulator.add_fault(operation, action="drop", probability=0.4, seed=5)
    world.create(manifests.spark_job(), manifests.run("run-0"))
    await world.until_called("CreateApplication")
    await world.restart()
    await world.until_called("CreateRun")
    await world.restart()
    world.create(manifests.run("run-1"))
    await world.until_called("CreateRun", count=2)
    await world.restart()
    stage.emulator.clear_faults()
    for name in ("run-0", "run-1"):
        assert phase(await world.until_ended(name)) == "Succeeded"
    bound = {stage.get("OCIJobRun", name)["status"]["jobRunId"] for name in ("run-0", "run-1")}
    assert bound == {run.id for run in stage.flow_runs()}
    assert len(stage.flow().list_applications(stage.emulator.tenancy).data) == 1


async def test_the_end_of_the_log_of_a_failed_driver_is_told(world: World) -> None:
    stage = world.stage
    _identity(world)
    stage.emulator.set_mode(default={"inProgress": 60, "outcome": "FAILED", "output": [ERROR]})
    world.create(manifests.spark_job(), manifests.run())
    ended = await world.until_ended("run")
    assert phase(ended) == "Failed"
    await world.until(
        "OCIJobRun", "run", lambda o: ERROR in str(o["status"].get("logs", {}).get("tail"))
    )


async def test_a_run_of_spark_that_is_deleted_is_stopped(world: World) -> None:
    stage = world.stage
    _identity(world)
    stage.emulator.set_mode(default={"inProgress": 100_000})
    world.create(manifests.spark_job(), manifests.run())
    await world.until_phase("run", "Running")
    stage.delete("OCIJobRun", "run")
    await world.until_gone("OCIJobRun", "run")
    (run,) = stage.flow_runs()
    assert run.lifecycle_state in {"CANCELED", "STOPPED"}
    stage.delete("OCIJob", "job")
    await world.until_gone("OCIJob", "job")
    found = stage.flow().list_applications(stage.emulator.tenancy).data
    assert [one for one in found if one.lifecycle_state == "ACTIVE"] == []


async def test_a_run_of_spark_that_has_ended_is_deleted_with_its_record(world: World) -> None:
    stage = world.stage
    _identity(world)
    world.create(manifests.spark_job(), manifests.run(deletionPolicy="Delete"))
    assert phase(await world.until_ended("run")) == "Succeeded"
    stage.delete("OCIJobRun", "run")
    await world.until_gone("OCIJobRun", "run")


async def test_a_run_of_spark_that_exceeds_its_time_has_failed(world: World) -> None:
    stage = world.stage
    _identity(world)
    stage.emulator.set_mode(default={"inProgress": 100_000})
    world.create(manifests.spark_job(maximumRuntimeInMinutes=30), manifests.run())
    ended = await world.until_ended("run")
    assert phase(ended) == "Failed"
    assert condition(ended, "Failed")["status"] == "True"


async def test_a_run_of_spark_with_settings_of_its_own_gets_the_jobs_others_as_well(
    world: World,
) -> None:
    """Whether Data Flow merges what a run says or takes it whole, the run gets the same."""
    stage = world.stage
    _identity(world)
    world.create(
        manifests.spark_job(
            env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            args=["${day}", "${hour}"],
            code={"parameters": [{"name": "day", "value": "1"}, {"name": "hour", "value": "2"}]},
        ),
        manifests.run(
            env=[{"name": "B", "value": "3"}],
            spark={"parameters": [{"name": "day", "value": "4"}]},
        ),
    )
    ended = await world.until_ended("run")
    assert phase(ended) == "Succeeded"
    run = stage.flow().get_run(ended["status"]["jobRunId"]).data
    assert run.configuration["spark.driverEnv.A"] == "1"
    assert run.configuration["spark.driverEnv.B"] == "3"
    assert {p.name: p.value for p in run.parameters} == {"day": "4", "hour": "2"}
    shown = stage.emulator.rules()["run_arguments"]
    assert run.arguments == {"as-given": ["${day}", "${hour}"], "filled": ["4", "2"]}[shown]
    assert ended["status"]["metrics"]["runDurationInMilliseconds"] > 0
