"""The environments that runs get: what a slug names, or nothing at all."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import oci
import pytest

SLUG = "generalml_p311_cpu_x86_64_v1"
SERVICE = {"CONDA_ENV_TYPE": "service", "CONDA_ENV_SLUG": SLUG}

TRAINS = """
import os
import oci, sklearn
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
features, labels = make_classification(random_state=0)
score = LogisticRegression().fit(features, labels).score(features, labels)
signer = oci.auth.signers.get_resource_principals_signer()
storage = oci.object_storage.ObjectStorageClient({}, signer=signer)
namespace = storage.get_namespace().data
storage.put_object(namespace, "models", os.environ["JOB_RUN_OCID"], f"{score:.2f}".encode())
print("score", score > 0.8)
"""

LISTS = """
import importlib.metadata, sys
print(sorted({d.metadata["Name"].lower() for d in importlib.metadata.distributions()}))
print([path for path in sys.path if "site-packages" in path])
"""


def lines_of(cloud: Any, log_group: str, script: str, environment: dict[str, str]) -> list[str]:
    job = cloud.job(
        script.encode(),
        environment=environment,
        job_log_configuration_details=cloud.auto_log(log_group),
    )
    # The first run of a slug builds its environment.
    run = cloud.ended(cloud.start(job.id).id, seconds=900)
    lines: list[str] = cloud.lines(run)
    assert run.lifecycle_state == "SUCCEEDED", (run.lifecycle_details, lines)
    return lines


def test_a_run_without_a_slug_has_a_bare_python(cloud: Any, log_group: str) -> None:
    names, paths = lines_of(cloud, log_group, LISTS, {})
    assert names == "[]"
    assert str(Path(sys.prefix)) not in paths


def test_nothing_leaks_in_from_the_emulators_own_environment(cloud: Any, log_group: str) -> None:
    script = "import aiohttp"
    job = cloud.job(script.encode())
    run = cloud.ended(cloud.start(job.id).id)
    assert run.lifecycle_details == "Job run artifact execution failed with exit code 1."
    [line] = lines_of(cloud, log_group, "import sys; print(sys.prefix)", {})
    assert Path(line) != Path(sys.prefix)


@pytest.mark.timeout(1200)
def test_a_slug_trains_a_model_and_keeps_it_in_object_storage(cloud: Any, log_group: str) -> None:
    namespace = cloud.emulator.namespace
    bucket = oci.object_storage.models.CreateBucketDetails(
        name="models", compartment_id=cloud.tenancy
    )
    cloud.object_storage.create_bucket(namespace, bucket)
    assert lines_of(cloud, log_group, TRAINS, SERVICE) == ["score True"]
    [model] = cloud.object_storage.list_objects(namespace, "models").data.objects
    assert model.name.startswith("ocid1.datasciencejobrun.")
    names, _ = lines_of(cloud, log_group, LISTS, SERVICE)
    assert "'scikit-learn'" in names
    assert "'oci-emulator'" not in names
    assert "'pytest'" not in names


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "oci_emulator", "conda", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )


def test_the_command_lists_the_slugs() -> None:
    result = command("list")
    assert result.returncode == 0
    assert SLUG in {line.split("\t")[0] for line in result.stdout.splitlines()}


def test_the_command_builds_known_slugs_only() -> None:
    result = command("build", "tensorflow_v9")
    assert result.returncode == 1
    assert f"'tensorflow_v9' does not exist; there are {SLUG}" in result.stderr
