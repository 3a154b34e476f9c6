"""Writes to the API server: what was decided on one object never lands on another of its name."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import yaml
from tests.support import manifests
from tests.support.namespace import Document, Namespace

from kubecontrolplane.cluster import Cluster
from ocijobs.api.shared.metadata import ObjectKey, ObjectMeta
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.login import load_login
from ocijobs.kube.writer import ObjectWriter
from ocijobs.reconcile.output import tail
from ocijobs.reconcile.text import presentable

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


_ODD = "\x00\t\n\r\x1b\x7f\x85\xa0\u2028\u2029\ufeff\ufffe\uffff\U0001f680\U0001fffe\U0010ffff\"\\'#:{}?-&*!|>%@`"


def _texts(seed: int, count: int) -> list[str]:
    """Return texts of any characters, those that YAML and JSON differ about more often."""
    dice = random.Random(seed)  # noqa: S311 - texts, and no secrets

    def character() -> str:
        return dice.choice(_ODD) if dice.random() < 0.3 else chr(dice.randrange(0x110000))

    return ["".join(character() for _ in range(dice.randrange(120))) for _ in range(count)]


def _as_stored(text: str) -> str:
    """Return what is left of a text whose surrogates are alone or together."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


async def test_any_text_of_a_status_is_stored_as_it_was(
    alone: Namespace, client: KubeClient
) -> None:
    """The body is YAML to the API server; what is no character is U+FFFD, as in JSON."""
    lines, values = _texts(1, 20), _texts(2, 31)
    results = {f"value-{number}": value for number, value in enumerate(values)}
    results["é" * 63] = "\U0001f680"
    wrote = await ObjectWriter(client, _lead).write_status(
        *_seen(alone.create(manifests.run())), {"logs": {"tail": lines}, "results": results}
    )
    stored = alone.get("OCIJobRun", "run")["status"]
    assert wrote["status"] == stored
    assert stored["logs"]["tail"] == [_as_stored(line) for line in lines]
    assert stored["results"] == {name: _as_stored(value) for name, value in results.items()}


async def test_what_a_run_printed_is_read_by_every_reader(
    alone: Namespace, client: KubeClient
) -> None:
    printed = [*_texts(3, 19), "done \U0001f680 \ud83d\ude80 \x85 \ufffe"]
    status = presentable({"logs": {"tail": list(tail(printed, ()))}, "phase": "Succeeded"})
    await ObjectWriter(client, _lead).write_status(*_seen(alone.create(manifests.run())), status)
    assert alone.get("OCIJobRun", "run")["status"]["logs"] == status["logs"]
    for form in ("yaml", "json"):
        read = yaml.safe_load(alone.kubectl("get", "ocijobrun", "run", "-o", form))
        assert read["status"]["logs"] == status["logs"]
