"""Jobs where what was written is not yet what is read: revisions, adoption, settings, drift."""

from datetime import timedelta
from typing import Any

import oci
import pytest
from tests.component.test_adoption import adopting, job_of_ads
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.stage import Stage

pytestmark = pytest.mark.asyncio


def _job(stage: Stage, ocid: str) -> Any:
    return stage.oci_client(oci.data_science.DataScienceClient).get_job(ocid).data


async def test_a_job_that_nobody_touches_is_written_once(world: World) -> None:
    """Whatever OCI shows late or adds by itself is no drift."""
    stage = world.stage
    stage.identity()
    world.create(manifests.job(freeformTags={"team": "a"}, env=[{"name": "A", "value": "1"}]))
    await world.until_reason("OCIJob", "job", "Synced")
    await world.pass_time(hours=1)
    assert condition(stage.get("OCIJob", "job"), "Ready")["reason"] == "Synced"
    assert "differences" not in stage.get("OCIJob", "job")["status"]
    assert len(stage.emulator.journal("CreateJob")) == 1
    assert stage.emulator.journal("UpdateJob") == []


async def test_an_edit_makes_a_revision_and_going_back_finds_the_former(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default={"inProgress": 600})

    async def synced(value: str) -> str:
        stage.patch("OCIJob", "job", {"spec": {"args": [value]}})
        return str((await world.until_synced("job"))["status"]["jobId"])

    world.create(manifests.job(args=["a"]), manifests.run("first"))
    first = (await world.until_phase("first", "Running"))["status"]["jobId"]
    second = await synced("b")
    world.create(manifests.run("second"))
    assert await synced("a") == first
    assert (await world.until_ended("second"))["status"]["jobId"] in {first, second}
    assert (await world.until_ended("first"))["status"]["jobId"] == first
    assert len(stage.emulator.journal("CreateJob", status=200)) == 2


async def test_a_former_revision_goes_when_no_run_needs_it(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(args=["a"], revisionHistoryLimit=0))
    former = (await world.until_reason("OCIJob", "job", "Synced"))["status"]["jobId"]
    stage.patch("OCIJob", "job", {"spec": {"args": ["b"]}})
    current = (await world.until_synced("job"))["status"]["jobId"]
    await world.until_so(
        lambda: True if _state(stage, former) == "DELETED" else None,
        within=timedelta(hours=1),
        what="the former job is deleted",
    )
    assert _state(stage, current) == "ACTIVE"


async def test_an_adopted_job_is_kept_as_the_manifest_says(world: World) -> None:
    stage = world.stage
    stage.identity()
    ocid = job_of_ads(stage, team="a")
    document = adopting(ocid)
    document["spec"] |= {"displayName": "ours now", "freeformTags": {"team": "b"}}
    world.create(document, manifests.run())
    assert (await world.until_ended("run"))["status"]["jobId"] == ocid
    job = _job(stage, ocid)
    assert (job.display_name, job.freeform_tags["team"]) == ("ours now", "b")
    assert job.job_configuration_details.environment_variables["DEPTH"] == "3"
    oci_client = stage.oci_client(oci.data_science.DataScienceClient)
    update = oci.data_science.models.UpdateJobDetails(display_name="somebody else's")
    oci_client.update_job(ocid, update)
    await world.pass_time(minutes=40)
    assert _job(stage, ocid).display_name == "ours now"
    stage.delete("OCIJob", "job")
    await world.until_gone("OCIJob", "job")
    assert _job(stage, ocid).lifecycle_state == "ACTIVE"


async def test_an_observed_job_is_run_with_all_that_it_has_itself(world: World) -> None:
    stage = world.stage
    stage.identity()
    ocid = job_of_ads(stage)
    env = [{"name": "DEPTH", "value": "4"}, {"name": "NOTHING", "value": ""}]
    world.create(adopting(ocid, mode="Observe"), manifests.run(env=env))
    ended = await world.until_ended("run")
    assert (phase(ended), ended["status"]["jobId"]) == ("Succeeded", ocid)
    sent = stage.job_run(ended["status"]["jobRunId"]).job_configuration_override_details
    assert sent.command_line_arguments == "--rate 0.1"
    assert sent.maximum_runtime_in_minutes == 30
    assert (sent.environment_variables["DEPTH"], sent.environment_variables["NOTHING"]) == ("4", "")
    assert stage.emulator.journal("UpdateJob") == []


async def test_an_oci_job_that_others_delete_is_made_again(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job())
    lost = (await world.until_reason("OCIJob", "job", "Synced"))["status"]["jobId"]
    stage.oci_client(oci.data_science.DataScienceClient).delete_job(lost)
    world.create(manifests.run())
    ended = await world.until_ended("run")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["jobId"] != lost


def _state(stage: Stage, ocid: str) -> str:
    try:
        return str(_job(stage, ocid).lifecycle_state)
    except oci.exceptions.ServiceError as error:
        if error.status == 404:
            return "DELETED"
        raise
