"""A run's Workload: what is sent to the API server, and what is made of its answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, cast

import pytest

from ocijobs.api.kueue import KUEUE_API_VERSION, WORKLOAD
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import RefusalKind
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.store import Store
from ocijobs.controller.workload_actions import WorkloadActions
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.reads import ObjectReader
from ocijobs.kube.workloads import Workloads
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.objects import (
    CreateWorkload,
    DeleteWorkload,
    FinishWorkload,
    PatchWorkload,
)
from ocijobs.testing import NAMESPACE, ManualClock, make_metadata, make_run

pytestmark = pytest.mark.asyncio

KEY = ObjectKey(WORKLOAD, NAMESPACE, "run-1")
NOT_FOUND = ApiError(404, "NotFound", "none")
CONFLICT = ApiError(409, "AlreadyExists", "there is one")
PLACE = f"/apis/{KUEUE_API_VERSION}/namespaces/{NAMESPACE}/workloads"


class ApiServer:
    """The API server, as far as it answers what the test says."""

    def __init__(self, *answers: dict[str, Any] | ApiError) -> None:
        self.answers = deque(answers)
        self.received: list[dict[str, Any]] = []

    async def request(self, verb: str, path: str, **sent: Any) -> dict[str, Any]:
        """Answer the next request."""
        self.received.append({"verb": verb, "path": path, **sent})
        answer = self.answers.popleft()
        if isinstance(answer, ApiError):
            raise answer
        return answer


def _lead() -> None:
    """Pass every fence."""


def workloads(server: ApiServer) -> Workloads:
    return Workloads(cast("KubeClient", server), _lead)


def workload(**metadata: Any) -> dict[str, Any]:
    """Return a Workload as the API server has it."""
    meta = {
        "name": KEY.name,
        "namespace": NAMESPACE,
        "uid": "uid-1",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T12:00:00Z",
        "finalizers": ["ocijobs.io/cleanup"],
    }
    return {"apiVersion": KUEUE_API_VERSION, "kind": WORKLOAD, "metadata": meta | metadata}


GOING = {"deletionTimestamp": "2026-01-01T12:01:00Z"}


# What the API server is asked.


async def test_kueue_is_there_if_it_serves_workloads() -> None:
    assert await workloads(ApiServer({"resources": [{"name": "workloads"}]})).served()
    assert not await workloads(ApiServer({"resources": [{"name": "cohorts"}]})).served()
    assert not await workloads(ApiServer(NOT_FOUND)).served()
    with pytest.raises(ApiError):
        await workloads(ApiServer(ApiError(503, "ServiceUnavailable", ""))).served()


async def test_a_priority_is_that_of_its_class() -> None:
    assert await workloads(ApiServer({"value": 100})).priority("urgent") == 100
    assert await workloads(ApiServer(NOT_FOUND)).priority("urgent") is None
    with pytest.raises(ApiError):
        await workloads(ApiServer(ApiError(500, "InternalError", ""))).priority("urgent")


async def test_a_failed_test_of_a_patch_is_a_conflict() -> None:
    failed = ApiError(422, "Invalid", "the server rejected our request: test failed")
    with pytest.raises(ApiError) as refused:
        await workloads(ApiServer(failed)).patch(KEY, (), status=False)
    assert refused.value.conflict
    with pytest.raises(ApiError) as gone:
        await workloads(ApiServer(NOT_FOUND)).patch(KEY, (), status=True)
    assert gone.value.not_found


async def test_nothing_is_written_by_who_does_not_lead() -> None:
    def fence() -> None:
        raise NotLeadingError

    server = ApiServer()
    with pytest.raises(NotLeadingError):
        await Workloads(cast("KubeClient", server), fence).delete(KEY, "uid-1")
    assert server.received == []


# What becomes of a decision.


class Acting:
    """Actions on the Workload of one run, and what they leave."""

    def __init__(self, *answers: dict[str, Any] | ApiError) -> None:
        self.server = ApiServer(*answers)
        self.store, self.memory, self.clock = Store(), Memory(), ManualClock()
        run = make_run(metadata=make_metadata("run"))
        key = ObjectKey("OCIJobRun", NAMESPACE, "run")
        self.entry = Entry(key=key, metadata=run.metadata, resource=run)
        self.actions = WorkloadActions(workloads(self.server), self.store, self.memory, self.clock)

    async def do(self, action: Any) -> Mapping[str, Any]:
        """Carry an action out and return what was sent last."""
        await self.actions.execute(self.entry, action)
        return self.server.received[-1]

    @property
    def refusal(self) -> tuple[RefusalKind, str] | None:
        """Why the Workload was not made."""
        call = self.memory.run(self.entry.metadata.uid).calls[Operation.QUEUE]
        return (call.refusal.kind, call.refusal.message) if call.refusal is not None else None

    @property
    def there(self) -> bool:
        """Whether the store has the Workload."""
        return self.store.get(KEY) is not None


def create(priority_class: str | None = None) -> CreateWorkload:
    document = {**workload(), "spec": {"queueName": "team"}}
    return CreateWorkload(document=document, priority_class=priority_class, epoch="e")


async def test_a_workload_is_made_with_the_value_of_its_priority() -> None:
    acting = Acting({"value": 7}, workload())
    sent = await acting.do(create("urgent"))
    assert (sent["verb"], sent["path"]) == ("POST", PLACE)
    assert sent["body"]["spec"]["priority"] == 7
    assert sent["body"]["spec"]["priorityClassRef"]["name"] == "urgent"
    assert (acting.refusal, acting.there) == (None, True)
    assert "priority" not in (await Acting(workload()).do(create()))["body"]["spec"]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (CONFLICT, RefusalKind.CONFLICT, "there is one"),
        (ApiError(403, "Forbidden", "no"), RefusalKind.INVALID, "the Workload is refused: no"),
        (ApiError(422, "Invalid", "bad"), RefusalKind.INVALID, "the Workload is refused: bad"),
    ],
)
async def test_a_workload_that_is_not_taken_is_remembered(
    answer: ApiError, kind: RefusalKind, message: str
) -> None:
    acting = Acting(answer)
    await acting.do(create())
    assert (acting.refusal, acting.there) == ((kind, message), False)


async def test_a_class_that_is_not_there_is_told_and_a_server_that_fails_is_an_error() -> None:
    acting = Acting(NOT_FOUND)
    await acting.do(create("urgent"))
    assert acting.refusal == (
        RefusalKind.MISSING,
        "there is no WorkloadPriorityClass urgent",
    )
    with pytest.raises(ApiError):
        await Acting(ApiError(500, "InternalError", "")).do(create())


PATCH = PatchWorkload(name=KEY.name, changes=({"op": "test", "path": "/x", "value": 1},))
FINISH = FinishWorkload(name=KEY.name, condition={"type": "Finished", "status": "True"})
DELETE = DeleteWorkload(name=KEY.name, uid="uid-1")


async def test_each_change_is_sent_as_what_it_is() -> None:
    patched = await Acting(workload()).do(PATCH)
    assert (patched["path"], patched["content_type"]) == (
        f"{PLACE}/run-1",
        "application/json-patch+json",
    )
    finished = await Acting(workload()).do(FINISH)
    assert finished["path"] == f"{PLACE}/run-1/status"
    assert finished["query"]["fieldManager"].endswith("-finish")
    assert finished["body"]["status"]["conditions"] == [FINISH.condition]
    deleted = await Acting(workload(**GOING)).do(DELETE)
    assert deleted["body"]["preconditions"] == {"uid": "uid-1"}


@pytest.mark.parametrize(
    ("action", "answer", "there"),
    [
        (PATCH, workload(), True),
        (PATCH, workload(**GOING, finalizers=[]), False),
        (DELETE, workload(**GOING), True),
        (DELETE, {"kind": "Status", "status": "Success"}, False),
        (FINISH, NOT_FOUND, False),
    ],
)
async def test_what_is_known_of_a_workload_is_what_was_answered(
    action: Any, answer: Any, *, there: bool
) -> None:
    acting = Acting(answer)
    acting.store.put(workload())
    await acting.do(action)
    assert acting.there is there


async def test_a_workload_that_has_changed_is_decided_about_anew() -> None:
    with pytest.raises(ApiError):
        await Acting(CONFLICT).do(PATCH)


# Other reads.


def reads(*answers: dict[str, Any] | ApiError) -> ObjectReader:
    return ObjectReader(cast("KubeClient", ApiServer(*answers)))


def config(**fields: Any) -> dict[str, Any]:
    return {"metadata": {"uid": "uid-1", "resourceVersion": "7"}, **fields}


async def test_values_are_bytes_wherever_they_are_kept() -> None:
    secret = await reads(config(data={"k": "aHVudGVyMg==", "broken": "%"})).secret(NAMESPACE, "s")
    assert secret is not None
    assert secret.data == {"k": b"hunter2", "broken": b""}
    found = await reads(config(data={"a": "ä"}, binaryData={"b": "AAE="})).config_map(
        NAMESPACE, "c"
    )
    assert found is not None
    assert found.data == {"a": "ä".encode(), "b": b"\x00\x01"}
    assert await reads(NOT_FOUND).secret(NAMESPACE, "s") is None
    with pytest.raises(ApiError):
        await reads(ApiError(403, "Forbidden", "no")).secret(NAMESPACE, "s")


async def test_an_artifact_of_flux_is_what_its_source_says() -> None:
    artifact = {"url": "http://flux/a.tar.gz", "digest": "sha256:ab", "revision": "main@sha1:c"}
    server = ApiServer({"status": {"artifact": artifact}})
    found = await ObjectReader(cast("KubeClient", server)).flux_artifact(
        NAMESPACE, "OCIRepository", "code"
    )
    assert found is not None
    assert (found.url, found.digest) == ("http://flux/a.tar.gz", "sha256:ab")
    assert server.received[0]["path"].endswith("/ocirepositories/code")
    waiting = await reads({}).flux_artifact(NAMESPACE, "Bucket", "code")
    assert waiting is not None
    assert waiting.url == ""
    assert await reads(NOT_FOUND).flux_artifact(NAMESPACE, "Bucket", "code") is None
    with pytest.raises(ApiError):
        await reads(ApiError(403, "Forbidden", "no")).flux_artifact(NAMESPACE, "Bucket", "code")


async def test_a_list_is_read_page_by_page() -> None:
    server = ApiServer(
        {"metadata": {"resourceVersion": "5", "continue": "next"}, "items": [{"a": 1}]},
        {"metadata": {"resourceVersion": "5"}, "items": [{"a": 2}]},
    )
    found = [
        page
        async for page in ObjectReader(cast("KubeClient", server)).pages(
            WORKLOAD, None, selector="x=y"
        )
    ]
    assert found == [([{"a": 1}], "5"), ([{"a": 2}], "5")]
    assert server.received[1]["query"]["continue"] == "next"
    assert {one["query"]["labelSelector"] for one in server.received} == {"x=y"}
