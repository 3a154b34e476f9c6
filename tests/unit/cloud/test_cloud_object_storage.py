"""What a run left in Object Storage, as its driver put it there."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cloud.scripted_oci import (
    PRINCIPAL,
    Answer,
    Caller,
    ScriptedOci,
    document,
    error,
)

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.object_storage import (
    ObjectAddress,
    ObjectStorage,
    SignedRequest,
    StoredObject,
)

URI = "oci://models@team/classifier/run"
RUN = "ocid1.datasciencejobrun.oc1.iad.a"

_NAME = st.from_regex(r"[A-Za-z0-9_.-]{1,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("uri", "prefix", "name"),
    [
        ("oci://models@team/a/b/", "a/b", "a/b/x"),
        ("oci://models@team/a", "a", "a/x"),
        ("oci://models@team/", "", "x"),
        ("oci://models@team", "", "x"),
        ("oci://models@team/what?is#this", "what?is#this", "what?is#this/x"),
        ("oci://models@team/a%20b/größe", "a%20b/größe", "a%20b/größe/x"),
    ],
)
def test_an_address_is_a_bucket_a_namespace_and_a_prefix(uri: str, prefix: str, name: str) -> None:
    place = ObjectAddress.parse(uri)
    assert place == ObjectAddress(bucket="models", namespace="team", prefix=prefix)
    assert place.object_name("x") == name
    assert place.uri(name) == f"oci://models@team/{name}"


@given(_NAME, _NAME, st.lists(_NAME, max_size=3))
def test_the_address_of_an_address_is_itself(bucket: str, namespace: str, path: list[str]) -> None:
    place = ObjectAddress(bucket=bucket, namespace=namespace, prefix="/".join(path))
    assert ObjectAddress.parse(place.uri(place.prefix)) == place


def results(caller: Caller) -> Mapping[str, str] | Refusal | None:
    return asyncio.run(ObjectStorage(caller.calls).results(PRINCIPAL, URI, RUN))


def reported(values: object, run_id: str = RUN) -> Answer:
    return document({"jobRunId": run_id, "results": values})


def test_results_are_read_where_the_driver_puts_them(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(reported({"auc": "0.930", "note": "größe"}))
    assert results(caller) == {"auc": "0.930", "note": "größe"}
    assert oci_server.received[0].path == "/n/team/b/models/o/classifier%2Frun%2Fresults.json"


def test_numbers_stay_as_they_are_in_the_object(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(Answer(body=b'{"jobRunId": "%s", "results": {"auc": 0.930}}' % RUN.encode()))
    assert results(caller) == {"auc": "0.930"}


@pytest.mark.parametrize(
    "answer",
    [
        error(404, "ObjectNotFound"),
        reported({"auc": "0.9"}, run_id="ocid1.datasciencejobrun.oc1.iad.former"),
        reported(["auc"]),
        reported(None),
        document(["auc"]),
        document({"auc": 0.9}),
        Answer(body=b"not JSON"),
        Answer(body=b"\xff\xfe"),
        Answer(body=b'{"a":' + b"[" * 100_000),
        reported({"much": "x" * 1_000_000}),
    ],
)
def test_what_is_no_report_of_this_run_is_none(
    caller: Caller, oci_server: ScriptedOci, answer: Answer
) -> None:
    oci_server.will(answer)
    assert results(caller) is None


def test_results_of_the_largest_size_are_read_however_they_are_escaped(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    value = "\u2713" * 1300  # 3,900 bytes as UTF-8, and twice that as JSON escapes
    oci_server.will(reported({"note": value}))
    assert results(caller) == {"note": value}


def test_an_object_without_a_stated_length_is_read_too(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    body = json.dumps({"jobRunId": RUN, "results": {"auc": "1"}}).encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    oci_server.will(Answer(body=chunked, headers={"transfer-encoding": "chunked"}))
    assert results(caller) == {"auc": "1"}


def test_a_refused_read_is_told(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(error(400, "InvalidParameter"))
    refusal = results(caller)
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.INVALID


def page(first: int, last: int, then: str | None = None) -> Answer:
    names = [{"name": f"classifier/run/{number:04}"} for number in range(first, last)]
    return document({"objects": names, "prefixes": [], "nextStartWith": then})


def test_outputs_are_counted_over_all_pages_and_the_first_are_named(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(page(0, 30, "classifier/run/0030"), page(30, 60, "x/60"), page(60, 61))
    found = asyncio.run(ObjectStorage(caller.calls).list_outputs(PRINCIPAL, URI))
    assert not isinstance(found, Refusal)
    assert found.count == 61
    assert found.objects == tuple(
        f"oci://models@team/classifier/run/{number:04}" for number in range(50)
    )
    first, second, third = (request.path for request in oci_server.received)
    assert "prefix=classifier%2Frun%2F" in first
    assert "start=" not in first
    assert "start=classifier%2Frun%2F0030" in second
    assert "start=x%2F60" in third


def test_half_a_list_of_outputs_is_none(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(page(0, 30, "x"), error(404, "BucketNotFound"))
    found = asyncio.run(ObjectStorage(caller.calls).list_outputs(PRINCIPAL, URI))
    assert isinstance(found, Refusal)


def test_a_principal_is_verified_by_what_everybody_may_read(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(document("team"), error(401, "NotAuthenticated"))
    storage = ObjectStorage(caller.calls)
    assert asyncio.run(storage.verify(PRINCIPAL)) is None
    refusal = asyncio.run(storage.verify(PRINCIPAL))
    assert refusal is not None
    assert refusal.kind is RefusalKind.CREDENTIALS


def listed(caller: Caller, uri: str) -> object:
    return asyncio.run(ObjectStorage(caller.calls).stored(PRINCIPAL, uri, most=1500))


def test_a_folder_is_all_that_is_under_it_on_every_page(
    oci_server: ScriptedOci, caller: Caller
) -> None:
    first = {"name": "code/main.py", "size": 3, "etag": "e1", "md5": "m1"}
    folder = {"name": "code/lib/", "size": 0, "etag": "e2"}
    second = {"name": "code/lib/a.py", "size": None, "etag": None, "md5": "m3"}
    oci_server.will(
        document({"objects": [first, folder], "nextStartWith": "code/lib/a.py"}),
        document({"objects": [second]}),
    )
    assert listed(caller, "oci://models@team/code/") == (
        StoredObject(name="code/main.py", size=3, version="e1"),
        StoredObject(name="code/lib/a.py", size=0, version="m3"),
    )
    assert "start=code%2Flib%2Fa.py" in oci_server.received[1].path


def test_an_object_is_itself_and_not_what_begins_with_its_name(
    oci_server: ScriptedOci, caller: Caller
) -> None:
    objects = [{"name": name, "size": 1, "etag": name} for name in ("code.zip", "code.zip.old")]
    oci_server.will(document({"objects": objects, "nextStartWith": "code.zip.older"}))
    assert listed(caller, "oci://models@team/code.zip") == (
        StoredObject(name="code.zip", size=1, version="code.zip"),
    )
    oci_server.will(error(404, "BucketNotFound"))
    assert isinstance(listed(caller, "oci://models@team/code.zip"), Refusal)


def test_a_request_is_signed_for_one_object_as_it_was_listed(
    oci_server: ScriptedOci, caller: Caller
) -> None:
    stored = StoredObject(name="lib/a b+c=d.py", size=4, version="e1")

    async def sign() -> tuple[SignedRequest, ...] | Refusal:
        storage = ObjectStorage(caller.calls)
        return await storage.signed(PRINCIPAL, "oci://models@team/lib/", [stored])

    signed = asyncio.run(sign())
    assert not isinstance(signed, Refusal)
    [request] = signed
    assert request.url.endswith("/n/team/b/models/o/lib%2Fa%20b%2Bc%3Dd.py")
    assert request.headers["if-match"] == "e1"
    assert 'headers="date (request-target) host"' in request.headers["authorization"]
    # The key stays here, and nothing is shown that could be used.
    assert "authorization" not in repr(request)
    assert oci_server.received == []
