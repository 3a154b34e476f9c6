"""Who may do what: runs with their own principal, further users, other policies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError

# Signs by itself with what the environment names: a bare Python has no SDK.
USES_ITS_PRINCIPAL = """
import base64, email.utils, hashlib, json, os, subprocess, sys, urllib.request

TOKEN = open(os.environ["OCI_RESOURCE_PRINCIPAL_RPST"]).read()
KEY = os.environ["OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"]
REGION = os.environ["OCI_RESOURCE_PRINCIPAL_REGION"]

def call(method, host, target, body=None):
    headers = {"date": email.utils.formatdate(usegmt=True), "host": host}
    if body is not None:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers |= {"content-length": str(len(body)), "content-type": "application/json",
                    "x-content-sha256": digest}
    names = ["(request-target)", *headers]
    lines = [f"(request-target): {method.lower()} {target}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", KEY],
                            input="\\n".join(lines).encode(), capture_output=True, check=True)
    signature = base64.b64encode(signed.stdout).decode()
    headers["authorization"] = (f'Signature version="1",keyId="ST${TOKEN}",algorithm="rsa-sha256",'
                                f'headers="{" ".join(names)}",signature="{signature}"')
    request = urllib.request.Request(f"https://{host}{target}", body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code

storage = f"objectstorage.{REGION}.oraclecloud.com"
science = f"datascience.{REGION}.oci.oraclecloud.com"
where = f"/n/{os.environ['NAMESPACE']}/b/runs"
job = os.environ["JOB_OCID"]
compartment = os.environ["JOB_RUN_COMPARTMENT_OCID"]
print(json.dumps({
    "puts an object": call("PUT", storage, f"{where}/o/result", b"by the run"),
    "reads its own run": call("GET", science, f"/20190101/jobRuns/{os.environ['JOB_RUN_OCID']}"),
    "deletes its job": call("DELETE", science, f"/20190101/jobs/{job}"),
    "deletes the bucket": call("DELETE", storage, where),
    "reads a compartment": call("GET", f"identity.{REGION}.oci.oraclecloud.com",
                                f"/20160918/compartments/{compartment}"),
}))
"""


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code


def test_a_run_uses_its_own_principal_through_the_proxy(cloud: Any, log_group: str) -> None:
    namespace = cloud.emulator.namespace
    bucket = oci.object_storage.models.CreateBucketDetails(
        name="runs", compartment_id=cloud.tenancy
    )
    cloud.object_storage.create_bucket(namespace, bucket)
    job = cloud.job(
        USES_ITS_PRINCIPAL.encode(),
        environment={"NAMESPACE": namespace},
        job_log_configuration_details=cloud.auto_log(log_group),
    )
    run = cloud.ended(cloud.start(job.id).id)
    verdicts = json.loads(cloud.lines(run)[-1])
    assert verdicts == {
        "puts an object": 200,
        "reads its own run": 200,
        "deletes its job": 404,
        "deletes the bucket": 404,
        "reads a compartment": 404,
    }
    content = cloud.object_storage.get_object(namespace, "runs", "result").data.content
    assert content == b"by the run"
    entries = cloud.emulator.journal(principal=run.id)
    assert {entry.operation for entry in entries} >= {"PutObject", "DeleteJob"}


def test_caller_and_run_have_verdicts_of_their_own(own: Callable[..., Any]) -> None:
    cloud = own()
    emulator = cloud.emulator
    namespace = emulator.namespace
    bucket = oci.object_storage.models.CreateBucketDetails(
        name="runs", compartment_id=cloud.tenancy
    )
    cloud.object_storage.create_bucket(namespace, bucket)
    emulator.set_policies(
        ["Allow group Administrators to manage all-resources in tenancy"], dynamic_groups={}
    )
    group = cloud.log_group()
    job = cloud.job(
        USES_ITS_PRINCIPAL.encode(),
        environment={"NAMESPACE": namespace},
        job_log_configuration_details=cloud.auto_log(group),
    )
    run = cloud.ended(cloud.start(job.id).id)
    assert set(json.loads(cloud.lines(run)[-1]).values()) == {404}


def test_a_scientist_may_run_jobs_and_no_more(cloud: Any) -> None:
    user = cloud.emulator.add_user("scientist")
    scientist = type(cloud)(cloud.emulator, user.config)
    job = scientist.job(b"")
    assert scientist.ended(scientist.start(job.id).id).lifecycle_state == "SUCCEEDED"
    assert job.created_by == user.id
    assert scientist.identity.get_user(user.id).data.name == "scientist"
    bucket = oci.object_storage.models.CreateBucketDetails(name="b", compartment_id=cloud.tenancy)
    for call in (
        lambda: scientist.object_storage.create_bucket(cloud.emulator.namespace, bucket),
        lambda: scientist.identity.list_compartments(cloud.tenancy),
        lambda: scientist.identity.get_user(cloud.emulator.user),
    ):
        assert refusal(call) == (404, "NotAuthorizedOrNotFound")


def test_a_user_without_a_group_may_do_nothing(cloud: Any) -> None:
    user = cloud.emulator.add_user("nobody", groups=[])
    nobody = type(cloud)(cloud.emulator, user.config)
    job = cloud.job(b"")
    for call in (
        lambda: nobody.data_science.list_jobs(cloud.tenancy),
        lambda: nobody.data_science.get_job(job.id),
        lambda: nobody.start(job.id),
    ):
        assert refusal(call) == (404, "NotAuthorizedOrNotFound")


def test_the_answer_does_not_tell_what_exists_from_what_does_not(
    own: Callable[..., Any],
) -> None:
    cloud = own(mode="simulated")
    nobody = type(cloud)(cloud.emulator, cloud.emulator.add_user("nobody", groups=[]).config)
    job = cloud.job()
    answers = []
    calls: tuple[Callable[[], Any], ...] = (
        lambda: nobody.data_science.get_job(job.id),
        lambda: nobody.data_science.get_job("ocid1.datasciencejob.oc1.iad.none"),
        lambda: cloud.data_science.get_job("ocid1.datasciencejob.oc1.iad.none"),
        lambda: nobody.data_science.list_jobs(cloud.tenancy),
        lambda: nobody.data_science.list_jobs("ocid1.compartment.oc1..none"),
    )
    for call in calls:
        with pytest.raises(oci.exceptions.ServiceError) as caught:
            call()
        answers.append((caught.value.status, caught.value.code, caught.value.message))
    text = "Authorization failed or requested resource not found."
    assert set(answers) == {(404, "NotAuthorizedOrNotFound", text)}
    log = cloud.emulator.log.read_text()
    assert f"ListJobs: inspect data-science-jobs in compartment {cloud.tenancy}" in log
    assert "ListJobs: compartment ocid1.compartment.oc1..none" in log


def test_permissions_can_be_taken_away_for_a_time(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    emulator = cloud.emulator
    before = emulator.policies()["statements"]
    user = emulator.add_user("victim", groups=["Administrators"])
    victim = type(cloud)(emulator, user.config)
    run = victim.start(victim.job().id)
    denial = (
        "Deny any-user to inspect data-science-job-runs in tenancy"
        f" where request.user.id = '{user.id}'"
    )
    emulator.set_policies([denial, *before])
    assert refusal(lambda: victim.data_science.get_job_run(run.id)) == (
        404,
        "NotAuthorizedOrNotFound",
    )
    assert victim.data_science.get_job(run.job_id).status == 200
    assert cloud.data_science.get_job_run(run.id).status == 200
    emulator.set_policies(before)
    assert victim.data_science.get_job_run(run.id).status == 200


def test_a_statement_that_can_not_be_read_changes_nothing(cloud: Any) -> None:
    before = cloud.emulator.policies()
    with pytest.raises(Exception, match="stands where allow or deny should"):
        cloud.emulator.set_policies(["Please allow everything"])
    assert cloud.emulator.policies() == before


def test_credentials_go_with_the_run(cloud: Any) -> None:
    script = b"import os, signal; signal.pause()"
    run = cloud.start(cloud.job(script).id)
    directory = Path(cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")["directory"])
    principal = directory / "principal"
    assert {path.name for path in principal.iterdir()} == {"rpst", "private.pem"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in principal.iterdir())
    cloud.data_science.cancel_job_run(run.id)
    cloud.ended(run.id)
    assert not principal.exists()
