"""Two operators for one cluster, each with a clock of its own: OCI gets each run once, whoever leads."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.component.inside import LONG_LEASE, Inside
from tests.support import manifests
from tests.support.stage import FAST, Stage

from ocijobs.testing import ShiftedClock

pytestmark = pytest.mark.asyncio

RUNS = [f"run-{number}" for number in range(8)]


@pytest_asyncio.fixture
async def standby(inside: Inside) -> AsyncIterator[Inside]:
    """Another operator beside `inside`, which leads."""
    await inside.stop()
    await inside.start(**FAST)
    await inside.until_leading()
    inside.stage.identity()
    inside.stage.apply(manifests.job())
    await inside.see(inside.stage.until_reason, "OCIJob", "job", "Synced")
    standby = Inside(inside.stage, ShiftedClock())
    await standby.start(**FAST)
    await standby.until_ready()
    yield standby
    await standby.stop()


def _each_was_created_once(stage: Stage) -> None:
    bound = [stage.get("OCIJobRun", name)["status"]["jobRunId"] for name in RUNS]
    assert sorted(bound) == sorted(run.id for run in stage.job_runs())
    creates = stage.emulator.journal("CreateJobRun", limit=1000)
    assert len({create.retry_token for create in creates}) == len(RUNS)
    # Neither is the job made again by the one that did not make it.
    assert len(stage.emulator.journal("CreateJob", status=200)) == 1


async def test_a_leader_that_ends_gives_the_lease_to_the_one_that_waits(
    inside: Inside, standby: Inside
) -> None:
    stage = inside.stage
    stage.apply(*(manifests.run(name) for name in RUNS))
    await inside.see(stage.emulator.wait_for, "CreateJobRun", count=3)
    await inside.stop()
    # It looks again when it would renew a lease; the one that was given back would have lasted for hours.
    standby.clock.advance(LONG_LEASE["lease_renew_seconds"])
    await standby.until_leading()
    for name in RUNS:
        await standby.see(stage.until_ended, name)
    _each_was_created_once(stage)


async def test_the_work_of_a_killed_leader_goes_on_when_its_lease_has_ended(
    inside: Inside, standby: Inside
) -> None:
    stage = inside.stage
    # What the leader has created, and never learns of.
    stage.emulator.add_fault("CreateJobRun", action="drop")
    stage.apply(*(manifests.run(name) for name in RUNS))
    await inside.see(stage.emulator.wait_for, "CreateJobRun", count=3)
    await inside.kill()
    stage.emulator.clear_faults()
    assert not any("jobRunId" in stage.get("OCIJobRun", name)["status"] for name in RUNS)
    standby.clock.advance(LONG_LEASE["lease_duration_seconds"] + 1)
    await standby.until_leading()
    for name in RUNS:
        await standby.see(stage.until_ended, name)
    _each_was_created_once(stage)


async def test_two_that_both_believe_to_lead_create_each_run_once(
    inside: Inside, standby: Inside
) -> None:
    """As after a virtual machine was suspended: its clock stood still, and it has not noticed yet."""
    standby.clock.advance(LONG_LEASE["lease_duration_seconds"] + 1)
    await standby.until_leading()
    await inside.until_leading()
    stage = inside.stage
    stage.apply(*(manifests.run(name) for name in RUNS))
    for name in RUNS:
        await standby.see(stage.until_ended, name)
    _each_was_created_once(stage)
    await inside.kill()
