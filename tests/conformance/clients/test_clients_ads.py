"""oracle-ads, as it is installed from its package, against the emulator."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oci
import pytest
import yaml

from oci_emulator.testing import Emulator

pytestmark = [pytest.mark.breadth, pytest.mark.timeout(700)]

PROGRAM = Path(__file__).with_name("programs") / "ads_job.py"
SUCCEEDED = "Job run artifact execution succeeded. Infrastructure de-provisioning."
GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.com")
MAIN = """
import os, pathlib, sys
print(os.environ["GREETING"], *sys.argv[1:])
pathlib.Path("outputs").mkdir()
pathlib.Path("outputs/model.txt").write_text("trained")
"""
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {"tags": tags},
            "outputs": [],
            "source": source,
        }
        for source, tags in (
            ("import os\nprint('cell', os.environ['GREETING'])", []),
            ("raise SystemExit(9)", ["skip"]),
        )
    ],
    "metadata": {"kernelspec": {"display_name": "p", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 4,
}


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What jobs are made of: scripts, a project, a notebook, a Git repository."""
    directory = tmp_path_factory.mktemp("ads") / "sources"
    package = directory / "project" / "package"
    package.mkdir(parents=True)
    (directory / "script.sh").write_text('echo $GREETING "$@"\n')
    (directory / "project" / "run.sh").write_text("echo archive $GREETING\n")
    (package / "main.py").write_text(MAIN)
    (directory / "notebook.ipynb").write_text(json.dumps(NOTEBOOK))
    repository = directory / "repository"
    repository.mkdir()
    (repository / "main.py").write_text("def train(alpha):\n    print('alpha is', alpha)\n")
    for arguments in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "."],
        ["commit", "--quiet", "--message", "first"],
    ):
        subprocess.run([*GIT, "-C", str(repository), *arguments], check=True)
    return directory


@pytest.fixture
def ads_job(client: Any, log_group: str, sources: Path) -> Callable[[str], dict[str, Any]]:
    """Tells what ADS sees of a job of a runtime, from its creation to its deletion."""
    emulator = client.emulator
    where = {
        "way": client.way,
        "http": emulator.http,
        "config": str(emulator.config),
        "tenancy": emulator.tenancy,
        "project": emulator.project,
        "namespace": emulator.namespace,
        "logGroup": log_group,
    }

    def run(kind: str) -> dict[str, Any]:
        finished = client.run("python", [str(PROGRAM), kind, str(sources), json.dumps(where)])
        assert finished.code == 0, f"{finished.output}\n{finished.errors}"
        seen: dict[str, Any] = json.loads(finished.output.splitlines()[-1])
        return seen

    return run


@pytest.mark.parametrize(
    ("client", "kind", "lines"),
    [
        ("proxy", "script", ["hello one two"]),
        ("proxy", "archive", ["archive hello"]),
        ("proxy", "python", ["hello positional --key a value"]),
        # ADS gives its client of Logging no other endpoint than that of the region.
        ("plain", "python", []),
        ("proxy", "notebook", ["cell hallo"]),
        ("proxy", "gitPython", ["alpha is 0.5"]),
    ],
    indirect=["client"],
)
def test_a_job_of_each_runtime_runs(
    client: Any,
    golden: Callable[[str], None],
    ads_job: Callable[[str], dict[str, Any]],
    kind: str,
    lines: list[str],
) -> None:
    seen = ads_job(kind)
    assert (seen["status"], seen["exitCode"], seen["details"]) == ("SUCCEEDED", 0, SUCCEEDED)
    assert set(lines) <= set(seen["logs"])
    assert seen["read"] == ("script" if kind == "archive" else kind)
    assert (seen["cancelled"], seen["listed"], seen["deleted"]) == ("CANCELED", 2, "DELETED")
    golden(f"ads-{kind}-{client.way}")


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("container", "Job run bootstrap failed: "),
        # Torch is no part of the environment that stands in for the real one.
        ("pyTorchDistributed", "Job run artifact execution failed with exit code 1."),
    ],
)
def test_a_job_that_can_not_run_here_is_created_and_says_why(
    client: Any,
    golden: Callable[[str], None],
    ads_job: Callable[[str], dict[str, Any]],
    kind: str,
    details: str,
) -> None:
    seen = ads_job(kind)
    assert seen["status"] == "FAILED"
    assert seen["details"].startswith(details)
    assert seen["deleted"] == "DELETED"
    golden(f"ads-{kind}-{client.way}")


def test_outputs_are_in_object_storage(
    client: Any, emulator: Emulator, ads_job: Callable[[str], dict[str, Any]]
) -> None:
    ads_job("python")
    storage = oci.object_storage.ObjectStorageClient(
        oci.config.from_file(str(emulator.config)), service_endpoint=emulator.http
    )
    name = f"python-{client.way}/model.txt"
    assert storage.get_object(emulator.namespace, "outputs", name).data.content == b"trained"


class TestOpctl:
    """``ads opctl``: jobs from YAML files, on the command line."""

    @pytest.fixture
    def file(self, client: Any, emulator: Emulator, log_group: str, sources: Path) -> Path:
        job = {
            "kind": "job",
            "spec": {
                "name": "from-yaml",
                "infrastructure": {
                    "kind": "infrastructure",
                    "type": "dataScienceJob",
                    "spec": {
                        "compartmentId": emulator.tenancy,
                        "projectId": emulator.project,
                        "shapeName": "VM.Standard2.1",
                        "blockStorageSize": 50,
                        "logGroupId": log_group,
                    },
                },
                "runtime": {
                    "kind": "runtime",
                    "type": "script",
                    "spec": {
                        "scriptPathURI": str(sources / "script.sh"),
                        "env": [{"name": "GREETING", "value": "salut"}],
                        "args": ["monde"],
                    },
                },
            },
        }
        path: Path = client.home / "job.yaml"
        path.write_text(yaml.safe_dump(job))
        return path

    def ads(self, client: Any, *arguments: str) -> str:
        finished = client.run("ads", ["opctl", *arguments, "--auth", "api_key"])
        assert finished.code == 0, f"{finished.output}\n{finished.errors}"
        return str(finished.output + finished.errors)

    def test_run_watch_and_delete(self, client: Any, file: Path, emulator: Emulator) -> None:
        since = emulator.last_seq()
        self.ads(client, "run", "-f", str(file))
        [created] = emulator.journal(operation="CreateJobRun", since=since)
        run = created.resource_id
        # A wait of 0 is lost on its way through opctl, which fails then.
        shown = self.ads(client, "watch", run, "--interval", "1", "--wait", "1")
        assert "salut monde" in shown
        assert "Job Run SUCCEEDED" in shown
        self.ads(client, "delete", run)
        [deleted] = emulator.journal(operation="DeleteJobRun", since=since)
        assert (deleted.resource_id, deleted.status) == (run, 204)
