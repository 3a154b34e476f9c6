"""Writes to the API server: what was decided on one object never lands on another of its name."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.support import manifests
from tests.support.namespace import Document, Namespace

from kubecontrolplane.cluster import Cluster
from ocijobs.api.metadata import ObjectKey, ObjectMeta
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.login import load_login
from ocijobs.kube.writer import ObjectWriter

pytestmark = pytest.mark.asyncio


def _lead() -> None:
    """Pass every fence."""


@pytest.fixture
def alone(definitions: Cluster, namespace: str) -> Namespace:
    return Namespace(definitions, namespace)


@pytest_asyncio.fixture
async def client(alone: Namespace, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KubeClient]:
    monkeypatch.setenv("KUBECONFIG", str(alone.cluster.kubeconfig))
    login = await load_login()
    async with KubeClient(login, connections=4) as client:
        yield client


def _seen(document: Document) -> tuple[ObjectKey, ObjectMeta]:
    meta = document["metadata"]
    key = ObjectKey(document["kind"], meta["namespace"], meta["name"])
    return key, ObjectMeta.model_validate(meta)


def _replaced(alone: Namespace) -> tuple[Document, Document]:
    """Return a run, and another one of its name that was made after its deletion."""
    first = alone.create(manifests.run())
    alone.delete("OCIJobRun", "run")
    return first, alone.create(manifests.run())


async def test_a_status_is_not_written_to_another_object_of_the_name(
    alone: Namespace, client: KubeClient
) -> None:
    first, second = _replaced(alone)
    with pytest.raises(ApiError) as refused:
        await ObjectWriter(client, _lead).write_status(*_seen(first), {"phase": "Succeeded"})
    assert refused.value.conflict
    assert alone.get("OCIJobRun", "run")["status"] == second["status"]


class Forgetful(KubeClient):
    """A client that leaves the resourceVersion out of what it sends."""

    async def request(self, verb: str, path: str, **options: Any) -> dict[str, Any]:
        body = options.get("body")
        if isinstance(body, dict):
            body["metadata"].pop("resourceVersion", None)
        return await super().request(verb, path, **options)


async def test_without_the_resource_version_it_would_land_there_whatever_the_uid(
    alone: Namespace, client: KubeClient
) -> None:
    """Why the writer sends it: on /status the API server doesn't compare metadata.uid."""
    first, _ = _replaced(alone)
    login = await load_login()
    async with Forgetful(login, connections=4) as forgetful:
        await ObjectWriter(forgetful, _lead).write_status(*_seen(first), {"phase": "Succeeded"})
    assert alone.get("OCIJobRun", "run")["status"]["phase"] == "Succeeded"


async def test_a_status_is_not_written_over_a_change(alone: Namespace, client: KubeClient) -> None:
    seen = alone.create(manifests.run())
    alone.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    with pytest.raises(ApiError) as refused:
        await ObjectWriter(client, _lead).write_status(*_seen(seen), {"phase": "Pending"})
    assert refused.value.conflict


async def test_a_finalizer_is_not_put_on_another_object_of_the_name(
    alone: Namespace, client: KubeClient
) -> None:
    first, _ = _replaced(alone)
    with pytest.raises(ApiError) as refused:
        await ObjectWriter(client, _lead).add_finalizer(*_seen(first))
    assert refused.value.conflict
    assert "finalizers" not in alone.get("OCIJobRun", "run")["metadata"]


async def test_a_finalizer_comes_and_goes_beside_those_of_others(
    alone: Namespace, client: KubeClient
) -> None:
    writer, others = ObjectWriter(client, _lead), ["example.org/a", "example.org/b"]
    document = manifests.run()
    document["metadata"]["finalizers"] = others
    held = await writer.add_finalizer(*_seen(alone.create(document)))
    assert held["metadata"]["finalizers"] == [*others, "ocijobs.io/cleanup"]
    free = await writer.remove_finalizer(*_seen(held))
    assert free["metadata"]["finalizers"] == others
    alone.patch("OCIJobRun", "run", {"metadata": {"finalizers": None}})


async def test_a_process_that_does_not_lead_writes_nothing(
    alone: Namespace, client: KubeClient
) -> None:
    def fence() -> None:
        raise NotLeadingError

    seen = alone.create(manifests.run())
    writer = ObjectWriter(client, fence)
    with pytest.raises(NotLeadingError):
        await writer.write_status(*_seen(seen), {"phase": "Pending"})
    with pytest.raises(NotLeadingError):
        await writer.add_finalizer(*_seen(seen))
    assert alone.get("OCIJobRun", "run")["metadata"] == seen["metadata"]
