"""Pools of Data Flow, by their names."""

from typing import Any
from uuid import uuid4

import oci
import pytest
from oci.data_flow import models
from tests.component.data_flow.conftest import SHAPE, Flow
from tests.unit.cloud.scripted_oci import PRINCIPAL

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.backends.requests import NameKind, WantedName
from ocijobs.clock import SystemClock
from ocijobs.cloud.directory import Directory

pytestmark = pytest.mark.asyncio


def pool(flow: Flow, name: str) -> str:
    """Make a pool that is there."""
    details = models.CreatePoolDetails(
        compartment_id=flow.emulator.tenancy,
        display_name=name,
        configurations=[models.PoolConfig(shape=SHAPE, min=1, max=1)],
    )
    made = flow.client.create_pool(details).data
    _until(flow, made.id, "ACTIVE")
    return str(made.id)


def _until(flow: Flow, pool_id: str, state: str) -> None:
    oci.wait_until(
        flow.client,
        flow.client.get_pool(pool_id),
        "lifecycle_state",
        state,
        max_interval_seconds=0.05,
        max_wait_seconds=60,
    )


def delete(flow: Flow, pool_id: str) -> None:
    flow.client.delete_pool(pool_id)
    _until(flow, pool_id, "DELETED")


async def find(flow: Flow, name: str) -> str | Refusal:
    directory = Directory(flow.caller.calls, SystemClock())
    wanted = WantedName(
        kind=NameKind.POOL, name=name, field="spec.infrastructure.dataFlow.poolName"
    )
    found, calls = await flow.calls(directory.find(PRINCIPAL, flow.emulator.tenancy, wanted))
    assert calls == ["ListPools 200"]
    return found


def refused(answer: Any) -> RefusalKind:
    assert isinstance(answer, Refusal)
    assert "pool" in answer.message
    return answer.kind


async def test_a_pool_is_found_by_its_name_once_it_is_the_only_one(flow: Flow) -> None:
    name = f"pool-{uuid4().hex}"
    assert refused(await find(flow, name)) is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND
    former = pool(flow, name)
    pool(flow, f"{name}-2")
    assert await find(flow, name) == former
    later = pool(flow, name)
    assert refused(await find(flow, name)) is RefusalKind.INVALID
    delete(flow, former)
    assert await find(flow, name) == later
