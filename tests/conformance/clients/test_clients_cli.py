"""oci-cli, as it is installed from its package, against the emulator."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.clients.conftest import each_way

from oci_emulator.testing import Emulator

pytestmark = [pytest.mark.breadth, pytest.mark.timeout(700)]

INFRASTRUCTURE = {
    "jobInfrastructureType": "ME_STANDALONE",
    "shapeName": "VM.Standard.E4.Flex",
    "jobShapeConfigDetails": {"ocpus": 1, "memoryInGBs": 16},
    "blockStorageSizeInGBs": 50,
}
MAIN = "import os, sys; print(os.environ['GREETING'], *sys.argv[1:])\n"


@pytest.fixture
def where(emulator: Emulator) -> dict[str, str]:
    return {"compartment_id": emulator.tenancy, "project_id": emulator.project}


@pytest.fixture
def job(client: Any, where: dict[str, str], log_group: str) -> str:
    """The OCID of a job with its artifact, made by the CLI."""
    created = client.cli(
        *("data-science", "job", "create"),
        **where,
        display_name="from the CLI",
        configuration_details={
            "jobType": "DEFAULT",
            "environmentVariables": {"GREETING": "ciao"},
            "commandLineArguments": "mondo",
        },
        infrastructure_configuration_details=INFRASTRUCTURE,
        log_configuration_details={
            "enableLogging": True,
            "enableAutoLogCreation": True,
            "logGroupId": log_group,
        },
    ).json["data"]
    assert created["lifecycle-state"] == "CREATING"
    artifact = Path(client.home) / "main.py"
    artifact.write_text(MAIN)
    client.cli(
        *("data-science", "job", "create-job-artifact"),
        job_id=created["id"],
        job_artifact_file=str(artifact),
        content_disposition="attachment; filename=main.py",
    )
    return str(created["id"])


@each_way
def test_a_job_runs(
    client: Any,
    golden: Callable[[str], None],
    where: dict[str, str],
    job: str,
    emulator: Emulator,
) -> None:
    shown = client.cli("data-science", "job", "get", job_id=job).json["data"]
    assert (shown["lifecycle-state"], shown["display-name"]) == ("ACTIVE", "from the CLI")
    run = client.cli(
        *("data-science", "job-run", "create"),
        **where,
        job_id=job,
        wait_for_state="SUCCEEDED",
        wait_interval_seconds="1",
    ).json["data"]
    assert run["lifecycle-state"] == "SUCCEEDED"
    log = run["log-details"]
    query = f'SEARCH "{emulator.tenancy}/{log["log-group-id"]}/{log["log-id"]}"'
    found = client.cli(
        *("logging-search", "search-logs"),
        search_query=query,
        time_start=run["time-accepted"],
        time_end=run["time-finished"],
    ).json["data"]["results"]
    assert [each["data"]["logContent"]["data"]["message"] for each in found] == ["ciao mondo"]
    listed = client.cli(
        *("data-science", "job-run", "list"), compartment_id=emulator.tenancy, job_id=job
    ).json["data"]
    assert [each["id"] for each in listed] == [run["id"]]
    client.cli("data-science", "job-run", "delete", job_run_id=run["id"], force=True)
    golden(f"cli-run-{client.way}")


def test_a_run_is_cancelled_and_a_job_updated_and_deleted(
    client: Any, golden: Callable[[str], None], where: dict[str, str], job: str
) -> None:
    run = client.cli(
        *("data-science", "job-run", "create"),
        **where,
        job_id=job,
        freeform_tags={"emulator.plan": '{"inProgress": 600}'},
        wait_for_state="IN_PROGRESS",
        wait_interval_seconds="1",
    ).json["data"]
    client.cli("data-science", "job-run", "cancel", job_run_id=run["id"])
    updated = client.cli(
        *("data-science", "job", "update"), job_id=job, display_name="renamed", force=True
    ).json["data"]
    assert updated["display-name"] == "renamed"
    ended = client.emulator.wait_for_run(run["id"], "CANCELED")
    assert ended["body"]["lifecycleState"] == "CANCELED"
    client.cli(
        *("data-science", "job", "delete"),
        job_id=job,
        delete_related_job_runs="true",
        force=True,
        wait_for_state="SUCCEEDED",
        wait_interval_seconds="1",
    )
    gone = client.cli("data-science", "job", "get", job_id=job).json["data"]
    assert gone["lifecycle-state"] == "DELETED"
    golden(f"cli-change-{client.way}")


def test_other_services(
    client: Any, golden: Callable[[str], None], where: dict[str, str], emulator: Emulator
) -> None:
    bucket = f"cli-{client.way}"
    file = Path(client.home) / "data.txt"
    file.write_text("1,2,3\n")
    made = client.cli(
        *("os", "bucket", "create"), compartment_id=where["compartment_id"], name=bucket
    ).json["data"]
    assert made["name"] == bucket
    put = client.cli(
        *("os", "object", "put"), bucket_name=bucket, file=str(file), name="in/data.txt"
    ).json
    assert put["etag"]
    listed = client.cli("os", "object", "list", bucket_name=bucket, prefix="in/").json["data"]
    assert [each["name"] for each in listed] == ["in/data.txt"]
    got = Path(client.home) / "got.txt"
    client.cli("os", "object", "get", bucket_name=bucket, name="in/data.txt", file=str(got))
    assert got.read_text() == "1,2,3\n"
    shapes = client.cli(
        *("data-science", "job-shape", "list"), compartment_id=where["compartment_id"]
    ).json["data"]
    assert "VM.Standard2.1" in {shape["name"] for shape in shapes}
    found = client.cli(
        *("search", "resource", "structured-search"),
        query_text=f"query bucket resources where displayName = '{bucket}'",
    ).json["data"]["items"]
    assert [each["display-name"] for each in found] == [bucket]
    golden(f"cli-others-{client.way}")


def test_an_error_is_shown_as_the_services_show_it(client: Any) -> None:
    finished = client.cli("data-science", "job", "get", job_id="ocid1.datasciencejob.oc1.iad.none")
    assert finished.code != 0
    assert '"code": "NotAuthorizedOrNotFound"' in finished.errors
    assert '"status": 404' in finished.errors
