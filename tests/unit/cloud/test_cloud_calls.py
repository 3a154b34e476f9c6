"""The one place through which OCI is called."""

import asyncio
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import oci
import pytest
from tests.unit.cloud import virtual_time
from tests.unit.cloud.api_keys import TENANCY, USER, fingerprint, secret
from tests.unit.cloud.scripted_oci import (
    IDENTITY,
    PRINCIPAL,
    Answer,
    Caller,
    NotLeadingError,
    ScriptedOci,
    document,
    error,
    make_caller,
)
from tests.unit.cloud.virtual_time import LoopClock

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.calls import OciRequest
from ocijobs.cloud.clients import Clients, Principal, Service
from ocijobs.cloud.credentials import IdentityKey, parse_api_key
from ocijobs.cloud.rate import Lane
from ocijobs.settings import Settings
from ocijobs.testing import START

READ = OciRequest(principal=PRINCIPAL, service=Service.OBJECT_STORAGE, operation="GetNamespace")
WRITE = OciRequest(
    principal=PRINCIPAL, service=Service.DATA_SCIENCE, operation="CancelJobRun", write=True
)


def namespace(client: Any) -> str:
    text: str = client.get_namespace().data
    return text


def cancel(client: Any) -> int:
    status: int = client.cancel_job_run("ocid1.run").status
    return status


def test_a_call_is_signed_as_the_principal_and_told(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(document("mytenancy"))
    assert asyncio.run(caller.calls.call(READ, namespace)) == "mytenancy"
    (received,) = oci_server.received
    assert (received.method, received.path) == ("GET", "/n")
    assert f'keyId="{TENANCY}/{USER}/{fingerprint()}"' in received.headers["authorization"]
    assert caller.observed == [("objectstorage", "GetNamespace", 200)]


@pytest.mark.parametrize(
    "bad", [error(500, "InternalError"), error(429, "TooManyRequests"), Answer(status=None)]
)
def test_a_read_is_repeated_where_that_may_help(
    caller: Caller, oci_server: ScriptedOci, bad: Answer
) -> None:
    oci_server.will(bad, bad, document("mytenancy"))
    assert asyncio.run(caller.calls.call(READ, namespace)) == "mytenancy"
    assert [operation for _, operation, _ in caller.observed] == ["GetNamespace"] * 3


def test_a_read_is_given_up_after_its_attempts_with_the_last_refusal(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(*[error(500, "InternalError", str(number)) for number in range(9)])
    refusal = asyncio.run(caller.calls.call(READ, namespace))
    assert refusal == Refusal(kind=RefusalKind.UNAVAILABLE, message="InternalError: 2")
    assert len(oci_server.received) == 3


@pytest.mark.parametrize("code", ["NotAuthorizedOrNotFound", "InvalidParameter"])
def test_a_read_is_not_repeated_where_that_helps_nobody(
    caller: Caller, oci_server: ScriptedOci, code: str
) -> None:
    oci_server.will(error(404 if "Not" in code else 400, code))
    assert isinstance(asyncio.run(caller.calls.call(READ, namespace)), Refusal)
    assert len(oci_server.received) == 1


@pytest.mark.parametrize(
    "bad",
    [
        error(500, "InternalError"),
        error(429, "TooManyRequests"),
        error(409, "IncorrectState"),
        Answer(status=None),
    ],
)
def test_a_write_is_sent_once_whatever_comes_back(
    caller: Caller, oci_server: ScriptedOci, bad: Answer
) -> None:
    oci_server.will(bad)
    assert isinstance(asyncio.run(caller.calls.call(WRITE, cancel)), Refusal)
    assert len(oci_server.received) == 1
    assert len(caller.observed) == 1


def test_many_conflicts_open_no_circuit_for_others(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(*[error(409, "IncorrectState")] * 20, Answer())

    async def all_of_them() -> Any:
        for _ in range(20):
            await caller.calls.call(WRITE, cancel)
        return await caller.calls.call(WRITE, cancel)

    assert asyncio.run(all_of_them()) == 200


def test_who_leads_no_more_sends_no_write_but_may_read(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    caller.leads = False
    with pytest.raises(NotLeadingError):
        asyncio.run(caller.calls.call(WRITE, cancel))
    assert oci_server.received == []
    oci_server.will(document("mytenancy"))
    assert asyncio.run(caller.calls.call(READ, namespace)) == "mytenancy"


def test_the_lease_is_asked_for_after_the_wait_for_a_thread(oci_server: ScriptedOci) -> None:
    submitted, gate = threading.Event(), threading.Event()

    class Busy(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            submitted.set()
            return super().submit(lambda: gate.wait(60) and fn(*args, **kwargs))

    with Busy(1) as pool:
        caller = make_caller(oci_server.url, pool)

        async def scenario() -> None:
            waiting = asyncio.create_task(caller.calls.call(WRITE, cancel))
            assert await asyncio.to_thread(submitted.wait, 60)
            caller.leads = False
            gate.set()
            with pytest.raises(NotLeadingError):
                await waiting

        asyncio.run(scenario())
    assert oci_server.received == []


def test_without_credentials_nothing_is_sent(caller: Caller, oci_server: ScriptedOci) -> None:
    caller.credentials.forget(IDENTITY)
    refusal = asyncio.run(caller.calls.call(READ, namespace))
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.CREDENTIALS
    assert oci_server.received == []
    assert caller.observed == []


def test_a_429_holds_the_principals_service_and_no_other_and_nobody_waits_for_it(
    oci_server: ScriptedOci,
) -> None:
    answers = deque([429, 200, 200])
    caller = make_caller(oci_server.url, _Inline(), clock=LoopClock(), oci_rate_max=4)

    async def scenario() -> list[Any]:
        loop = asyncio.get_running_loop()

        def now(_: Any) -> float:
            if answers.popleft() == 200:
                return loop.time()
            raise oci.exceptions.ServiceError(429, "TooManyRequests", {"retry-after": "60"}, "")

        throttled = await caller.calls.call(WRITE, now)
        other = await caller.calls.call(READ, now)
        early = await caller.calls.call(WRITE, now)
        told_at = loop.time()
        await asyncio.sleep(60)
        return [throttled, other, early, told_at, await caller.calls.call(WRITE, now)]

    throttled, other, early, told_at, same = virtual_time.run(scenario())
    for refusal in (throttled, early):
        assert isinstance(refusal, Refusal)
        assert refusal.kind is RefusalKind.THROTTLED
        assert refusal.until == START + timedelta(seconds=60)
    assert (other, told_at) == (0, 0)
    assert same == pytest.approx(60)


def test_the_shared_poll_waits_for_as_long_as_it_takes(oci_server: ScriptedOci) -> None:
    answers = deque([429, 200])
    caller = make_caller(oci_server.url, _Inline(), clock=LoopClock(), oci_rate_max=4)

    async def scenario() -> Any:
        loop = asyncio.get_running_loop()

        def now(_: Any) -> float:
            if answers.popleft() == 200:
                return loop.time()
            raise oci.exceptions.ServiceError(429, "TooManyRequests", {"retry-after": "60"}, "")

        await caller.calls.call(WRITE, now)
        return await caller.calls.call(replace(WRITE, lane=Lane.POLL), now)

    assert virtual_time.run(scenario()) == pytest.approx(60)


@pytest.mark.parametrize("request_", [READ, WRITE])
def test_an_error_of_ours_is_a_refusal_that_is_told_and_counted(
    caller: Caller, caplog: pytest.LogCaptureFixture, request_: OciRequest
) -> None:
    def broken(_: Any) -> None:
        raise KeyError("a secret")

    refusal = asyncio.run(caller.calls.call(request_, broken))
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.INTERNAL
    assert refusal.outcome_unknown
    assert "KeyError" in refusal.message
    assert "secret" not in refusal.message
    assert caller.unforeseen == [(request_.operation, "KeyError")]
    assert "a defect of the operator" in caplog.text


def test_one_principal_never_has_all_threads_and_polls_have_their_own(
    oci_server: ScriptedOci,
) -> None:
    other = IdentityKey(kind="OCIIdentity", namespace="team-b", name="default")
    gate = threading.Event()
    with ThreadPoolExecutor(8) as pool:
        caller = make_caller(
            oci_server.url, pool, oci_threads=4, oci_calls_per_identity=3, oci_rate_max=1000
        )
        caller.credentials.put(other, parse_api_key(secret(), region=None, version="v1"))
        theirs = replace(WRITE, principal=Principal(identity=other, region="us-ashburn-1"))

        async def scenario() -> None:
            slow = [
                asyncio.create_task(caller.calls.call(WRITE, lambda _: gate.wait(60)))
                for _ in range(10)
            ]
            await asyncio.sleep(0)
            async with asyncio.timeout(60):
                assert await caller.calls.call(theirs, lambda _: "launched") == "launched"
                poll = replace(WRITE, lane=Lane.POLL)
                assert await caller.calls.call(poll, lambda _: "polled") == "polled"
            assert caller.calls.under_way == 2
            gate.set()
            assert all(await asyncio.gather(*slow))

        asyncio.run(scenario())


class _Inline(ThreadPoolExecutor):
    """Runs at once what is submitted: threads know nothing of virtual time."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run it, and return what came of it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except oci.exceptions.ServiceError as failure:
            future.set_exception(failure)
        return future


# Clients


def test_a_client_is_kept_for_a_thread_and_never_shared() -> None:
    clients = Clients(Settings())
    key = parse_api_key(secret(), region=None, version="v1")

    def get() -> Any:
        return clients.get(PRINCIPAL, key, Service.DATA_SCIENCE)

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        first = one.submit(get).result(60)
        assert one.submit(get).result(60) is first
        assert other.submit(get).result(60) is not first


def test_another_region_service_or_version_of_the_key_is_another_client() -> None:
    clients = Clients(Settings())
    key = parse_api_key(secret(), region=None, version="v1")
    rotated = parse_api_key(secret(), region=None, version="v2")
    elsewhere = Principal(identity=IDENTITY, region="eu-frankfurt-1")
    first = clients.get(PRINCIPAL, key, Service.DATA_SCIENCE)
    others = [
        clients.get(PRINCIPAL, rotated, Service.DATA_SCIENCE),
        clients.get(elsewhere, key, Service.DATA_SCIENCE),
        clients.get(PRINCIPAL, key, Service.OBJECT_STORAGE),
    ]
    assert first not in others
    assert first.base_client.endpoint.startswith("https://datascience.us-ashburn-1.")
    assert others[1].base_client.endpoint.startswith("https://datascience.eu-frankfurt-1.")


def test_only_the_clients_used_last_are_kept_and_others_are_closed() -> None:
    clients = Clients(Settings())
    key = parse_api_key(secret(), region=None, version="v")
    keys = [replace(key, version=str(number)) for number in range(65)]
    first = clients.get(PRINCIPAL, keys[0], Service.DATA_SCIENCE)
    second = clients.get(PRINCIPAL, keys[1], Service.DATA_SCIENCE)
    closed: list[str] = []
    second.base_client.session.close = lambda: closed.append("second")
    for version in keys[2:64]:
        clients.get(PRINCIPAL, version, Service.DATA_SCIENCE)
    assert clients.get(PRINCIPAL, keys[0], Service.DATA_SCIENCE) is first
    clients.get(PRINCIPAL, keys[64], Service.DATA_SCIENCE)
    assert closed == ["second"]
    assert clients.get(PRINCIPAL, keys[0], Service.DATA_SCIENCE) is first
    assert clients.get(PRINCIPAL, keys[1], Service.DATA_SCIENCE) is not second


def test_clients_have_the_timeouts_and_authorities_of_the_settings(tmp_path: Any) -> None:
    authorities = tmp_path / "ca.pem"
    settings = Settings(
        oci_ca_file=authorities, oci_connect_timeout_seconds=1, oci_read_timeout_seconds=2
    )
    key = parse_api_key(secret(), region=None, version="v1")
    client = Clients(settings).get(PRINCIPAL, key, Service.LOG_SEARCH)
    assert client.base_client.timeout == (1, 2)
    assert client.base_client.session.verify == str(authorities)
