"""A third service through the real worker and the shared poll: registered, and nothing else of the operator changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.component.third_backend.batch_world import BatchWorld
from tests.support import manifests
from tests.support.batch import BATCH, SHAPE
from tests.support.namespace import condition, phase

from ocijobs.backends.records import RunState

pytestmark = [pytest.mark.asyncio, pytest.mark.breadth]

MACHINES = {"dataScienceJob": {"shapeName": SHAPE}}


def job(**spec: Any) -> dict[str, Any]:
    """Return an OCIJob that runs on Batch."""
    return manifests.job(infrastructure=MACHINES, **spec)


async def test_a_run_is_made_followed_by_the_poll_and_costs_nothing_when_it_has_ended(
    world: BatchWorld,
) -> None:
    batch = world.batch
    world.stage.identity()
    world.create(job(env=[{"name": "DEPTH", "value": "4"}]), manifests.run())
    running = (await world.until_reason("OCIJobRun", "run", "Running"))["status"]
    assert running["backend"] == BATCH.name
    ended = await world.until_ended("run")
    status = ended["status"]
    assert (status["phase"], status["lifecycleState"]) == ("Succeeded", "SUCCEEDED")
    assert condition(ended, "Complete")["message"] == "the task is done"
    assert status["consoleUrl"].endswith(f"/{BATCH.run_page}/{batch.tasks[0].id}")
    made = world.stage.get("OCIJob", "job")["status"]
    assert (made["backend"], made["jobId"]) == (BATCH.name, batch.jobs[0].id)
    assert batch.jobs[0].request.variables == {"DEPTH": "4"}
    assert batch.jobs[0].code
    calls = batch.calls
    assert (calls["create_job"], calls["create_run"], calls["upload_artifact"]) == (1, 1, 1)
    assert calls["list_runs"] > 3
    assert calls["look_up_run"] <= 2
    assert calls["search_jobs"] == calls["search_runs"] == 0
    asked = calls["list_runs"], calls["look_up_run"]
    await world.pass_time(minutes=30)
    assert (calls["list_runs"], calls["look_up_run"]) == asked


async def test_an_edit_of_anything_makes_another_job_and_updates_none(world: BatchWorld) -> None:
    batch = world.batch
    world.stage.identity()
    world.create(job(revisionHistoryLimit=0))
    first = await world.until_reason("OCIJob", "job", "Synced")
    world.stage.patch("OCIJob", "job", {"spec": {"displayName": "renamed"}})
    former = first["status"]["jobId"]
    await world.until("OCIJob", "job", lambda o: o["status"].get("jobId") not in {None, former})
    await world.until_so(
        lambda: batch.jobs[0].deleted or None, within=timedelta(hours=2), what="the former job goes"
    )
    assert [each.request.settings.display_name for each in batch.jobs][1:] == ["renamed"]
    assert batch.calls["update_job"] == 0


async def test_a_run_that_fails_is_tried_again(world: BatchWorld) -> None:
    world.batch.outcome = RunState.FAILED
    world.stage.identity()
    world.create(job(), manifests.run(backoffLimit=1))
    status = (await world.until_ended("run"))["status"]
    assert condition({"status": status}, "Failed")["reason"] == "BackoffLimitExceeded"
    assert [attempt["jobRunId"] for attempt in status["attempts"]] == [
        task.id for task in world.batch.tasks
    ]
    assert len(world.batch.tasks) == status["failed"] == 2
    assert not any("exitCode" in attempt for attempt in status["attempts"])


async def test_a_run_is_cancelled(world: BatchWorld) -> None:
    world.stage.identity()
    world.create(job(), manifests.run())
    await world.until_reason("OCIJobRun", "run", "Running")
    world.stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    ended = await world.until_ended("run")
    assert (phase(ended), ended["status"]["lifecycleState"]) == ("Cancelled", "CANCELED")
    assert world.batch.calls["cancel_run"] == 1


async def test_job_and_run_go_with_what_they_have_there(world: BatchWorld) -> None:
    batch = world.batch
    world.stage.identity()
    world.create(job(), manifests.run(deletionPolicy="Delete"))
    await world.until_reason("OCIJobRun", "run", "Running")
    world.stage.delete("OCIJob", "job")
    world.stage.delete("OCIJobRun", "run")
    for kind, name in (("OCIJobRun", "run"), ("OCIJob", "job")):
        await world.until_gone(kind, name)
    assert [task.deleted for task in batch.tasks] == [True]
    assert [each.deleted for each in batch.jobs] == [True]


async def test_a_restart_finds_the_run_and_makes_no_other(world: BatchWorld) -> None:
    world.stage.identity()
    world.create(job(), manifests.run())
    await world.until_reason("OCIJobRun", "run", "Running")
    await world.restart()
    assert phase(await world.until_ended("run")) == "Succeeded"
    assert (len(world.batch.jobs), len(world.batch.tasks)) == (1, 1)


async def test_what_it_can_not_do_is_said_by_name(world: BatchWorld) -> None:
    world.stage.identity()
    world.create(job(), manifests.run(args=["--fast"]))
    failed = condition(await world.until_ended("run"), "Failed")
    assert failed["reason"] == "InvalidSpec"
    assert "OCIJob job runs on Batch" in failed["message"]
    assert world.batch.tasks == []


async def test_runs_of_two_services_are_polled_apart(world: BatchWorld) -> None:
    world.stage.identity()
    world.stage.emulator.set_mode(default={"inProgress": 600})
    world.create(
        job(), manifests.run(), manifests.job("theirs"), manifests.run("their-run", of="theirs")
    )
    for name in ("run", "their-run"):
        assert phase(await world.until_ended(name)) == "Succeeded"
    backends = [
        world.stage.get("OCIJobRun", name)["status"]["backend"] for name in ("run", "their-run")
    ]
    assert backends == [BATCH.name, "DataScience"]
