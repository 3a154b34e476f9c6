"""Access is taken back from within the cluster: what runs is followed and ended, and nothing new starts."""

import pytest
from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.stage import Stage

LONG = {"accepted": 0.2, "inProgress": 3600}
SECRET = "default-key"


def _running(stage: Stage) -> str:
    """Have a run be running, and return its OCID."""
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    status = stage.until("OCIJobRun", "run", lambda o: phase(o) == "Running")["status"]
    return str(status["jobRunId"])


def _followed_and_ended(stage: Stage, ocid: str) -> None:
    """Check that the run that runs is followed, and can be cancelled."""
    stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    assert phase(stage.until_ended("run")) == "Cancelled"
    assert stage.job_run_state(ocid) == "CANCELED"


@pytest.mark.settings(identity_reread_seconds=3600)
def test_a_run_that_is_created_after_its_secret_was_deleted_is_not_launched(stage: Stage) -> None:
    """However long ago the Secret was looked at: it is read at each launch."""
    ocid = _running(stage)
    stage.kubectl("delete", "secret", SECRET)
    stage.create(manifests.run("late"))
    told = stage.until_reason("OCIJobRun", "late", "WaitingForIdentity")
    assert f"there is no Secret {SECRET}" in condition(told, "Ready")["message"]
    not_ready = stage.until_reason("OCIIdentity", "default", "WaitingForIdentity")
    assert condition(not_ready, "Ready")["status"] == "False"
    _followed_and_ended(stage, ocid)
    assert len(stage.job_runs()) == 1
    stage.identity()
    stage.until("OCIJobRun", "late", lambda o: phase(o) == "Running", seconds=90)


def test_an_identity_whose_secret_goes_says_so_and_is_ready_again_when_it_is_back(
    stage: Stage,
) -> None:
    stage.identity()
    stage.until_reason("OCIIdentity", "default", "IdentityVerified")
    stage.kubectl("delete", "secret", SECRET)
    told = stage.until_reason("OCIIdentity", "default", "WaitingForIdentity")
    assert "nothing new starts" in condition(told, "Ready")["message"]
    stage.identity()
    back = stage.until_reason("OCIIdentity", "default", "IdentityVerified")
    assert condition(back, "Ready")["status"] == "True"


def test_nothing_starts_with_an_identity_that_is_being_deleted(stage: Stage) -> None:
    ocid = _running(stage)
    stage.delete("OCIIdentity", "default")
    stage.until_reason("OCIIdentity", "default", "InUse")
    stage.create(manifests.run("late"))
    told = stage.until_told("OCIJobRun", "late", "OCIIdentity default is being deleted")
    assert phase(told) == "Pending"
    stage.create(manifests.job("other"))
    stage.until_reason("OCIJob", "other", "WaitingForIdentity")
    _followed_and_ended(stage, ocid)
    assert len(stage.job_runs()) == 1
    assert len(stage.emulator.journal("CreateJob")) == 1


def test_a_key_that_oci_does_not_take_any_more_is_told_and_taken_up_again(stage: Stage) -> None:
    _running(stage)
    stage.until_reason("OCIIdentity", "default", "IdentityVerified")
    stage.emulator.add_fault("*", status=401, code="NotAuthenticated", message="the key is revoked")
    told = stage.until_reason("OCIIdentity", "default", "CredentialsInvalid")
    assert "the key is revoked" in condition(told, "Ready")["message"]
    stage.until_reason("OCIJobRun", "run", "CredentialsInvalid")
    stage.emulator.clear_faults()
    stage.until_reason("OCIIdentity", "default", "IdentityVerified")
    stage.until_reason("OCIJobRun", "run", "Running")


@pytest.mark.settings(identity_verify_seconds=1)
def test_a_key_that_nothing_uses_is_asked_about_at_intervals(stage: Stage) -> None:
    stage.identity()
    stage.until_reason("OCIIdentity", "default", "IdentityVerified")
    stage.emulator.add_fault("GetNamespace", status=401, code="NotAuthenticated", message="revoked")
    stage.until_reason("OCIIdentity", "default", "CredentialsInvalid")
