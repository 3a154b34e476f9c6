"""The command line: what it takes, and what it says of what it does not take."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ocijobs.cli.__main__ import main

JOB = {
    "kind": "job",
    "spec": {
        "name": "Train It",
        "infrastructure": {
            "kind": "infrastructure",
            "type": "dataScienceJob",
            "spec": {"shapeName": "VM.Standard2.1"},
        },
        "runtime": {"kind": "runtime", "type": "script", "spec": {"scriptPathURI": "train.py"}},
    },
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def changed(**spec: Any) -> dict[str, Any]:
    return {"kind": "job", "spec": {**JOB["spec"], **spec}}  # type: ignore[dict-item]


def written(folder: Path, *documents: Any) -> str:
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)


def test_code_beside_the_file_becomes_part_of_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    done = run("import", written(tmp_path, JOB))
    assert done.exit_code == 0
    document = yaml.safe_load(done.stdout)
    assert document["metadata"]["name"] == "train-it"
    assert document["spec"]["displayName"] == "Train It"
    assert document["spec"]["runtime"]["script"]["source"]["inline"] == {"train.py": "print(1)\n"}
    # Code is written so that people can read it.
    assert "train.py: |\n" in done.stdout


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kind": "pipeline"}, "kind: is 'pipeline', and `job` is wanted"),
        ({"kind": "job", "spec": {}}, "spec.infrastructure: is missing"),
        (
            changed(infrastructure={"type": "kubernetesJob"}),
            "spec.infrastructure.type: 'kubernetesJob' is not one of dataScienceJob",
        ),
        (
            changed(runtime={"type": "operator"}),
            "spec.runtime.type: 'operator' is not one of script",
        ),
        (changed(runtime={"type": "script", "spec": {}}), "names no code (scriptPathURI)"),
        (JOB, "train.py: there is no such code"),
    ],
)
def test_what_can_not_be_imported_is_told_with_its_place(
    tmp_path: Path, document: Any, message: str
) -> None:
    done = run("import", written(tmp_path, document))
    assert done.exit_code == 1
    assert message in done.stderr


def test_code_that_is_too_large_is_left_to_people(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_bytes(b"\xff" * 10)
    done = run("import", written(tmp_path, JOB))
    assert "put it into Object Storage or a Git repository" in done.stderr
    assert "BUCKET@NAMESPACE" in done.stdout


def test_what_ads_can_not_say_is_told(tmp_path: Path) -> None:
    job = {
        "apiVersion": "ocijobs.io/v1alpha1",
        "kind": "OCIJob",
        "metadata": {"name": "train"},
        "spec": {
            "infrastructure": {"dataScienceJob": {"shapeName": "VM.Standard2.1"}},
            "runtime": {"script": {"source": {"configMap": {"name": "code"}}}},
            "results": ["auc"],
            "maxActiveRuns": 3,
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        },
    }
    done = run("export", written(tmp_path, job), "--code", str(tmp_path / "code"))
    assert done.exit_code == 0
    for told in ("spec.results", "spec.maxActiveRuns", "spec.env[A].valueFrom", "configMap"):
        assert told in done.stderr


def test_a_file_without_jobs_is_told(tmp_path: Path) -> None:
    done = run("export", written(tmp_path, {"kind": "ConfigMap"}))
    assert (done.exit_code, "has no OCIJob" in done.stderr) == (1, True)


def test_a_launch_in_doubt_is_told_when_it_is_restored(tmp_path: Path) -> None:
    run_ = {
        "apiVersion": "ocijobs.io/v1alpha1",
        "kind": "OCIJobRun",
        "metadata": {"name": "r", "uid": "u", "resourceVersion": "1", "managedFields": []},
        "spec": {"jobRef": {"name": "j"}},
        "status": {"owner": "cluster/u", "submit": {"jobId": "ocid1.datasciencejob.oc1.iad.a"}},
    }
    done = run("restore", written(tmp_path, {"kind": "List", "items": [run_]}))
    assert yaml.safe_load(done.stdout) == {
        "apiVersion": "ocijobs.io/v1alpha1",
        "kind": "OCIJobRun",
        "metadata": {"name": "r"},
        "spec": {"jobRef": {"name": "j"}},
    }
    assert "ocijobs_owner=cluster/u/0" in done.stderr


def test_an_ocid_needs_a_configuration(tmp_path: Path) -> None:
    done = run("import", "ocid1.datasciencejob.oc1.iad.a", "--config", str(tmp_path / "none"))
    assert done.exit_code == 1
    assert "none, profile DEFAULT" in done.stderr


def test_an_ocid_of_no_service_that_runs_jobs_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[DEFAULT]\nregion = us-ashburn-1\n")
    done = run("import", "ocid1.datasciencepipeline.oc1.iad.a", "--config", str(config))
    assert done.exit_code == 1
    assert "OCIDs of type datasciencepipeline are of no jobs or runs" in done.stderr
