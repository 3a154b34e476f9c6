"""Jobs of Data Science, identities, and what the operator keeps in its own namespace."""

from __future__ import annotations

from datetime import timedelta

import oci
import pytest
from tests.component.recorded.recording import Recording
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import Document
from tests.support.stage import Stage

from ocijobs.api.shared import names

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recording")]

LONG = {"inProgress": 100_000}
MODELS = oci.data_science.models


def job_of_ads(stage: Stage) -> str:
    """Make an OCI job as ADS does, and return its OCID."""
    client = stage.oci_client(oci.data_science.DataScienceClient)
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
    )
    ocid = str(client.create_job(details).data.id)
    client.create_job_artifact(ocid, b"print(1)\n", content_disposition="attachment; filename=a.py")
    return ocid


def adopting(name: str, ocid: str, mode: str) -> Document:
    """Return an OCIJob for an OCI job that is there, without code of its own."""
    document = manifests.job(name, adopt={"ocid": ocid, "mode": mode})
    del document["spec"]["runtime"]
    return document


async def test_a_job_with_former_revisions(world: World, recording: Recording) -> None:
    stage = world.stage
    stage.identity(logGroupId=await world.log_group())
    files = {"main.py": "import model\n", "model.py": "N = 1\n"}
    world.create(
        manifests.job(
            runtime={"script": {"source": {"inline": files}, "entrypoint": "main.py"}},
            env=[{"name": "A", "value": "1"}],
            args=["--deep"],
            results=["auc"],
            freeformTags={"team": "a"},
            maximumRuntimeInMinutes=60,
        )
    )
    await world.until_synced("job")
    for value in ("2", "3"):
        stage.patch("OCIJob", "job", {"spec": {"env": [{"name": "A", "value": value}]}})
        await world.settle()
        await world.until_synced("job")
    recording.keep("OCIJob", "job", "with-former-revisions")


async def test_jobs_that_were_made_elsewhere(world: World, recording: Recording) -> None:
    stage = world.stage
    stage.identity()
    world.create(
        adopting("observed", job_of_ads(stage), "Observe"),
        adopting("adopted", job_of_ads(stage), "Adopt"),
        manifests.run("of-observed", of="observed"),
    )
    await world.until_reason("OCIJob", "observed", "Observed")
    await world.until_synced("adopted")
    await world.until_ended("of-observed")
    await world.pass_time(minutes=30)
    recording.keep("OCIJob", "adopted", "adopted")
    recording.keep("OCIJobRun", "of-observed", "of-an-observed-job")


async def test_what_is_in_the_way(world: World) -> None:
    stage = world.stage
    world.create(manifests.job("without-identity"))
    await world.until_reason("OCIJob", "without-identity", "WaitingForIdentity")
    stage.identity()
    code = {"script": {"source": {"configMap": {"name": "code"}}, "entrypoint": "main.py"}}
    world.create(
        manifests.job("without-source", runtime=code),
        manifests.job("invalid", env=[{"name": "JOB_OCID", "value": "x"}]),
        manifests.job("drifted", driftPolicy="Report", displayName="mine"),
    )
    await world.until_reason("OCIJob", "without-source", "WaitingForSource")
    await world.until_reason("OCIJob", "invalid", "InvalidSpec")
    drifted = (await world.until_synced("drifted"))["status"]["jobId"]
    client = stage.oci_client(oci.data_science.DataScienceClient)
    client.update_job(drifted, MODELS.UpdateJobDetails(display_name="theirs"))
    await world.until_reason("OCIJob", "drifted", "DriftDetected")
    stage.emulator.add_fault("CreateJob", status=404, code="NotAuthorizedOrNotFound")
    world.create(manifests.job("refused"))
    await world.until_reason("OCIJob", "refused", "NotAuthorizedOrNotFound")
    await world.pass_time(minutes=30)


async def test_an_intent_of_which_nobody_knows_what_it_made(world: World) -> None:
    stage = world.stage
    stage.identity()
    await world.settle()
    stage.emulator.add_fault("CreateJob", status=500, code="InternalServerError")
    world.create(manifests.job())
    await world.until_called("CreateJob")
    await world.operator.kill()
    stage.emulator.clear_faults()
    # OCI has forgotten the token then.
    await world.pass_time(hours=25)
    await world.start()
    await world.until_synced("job")


async def test_a_job_that_is_deleted_while_it_runs(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default=LONG)
    world.create(manifests.job(), manifests.run())
    await world.until_phase("run", "Running")
    stage.delete("OCIJob", "job")
    await world.until_reason("OCIJob", "job", "WaitingForRuns")
    stage.delete("OCIIdentity", "default")
    await world.until_reason("OCIIdentity", "default", "InUse")


async def test_after_a_restore(world: World) -> None:
    await world.restart(hold_new=True)
    world.stage.identity()
    world.create(
        manifests.job(),
        manifests.job("released"),
        manifests.run(of="released"),
        manifests.sweep(of="released", matrix={"X": ["1", "2"]}),
    )
    await world.until_reason("OCIJob", "job", "Held")
    annotation = {names.ANNOTATION_ALLOW_START: "true"}
    world.stage.patch("OCIJob", "released", {"metadata": {"annotations": annotation}})
    await world.until_reason("OCIJobRun", "run", "Held")
    await world.until_reason("OCIJobSweep", "sweep", "Held")


async def test_identities(world: World) -> None:
    stage = world.stage
    stage.identity()
    stage.identity(stage.strange_key(), name="strange")
    world.create(manifests.identity("empty"))
    await world.until_reason("OCIIdentity", "default", "IdentityVerified")
    await world.until_reason("OCIIdentity", "strange", "CredentialsInvalid")
    await world.until_reason("OCIIdentity", "empty", "WaitingForIdentity")
    await world.pass_time(minutes=30)
    stage.kubectl("delete", "secret", "default-key")
    await world.until_reason("OCIIdentity", "default", "WaitingForIdentity")


async def test_a_run_that_was_let_go(world: World) -> None:
    """Its credentials are gone, and what it has in OCI is listed."""
    stage = world.stage
    stage.identity()
    stage.emulator.set_mode(default=LONG)
    world.create(manifests.job(), manifests.run())
    await world.until_phase("run", "Running")
    await world.operator.kill()
    stage.kubectl("delete", "secret", "default-key")
    stage.core.delete_collection_namespaced_secret(stage.home)
    await world.start()
    await world.until_reason("OCIIdentity", "default", "WaitingForIdentity")
    stage.delete("OCIJobRun", "run")
    await world.until_gone("OCIJobRun", "run", within=timedelta(hours=1))
    assert stage.orphans()
