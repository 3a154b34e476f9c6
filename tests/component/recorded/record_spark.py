"""Jobs and runs of Data Flow in all phases, as the recorder leads them there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.component.recorded.recording import Recording
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recording")]

LONG = {"accepted": 60, "inProgress": 100_000}
RESULT = '{"ocijobs.io/results": {"words": 4}}'
STREAM = {"type": "STREAMING"}


def identity(world: World) -> None:
    """Make an identity that has a bucket for code."""
    world.stage.identity(artifactBucketUri=f"{world.stage.bucket('code')}/spark")


async def test_a_run_with_everything(world: World, recording: Recording) -> None:
    stage = world.stage
    identity(world)
    stage.emulator.set_mode(
        default={
            "accepted": 60,
            "inProgress": 600,
            "output": ["a line", RESULT],
            "dataReadInBytes": 2048,
            "dataWrittenInBytes": 512,
        }
    )
    world.create(
        manifests.spark_job(
            files={"main.py": "import words\n", "words.py": "N = 1\n"},
            machines={
                "numExecutors": 2,
                "sparkConfiguration": {"spark.sql.shuffle.partitions": "8"},
            },
            code={"entrypoint": "main.py", "parameters": [{"name": "day", "value": "monday"}]},
            env=[{"name": "GREETING", "value": "hello"}],
            args=["--day", "${day}"],
            results=["words"],
        ),
        manifests.run(env=[{"name": "OWN", "value": "1"}]),
    )
    ended = await world.until_ended("run")
    assert ended["status"]["results"] == {"words": "4"}, ended
    await world.pass_time(hours=1)
    recording.keep("OCIJobRun", "run", "with-everything")


async def test_a_stream(world: World) -> None:
    stage = world.stage
    identity(world)
    stage.emulator.set_mode(default=LONG)
    world.create(
        manifests.spark_job(machines=STREAM),
        manifests.run("stopped"),
        manifests.run("cancelled"),
        manifests.run("suspended"),
    )
    for name in ("stopped", "cancelled", "suspended"):
        await world.until_reason("OCIJobRun", name, "Streaming")
    stage.emulator.force_run(stage.get("OCIJobRun", "stopped")["status"]["jobRunId"], "STOPPED")
    assert phase(await world.until_ended("stopped")) == "Succeeded"
    stage.patch("OCIJobRun", "cancelled", {"spec": {"cancel": True}})
    assert phase(await world.until_ended("cancelled")) == "Cancelled"
    stage.patch("OCIJobRun", "suspended", {"spec": {"suspend": True}})
    await world.until_phase("suspended", "Suspended")
    await world.pass_time(minutes=30)


async def test_failures(world: World) -> None:
    stage = world.stage
    identity(world)
    stage.emulator.set_mode(
        default={"accepted": 60, "inProgress": 60, "outcome": "FAILED", "output": ["no such table"]}
    )
    world.create(
        manifests.spark_job(), manifests.run("once"), manifests.run("often", backoffLimit=1)
    )
    for name in ("once", "often"):
        assert phase(await world.until_ended(name)) == "Failed"
    stage.emulator.set_mode(default=LONG)
    world.create(manifests.run("long", activeDeadlineSeconds=1800))
    assert phase(await world.until_ended("long", within=timedelta(hours=2))) == "Failed"
    await world.pass_time(minutes=30)


async def test_what_is_in_the_way(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.spark_job("without-bucket"))
    await world.until(
        "OCIJob", "without-bucket", lambda o: condition(o, "Ready")["reason"] != "Pending"
    )
    identity(world)
    stage.emulator.add_fault("CreateApplication", status=404, code="NotAuthorizedOrNotFound")
    world.create(manifests.spark_job("refused"), manifests.run("waiting", of="refused"))
    await world.until_reason("OCIJob", "refused", "NotAuthorizedOrNotFound")
    await world.pass_time(minutes=30)
    stage.emulator.clear_faults()
    stage.emulator.set_mode(default=LONG)
    stage.emulator.add_fault("CreateRun", action="drop")
    await world.until_synced("refused")
    await world.until_called("CreateRun")
    await world.restart()
    stage.emulator.clear_faults()
    await world.until_phase("waiting", "Running")
