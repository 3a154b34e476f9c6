"""What all services do alike with requests: signatures, bodies, tokens, pages, errors."""

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import oci
import pytest
from oci.data_science import models
from oci.exceptions import ServiceError

from oci_emulator.certificates import keys
from oci_emulator.testing import Emulator

JOBS = "/20190101/jobs"


@pytest.fixture(scope="session")
def raw(emulator: Emulator, raw_client: Any) -> Any:
    return raw_client(emulator)


@pytest.fixture
def target(emulator: Emulator) -> str:
    return f"{JOBS}?compartmentId={emulator.tenancy}"


def job_body(emulator: Emulator, **fields: Any) -> dict[str, Any]:
    return {
        "projectId": emulator.project,
        "compartmentId": emulator.tenancy,
        "jobConfigurationDetails": {"jobType": "DEFAULT"},
        "jobInfrastructureConfigurationDetails": {
            "jobInfrastructureType": "ME_STANDALONE",
            "shapeName": "VM.Standard2.1",
            "blockStorageSizeInGBs": 50,
        },
        **fields,
    }


# Signatures


def test_a_signed_request_is_answered(raw: Any, target: str) -> None:
    status, document = raw.call("GET", target)
    assert status == 200
    assert isinstance(document, list)


def test_an_unsigned_request_is_401(raw: Any, target: str) -> None:
    status, document, _ = raw.send("GET", target, b"", {"host": raw.host})
    assert (status, document["code"]) == (401, "NotAuthenticated")


def test_a_request_signed_by_another_key_is_401(raw: Any, target: str) -> None:
    right, raw.key = raw.key, keys.generate()
    try:
        status, document = raw.call("GET", target)
    finally:
        raw.key = right
    assert (status, document["code"]) == (401, "NotAuthenticated")


@pytest.mark.parametrize("seconds", [-400, 400])
def test_a_request_of_another_time_is_401(raw: Any, target: str, seconds: int) -> None:
    status, document = raw.call("GET", target, date=formatdate(time.time() + seconds, usegmt=True))
    assert (status, document["code"]) == (401, "NotAuthenticated")
    assert "300 s are allowed" in document["message"]


def test_the_allowed_skew_is_a_rule(own: Callable[..., Any], raw_client: Any) -> None:
    emulator = own(rules={"clock_skew_seconds": 1000}).emulator
    client = raw_client(emulator)
    date = formatdate(time.time() - 400, usegmt=True)
    assert client.call("GET", f"{JOBS}?compartmentId={emulator.tenancy}", date=date)[0] == 200


def test_a_changed_target_is_401(raw: Any, target: str) -> None:
    headers = raw.headers("GET", target, b"")
    status, _, _ = raw.send("GET", f"{target}&limit=1", b"", headers)
    assert status == 401


def test_a_changed_body_is_401(raw: Any, emulator: Emulator) -> None:
    body = json.dumps(job_body(emulator)).encode()
    headers = raw.headers("POST", JOBS, body)
    status, document, _ = raw.send("POST", JOBS, body.replace(b"50", b"60"), headers)
    assert (status, document["code"]) == (401, "NotAuthenticated")
    assert "x-content-sha256" in document["message"]


@pytest.mark.parametrize("header", ["x_content_sha256", "content_type"])
def test_a_body_that_is_not_covered_is_401(raw: Any, emulator: Emulator, header: str) -> None:
    status, document = raw.call("POST", JOBS, job_body(emulator), **{header: None})
    assert (status, document["code"]) == (401, "NotAuthenticated")
    assert header.replace("_", "-") in document["message"]


def test_an_unknown_user_is_401(raw: Any, target: str) -> None:
    right, raw.key_id = raw.key_id, raw.key_id.replace("ocid1.user", "ocid1.nobody")
    try:
        assert raw.call("GET", target)[0] == 401
    finally:
        raw.key_id = right


def test_a_made_up_security_token_is_401(raw: Any, target: str) -> None:
    right, raw.key_id = raw.key_id, "ST$eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."
    try:
        status, document = raw.call("GET", target)
    finally:
        raw.key_id = right
    assert (status, document["code"]) == (401, "NotAuthenticated")


# Request ids and errors


def test_the_request_id_of_the_client_is_extended(raw: Any, target: str) -> None:
    headers = raw.headers("GET", target, b"", opc_request_id="MINE")
    _, _, answered = raw.send("GET", target, b"", headers)
    first, *others = answered["opc-request-id"].split("/")
    assert first == "MINE"
    assert [len(other) for other in others] == [32, 32]


def test_every_answer_has_a_request_id(raw: Any) -> None:
    _, document, headers = raw.send("GET", "/nothing", b"", {"host": raw.host})
    assert len(headers["opc-request-id"].split("/")) == 3
    assert set(document) == {"code", "message"}


def test_an_operation_that_is_not_there_yet_is_501(raw: Any, emulator: Emulator) -> None:
    status, document = raw.call("GET", f"/20200129/sqlEndpoints?compartmentId={emulator.tenancy}")
    assert (status, document["code"]) == (501, "NotImplemented")
    assert "ListSqlEndpoints of dataflow" in document["message"]


@pytest.mark.parametrize(
    "path",
    ["/20190101/nothing", "/20190101/jobs/x/nothing", "/_page/other.js", "/20190101/jobs/%FF"],
)
def test_other_paths_are_4xx(raw: Any, path: str) -> None:
    status, document = raw.call("GET", path)
    assert status in {400, 404}
    assert set(document) == {"code", "message"}


# Bodies and queries


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("displayNam", "x", "displayNam: is not a field of this model"),
        ("displayName", 5, "displayName: must be a string, not an integer"),
        ("displayName", "", "displayName: must have 1 to 255 characters"),
        ("displayName", "x" * 256, "displayName: must have 1 to 255 characters"),
        ("description", "x" * 401, "description: must have at most 400 characters"),
        ("freeformTags", {str(n): "" for n in range(11)}, "at most 10 free-form tags, not 11"),
        ("freeformTags", {"a": "x" * 257}, "freeformTags.a: a key has 1 to 100 characters"),
        (
            "jobConfigurationDetails",
            {"jobType": "DEFAULT", "environmentVariables": {"A": 1}},
            "jobConfigurationDetails.environmentVariables.A: must be a string, not an integer",
        ),
        (
            "jobConfigurationDetails",
            {"jobType": "DEFAULT", "environmentVariables": {"A": "x" * 20000}},
            "keys and values have 20001 characters together",
        ),
        ("compartmentId", None, "compartmentId: is required"),
    ],
)
def test_bodies_that_break_a_rule_are_400_and_name_it(
    raw: Any, emulator: Emulator, field: str, value: object, message: str
) -> None:
    status, document = raw.call("POST", JOBS, job_body(emulator, **{field: value}))
    assert status == 400
    assert document["code"] in {"InvalidParameter", "MissingParameter"}
    assert message in document["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1, 2",
        b"\xff",
        b'{"displayName": NaN}',
        b'{"displayName": 1e999}',
        b"[" * 100_000,
        b'{"a": ' + b"1" * 5000 + b"}",
    ],
    ids=["cut", "cut list", "no text", "NaN", "infinite", "deep", "long number"],
)
def test_what_is_no_json_is_400(raw: Any, body: bytes) -> None:
    status, document = raw.call("POST", JOBS, body)
    assert (status, document["code"]) == (400, "CannotParseRequest")


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_json_of_another_kind_is_400(raw: Any, body: object) -> None:
    status, document = raw.call("POST", JOBS, body)
    assert status == 400
    assert set(document) == {"code", "message"}


def test_text_that_is_no_unicode_is_400(raw: Any, emulator: Emulator) -> None:
    body = json.dumps(job_body(emulator, displayName="\ud800")).encode()
    status, document = raw.call("POST", JOBS, body)
    assert (status, document["code"]) == (400, "CannotParseRequest")


@pytest.mark.parametrize("field", ["\ud800", "displayName"])
def test_half_a_surrogate_pair_is_400_wherever_it_stands(
    raw: Any, emulator: Emulator, field: str
) -> None:
    status, document = raw.call("POST", JOBS, job_body(emulator, **{field: ["\udfff"]}))
    assert (status, document["code"]) == (400, "CannotParseRequest")
    name = "smile \U0001f600"
    status, document = raw.call("POST", JOBS, job_body(emulator, displayName=name))
    assert (status, document["displayName"]) == (200, name)


def test_headers_that_are_no_text_are_400(raw: Any, emulator: Emulator) -> None:
    headers = raw.headers("POST", JOBS, b"{}")
    for name in ("opc-retry-token", "opc-request-id", "if-match"):
        changed = {**headers, name: "\xff\xfe"}
        status, document, _ = raw.send("POST", JOBS, b"{}", changed)
        assert status == 400
        assert set(document) == {"code", "message"}


def test_a_body_has_a_greatest_size(raw: Any, emulator: Emulator) -> None:
    body = job_body(emulator, description="x" * (1 << 20))
    status, document = raw.call("POST", JOBS, body)
    assert (status, document["code"]) == (413, "RequestEntityTooLarge")


def test_unknown_fields_and_parameters_can_be_ignored(
    own: Callable[..., Any], raw_client: Any
) -> None:
    emulator = own(
        rules={"unknown_body_field": "ignore", "unknown_query_parameter": "ignore"}
    ).emulator
    client = raw_client(emulator)
    assert client.call("POST", JOBS, job_body(emulator, more=1))[0] == 200
    assert client.call("GET", f"{JOBS}?compartmentId={emulator.tenancy}&more=1")[0] == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "compartmentId: is required"),
        ("compartmentId=", "compartmentId: is required"),
        ("compartmentId={tenancy}&limit=0", "limit: must be 1 to 100, not 0"),
        ("compartmentId={tenancy}&limit=101", "limit: must be 1 to 100, not 101"),
        ("compartmentId={tenancy}&limit=ten", "limit: must be int, not 'ten'"),
        ("compartmentId={tenancy}&page=zzz", "page: 'zzz' is no page token"),
        ("compartmentId={tenancy}&sortBy=size", "sortBy: must be one of timeCreated, displayName"),
        ("compartmentId={tenancy}&lifecycleState=BUSY", "lifecycleState: must be one of CREATING"),
        ("compartmentId={tenancy}&color=red", "color: is not a query parameter of ListJobs"),
        ("compartmentId={tenancy}&compartmentId=x", "compartmentId: is given twice"),
    ],
)
def test_queries_that_break_a_rule_are_400_and_name_it(
    raw: Any, emulator: Emulator, query: str, message: str
) -> None:
    status, document = raw.call("GET", f"{JOBS}?{query.format(tenancy=emulator.tenancy)}")
    assert status == 400
    assert message in document["message"]


def test_an_unknown_compartment_is_404(cloud: Any) -> None:
    unknown = "ocid1.compartment.oc1..unknown"
    calls: list[Callable[[], Any]] = [
        lambda: cloud.data_science.list_jobs(unknown),
        lambda: cloud.job(None, compartment_id=unknown),
    ]
    for call in calls:
        with pytest.raises(ServiceError) as caught:
            call()
        assert (caught.value.status, caught.value.code) == (404, "NotAuthorizedOrNotFound")


# Retry tokens


@pytest.fixture
def simulated(own: Callable[..., Any]) -> Any:
    return own(mode="simulated")


def test_a_retry_token_makes_one_run_of_two_requests(simulated: Any) -> None:
    client, emulator = simulated.data_science, simulated.emulator
    details = simulated.run_details(simulated.job().id, display_name="once")
    first, second = (client.create_job_run(details, opc_retry_token="token").data for _ in range(2))
    assert first.id == second.id
    assert len(client.list_job_runs(simulated.tenancy).data) == 1
    entries = emulator.journal("CreateJobRun")
    assert [entry.replayed for entry in entries] == [False, True]
    assert {entry.resource_id for entry in entries} == {first.id}
    assert {entry.retry_token for entry in entries} == {"token"}


def test_a_retry_token_with_another_body_is_409(simulated: Any) -> None:
    client = simulated.data_science
    job = simulated.job()
    client.create_job_run(simulated.run_details(job.id), opc_retry_token="token")
    other = simulated.run_details(job.id, display_name="other")
    with pytest.raises(ServiceError) as caught:
        client.create_job_run(other, opc_retry_token="token")
    assert (caught.value.status, caught.value.code) == (409, "InvalidatedRetryToken")
    client.create_job(simulated.job_details(), opc_retry_token="token")


def test_a_replay_shows_the_run_as_it_is_or_as_it_was(simulated: Any) -> None:
    client, emulator = simulated.data_science, simulated.emulator
    details = simulated.run_details(simulated.job().id)
    run = client.create_job_run(details, opc_retry_token="token").data
    emulator.wait_for_run(run.id)
    states = {}
    for rule in ("current", "original"):
        emulator.set_rules(retry_token_answer=rule)
        states[rule] = client.create_job_run(details, opc_retry_token="token").data.lifecycle_state
    assert states == {"current": "SUCCEEDED", "original": "ACCEPTED"}


def test_a_replay_after_the_deletion_is_409_or_the_answer(simulated: Any) -> None:
    client, emulator = simulated.data_science, simulated.emulator
    details = simulated.run_details(simulated.job().id)
    run = client.create_job_run(details, opc_retry_token="token").data
    emulator.wait_for_run(run.id)
    client.delete_job_run(run.id)
    with pytest.raises(ServiceError) as caught:
        client.create_job_run(details, opc_retry_token="token")
    assert (caught.value.status, caught.value.code) == (409, "InvalidatedRetryToken")
    emulator.set_rules(retry_token_after_delete="replayed")
    assert client.create_job_run(details, opc_retry_token="token").data.id == run.id


def test_a_retry_token_lives_for_24_hours(simulated: Any) -> None:
    client, emulator = simulated.data_science, simulated.emulator
    details = simulated.run_details(simulated.job().id)
    first = client.create_job_run(details, opc_retry_token="token").data
    emulator.advance(24 * 3600 - 60)
    assert client.create_job_run(details, opc_retry_token="token").data.id == first.id
    emulator.advance(120)
    assert client.create_job_run(details, opc_retry_token="token").data.id != first.id


def test_a_failed_request_uses_no_token_up(simulated: Any) -> None:
    client = simulated.data_science
    job = simulated.job(None)
    details = simulated.run_details(job.id)
    with pytest.raises(ServiceError):
        client.create_job_run(details, opc_retry_token="token")
    simulated.upload(job.id, b"")
    assert client.create_job_run(details, opc_retry_token="token").status == 200


def test_a_token_outlives_a_restart(simulated: Any) -> None:
    details = simulated.run_details(simulated.job().id)
    create = simulated.data_science.create_job_run
    first = create(details, opc_retry_token="token").data
    simulated.emulator.kill()
    simulated.emulator.start()
    assert create(details, opc_retry_token="token").data.id == first.id


# Pages


def test_all_of_250_runs_are_found_page_by_page(simulated: Any) -> None:
    client = simulated.data_science
    job = simulated.job()
    made = {simulated.start(job.id, display_name=f"run-{n % 7}").id for n in range(250)}
    orders: list[dict[str, str]] = [
        {},
        {"sort_by": "displayName"},
        {"sort_order": "ASC"},
        {"job_id": job.id},
    ]
    for options in orders:
        response = client.list_job_runs(simulated.tenancy, limit=100, **options)
        pages = [[run.id for run in response.data]]
        while page := response.headers.get("opc-next-page"):
            response = client.list_job_runs(simulated.tenancy, limit=100, page=page, **options)
            pages.append([run.id for run in response.data])
        assert [len(found) for found in pages] == [100, 100, 50]
        assert {identifier for found in pages for identifier in found} == made
    everything = oci.pagination.list_call_get_all_results(
        client.list_job_runs, simulated.tenancy, limit=33
    ).data
    assert {run.id for run in everything} == made


def test_a_page_token_belongs_to_its_list(simulated: Any) -> None:
    client = simulated.data_science
    job = simulated.job()
    for _ in range(2):
        simulated.start(job.id)
    response = client.list_job_runs(simulated.tenancy, limit=1)
    token = response.headers["opc-next-page"]
    with pytest.raises(ServiceError, match="a list with other parameters"):
        client.list_job_runs(simulated.tenancy, limit=1, page=token, job_id=job.id)


def test_a_page_has_the_default_size_of_the_rule(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated", rules={"default_page_size": 3})
    job = cloud.job()
    for _ in range(4):
        cloud.start(job.id)
    assert len(cloud.data_science.list_job_runs(cloud.tenancy).data) == 3


def test_a_list_may_lag_behind(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated", profile="realistic")
    cloud.emulator.set_rate(0)
    job = cloud.job()
    assert cloud.data_science.list_jobs(cloud.tenancy).data == []
    assert cloud.data_science.get_job(job.id).data.id == job.id
    cloud.emulator.advance(3)
    assert [found.id for found in cloud.data_science.list_jobs(cloud.tenancy).data] == [job.id]


def test_a_list_may_show_tags_later_than_their_resource(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated", profile="realistic")
    client, emulator = cloud.data_science, cloud.emulator
    emulator.set_rate(0)

    def listed() -> Any:
        [found] = client.list_jobs(cloud.tenancy).data
        return found.freeform_tags, sorted(found.defined_tags)

    job = cloud.job(freeform_tags={"owner": "first"})
    emulator.advance(9)
    assert listed() == ({}, [])
    assert client.get_job(job.id).data.freeform_tags == {"owner": "first"}
    emulator.advance(1)
    assert listed() == ({"owner": "first"}, ["Oracle-Tags"])
    details = models.UpdateJobDetails(freeform_tags={"owner": "second"})
    client.update_job(job.id, details)
    emulator.advance(9)
    # Another update meanwhile: the index has still the first, and has the last at last.
    client.update_job(job.id, models.UpdateJobDetails(freeform_tags={"owner": "third"}))
    assert listed()[0] == {"owner": "first"}
    assert client.get_job(job.id).data.freeform_tags == {"owner": "third"}
    emulator.advance(10)
    assert listed()[0] == {"owner": "third"}


def test_tags_are_defaulted_or_not(own: Callable[..., Any]) -> None:
    cloud = own(rules={"oracle_tags": False, "freeform_tags_maximum": 1})
    job = cloud.job(None, defined_tags={"Operations": {"CostCenter": "42"}})
    assert job.defined_tags == {"Operations": {"CostCenter": "42"}}
    with pytest.raises(ServiceError, match="at most 1 free-form tags"):
        cloud.data_science.update_job(
            job.id, models.UpdateJobDetails(freeform_tags={"a": "", "b": ""})
        )


def test_too_many_requests_are_429_until_there_is_room(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated", rules={"requests_per_second": 20})
    refused = None
    for _ in range(500):
        try:
            cloud.data_science.list_jobs(cloud.tenancy)
        except ServiceError as error:
            refused = error
            break
    assert refused is not None
    assert (refused.status, refused.code) == (429, "TooManyRequests")
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize("code", ["LimitExceeded", "QuotaExceeded"])
def test_a_tenancy_may_have_a_limit_of_active_runs(own: Callable[..., Any], code: str) -> None:
    rules = {"active_runs_maximum": 2, "active_runs_maximum_code": code}
    cloud = own(mode="simulated", rules=rules)
    cloud.emulator.set_mode("simulated", default={"inProgress": 60})
    job = cloud.job()
    first, _ = cloud.start(job.id), cloud.start(job.id)
    with pytest.raises(ServiceError) as caught:
        cloud.start(job.id)
    assert (caught.value.status, caught.value.code) == (400, code)
    cloud.data_science.cancel_job_run(first.id)
    cloud.ended(first.id)
    assert cloud.start(job.id).lifecycle_state == "ACCEPTED"
