"""How runs end where OCI is slow: cancelled too late, out of time, with lines that come afterwards."""

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase

pytestmark = pytest.mark.asyncio


async def test_a_run_that_succeeds_while_it_is_cancelled_is_told_as_it_was(world: World) -> None:
    stage = world.stage
    stage.identity()
    # It ends by itself within the seconds that a cancellation takes.
    stage.emulator.set_mode(default={"accepted": 60, "inProgress": 610})
    world.create(manifests.job(), manifests.run())
    await world.until_phase("run", "Running")
    await world.pass_time(minutes=10)
    assert phase(stage.get("OCIJobRun", "run")) == "Running"
    stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    ended = await world.until_ended("run")
    state = stage.job_run_state(ended["status"]["jobRunId"])
    assert phase(ended) == {"SUCCEEDED": "Succeeded", "CANCELED": "Cancelled"}[state]
    assert state == (
        "SUCCEEDED" if stage.emulator.rules()["cancel_race"] == "own-outcome" else "CANCELED"
    )


async def test_a_cancelled_run_keeps_its_record(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default={"inProgress": 100_000})
    world.create(manifests.job(), manifests.run())
    await world.until_reason("OCIJobRun", "run", "Accepted")
    stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    ended = await world.until_ended("run")
    assert phase(ended) == "Cancelled"
    assert condition(ended, "Failed")["message"] == "cancelled by spec.cancel"
    assert stage.job_run_state(ended["status"]["jobRunId"]) == "CANCELED"


async def test_results_are_taken_from_lines_that_come_after_the_end(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(
        default={"inProgress": 30, "output": ['{"ocijobs.io/results": {"auc": 0.93}}']}
    )
    stage.identity(logGroupId=await world.log_group())
    world.create(manifests.job(results=["auc"]), manifests.run())
    ended = await world.until_ended("run")
    assert ended["status"]["results"] == {"auc": "0.93"}
    assert condition(ended, "ResultsReady")["status"] == "True"


async def test_the_tail_has_the_last_lines_in_their_order_once_all_have_come(world: World) -> None:
    stage = world.stage
    lines = [f"line {number:02}" for number in range(40)]
    stage.emulator.set_mode(default={"inProgress": 30, "output": lines, "outcome": "FAILED"})
    stage.identity(logGroupId=await world.log_group())
    world.create(manifests.job(), manifests.run())
    await world.until_ended("run")
    await world.pass_time(minutes=5)
    tail = stage.get("OCIJobRun", "run")["status"]["logs"]["tail"]
    assert tail == lines[-len(tail) :]
    assert len(tail) >= 10


async def test_a_run_may_have_a_log_group_of_its_own(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default={"inProgress": 30, "output": ["done"]})
    stage.identity(logGroupId=await world.log_group())
    own = await world.log_group("own")
    world.create(manifests.job(), manifests.run(logging={"logGroupId": own}))
    ended = await world.until("OCIJobRun", "run", lambda o: "tail" in o["status"].get("logs", {}))
    assert ended["status"]["logs"]["tail"] == ["done"]
    assert ended["status"]["logs"]["logGroupId"] == own
