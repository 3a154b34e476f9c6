"""Published conda environments: packs that runs read from Object Storage."""

import io
import sys
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

import oci
import pytest

PYTHON = f'#!/bin/sh\nPACKED=yes exec {sys.executable} "$@"\n'
SHOW = b"import os; print(os.environ.get('PACKED'), os.path.exists(os.environ['MARK']))"


def pack(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def publish(cloud: Any, content: bytes) -> dict[str, str]:
    """Put a pack into Object Storage; the variables by which a run names it."""
    details = oci.object_storage.models.CreateBucketDetails(
        name="packs", compartment_id=cloud.tenancy
    )
    namespace = cloud.emulator.namespace
    cloud.object_storage.create_bucket(namespace, details)
    cloud.object_storage.put_object(namespace, "packs", "team/pack", content)
    return {
        "CONDA_ENV_TYPE": "published",
        "CONDA_ENV_NAMESPACE": namespace,
        "CONDA_ENV_BUCKET": "packs",
        "CONDA_ENV_OBJECT_NAME": "team/pack",
        "CONDA_ENV_REGION": cloud.emulator.region,
        "MARK": "../conda/relocated",
    }


def run_with(cloud: Any, environment: Mapping[str, str]) -> Any:
    job = cloud.job(
        SHOW,
        environment=dict(environment),
        job_log_configuration_details=cloud.auto_log(cloud.log_group()),
    )
    return cloud.ended(cloud.start(job.id).id)


def test_a_run_has_the_environment_of_its_pack(own: Callable[..., Any]) -> None:
    cloud = own()
    relocate = "import pathlib; (pathlib.Path(__file__).parents[1] / 'relocated').touch()\n"
    variables = publish(cloud, pack({"bin/python": PYTHON, "bin/conda-unpack": relocate}))
    run = run_with(cloud, variables)
    assert (run.lifecycle_state, cloud.lines(run)) == ("SUCCEEDED", ["yes True"])
    [read] = cloud.emulator.journal(operation="GetObject")
    assert (read.principal, read.status) == (run.id, 200)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"CONDA_ENV_OBJECT_NAME": "other"}, "can't be read"),
        ({"CONDA_ENV_BUCKET": ""}, "needs CONDA_ENV_BUCKET"),
        ({"CONDA_ENV_REGION": "eu-frankfurt-1"}, "CONDA_ENV_REGION is eu-frankfurt-1"),
    ],
)
def test_a_pack_that_is_not_there_fails_the_run(
    own: Callable[..., Any], changes: dict[str, str], reason: str
) -> None:
    cloud = own()
    run = run_with(cloud, {**publish(cloud, pack({"bin/python": PYTHON})), **changes})
    assert run.lifecycle_state == "FAILED"
    assert reason in run.lifecycle_details


@pytest.mark.parametrize(
    "content",
    [b"no archive", pack({"lib/x": ""}), pack({"../../escaped": ""})],
    ids=["no archive", "no Python", "leads out"],
)
def test_what_is_no_pack_fails_the_run(own: Callable[..., Any], content: bytes) -> None:
    cloud = own()
    run = run_with(cloud, publish(cloud, content))
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details.startswith("Job run bootstrap failed: ")


def test_a_run_that_may_not_read_the_pack_does_not_get_it(own: Callable[..., Any]) -> None:
    cloud = own()
    variables = publish(cloud, pack({"bin/python": PYTHON}))
    statements = cloud.emulator.policies()["statements"]
    cloud.emulator.set_policies([each for each in statements if "objects" not in each])
    run = run_with(cloud, variables)
    assert run.lifecycle_state == "FAILED"
    assert "can't be read" in run.lifecycle_details
