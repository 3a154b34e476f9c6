"""Revisions: what makes another OCI job, what does not, and that no run loses its own."""

import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import oci
import pytest
from tests.support import manifests
from tests.support.stage import Stage

import ocijobs

EDITS = 50
VALUES = "abc"


def _job(**state: str) -> dict[str, Any]:
    """Return a job of which each part has a state: the first three make a revision, the others do not."""
    shape = {"a": "VM.Standard2.1", "b": "VM.Standard2.2", "c": "VM.Standard2.4"}[state["shape"]]
    return manifests.job(
        files={"main.py": f"print('{state['code']}')\n"},
        env=[{"name": "DEPTH", "value": state["env"]}],
        args=["--rate", state["args"]],
        displayName=f"train {state['name']}",
        freeformTags={"team": state["tags"]},
        revisionHistoryLimit=100,
        infrastructure={"dataScienceJob": {"shapeName": shape}},
    )


def test_fifty_edits_while_runs_go_on_lose_no_run_its_job(stage: Stage) -> None:
    stage.emulator.set_mode(default={"inProgress": 2})
    stage.identity()
    dice = Random(7)  # noqa: S311 - the same edits each time
    state = dict.fromkeys(("code", "env", "args", "name", "tags", "shape"), "a")
    revisions: dict[tuple[str, ...], str] = {}
    for number in range(EDITS):
        part = dice.choice(sorted(state))
        state[part] = dice.choice([value for value in VALUES if value != state[part]])
        stage.apply(_job(**state))
        found = stage.until_synced("job")["status"]
        # The same code, variables and arguments are the same OCI job, now and when they come back.
        key = (state["code"], state["env"], state["args"])
        assert revisions.setdefault(key, found["jobId"]) == found["jobId"]
        if number % 5 == 0:
            stage.create(manifests.run(f"run-{number:02}"))
    runs = [stage.until_ended(f"run-{number:02}") for number in range(0, EDITS, 5)]
    assert {run["status"]["phase"] for run in runs} == {"Succeeded"}
    jobs = {run["status"]["jobId"] for run in runs}
    assert jobs <= set(revisions.values())
    made = stage.emulator.journal("CreateJob", status=200)
    assert len(made) == len(revisions) == len(set(revisions.values()))
    assert stage.emulator.journal("DeleteJob") == []
    current = stage.get("OCIJob", "job")["status"]
    assert len(current["revisions"]) == len(revisions)
    job = _oci_job(stage, current["jobId"])
    assert job.display_name == f"train {state['name']}"
    assert job.freeform_tags["team"] == state["tags"]


def test_former_revisions_go_beyond_the_limit_but_not_below_a_live_run(stage: Stage) -> None:
    stage.emulator.set_mode(plans=[{"match": {"displayName": "*/long"}, "inProgress": 3600}])
    stage.identity()

    def job(value: str) -> dict[str, Any]:
        return manifests.job(env=[{"name": "A", "value": value}], revisionHistoryLimit=0)

    stage.apply(job("1"), manifests.run("long"))
    held = stage.until("OCIJobRun", "long", lambda o: o["status"].get("phase") == "Running")
    for value in "23":
        stage.apply(job(value))
        stage.until_synced("job")
    two = stage.until("OCIJob", "job", lambda o: len(o["status"]["revisions"]) == 2)["status"]
    kept = {revision["jobId"] for revision in two["revisions"]}
    assert kept == {held["status"]["jobId"], two["jobId"]}
    stage.patch("OCIJobRun", "long", {"spec": {"cancel": True}})
    stage.until_ended("long")
    # Its record remains, so OCI refuses to delete the OCI job, and an Event says so.
    assert held["status"]["jobId"] in stage.until_event("job", "RecordsRemain")


@pytest.mark.own_process  # a forked one has the drivers that were imported
def test_an_operator_with_other_drivers_makes_no_job_anew(stage: Stage, tmp_path: Path) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    before = stage.until_ended("run")["status"]
    stage.operator.stop()
    package = Path(ocijobs.__file__).parent
    newer = tmp_path / "newer"
    shutil.copytree(package, newer / "ocijobs", ignore=shutil.ignore_patterns("__pycache__"))
    driver = newer / "ocijobs" / "artifact" / "drivers" / "ocijobs_driver.py"
    driver.write_text(driver.read_text() + "\n# Another version.\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(newer), prepend=os.pathsep)
        # Its own fetcher builds with the drivers that it has.
        stage.start_operator(fetcher_url="")
    stage.create(manifests.run("after"))
    after = stage.until_ended("after")["status"]
    assert (after["jobId"], after["revision"]) == (before["jobId"], before["revision"])
    # An edit does take the newer drivers.
    stage.apply(manifests.job(args=["more"]))
    edited = stage.until_synced("job")["status"]
    assert edited["revisions"][0]["artifact"]["sha256"] != edited["artifact"]["sha256"]
    assert len(stage.emulator.journal("CreateJob", status=200)) == 2


def test_settings_that_oci_refuses_to_change_in_place_make_a_revision(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job())
    first = stage.until_synced("job")["status"]
    fault = stage.emulator.add_fault(
        "UpdateJob", status=400, code="InvalidParameter", message="shapes are not updated here"
    )
    shape = {"dataScienceJob": {"shapeName": "VM.Standard2.2"}}
    stage.apply(manifests.job(infrastructure=shape))
    second = stage.until_synced("job")["status"]
    assert second["jobId"] != first["jobId"]
    infrastructure = _oci_job(stage, second["jobId"]).job_infrastructure_configuration_details
    assert infrastructure.shape_name == "VM.Standard2.2"
    stage.emulator.remove_fault(fault)


def _oci_job(stage: Stage, ocid: str) -> Any:
    return stage.oci_client(oci.data_science.DataScienceClient).get_job(ocid).data
