"""OCI's errors in the terms of decisions: as the SDK raises them for real answers over HTTP."""

import asyncio
from typing import Any

import oci
import pytest
from tests.unit.cloud.api_keys import TENANCY
from tests.unit.cloud.scripted_oci import PRINCIPAL, Answer, Caller, ScriptedOci, document, error

from ocijobs.backends.records import Refusal, RefusalKind, RunRecord
from ocijobs.cloud.calls import OciRequest
from ocijobs.cloud.clients import Service
from ocijobs.cloud.data_science import DataScience
from ocijobs.cloud.data_science_models import run_record
from ocijobs.cloud.refusals import failures, refusal_of, retry_after_seconds, status_code

WRITE = OciRequest(
    principal=PRINCIPAL, service=Service.DATA_SCIENCE, operation="CancelJobRun", write=True
)


def refused(caller: Caller, server: ScriptedOci, answer: Answer) -> Refusal:
    server.will(answer)
    refusal = asyncio.run(caller.calls.call(WRITE, lambda client: client.cancel_job_run("ocid1.a")))
    assert isinstance(refusal, Refusal)
    return refusal


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidParameter", RefusalKind.INVALID),
        (400, "CannotParseRequest", RefusalKind.INVALID),
        (400, "LimitExceeded", RefusalKind.QUOTA),
        (400, "QuotaExceeded", RefusalKind.QUOTA),
        (409, "TenantCapacityExceeded", RefusalKind.QUOTA),
        (401, "NotAuthenticated", RefusalKind.CREDENTIALS),
        (403, "NotAuthorized", RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND),
        (404, "NotAuthorizedOrNotFound", RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND),
        (408, "RequestTimeout", RefusalKind.UNAVAILABLE),
        (409, "IncorrectState", RefusalKind.CONFLICT),
        (409, "InvalidatedRetryToken", RefusalKind.TOKEN_SPENT),
        (412, "NoEtagMatch", RefusalKind.CONFLICT),
        (413, "RequestEntityTooLarge", RefusalKind.INVALID),
        (429, "TooManyRequests", RefusalKind.THROTTLED),
        (449, "CanRetry", RefusalKind.INVALID),
        (499, "ClientClosedRequest", RefusalKind.INVALID),
        (500, "InternalError", RefusalKind.UNAVAILABLE),
        (503, "ServiceUnavailable", RefusalKind.UNAVAILABLE),
        (599, "", RefusalKind.UNAVAILABLE),
    ],
)
def test_every_status_has_a_meaning(
    caller: Caller, oci_server: ScriptedOci, status: int, code: str, kind: RefusalKind
) -> None:
    refusal = refused(caller, oci_server, error(status, code, "because of it"))
    assert refusal.kind is kind
    assert refusal.message == (f"{code}: because of it" if code else "because of it")
    assert caller.observed == [("datascience", "CancelJobRun", status)]


@pytest.mark.parametrize("status", [400, 404, 502])
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"\xff\xfe", b"[]", b"{}"])
def test_an_error_that_is_not_ocis_is_told_all_the_same(
    caller: Caller, oci_server: ScriptedOci, status: int, body: bytes
) -> None:
    refusal = refused(caller, oci_server, Answer(status=status, body=body))
    assert refusal.message
    assert refusal.outcome_unknown == (status == 502)


def test_a_long_message_is_cut(caller: Caller, oci_server: ScriptedOci) -> None:
    refusal = refused(caller, oci_server, error(400, "InvalidParameter", "x" * 5000))
    assert len(refusal.message.encode()) == 700


def test_a_dropped_answer_leaves_the_outcome_open(caller: Caller, oci_server: ScriptedOci) -> None:
    refusal = refused(caller, oci_server, Answer(status=None))
    assert refusal == Refusal(
        kind=RefusalKind.UNAVAILABLE, message="no answer from OCI (ConnectionError)"
    )
    assert refusal.outcome_unknown
    assert caller.observed == [("datascience", "CancelJobRun", 0)]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"<html>Please log in</html>", headers={"content-type": "text/html"}),
        Answer(body=b'{"id": "ocid1.', headers={"content-type": "application/json"}),
        Answer(body=b"\xff\xfe", headers={"content-type": "application/json"}),
        Answer(body=b""),
        document([1, 2]),
        document(None),
        document({"timeAccepted": "yesterday"}),
        document({"error": "please log in"}),
    ],
)
def test_an_answer_that_is_no_answer_leaves_the_outcome_open(
    caller: Caller, oci_server: ScriptedOci, answer: Answer
) -> None:
    oci_server.will(answer)

    def create(client: Any) -> RunRecord:
        details = oci.data_science.models.CreateJobRunDetails()
        return run_record(client.create_job_run(details).data, complete=True)

    refusal = asyncio.run(caller.calls.call(WRITE, create))
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.UNAVAILABLE
    assert refusal.message == "OCI's answer was none that its API gives"


@pytest.mark.parametrize("body", [b"", b"<html>Please log in</html>", b"{}", b"null"])
def test_no_list_is_no_empty_list(caller: Caller, oci_server: ScriptedOci, body: bytes) -> None:
    oci_server.will(*[Answer(body=body)] * 3)
    found = asyncio.run(DataScience(caller.calls).list_runs(PRINCIPAL, TENANCY))
    assert isinstance(found, Refusal)
    assert found.kind is RefusalKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-1", None), ("nan", None), ("soon", None), ("inf", 300.0)],
)
def test_retry_after_is_taken_where_it_is_a_time(value: str, seconds: float | None) -> None:
    failure = oci.exceptions.ServiceError(429, "TooManyRequests", {"retry-after": value}, "slow")
    assert retry_after_seconds(failure) == seconds


def test_retry_after_is_asked_for_only_by_answers() -> None:
    assert retry_after_seconds(OSError()) is None
    assert retry_after_seconds(oci.exceptions.ServiceError(429, "", {}, "")) is None


SENDING = oci.base_client.requests.exceptions
"""Errors of the SDK's own copy of requests."""


@pytest.mark.parametrize(
    "failure",
    [
        oci.exceptions.RequestException(SENDING.ReadTimeout("at 0x7f00")),
        oci.exceptions.ConnectTimeout(SENDING.ConnectTimeout("at 0x7f00")),
        SENDING.ChunkedEncodingError("at 0x7f00"),
        ConnectionResetError(104, "reset"),
    ],
)
def test_no_answer_has_words_that_stay_the_same(failure: Exception) -> None:
    assert isinstance(failure, failures())
    assert refusal_of(failure).kind is RefusalKind.UNAVAILABLE
    assert "0x7f" not in refusal_of(failure).message
    assert status_code(failure) == 0
