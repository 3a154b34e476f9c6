"""OCI jobs that were made elsewhere, changes that others make in OCI, and a bound on active runs."""

from datetime import timedelta
from typing import Any

import oci
import pytest
import yaml
from click.testing import CliRunner
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.stage import Stage

from ocijobs.cli.__main__ import main

pytestmark = pytest.mark.asyncio

MODELS = oci.data_science.models
LOOKED_AT = {"minutes": 20}
"""OCI jobs are looked at every quarter of an hour."""


def data_science(stage: Stage) -> Any:
    return stage.oci_client(oci.data_science.DataScienceClient)


def job_of_ads(stage: Stage, **tags: str) -> str:
    """Make an OCI job as ADS does, and return its OCID."""
    client = data_science(stage)
    details = MODELS.CreateJobDetails(
        compartment_id=stage.emulator.tenancy,
        project_id=stage.emulator.project,
        display_name="made by ADS",
        job_configuration_details=MODELS.DefaultJobConfigurationDetails(
            environment_variables={"DEPTH": "3", "JOB_RUN_ENTRYPOINT": "train.py"},
            command_line_arguments="--rate 0.1",
            maximum_runtime_in_minutes=30,
        ),
        job_infrastructure_configuration_details=(
            MODELS.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
                shape_name="VM.Standard2.1", block_storage_size_in_gbs=100
            )
        ),
        freeform_tags=tags,
    )
    ocid = str(client.create_job(details).data.id)
    client.create_job_artifact(ocid, b"print(1)\n", content_disposition="attachment; filename=a.py")
    return ocid


def adopting(ocid: str, *, runtime: bool = False, **adopt: str) -> dict[str, Any]:
    document = manifests.job(adopt={"ocid": ocid, **adopt})
    if not runtime:
        del document["spec"]["runtime"]
    return document


async def said(world: World, reason: str) -> str:
    """Return the message of the job's first Event with a reason."""
    return str(await world.operator.see(world.stage.until_event, "job", reason))


async def deleted(world: World, *objects: tuple[str, str]) -> None:
    """Delete objects, and let time pass until they are gone."""
    for kind, name in objects:
        world.stage.delete(kind, name)
    for kind, name in objects:
        await world.until_gone(kind, name)


async def test_a_job_that_is_observed_is_never_changed_and_can_be_run(world: World) -> None:
    stage = world.stage
    stage.identity()
    ocid = job_of_ads(stage)
    document = adopting(ocid, mode="Observe")
    document["spec"]["displayName"] = "as I would have it"
    world.create(document, manifests.run(env=[{"name": "DEPTH", "value": "4"}]))
    ended = await world.until_ended("run")
    assert (ended["status"]["phase"], ended["status"]["jobId"]) == ("Succeeded", ocid)
    told = await world.until_reason("OCIJob", "job", "Observed")
    different = {d["field"]: (d["wanted"], d["found"]) for d in told["status"]["differences"]}
    assert different["displayName"] == ("as I would have it", "made by ADS")
    storage = different["infrastructure.dataScienceJob.blockStorageSizeInGBs"]
    assert storage == ("50", "100")
    override = stage.job_run(ended["status"]["jobRunId"]).job_configuration_override_details
    # OCI takes the block whole: what the OCI job has itself is sent along.
    assert override.command_line_arguments == "--rate 0.1"
    assert override.maximum_runtime_in_minutes == 30
    await world.pass_time(**LOOKED_AT)
    await deleted(world, ("OCIJobRun", "run"), ("OCIJob", "job"))
    assert stage.emulator.journal("UpdateJob") == []
    assert stage.emulator.journal("DeleteJob") == []


async def test_a_job_that_is_adopted_is_kept_as_the_manifest_says(world: World) -> None:
    stage = world.stage
    stage.identity()
    ocid = job_of_ads(stage, team="a")
    document = adopting(ocid)
    document["spec"] |= {"displayName": "ours now", "freeformTags": {"team": "b"}}
    world.create(document, manifests.run())
    assert (await world.until_ended("run"))["status"]["jobId"] == ocid
    assert ocid in await said(world, "Adopted")
    job = data_science(stage).get_job(ocid).data
    assert job.display_name == "ours now"
    assert job.freeform_tags["team"] == "b"
    assert job.freeform_tags["ocijobs_name"] == f"{stage.namespace}/job"
    assert job.job_configuration_details.environment_variables["DEPTH"] == "3"
    assert len(stage.emulator.journal("CreateJob", status=200)) == 1
    # What others change is set back.
    update = MODELS.UpdateJobDetails(display_name="somebody else's")
    data_science(stage).update_job(ocid, update)
    await world.pass_time(**LOOKED_AT)
    assert "displayName" in await said(world, "DriftCorrected")
    assert data_science(stage).get_job(ocid).data.display_name == "ours now"
    # An adopted OCI job stays when the object goes.
    await deleted(world, ("OCIJobRun", "run"), ("OCIJob", "job"))
    assert data_science(stage).get_job(ocid).data.lifecycle_state == "ACTIVE"


async def test_a_job_that_was_observed_can_be_adopted_and_observed_again(world: World) -> None:
    stage = world.stage
    stage.identity()
    ocid = job_of_ads(stage)
    for mode, name in (("Observe", "a"), ("Adopt", "b"), ("Observe", "c"), ("Adopt", "d")):
        document = adopting(ocid, mode=mode)
        document["spec"]["displayName"] = name
        stage.apply(document)
        await world.settle()
        if mode == "Observe":
            told = await world.until(
                "OCIJob", "job", lambda o: "is looked at" in condition(o, "Ready")["message"]
            )
            assert told["status"]["jobId"] == ocid
        else:
            synced = await world.until_synced("job")
            assert synced["status"]["jobId"] == ocid
            assert data_science(stage).get_job(ocid).data.display_name == name
    assert len(stage.emulator.journal("CreateJob", status=200)) == 1


async def test_another_code_than_the_adopted_jobs_is_a_revision_beside_it(world: World) -> None:
    world.stage.identity()
    ocid = job_of_ads(world.stage)
    world.create(adopting(ocid, runtime=True))
    found = await world.until_synced("job")
    assert found["status"]["jobId"] != ocid
    names = {r["jobId"]: r["name"] for r in found["status"]["revisions"]}
    assert names[ocid].startswith("adopted-")
    assert names[found["status"]["jobId"]] == found["status"]["revision"]


async def test_a_job_of_another_owner_is_adopted_only_by_its_name(world: World) -> None:
    stage = world.stage
    stage.identity()
    ocid = job_of_ads(stage, ocijobs_owner="old-cluster/uid/v1-0123456789ab")
    stage.apply(adopting(ocid))
    told = await world.until_reason("OCIJob", "job", "InvalidSpec")
    assert "belongs to old-cluster/uid:" in condition(told, "Ready")["message"]
    stage.apply(adopting(ocid, formerOwner="old-cluster/uid"))
    assert (await world.until_synced("job"))["status"]["jobId"] == ocid


async def test_a_job_that_is_not_there_is_waited_for(world: World) -> None:
    world.stage.identity()
    world.create(adopting("ocid1.datasciencejob.oc1.iad.none"))
    told = await world.until_reason("OCIJob", "job", "NotAuthorizedOrNotFound")
    assert condition(told, "Ready")["message"].startswith("spec.adopt.ocid: OCI has no job")


async def test_drift_is_only_told_where_the_policy_says_so(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(driftPolicy="Report", displayName="mine"))
    found = await world.until_synced("job")
    update = MODELS.UpdateJobDetails(display_name="theirs")
    data_science(stage).update_job(found["status"]["jobId"], update)
    told = await world.until_reason("OCIJob", "job", "DriftDetected")
    assert told["status"]["differences"] == [
        {"field": "displayName", "wanted": "mine", "found": "theirs"}
    ]
    assert condition(told, "Ready")["status"] == "True"
    await world.pass_time(**LOOKED_AT)
    assert stage.emulator.journal("UpdateJob", status=200)[1:] == []
    back = MODELS.UpdateJobDetails(display_name="mine")
    data_science(stage).update_job(found["status"]["jobId"], back)
    assert "differences" not in (await world.until_synced("job"))["status"]


async def test_an_oci_job_that_others_delete_is_made_again(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job())
    lost = (await world.until_synced("job"))["status"]["jobId"]
    data_science(stage).delete_job(lost)
    made = await world.until(
        "OCIJob", "job", lambda o: o["status"].get("jobId") not in {None, lost}
    )
    assert made["status"]["jobId"] != lost
    assert lost in await said(world, "RemoteDeleted")
    world.create(manifests.run())
    assert (await world.until_ended("run"))["status"]["phase"] == "Succeeded"


async def test_a_run_finds_out_that_the_oci_job_is_gone(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job())
    lost = (await world.until_synced("job"))["status"]["jobId"]
    data_science(stage).delete_job(lost)
    # The job would be looked at in a quarter of an hour; the run's trouble brings that forward.
    world.create(manifests.run())
    ended = await world.until_ended("run", within=timedelta(minutes=10))
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["jobId"] != lost


async def test_no_more_runs_are_active_than_the_job_allows(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default={"inProgress": 60})
    world.create(manifests.job(maxActiveRuns=2))
    await world.until_synced("job")
    names = [f"run-{index}" for index in range(6)]
    world.create(*(manifests.run(name) for name in names))
    waiting = await world.until_reason("OCIJobRun", names[-1], "MaxActiveRuns")
    assert "spec.maxActiveRuns of OCIJob job is 2" in condition(waiting, "Ready")["message"]
    for name in names:
        assert phase(await world.until_ended(name)) == "Succeeded"
    assert stage.most_active_runs() == 2


async def test_a_paused_job_is_left_alone_until_it_is_resumed(world: World) -> None:
    stage = world.stage
    stage.identity()
    document = manifests.job()
    document["metadata"]["annotations"] = {"ocijobs.io/paused": "true"}
    world.create(document, manifests.job("other"))
    await world.until_synced("other")
    await world.pass_time(**LOOKED_AT)
    assert "jobId" not in stage.get("OCIJob", "job").get("status", {})
    stage.patch("OCIJob", "job", {"metadata": {"annotations": {"ocijobs.io/paused": None}}})
    await world.until_synced("job")


async def test_an_ocid_is_imported_as_a_manifest_that_adopts_it(world: World) -> None:
    stage = world.stage
    stage.identity()
    ocid = job_of_ads(stage, team="a")
    arguments = ["--config", str(stage.emulator.config), "--endpoint", stage.emulator.http]
    done = await world.operator.see(
        CliRunner().invoke, main, ["import", ocid, *arguments], catch_exceptions=False
    )
    assert (done.exit_code, "the code stays as it is" in done.stderr) == (0, True)
    document = yaml.safe_load(done.stdout)
    world.create(document)
    adopted = (await world.until_synced(document["metadata"]["name"]))["status"]
    assert adopted["jobId"] == ocid
    assert "differences" not in adopted
    job = data_science(stage).get_job(ocid).data
    assert (job.display_name, job.freeform_tags["team"]) == ("made by ADS", "a")
    assert job.job_infrastructure_configuration_details.block_storage_size_in_gbs == 100
