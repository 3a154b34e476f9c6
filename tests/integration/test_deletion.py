"""Deleting: nothing goes on running in OCI unseen, and nothing hangs."""

import pytest
from tests.support import manifests
from tests.support.kills import SHORT_LEASE
from tests.support.namespace import condition, phase
from tests.support.patience import patience
from tests.support.stage import Stage

LONG = {"accepted": 0.2, "inProgress": 3600}


def _running(stage: Stage, name: str = "run") -> str:
    """Have a run be running, and return its OCID."""
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job(), manifests.run(name))
    status = stage.until("OCIJobRun", name, lambda o: phase(o) == "Running")["status"]
    return str(status["jobRunId"])


def test_deleting_a_running_run_cancels_it_in_oci(stage: Stage) -> None:
    ocid = _running(stage)
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    assert stage.job_run_state(ocid) == "CANCELED"


def test_cancelling_a_run_keeps_its_record(stage: Stage) -> None:
    ocid = _running(stage)
    stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    ended = stage.until_ended("run")
    assert ended["status"]["phase"] == "Cancelled"
    failed = condition(ended, "Failed")
    assert (failed["reason"], failed["message"]) == ("Cancelled", "cancelled by spec.cancel")
    assert stage.job_run_state(ocid) == "CANCELED"


def test_deleting_a_run_while_its_creation_is_under_way_cancels_it(stage: Stage) -> None:
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job())
    stage.until_reason("OCIJob", "job", "Synced")
    stage.emulator.add_fault("CreateJobRun", delay=2)
    stage.create(manifests.run())
    stage.emulator.wait_for_faults()
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    (created,) = stage.job_runs()
    assert created.lifecycle_state == "CANCELED"


def test_deleting_a_run_whose_creation_was_not_answered_cancels_it(stage: Stage) -> None:
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job())
    stage.until_reason("OCIJob", "job", "Synced")
    stage.emulator.add_fault("CreateJobRun", action="drop", count=1)
    stage.create(manifests.run())
    stage.emulator.wait_for("CreateJobRun")
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    (created,) = stage.job_runs()
    assert created.lifecycle_state == "CANCELED"


@pytest.mark.settings(**SHORT_LEASE)
def test_deleting_a_run_over_whose_creation_the_operator_was_killed_leaves_none_running(
    stage: Stage,
) -> None:
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job())
    stage.until_reason("OCIJob", "job", "Synced")
    stage.emulator.add_fault("CreateJobRun", action="drop", count=1)
    stage.create(manifests.run())
    stage.emulator.wait_for("CreateJobRun")
    stage.operator.kill()
    stage.delete("OCIJobRun", "run")
    stage.start_operator()
    stage.until_gone("OCIJobRun", "run")
    (created,) = stage.job_runs()
    assert created.lifecycle_state == "CANCELED"


def test_deleting_a_run_that_was_never_launched_leaves_nothing(stage: Stage) -> None:
    stage.create(manifests.run())
    stage.until_reason("OCIJobRun", "run", "WaitingForJob")
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    assert stage.emulator.journal("CreateJobRun") == []


def test_deleting_a_job_waits_for_its_live_runs(stage: Stage) -> None:
    ocid = _running(stage)
    stage.create(manifests.run("later"))
    stage.until("OCIJobRun", "later", lambda o: phase(o) == "Running")
    stage.delete("OCIJob", "job")
    waiting = stage.until_reason("OCIJob", "job", "WaitingForRuns")
    assert "later, run" in condition(waiting, "Ready")["message"]
    stage.create(manifests.run("too-late"))
    told = stage.until_reason("OCIJobRun", "too-late", "JobDeleted")
    assert condition(told, "Reconciling")["status"] == "True"
    for name in ("run", "later"):
        stage.patch("OCIJobRun", name, {"spec": {"cancel": True}})
    stage.until_gone("OCIJob", "job")
    assert stage.job_run_state(ocid) == "CANCELED"
    assert phase(stage.get("OCIJobRun", "run")) == "Cancelled"


def test_a_job_with_records_of_runs_is_deleted_where_oci_lets_it(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    stage.until_ended("run")
    stage.delete("OCIJob", "job")
    stage.until_gone("OCIJob", "job")
    # The run's record outlives its job, in the cluster and in OCI.
    assert phase(stage.get("OCIJobRun", "run")) == "Succeeded"
    assert [r.lifecycle_state for r in stage.job_runs()] == ["SUCCEEDED"]


def test_a_namespace_with_everything_in_it_goes_and_its_runs_are_cancelled(stage: Stage) -> None:
    ocid = _running(stage)
    stage.create(manifests.run("second"))
    stage.until("OCIJobRun", "second", lambda o: phase(o) == "Running")
    stage.kubectl(
        "delete", "namespace", stage.namespace, "--wait=true", f"--timeout={patience(90)}s"
    )
    assert {run.lifecycle_state for run in stage.job_runs()} == {"CANCELED"}
    assert stage.job_run_state(ocid) == "CANCELED"


def test_deleting_with_the_policy_delete_removes_the_record_in_oci(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run(deletionPolicy="Delete"))
    ended = stage.until_ended("run")
    assert ended["metadata"]["finalizers"] == ["ocijobs.io/cleanup"]
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    assert len(stage.emulator.journal("DeleteJobRun", status=204)) == 1


def test_an_abandoned_run_goes_at_once_and_says_what_it_leaves(stage: Stage) -> None:
    ocid = _running(stage)
    stage.emulator.add_fault(
        "CancelJobRun", status=404, code="NotAuthorizedOrNotFound", message="no"
    )
    stage.delete("OCIJobRun", "run")
    stage.emulator.wait_for("CancelJobRun")
    stage.patch("OCIJobRun", "run", {"metadata": {"annotations": {"ocijobs.io/abandon": "true"}}})
    stage.until_gone("OCIJobRun", "run")
    assert ocid in stage.until_event("run", "Orphaned")
    assert stage.job_run_state(ocid) == "IN_PROGRESS"


def test_an_identity_in_use_waits_for_what_needs_it(stage: Stage) -> None:
    _running(stage)
    stage.delete("OCIIdentity", "default")
    told = stage.until_reason("OCIIdentity", "default", "InUse")
    assert "OCIJobRun" in condition(told, "Ready")["message"]
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    stage.delete("OCIJob", "job")
    stage.until_gone("OCIJob", "job")
    stage.until_gone("OCIIdentity", "default")
