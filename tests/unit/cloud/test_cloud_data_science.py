"""Jobs and runs of Data Science: which requests are sent, and what absence and half a list mean."""

import asyncio
import hashlib
import io
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.unit.cloud.scripted_oci import (
    PRINCIPAL,
    Answer,
    Caller,
    NotLeadingError,
    Received,
    ScriptedOci,
    document,
    error,
)

from ocijobs.api.job.status import Artifact
from ocijobs.backends.data_science.machines import Compute
from ocijobs.backends.data_science.requests import (
    JobConfiguration,
    JobRequest,
    JobSettings,
    RunRequest,
    SingleNode,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, JobState, Refusal, RefusalKind, RunRecord, RunState
from ocijobs.backends.requests import Tags
from ocijobs.cloud.data_science import DataScience
from ocijobs.controller.staging import Owner, Quota, Staging
from ocijobs.testing import COMPARTMENT, PROJECT, make_ocid

JOB, RUN = make_ocid("datasciencejob"), make_ocid("datasciencejobrun")
ARTIFACT = Artifact(name="train.zip", sha256="5e", size=7)
NOT_FOUND = error(404, "NotAuthorizedOrNotFound")


def run_document(run_id: str = RUN, owner: str = "", **fields: Any) -> dict[str, Any]:
    tags = {"ocijobs_owner": owner} if owner else {}
    base = {"id": run_id, "jobId": JOB, "compartmentId": COMPARTMENT, "lifecycleState": "ACCEPTED"}
    return {**base, "freeformTags": tags, **fields}


def job_document(job_id: str = JOB, owner: str = "", state: str = "ACTIVE") -> dict[str, Any]:
    tags = {"ocijobs_owner": owner} if owner else {}
    return {
        "id": job_id,
        "compartmentId": COMPARTMENT,
        "lifecycleState": state,
        "freeformTags": tags,
    }


def query(received: Received) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(received.path).query).items()}


@pytest.fixture
def science(caller: Caller) -> DataScience:
    """The infrastructure, whose OCI is the scripted one."""
    return DataScience(caller.calls)


def test_a_run_is_created_with_its_token(science: DataScience, oci_server: ScriptedOci) -> None:
    oci_server.will(document(run_document(owner="c/u/0")))
    request = RunRequest(
        compartment_id=COMPARTMENT,
        project_id=PROJECT,
        job_id=JOB,
        display_name="team-a/run",
        tags=Tags(freeform={"ocijobs_owner": "c/u/0"}, defined={}),
        workload=None,
    )
    record = asyncio.run(science.create_run(PRINCIPAL, request, "token-7"))
    assert isinstance(record, RunRecord)
    assert (record.id, record.owner, record.complete) == (RUN, "c/u/0", True)
    (received,) = oci_server.received
    assert (received.method, urlsplit(received.path).path) == ("POST", "/20190101/jobRuns")
    assert received.headers["opc-retry-token"] == "token-7"
    assert received.document["jobId"] == JOB


def test_lists_are_read_to_the_end_oldest_first_in_the_largest_pages(
    science: DataScience, oci_server: ScriptedOci
) -> None:
    runs = [run_document(make_ocid("datasciencejobrun", str(number))) for number in range(3)]
    oci_server.will(document(runs[:2], opc_next_page="two"), document(runs[2:]))
    found = asyncio.run(science.list_runs(PRINCIPAL, COMPARTMENT, state=RunState.IN_PROGRESS))
    assert not isinstance(found, Refusal)
    assert [record.id for record in found] == [run["id"] for run in runs]
    first, second = map(query, oci_server.received)
    assert first == {
        "compartmentId": COMPARTMENT,
        "lifecycleState": "IN_PROGRESS",
        "limit": "100",
        "sortBy": "timeCreated",
        "sortOrder": "ASC",
    }
    assert second == {**first, "page": "two"}


def test_half_a_list_is_no_list(science: DataScience, oci_server: ScriptedOci) -> None:
    oci_server.will(document([run_document(owner="mine")], opc_next_page="two"), NOT_FOUND)
    found = asyncio.run(science.search_runs(PRINCIPAL, COMPARTMENT, JOB, "mine"))
    assert isinstance(found, Refusal)


def test_the_oldest_run_of_the_owner_and_the_job_is_found(
    science: DataScience, oci_server: ScriptedOci
) -> None:
    other_job = run_document("ocid1.other.job", "mine", jobId=make_ocid("datasciencejob", "other"))
    oldest, younger = (run_document(f"ocid1.{age}.x", "mine") for age in ("old", "young"))
    listed = [run_document(owner="another's"), run_document(), other_job, oldest, younger]
    oci_server.will(document(listed))
    found = asyncio.run(science.search_runs(PRINCIPAL, COMPARTMENT, JOB, "mine"))
    assert isinstance(found, RunRecord)
    assert found.id == "ocid1.old.x"
    oci_server.will(document([]))
    assert asyncio.run(science.search_runs(PRINCIPAL, COMPARTMENT, JOB, "mine")) is None


@pytest.mark.parametrize("state", ["DELETED", "DELETING", "FAILED"])
def test_a_job_that_is_gone_or_failed_is_not_found_again(
    science: DataScience, oci_server: ScriptedOci, state: str
) -> None:
    oci_server.will(document([job_document("ocid1.x", "mine", state), job_document(JOB, "mine")]))
    found = asyncio.run(science.search_jobs(PRINCIPAL, COMPARTMENT, PROJECT, "mine"))
    assert isinstance(found, JobRecord)
    assert (found.id, found.state) == (JOB, JobState.ACTIVE)


@pytest.mark.parametrize("what", ["run", "job"])
def test_a_404_alone_proves_nothing(
    science: DataScience, oci_server: ScriptedOci, what: str
) -> None:
    def look_up() -> object:
        if what == "run":
            return asyncio.run(science.look_up_run(PRINCIPAL, COMPARTMENT, RUN))
        return asyncio.run(science.look_up_job(PRINCIPAL, COMPARTMENT, JOB))

    listed = run_document() if what == "run" else job_document()
    oci_server.will(NOT_FOUND, document([listed]))
    found = look_up()
    assert isinstance(found, RunRecord | JobRecord)
    assert query(oci_server.received[1])["id"] == (RUN if what == "run" else JOB)

    oci_server.will(NOT_FOUND, document([]))
    assert look_up() == Absent()

    oci_server.will(NOT_FOUND, NOT_FOUND)
    assert isinstance(look_up(), Refusal)

    oci_server.will(error(400, "InvalidParameter"))
    refusal = look_up()
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.INVALID
    assert len(oci_server.received) == 7


def test_active_runs_are_counted_over_all_states(
    science: DataScience, oci_server: ScriptedOci
) -> None:
    states = [state.value for state in RunState if state is not RunState.UNKNOWN]
    oci_server.will(document([run_document(lifecycleState=state) for state in states]))
    assert asyncio.run(science.count_active_runs(PRINCIPAL, COMPARTMENT, JOB)) == 4
    assert "lifecycleState" not in query(oci_server.received[0])


def test_a_job_is_deleted_without_its_runs_records(
    science: DataScience, oci_server: ScriptedOci
) -> None:
    oci_server.will(Answer(status=202))
    assert asyncio.run(science.delete_job(PRINCIPAL, JOB)) is None
    assert query(oci_server.received[0]) == {"deleteRelatedJobRuns": "false"}


SETTINGS = JobSettings(
    display_name="train",
    description=None,
    infrastructure=Compute(shape_name="VM.Standard2.1", size=None, block_storage_size_in_gbs=50),
    tags=Tags(freeform={}, defined={}),
)


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (lambda s: s.update_job(PRINCIPAL, JOB, SETTINGS), "PUT", f"jobs/{JOB}"),
        (lambda s: s.delete_run(PRINCIPAL, RUN), "DELETE", f"jobRuns/{RUN}"),
        (lambda s: s.cancel_run(PRINCIPAL, RUN), "POST", f"jobRuns/{RUN}/actions/cancelJobRun"),
    ],
)
def test_a_change_is_sent_once_and_tells_whether_oci_took_it(
    science: DataScience,
    oci_server: ScriptedOci,
    call: Callable[[DataScience], Coroutine[Any, Any, Refusal | None]],
    method: str,
    path: str,
) -> None:
    oci_server.will(document(job_document()), error(409, "IncorrectState"))
    assert asyncio.run(call(science)) is None
    refusal = asyncio.run(call(science))
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.CONFLICT
    sent = [(received.method, urlsplit(received.path).path) for received in oci_server.received]
    assert sent == [(method, f"/20190101/{path}")] * 2


def test_a_job_is_created_with_its_token(science: DataScience, oci_server: ScriptedOci) -> None:
    oci_server.will(document(job_document(owner="c/u/v1", state="CREATING")))
    request = JobRequest(
        compartment_id=COMPARTMENT,
        project_id=PROJECT,
        settings=SETTINGS,
        workload=SingleNode(
            configuration=JobConfiguration(
                environment_variables={},
                command_line_arguments=None,
                maximum_runtime_in_minutes=None,
            ),
        ),
        log=None,
    )
    record = asyncio.run(science.create_job(PRINCIPAL, request, "token-8"))
    assert isinstance(record, JobRecord)
    assert (record.state, record.owner) == (JobState.CREATING, "c/u/v1")
    assert oci_server.received[0].headers["opc-retry-token"] == "token-8"


# Artifacts


def test_an_artifact_is_uploaded_as_a_file_unless_there_is_one(
    science: DataScience, oci_server: ScriptedOci
) -> None:
    oci_server.will(NOT_FOUND, Answer(status=204))
    upload = science.upload_artifact(PRINCIPAL, JOB, ARTIFACT, io.BytesIO(b"content"))
    assert asyncio.run(upload) is None
    _, sent = oci_server.received
    assert sent.body == b"content"
    assert sent.headers["content-disposition"] == "attachment; filename=train.zip"

    oci_server.will(Answer(headers={"content-type": "application/octet-stream"}))
    again = science.upload_artifact(PRINCIPAL, JOB, ARTIFACT, io.BytesIO(b"content"))
    assert asyncio.run(again) is None
    assert [received.method for received in oci_server.received] == ["HEAD", "POST", "HEAD"]


def test_an_artifact_is_not_uploaded_where_it_is_not_known_whether_there_is_one(
    science: DataScience, oci_server: ScriptedOci
) -> None:
    oci_server.will(*[error(500, "InternalError")] * 3)
    upload = science.upload_artifact(PRINCIPAL, JOB, ARTIFACT, io.BytesIO(b"content"))
    assert isinstance(asyncio.run(upload), Refusal)
    assert {received.method for received in oci_server.received} == {"HEAD"}


def test_an_upload_ends_with_the_lease_even_while_it_is_sent(
    science: DataScience, oci_server: ScriptedOci, tmp_path: Any
) -> None:
    staging = Staging(tmp_path, Quota(total_bytes=5_000_000, namespace_bytes=5_000_000))
    built = b"x" * 5_000_000
    sha256 = hashlib.sha256(built).hexdigest()
    with staging.receive(Owner(namespace="team", uid="owner"), sha256, len(built)) as arrival:
        arrival.write(built)
    reads = 0

    def fence() -> None:
        nonlocal reads
        reads += 1
        if reads > 3:
            raise NotLeadingError

    content = staging.open("owner", sha256, fence)
    assert content is not None
    oci_server.will(NOT_FOUND)
    with content, pytest.raises(NotLeadingError):
        asyncio.run(science.upload_artifact(PRINCIPAL, JOB, ARTIFACT, content))
    assert reads == 4
