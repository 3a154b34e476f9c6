"""Deletion where OCI takes its time: nothing goes on running, and nothing hangs."""

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase

from ocijobs.api.crd import KINDS

pytestmark = pytest.mark.asyncio

LONG = {"inProgress": 100_000}


async def _running(world: World, name: str = "run") -> str:
    """Have a run be running, and return its OCID."""
    world.stage.emulator.set_mode(default=LONG)
    world.stage.identity()
    world.create(manifests.job(), manifests.run(name))
    return str((await world.until_phase(name, "Running"))["status"]["jobRunId"])


async def test_a_deleted_run_is_cancelled_before_it_goes(world: World) -> None:
    ocid = await _running(world)
    world.stage.delete("OCIJobRun", "run")
    await world.until_gone("OCIJobRun", "run")
    assert world.stage.job_run_state(ocid) == "CANCELED"


async def test_a_run_that_is_deleted_while_its_creation_has_no_answer_is_cancelled(
    world: World,
) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    world.create(manifests.job())
    await world.until_reason("OCIJob", "job", "Synced")
    stage.emulator.add_fault("CreateJobRun", action="drop", count=1)
    world.create(manifests.run())
    await world.until_called("CreateJobRun")
    stage.delete("OCIJobRun", "run")
    await world.until_gone("OCIJobRun", "run")
    (created,) = stage.job_runs()
    assert created.lifecycle_state == "CANCELED"


async def test_a_record_is_deleted_where_the_policy_says_so(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(), manifests.run(deletionPolicy="Delete"))
    ocid = (await world.until_ended("run"))["status"]["jobRunId"]
    stage.delete("OCIJobRun", "run")
    await world.until_gone("OCIJobRun", "run")
    (deleted,) = stage.emulator.journal("DeleteJobRun", status=204)
    assert deleted.resource_id == ocid


async def test_a_deleted_job_waits_for_its_runs_and_then_goes(world: World) -> None:
    ocid = await _running(world)
    stage = world.stage
    job_id = stage.get("OCIJob", "job")["status"]["jobId"]
    stage.delete("OCIJob", "job")
    waiting = await world.until_reason("OCIJob", "job", "WaitingForRuns")
    assert "run" in condition(waiting, "Ready")["message"]
    stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    await world.until_gone("OCIJob", "job")
    assert stage.job_run_state(ocid) == "CANCELED"
    assert phase(stage.get("OCIJobRun", "run")) == "Cancelled"
    assert any(job_id in call.path for call in stage.emulator.journal("DeleteJob"))


async def test_a_namespace_with_everything_in_it_goes_and_its_runs_are_cancelled(
    world: World,
) -> None:
    await _running(world)
    stage = world.stage
    world.create(manifests.run("second"))
    await world.until_phase("second", "Running")
    stage.core.delete_namespace(stage.namespace)
    # The control plane's own controller marks each object, in real time.
    objects = [
        (kind.name, one["metadata"]["name"]) for kind in KINDS for one in stage.all(kind.name)
    ]
    for kind, name in objects:
        await world.until_marked(kind, name)
    for kind, name in objects:
        await world.until_gone(kind, name)
    assert {run.lifecycle_state for run in stage.job_runs()} == {"CANCELED"}
