"""Sweeps and schedules in all phases, as the recorder leads them there."""

from __future__ import annotations

from typing import Any

import pytest
from tests.component.recorded.recording import Recording
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import Document, phase

from ocijobs.api.shared.names import API_VERSION

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recording")]

LONG = {"accepted": 60, "inProgress": 100_000}
SCORE = {
    "accepted": 60,
    "inProgress": 600,
    "output": ['{"ocijobs.io/results": {"score": $SCORE}}'],
}
ENDS = {"Succeeded", "Failed", "Cancelled"}
OBJECTIVE = {"result": "score", "goal": "Maximize"}
RUN = {"jobRef": {"name": "job"}}


async def until_sweep(world: World, name: str, *phases: str) -> Document:
    """Let time pass until a sweep is in one of these phases, and return it."""
    return await world.until("OCIJobSweep", name, lambda o: phase(o) in phases)


async def test_a_sweep_that_ends_well(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=SCORE)
    stage.identity(logGroupId=await world.log_group())
    world.create(
        manifests.sweep(matrix={"SCORE": ["0.1", "0.9", "0.5"]}, objective=OBJECTIVE, parallelism=2)
    )
    await until_sweep(world, "sweep", "Pending")
    world.create(manifests.job(results=["score"]))
    assert phase(await until_sweep(world, "sweep", *ENDS)) == "Succeeded"
    await world.pass_time(minutes=30)


async def test_sweeps_that_people_end(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(
        default=LONG,
        plans=[{"match": {"displayName": "*/failing-1"}, "accepted": 1, "outcome": "FAILED"}],
    )
    stage.identity()
    many = {
        "A": [str(number) for number in range(1000)],
        "B": [str(number) for number in range(1000)],
    }
    three = {"X": ["1", "2", "3"]}
    world.create(
        manifests.job(),
        manifests.sweep("failing", matrix=three, parallelism=2),
        manifests.sweep("cancelled", matrix=three, parallelism=2),
        manifests.sweep("suspended", matrix=three, parallelism=2),
        manifests.sweep("invalid", matrix=many),
    )
    assert phase(await until_sweep(world, "failing", *ENDS)) == "Failed"
    for name in ("cancelled-0", "suspended-0"):
        await world.until_phase(name, "Running")
    stage.patch("OCIJobSweep", "suspended", {"spec": {"suspend": True}})
    await until_sweep(world, "suspended", "Suspended")
    stage.patch("OCIJobSweep", "cancelled", {"spec": {"cancel": True}})
    assert phase(await until_sweep(world, "cancelled", *ENDS)) == "Cancelled"
    await world.pass_time(minutes=30)


def schedule(name: str, *resources: dict[str, Any], **spec: Any) -> Document:
    """Return an OCIJobSchedule."""
    made = resources or ({"name": "train", "run": RUN}, {"name": "again", "run": RUN})
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJobSchedule",
        "metadata": {"name": name},
        "spec": {"schedule": "*/10 * * * *", "resources": list(made), **spec},
    }


async def test_schedules(world: World, recording: Recording) -> None:
    stage = world.stage
    stage.emulator.set_mode(default={"accepted": 60, "inProgress": 1200})
    stage.identity()
    itself = {"jobRef": {"name": "job"}, "dependsOn": [{"name": "train"}]}
    search = {"jobRef": {"name": "job"}, "matrix": {"X": ["1", "2"]}}
    world.create(
        manifests.job(),
        schedule("nightly", {"name": "train", "run": RUN}, {"name": "search", "sweep": search}),
        schedule("forbidding", concurrencyPolicy="Forbid"),
        schedule("suspended", suspend=True),
        schedule("never", schedule="0 0 31 2 *"),
        schedule("cyclic", {"name": "train", "run": itself}),
    )
    for name, reason in (("suspended", "Suspended"), ("never", "InvalidSpec")):
        await world.until_reason("OCIJobSchedule", name, reason)
    await world.until_reason("OCIJobSchedule", "forbidding", "AlreadyActive")
    await world.pass_time(minutes=35)
    recording.keep("OCIJobSchedule", "nightly", "with-firings")
