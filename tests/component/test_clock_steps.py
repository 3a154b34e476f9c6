"""The operator's wall clock is set by hours: nothing changes but what is written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import phase

pytestmark = pytest.mark.asyncio

RUN_SECONDS = 1200
GOOD = '{"ocijobs.io/results": {"auc": 0.93}}'


async def _running(world: World) -> None:
    world.stage.emulator.set_mode(
        default={"accepted": 30, "inProgress": RUN_SECONDS, "output": ["done", GOOD]}
    )
    world.stage.identity(logGroupId=await world.log_group())
    world.create(manifests.job(results=["auc"]))
    await world.until_synced("job")
    world.create(manifests.run())
    await world.until_phase("run", "Running")


@pytest.mark.parametrize("hours", [2, -2])
async def test_the_end_of_a_run_is_seen_and_what_it_left(world: World, hours: int) -> None:
    await _running(world)
    await world.pass_time(minutes=5)
    world.clock.step(hours * 3600)
    seen = world.stage.emulator.last_seq()
    ended = await world.until_ended("run", within=timedelta(seconds=RUN_SECONDS))
    assert phase(ended) == "Succeeded"
    assert ended["status"]["results"] == {"auc": "0.93"}
    assert ended["status"]["logs"]["tail"] == ["done", GOOD]
    assert "CreateJobRun" not in world.stage.emulator.counts(seen)
    assert "CreateJob" not in world.stage.emulator.counts(seen)


@pytest.mark.parametrize("hours", [2, -2])
async def test_the_next_run_is_launched(world: World, hours: int) -> None:
    await _running(world)
    world.clock.step(hours * 3600)
    world.create(manifests.run("another"))
    await world.until_phase("another", "Running", within=timedelta(minutes=5))
    assert len(world.stage.job_runs()) == 2


@pytest.mark.parametrize("hours", [2, -2])
async def test_a_poll_that_fails_is_told_after_a_minute(world: World, hours: int) -> None:
    await _running(world)
    world.stage.emulator.add_fault(operation="ListJobRuns", status=500, code="InternalError")
    await world.pass_time(seconds=30)
    world.clock.step(hours * 3600)
    await world.until_reason("OCIJobRun", "run", "OCIUnavailable", within=timedelta(minutes=3))
