"""Jobs with a container environment, where there is an engine and where there is none."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from oci.data_science import models
from tests.support.container_engine import IMAGE, stand_in_engine


def job_with(cloud: Any, log_group: str, **container: Any) -> Any:
    environment = models.OcirContainerJobEnvironmentConfigurationDetails(
        **{"image": IMAGE, **container}
    )
    return cloud.job(
        None,
        job_environment_configuration_details=environment,
        job_log_configuration_details=cloud.auto_log(log_group),
        environment={"GREETING": "two words"},
        arguments="and 'an argument'",
    )


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    return stand_in_engine(tmp_path / "engine")


def test_a_container_has_the_variables_the_command_and_the_log_of_its_run(
    own_process: Callable[..., Any], stand_in: Path
) -> None:
    cloud = own_process(engine=str(stand_in))
    job = job_with(
        cloud,
        cloud.log_group(),
        entrypoint=["/bin/bash", "-c"],
        cmd=['echo $GREETING $0 $1; echo $JOB_RUN_OCID; exit "${#GREETING}"'],
    )
    run = cloud.ended(cloud.start(job.id).id)
    assert run.lifecycle_details == "Job run artifact execution failed with exit code 9."
    assert cloud.lines(run) == ["two words and an argument", run.id]
    exists, started, removed = (stand_in.parent / "commands").read_text().splitlines()
    assert exists == f"image exists {IMAGE}"
    assert "--env GREETING" in started
    # Values are no part of the command, which everyone on the machine can read.
    assert "two words" not in started
    assert removed.startswith("rm --force")


def test_an_artifact_lies_in_the_home_of_its_container(
    own_process: Callable[..., Any], stand_in: Path
) -> None:
    cloud = own_process(engine=str(stand_in))
    job = job_with(cloud, cloud.log_group(), entrypoint=["/bin/true"])
    cloud.upload(job.id, b"content", "data.zip")
    run = cloud.ended(cloud.start(job.id).id)
    assert run.lifecycle_state == "SUCCEEDED"
    home = Path(cloud.emulator.run(run.id)["directory"]) / "home"
    assert (home / "data.zip").read_bytes() == b"content"


def test_a_canceled_container_is_removed(own_process: Callable[..., Any], stand_in: Path) -> None:
    cloud = own_process(engine=str(stand_in))
    job = cloud.job(
        None,
        job_environment_configuration_details=models.OcirContainerJobEnvironmentConfigurationDetails(
            image=IMAGE, entrypoint=["/bin/sleep"], cmd=["600"]
        ),
    )
    run = cloud.start(job.id)
    cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")
    cloud.data_science.cancel_job_run(run.id)
    assert cloud.ended(run.id).lifecycle_state == "CANCELED"
    assert (stand_in.parent / "commands").read_text().splitlines()[-1].startswith("rm --force")


@pytest.mark.parametrize(
    ("engine", "image", "reason"),
    [
        ("no-such-engine", IMAGE, "containers need no-such-engine, which is not installed here."),
        ("", "iad.ocir.io/mytenancy/other:1", "is none of "),
    ],
)
def test_a_container_that_can_not_run_says_why(
    own_process: Callable[..., Any], stand_in: Path, engine: str, image: str, reason: str
) -> None:
    cloud = own_process(engine=engine or str(stand_in))
    run = cloud.ended(cloud.start(job_with(cloud, cloud.log_group(), image=image).id).id)
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details.startswith("Job run bootstrap failed: ")
    assert reason in run.lifecycle_details


@pytest.fixture
def built(tmp_path: Path) -> Iterator[str]:
    """A real engine with a real image, of which busybox is all."""
    busybox = shutil.which("busybox")
    engine = os.environ.get("OCI_EMULATOR_ENGINE", "podman")
    if shutil.which("podman") is None or busybox is None:
        pytest.skip("no podman and no busybox on this machine")
    shutil.copy(busybox, tmp_path / "sh")
    (tmp_path / "Containerfile").write_text('FROM scratch\nCOPY sh /bin/sh\nCMD ["/bin/sh"]\n')
    image = f"iad.ocir.io/mytenancy/busybox:{tmp_path.name.lower()}"
    podman = engine.split()
    subprocess.run([*podman, "build", "--quiet", "--tag", image, str(tmp_path)], check=True)
    options = os.environ.get("OCI_EMULATOR_ENGINE_OPTIONS", "").split()
    tried = subprocess.run(
        [*podman, "run", "--rm", *options, image, "/bin/sh", "-c", "exit 0"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"podman can't run containers on this machine: {tried.stderr[-300:]}")
    yield image
    subprocess.run([*podman, "rmi", "--force", image], check=True, capture_output=True)


def test_podman_runs_a_container(own_process: Callable[..., Any], built: str) -> None:
    cloud = own_process()
    script = "echo $GREETING $0 $1; cat /home/datascience/data.txt; exit 4"
    job = job_with(
        cloud, cloud.log_group(), image=built, entrypoint=["/bin/sh", "-c"], cmd=[script]
    )
    cloud.upload(job.id, json.dumps({"a": 1}).encode(), "data.txt")
    run = cloud.ended(cloud.start(job.id).id)
    assert run.lifecycle_details == "Job run artifact execution failed with exit code 4."
    assert cloud.lines(run) == ["two words and an argument", '{"a": 1}']
