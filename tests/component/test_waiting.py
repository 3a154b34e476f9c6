"""Waits of minutes, on the test's clock."""

import pytest
from tests.component.inside import Inside
from tests.support import manifests
from tests.support.namespace import condition

pytestmark = pytest.mark.asyncio

STRANGE = "ocid1.compartment.oc1..nowhere"
LONGEST_PAUSE = 301


async def test_an_unknown_compartment_is_stalled_after_fifteen_minutes_and_recovers(
    inside: Inside,
) -> None:
    stage = inside.stage
    stage.identity(compartmentId=STRANGE)
    stage.apply(manifests.job(), manifests.run())
    job = await inside.see(stage.until_reason, "OCIJob", "job", "NotAuthorizedOrNotFound")
    assert condition(job, "Stalled")["status"] == "False"
    assert condition(job, "Reconciling")["status"] == "True"
    assert STRANGE in condition(job, "Ready")["message"]
    assert await inside.see(stage.until_event, "job", "NotAuthorizedOrNotFound")
    await inside.until_at_rest()
    # It is tried again every one to five minutes, and nobody is called before a quarter of an hour has gone.
    for tries in (2, 3):
        inside.clock.advance(LONGEST_PAUSE)
        await inside.see(stage.emulator.wait_for, "CreateJob", status=404, count=tries)
        await inside.until_at_rest()
        job = stage.get("OCIJob", "job")
        assert condition(job, "Stalled")["status"] == "False"
    inside.clock.advance(LONGEST_PAUSE)
    job = await inside.see(
        stage.until, "OCIJob", "job", lambda o: condition(o, "Stalled")["status"] == "True"
    )
    assert condition(job, "Stalled")["reason"] == "NotAuthorizedOrNotFound"
    assert condition(job, "Reconciling")["status"] == "False"
    # The policy comes, or the compartment: nobody has to touch anything here.
    stage.emulator.add_compartment(STRANGE)
    await inside.until_at_rest()
    inside.clock.advance(LONGEST_PAUSE)
    await inside.see(stage.until_reason, "OCIJob", "job", "Synced")
    await inside.until_at_rest()
    inside.clock.advance(LONGEST_PAUSE)
    ended = await inside.see(stage.until_ended, "run")
    assert ended["status"]["phase"] == "Succeeded"


async def test_an_object_whose_credentials_are_gone_is_let_go_after_ten_minutes(
    inside: Inside,
) -> None:
    stage = inside.stage
    stage.emulator.set_mode(default={"accepted": 0.1, "inProgress": 100_000})
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    await inside.see(stage.until_reason, "OCIJob", "job", "Synced")
    await inside.until_at_rest()
    inside.clock.advance(10)
    run = await inside.see(stage.until_reason, "OCIJobRun", "run", "Accepted")
    run_id = run["status"]["jobRunId"]
    await inside.stop()
    # A new process has no credentials in memory, and the Secret and its copy have gone meanwhile.
    stage.kubectl("delete", "secret", "default-key")
    stage.core.delete_collection_namespaced_secret(stage.home)
    await inside.start()
    await inside.see(stage.until_reason, "OCIIdentity", "default", "WaitingForIdentity")
    stage.delete("OCIJobRun", "run")
    await inside.see(stage.until_reason, "OCIJobRun", "run", "WaitingForIdentity")
    await inside.until_at_rest()
    inside.clock.advance(590)
    # When another object has been looked at, this one would have been, too.
    stage.create(manifests.run("probe", of="nothing"))
    await inside.see(stage.until_reason, "OCIJobRun", "probe", "WaitingForJob")
    await inside.until_at_rest()
    assert stage.get("OCIJobRun", "run")
    inside.clock.advance(20)
    await inside.see(stage.until_gone, "OCIJobRun", "run")
    told = await inside.see(stage.until_event, "ocijobs-operator", "Orphaned", namespace=stage.home)
    assert run_id in told
    assert stage.job_run_state(run_id) in {"ACCEPTED", "IN_PROGRESS"}
