"""A namespace moves from one cluster to another: what it has in OCI goes on, and nothing is launched again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.support import manifests
from tests.support.namespace import condition
from tests.support.stage import Stage
from tests.support.stages import install_definitions

from kubecontrolplane.cluster import Cluster, down, up
from ocijobs.cli.__main__ import main


@pytest.fixture
def other_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Another control plane, with our definitions."""
    directory = tmp_path / "other"
    cluster = up(directory)
    try:
        install_definitions(cluster)
        yield cluster
    finally:
        down(directory)


def test_a_namespace_moves_without_a_second_launch(
    stage: Stage, other_cluster: Cluster, tmp_path: Path
) -> None:
    stage.emulator.set_mode(plans=[{"match": {"displayName": "*/long"}, "inProgress": 3600}])
    stage.identity()
    stage.apply(manifests.job(), manifests.run("done"), manifests.run("long"))
    stage.until_ended("done")
    stage.until("OCIJobRun", "long", lambda o: o["status"].get("phase") == "Running")
    former = stage.get("OCIJob", "job")["status"]
    # The last run is applied when nobody serves the namespace any more: it has nothing in OCI.
    stage.operator.stop()
    stage.create(manifests.run("late"))
    kinds = "ociidentities,ocijobs,ocijobruns,secrets"
    backup = tmp_path / "backup.yaml"
    backup.write_text(stage.kubectl("get", kinds, "-o", "yaml"))
    restored = CliRunner().invoke(main, ["restore", str(backup)], catch_exceptions=False)
    assert (restored.exit_code, restored.stderr) == (0, "")

    new = Stage(other_cluster, stage.namespace, stage.emulator, tmp_path / "new")
    try:
        new.kubectl("create", "namespace", new.namespace)
        new.operator = new.made(hold_new="true").start()
        new.apply(*yaml.safe_load_all(restored.stdout))
        job = new.until_synced("job")
        assert job["status"]["jobId"] == former["jobId"]
        assert job["status"]["revision"] == former["revision"]
        # What ran is followed on, what had ended has, and what is new is held.
        running = new.until("OCIJobRun", "long", lambda o: o["status"].get("phase") == "Running")
        assert running["status"]["jobRunId"] == stage.get("OCIJobRun", "long")["status"]["jobRunId"]
        assert new.until_ended("done")["status"]["phase"] == "Succeeded"
        held = new.until_reason("OCIJobRun", "late", "Held")
        assert "ocijobs.io/allow-start=true" in condition(held, "Ready")["message"]
        assert len(new.job_runs()) == 2
        assert len(new.emulator.journal("CreateJob", status=200)) == 1
        new.kubectl("annotate", "ocijobrun/late", "ocijobs.io/allow-start=true")
        assert new.until_ended("late")["status"]["phase"] == "Succeeded"
        assert len(new.job_runs()) == 3
        # The adopted run is this object's own now: it can be cancelled.
        new.patch("OCIJobRun", "long", {"spec": {"cancel": True}})
        assert new.until_ended("long")["status"]["phase"] == "Cancelled"
    finally:
        new.operator.stop()


def test_a_run_adopts_no_run_of_another_owner(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run("first"))
    first = stage.until_ended("first")["status"]
    stage.create(manifests.run("thief", adopt={"jobRunId": first["jobRunId"]}))
    refused = stage.until_ended("thief")
    assert refused["status"]["phase"] == "Failed"
    assert f"belongs to {first['owner']}" in condition(refused, "Failed")["message"]
    heir = {"jobRunId": first["jobRunId"], "formerOwner": first["owner"]}
    stage.create(manifests.run("heir", adopt=heir))
    taken = stage.until_ended("heir")["status"]
    assert (taken["phase"], taken["jobRunId"]) == ("Succeeded", first["jobRunId"])
    assert len(stage.job_runs()) == 1
