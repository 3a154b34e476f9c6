"""A namespace is deleted: its Secret goes first, the operator is killed, and nothing goes on in OCI unseen."""

import json
import os
import subprocess
import sys

import oci
import pytest
from tests.support import manifests
from tests.support.kills import SHORT_LEASE
from tests.support.namespace import Document, phase
from tests.support.patience import patience
from tests.support.stage import Stage

from ocijobs.api.shared.names import ANNOTATION_CREDENTIALS_VERSION, API_VERSION

LONG = {"accepted": 0.2, "inProgress": 3600}
ACTIVE = {"ACCEPTED", "IN_PROGRESS", "NEEDS_ATTENTION", "CANCELING"}


def _busy(stage: Stage) -> None:
    """Have runs be live in the namespace, by themselves, of a sweep and of a schedule."""
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    plan = {
        "schedule": "@every 2s",
        "concurrencyPolicy": "Allow",
        "resources": [{"name": "one", "run": {"jobRef": {"name": "job"}}}],
    }
    stage.apply(
        manifests.job(),
        *(manifests.run(f"run-{number}") for number in range(4)),
        manifests.sweep(matrix={"X": ["1", "2", "3"]}),
        {
            "apiVersion": API_VERSION,
            "kind": "OCIJobSchedule",
            "metadata": {"name": "often"},
            "spec": plan,
        },
    )
    stage.until("OCIJobRun", "run-0", lambda o: phase(o) == "Running")
    stage.emulator.wait_for("CreateJobRun", count=8)


@pytest.mark.settings(**SHORT_LEASE)
@pytest.mark.parametrize("kills", [(0,), (1, 3), (2, 0, 6, 1)])
def test_no_run_goes_on_though_the_operator_is_killed(stage: Stage, kills: tuple[int, ...]) -> None:
    """The first kill comes before the Secret goes, so that no process has seen the key since."""
    _busy(stage)
    stage.operator.kill()
    stage.kubectl("delete", "secret", "default-key")
    stage.kubectl("delete", "namespace", stage.namespace, "--wait=false")
    for requests in kills:
        seen = stage.emulator.last_seq()
        stage.start_operator(**SHORT_LEASE)
        if requests:
            stage.emulator.wait_for(since=seen, count=requests)
        else:
            stage.operator.until_ready()
        stage.operator.kill()
    stage.start_operator()
    stage.kubectl(
        "wait", "--for=delete", f"namespace/{stage.namespace}", f"--timeout={patience(120)}s"
    )
    assert {run.lifecycle_state for run in stage.job_runs()} & ACTIVE == set()
    assert stage.orphans() == []
    # Nothing needs the copy any more.
    assert stage.copies() == []


@pytest.mark.settings(credentials_gone_seconds=2)
def test_what_a_revoked_key_can_not_end_is_listed(stage: Stage) -> None:
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job(), manifests.run(), manifests.job("kept", deletionPolicy="Retain"))
    status = stage.until("OCIJobRun", "run", lambda o: phase(o) == "Running")["status"]
    stage.until_synced("kept")
    stage.emulator.add_fault("*", status=401, code="NotAuthenticated", message="revoked")
    stage.kubectl("delete", "namespace", stage.namespace, f"--timeout={patience(90)}s")
    stage.emulator.clear_faults()
    listed = stage.orphans()
    left = {orphan["kind"]: orphan["left"] for orphan in listed}
    assert left["OCIJobRun"] == {"runIds": [status["jobRunId"]]}
    assert left["OCIJob"] == {"jobIds": [status["jobId"]]}
    assert len(listed) == 2, "what deletionPolicy keeps is in no list"
    assert all("revoked" in orphan["cause"] for orphan in listed)
    assert stage.job_run_state(status["jobRunId"]) == "IN_PROGRESS"
    assert stage.copies() == []
    shown = _orphans(stage)
    assert shown.returncode == 0
    assert status["jobRunId"] in shown.stdout
    without_key = _orphans(stage, "--end")
    assert without_key.returncode == 1
    assert "give --config or --profile" in without_key.stderr
    profile = ("--config", str(stage.emulator.config), "--endpoint", stage.emulator.http)
    # A job goes when no run of it is active.
    _orphans(stage, "--end", *profile)
    client = stage.oci_client(oci.data_science.DataScienceClient)
    run = client.get_job_run(status["jobRunId"])
    oci.wait_until(client, run, "lifecycle_state", "CANCELED", max_interval_seconds=1)
    ended = _orphans(stage, "--end", "-o", "json", *profile)
    assert (ended.returncode, json.loads(ended.stdout)) == (0, []), ended.stderr
    assert stage.orphans() == []


def _orphans(stage: Stage, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kubectl ocijobs orphans`."""
    return subprocess.run(
        [sys.executable, "-m", "ocijobs.cli", "orphans", "-n", stage.home, *arguments],
        env={**os.environ, "KUBECONFIG": str(stage.cluster.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_copy_of_the_key_is_there_while_something_needs_it_and_is_of_the_newest_key(
    stage: Stage,
) -> None:
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.until_reason("OCIIdentity", "default", "IdentityVerified")
    assert stage.copies() == []
    stage.apply(manifests.job(), manifests.run())
    stage.until("OCIJobRun", "run", lambda o: phase(o) == "Running")
    (copy,) = stage.copies()
    original = json.loads(stage.kubectl("get", "secret", "default-key", "-o", "json"))
    assert copy["data"] == original["data"]
    stage.kubectl("annotate", "secret", "default-key", "rotated=yes")
    rotated = json.loads(stage.kubectl("get", "secret", "default-key", "-o", "json"))
    version = rotated["metadata"]["resourceVersion"]
    stage.until_copies(lambda held: [_version(each) for each in held] == [version])
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    stage.delete("OCIJob", "job")
    stage.until_gone("OCIJob", "job")
    stage.until_copies(lambda held: held == [])


def _version(secret: Document) -> str:
    annotations = secret["metadata"]["annotations"]
    return str(annotations[ANNOTATION_CREDENTIALS_VERSION].split("/")[1])
