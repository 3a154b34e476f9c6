"""Exactly once where lists, tags and answers come late or never."""

from datetime import timedelta

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import phase

pytestmark = pytest.mark.asyncio

RUNS = [f"run-{number}" for number in range(4)]
TWO_DAYS = timedelta(days=2)


async def test_runs_are_created_once_though_the_operator_is_killed_among_them(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job())
    await world.until_reason("OCIJob", "job", "Synced")
    # What was created is never heard of: only asking again, or looking, tells.
    stage.emulator.add_fault("CreateJobRun", action="drop", probability=0.5, seed=5)
    for count, name in enumerate(RUNS, start=1):
        world.create(manifests.run(name))
        await world.until_called("CreateJobRun", count=count)
        await world.restart()
    stage.emulator.clear_faults()
    for name in RUNS:
        assert phase(await world.until_ended(name)) == "Succeeded"
    bound = {stage.get("OCIJobRun", name)["status"]["jobRunId"] for name in RUNS}
    assert bound == {run.id for run in stage.job_runs()}
    assert len(bound) == len(RUNS)


async def test_a_run_whose_creation_is_older_than_its_token_is_found(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job())
    await world.until_reason("OCIJob", "job", "Synced")
    stage.emulator.add_fault("CreateJobRun", action="drop")
    world.create(manifests.run())
    await world.until_called("CreateJobRun")
    await world.operator.kill()
    await world.pass_time(days=2)
    stage.emulator.clear_faults()
    await world.start()
    assert phase(await world.until_ended("run")) == "Succeeded"
    assert len(stage.job_runs()) == 1


async def test_a_run_that_no_list_shows_yet_is_not_created_again(world: World) -> None:
    """A token that can't be used again, and a list that lags: nothing found is not nothing there."""
    stage = world.stage
    stage.identity()
    world.create(manifests.job())
    await world.until_reason("OCIJob", "job", "Synced")
    await world.restart(token_lifetime_seconds=0.001)
    stage.emulator.add_fault("CreateJobRun", action="drop", count=1)
    world.create(manifests.run())
    assert phase(await world.until_ended("run")) == "Succeeded"
    (made,) = stage.job_runs()
    assert stage.get("OCIJobRun", "run")["status"]["jobRunId"] == made.id


async def test_a_job_is_created_once_though_no_answer_comes(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.add_fault("CreateJob", action="drop", count=2)
    stage.emulator.add_fault("CreateJobArtifact", action="drop", count=1)
    world.create(manifests.job(), manifests.run())
    await world.until_called("CreateJob")
    await world.restart()
    assert phase(await world.until_ended("run")) == "Succeeded"
    created = {entry.resource_id for entry in stage.emulator.journal("CreateJob", status=200)}
    assert created == {stage.get("OCIJob", "job")["status"]["jobId"]}


async def test_a_run_of_the_same_name_is_another_run(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(), manifests.run(deletionPolicy="Delete"))
    first = (await world.until_ended("run"))["status"]["jobRunId"]
    stage.delete("OCIJobRun", "run")
    await world.until_gone("OCIJobRun", "run")
    world.create(manifests.run())
    second = (await world.until_ended("run"))["status"]["jobRunId"]
    assert first != second
    assert stage.job_run_state(second) == "SUCCEEDED"
