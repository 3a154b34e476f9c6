"""Runs in all phases, as the recorder leads them there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.component.recorded.recording import Recording
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import Document, condition, phase

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recording")]

LONG = {"inProgress": 100_000}
RESULT = '{"ocijobs.io/results": {"auc": 0.93}}'
NO_JOB = "ocid1.datasciencejob.oc1.iad.none"
CANCEL, SUSPEND = {"cancel": True}, {"suspend": True}


def without_job(name: str = "run", **spec: Any) -> Document:
    """Return a run that names no OCIJob."""
    document = manifests.run(name, **spec)
    del document["spec"]["jobRef"]
    return document


async def test_a_run_with_everything(world: World, recording: Recording) -> None:
    stage = world.stage
    stage.emulator.set_mode(
        default={"accepted": 60, "inProgress": 600, "output": ["a line", RESULT]}
    )
    bucket = stage.bucket("outputs")
    stage.identity(logGroupId=await world.log_group())
    stage.apply(secret())
    token = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "token"}}}
    world.create(
        manifests.job(
            results=["auc"],
            outputs={"uri": f"{bucket}/$(JOB_RUN_OCID)"},
            env=[{"name": "PLAIN", "value": "x"}, token],
            args=["--rate", "0.1"],
        ),
        manifests.run(env=[{"name": "OWN", "value": "1"}], freeformTags={"team": "a"}),
    )
    running = await world.until_phase("run", "Running")
    ocid = running["status"]["jobRunId"]
    stage.put(f"{bucket}/{ocid}/model.bin", "model")
    stage.put(f"{bucket}/{ocid}/results.json", '{"auc": 0.93}')
    ended = await world.until_ended("run")
    assert ended["status"]["results"] == {"auc": "0.93"}, ended
    await world.pass_time(hours=1)
    status = stage.get("OCIJobRun", "run")["status"]
    assert status["outputs"]["count"] == 1 or status["outputs"]["objects"], status
    assert status["logs"]["tail"], status
    recording.keep("OCIJobRun", "run", "with-everything")


def secret() -> Document:
    """Return the Secret that runs take a value from."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "secret"},
        "stringData": {"token": "hunter0-secret"},
    }


async def test_what_runs_wait_for(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    world.create(manifests.job())
    token = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "token"}}}
    upstream = {"kind": "OCIJobRun", "name": "upstream", "result": "best"}
    world.create(
        manifests.job("narrow", maxActiveRuns=1),
        manifests.run("without-job", of="none"),
        manifests.run("without-value", env=[token]),
        manifests.run(
            "without-upstream", env=[{"name": "BEST", "valueFrom": {"resultRef": upstream}}]
        ),
        manifests.run("first", of="narrow"),
    )
    await world.until_phase("first", "Running")
    world.create(manifests.run("second", of="narrow"))
    for name, reason in (
        ("without-job", "WaitingForJob"),
        ("without-value", "WaitingForValue"),
        ("without-upstream", "WaitingForDependency"),
        ("second", "MaxActiveRuns"),
    ):
        await world.until_reason("OCIJobRun", name, reason)
    stage.emulator.add_fault("CreateJobRun", status=404, code="NotAuthorizedOrNotFound")
    world.create(manifests.run("refused"))
    await world.until_reason("OCIJobRun", "refused", "NotAuthorizedOrNotFound")
    await world.pass_time(minutes=30)
    assert condition(stage.get("OCIJobRun", "refused"), "Stalled")["status"] == "True"


async def test_an_intent_of_which_nobody_knows_what_it_made(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    world.create(manifests.job())
    await world.until_synced("job")
    stage.emulator.add_fault("CreateJobRun", status=500, code="InternalServerError")
    world.create(manifests.run())
    await world.until_called("CreateJobRun")
    await world.operator.kill()
    stage.emulator.clear_faults()
    # OCI has forgotten the token then.
    await world.pass_time(hours=25)
    await world.start()
    await world.until_phase("run", "Running")


async def test_failures(world: World) -> None:
    stage = world.stage
    stage.identity(logGroupId=await world.log_group())
    stage.emulator.set_mode(
        default={
            "accepted": 60,
            "inProgress": 30,
            "outcome": "FAILED",
            "exitCode": 3,
            "output": ["it failed"],
        }
    )
    world.create(manifests.job(), manifests.run("once"), manifests.run("often", backoffLimit=2))
    for name in ("once", "often"):
        assert phase(await world.until_ended(name)) == "Failed"
    invalid = manifests.run("invalid", env=[{"name": "JOB_OCID", "value": "x"}])
    world.create(invalid)
    assert phase(await world.until_ended("invalid")) == "Failed"
    world.create(manifests.run("after", dependsOn=[{"name": "once"}]))
    assert phase(await world.until_ended("after")) == "Failed"
    stage.emulator.add_fault(operation="CreateJobRun", status=400, code="InvalidParameter")
    world.create(manifests.run("refused"))
    assert phase(await world.until_ended("refused")) == "Failed"
    await world.pass_time(minutes=30)


async def test_deadlines(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(
        default=LONG, plans=[{"match": {"displayName": "*/slow"}, "accepted": 100_000}]
    )
    world.create(
        manifests.job(),
        manifests.run("long", activeDeadlineSeconds=1800),
        manifests.run("slow", preRunningDeadlineSeconds=1200),
    )
    for name in ("long", "slow"):
        assert phase(await world.until_ended(name, within=timedelta(hours=2))) == "Failed"
    await world.pass_time(minutes=30)


async def test_ends_that_people_ask_for(world: World, recording: Recording) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default=LONG)
    world.create(
        manifests.job(),
        manifests.run("cancelled"),
        manifests.run("suspended"),
        manifests.run("lost"),
        manifests.run("held", suspend=True),
    )
    for name in ("cancelled", "suspended", "lost"):
        await world.until_phase(name, "Running")
    stage.patch("OCIJobRun", "cancelled", {"spec": CANCEL})
    assert phase(await world.until_ended("cancelled")) == "Cancelled"
    recording.keep("OCIJobRun", "held", "before-launch")
    stage.patch("OCIJobRun", "suspended", {"spec": SUSPEND})
    await world.until_phase("suspended", "Suspended")
    recording.keep("OCIJobRun", "suspended", "after-an-attempt")
    lost = stage.get("OCIJobRun", "lost")["status"]["jobRunId"]
    stage.emulator.force_run(lost, "DELETED")
    assert phase(await world.until_ended("lost", within=timedelta(hours=2))) == "Failed"
    await world.pass_time(minutes=30)
    stage.delete("OCIJobRun", "suspended")
    await world.until_gone("OCIJobRun", "suspended")


async def test_a_run_that_needs_attention(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default={"inProgress": 60, "outcome": "NEEDS_ATTENTION"})
    world.create(manifests.job(), manifests.run())
    await world.until_phase("run", "NeedsAttention")


async def test_runs_without_an_ocijob_of_their_own(world: World, recording: Recording) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(), manifests.run("first"))
    first = (await world.until_ended("first"))["status"]
    adopt = {"jobRunId": first["jobRunId"], "formerOwner": first["owner"]}
    world.create(
        without_job("template", jobTemplate={"spec": manifests.job()["spec"]}),
        without_job("outside", jobId=first["jobId"], env=[{"name": "WHO", "value": "me"}]),
        manifests.run("heir", adopt=adopt),
    )
    for name in ("template", "outside", "heir"):
        assert phase(await world.until_ended(name)) == "Succeeded"
    await world.pass_time(minutes=30)
    recording.keep("OCIJobRun", "template", "with-a-template")
    recording.keep("OCIJobRun", "outside", "of-an-oci-job")
    recording.keep("OCIJobRun", "heir", "adopted")


async def test_a_run_on_several_nodes(world: World, recording: Recording) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default=LONG)
    groups = [{"name": "head", "args": ["first"]}, {"name": "workers", "replicas": 2}]
    nodes = {"shapeName": "VM.Standard2.1", "jobNodeGroups": groups}
    world.create(manifests.job(infrastructure={"dataScienceJob": nodes}), manifests.run())
    await world.until_phase("run", "Running")
    recording.keep("OCIJobRun", "run", "on-several-nodes")
