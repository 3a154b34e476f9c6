"""An operator that knows a third service, with a control plane whose definitions have its name.

What is registered here is what docs/architecture.md says that a third service needs, but for the block of the spec.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from tests.component.third_backend.batch_world import BatchWorld
from tests.support.batch import BATCH
from tests.support.stage import Stage
from tests.support.stages import install_definitions

from kubecontrolplane.cluster import ControlPlane
from kubecontrolplane.testing import namespace_in
from ocijobs.backends import registry
from ocijobs.cloud import clients, job_services
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Service
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.job_service import JobService
from ocijobs.controller import wiring


@pytest.fixture(scope="session")
def definitions(own_cluster: ControlPlane) -> ControlPlane:
    """A control plane that takes the name of the service in a status."""
    install_definitions(own_cluster)
    api = own_cluster.api()
    for plural in ("ocijobs", "ocijobruns"):
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.ocijobs.io"
        definition: dict[str, Any] = api.request("GET", path)
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        schema["properties"]["status"]["properties"]["backend"]["enum"].append(BATCH.name)
        api.request("PUT", path, definition)
    return own_cluster


@pytest.fixture
def namespace(definitions: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, in that control plane."""
    with namespace_in(definitions, request.node.name, delete=False) as name:
        yield name


@pytest_asyncio.fixture
async def world(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BatchWorld]:
    """An operator that leads, and knows Batch."""
    monkeypatch.setenv("KUBECONFIG", str(stage.folder / "operator.kubeconfig"))
    world = BatchWorld(stage)

    def with_batch(calls: Calls, code: CodeStorage) -> Mapping[str, JobService]:
        return {**job_services.job_services(calls, code), BATCH.name: world.batch}

    monkeypatch.setattr(registry, "BACKENDS", (BATCH, *registry.BACKENDS))
    monkeypatch.setattr(wiring, "job_services", with_batch)
    services = {**clients.SERVICES, BATCH.name: Service.DATA_SCIENCE}
    monkeypatch.setattr("ocijobs.controller.places.SERVICES", services)
    await world.start()
    try:
        yield world
    finally:
        await world.operator.stop()
