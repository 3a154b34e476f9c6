"""Runs of both services are followed side by side, each by its own lists."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.component.data_flow.conftest import LASTING, Flow
from tests.unit.cloud.scripted_oci import IDENTITY

from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.metadata import IdentityReference, ObjectKey
from ocijobs.backends.records import RunState
from ocijobs.clock import SystemClock
from ocijobs.cloud.data_science import DataScience
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.tracker import Tracker
from ocijobs.reconcile.actions.calls import Caller
from ocijobs.reconcile.decision import Followed
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import Metrics
from ocijobs.testing import make_ocid

pytestmark = pytest.mark.asyncio

CALLER = Caller(
    identity=IdentityReference(kind=IDENTITY.kind, name=IDENTITY.name), region="us-ashburn-1"
)


@dataclass
class Following:
    """A tracker that polls, and what it learns."""

    tracker: Tracker
    memory: Memory
    queue: WorkQueue

    def follow(self, uid: str, compartment_id: str, job_id: str, run_id: str) -> None:
        followed = Followed(
            caller=CALLER, compartment_id=compartment_id, job_id=job_id, run_id=run_id
        )
        self.tracker.follow(ObjectKey("OCIJobRun", IDENTITY.namespace, uid), uid, followed)

    async def woken(self) -> str:
        """Return the next run of which there is news."""
        async with asyncio.timeout(30):
            key = await self.queue.get()
        self.queue.done(key)
        return key.name

    def state(self, uid: str) -> RunState | None:
        record = self.memory.run(uid).record
        return record.state if record is not None else None


@pytest_asyncio.fixture
async def following(flow: Flow) -> AsyncIterator[Following]:
    """A tracker of both services that polls often."""
    memory, clock = Memory(), SystemClock()
    queue = WorkQueue(clock)
    tracker = Tracker(
        services={
            BackendName.DATA_FLOW: flow.infrastructure,
            BackendName.DATA_SCIENCE: DataScience(flow.caller.calls),
        },
        memory=memory,
        queue=queue,
        clock=clock,
        settings=Settings(poll_min_seconds=0.1, poll_max_seconds=0.1, oci_rate_max=1000),
        metrics=Metrics(),
    )
    tasks = [asyncio.create_task(work) for work in (tracker.run(), queue.run())]
    yield Following(tracker, memory, queue)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_run_of_data_flow_is_followed_to_its_end_by_lists_of_one_filter(
    flow: Flow, following: Following
) -> None:
    token = uuid4().hex
    application = await flow.application(token)
    run = await flow.run(application.id, token, LASTING)
    flow.emulator.wait_for_run(run.id, "IN_PROGRESS")
    since = flow.emulator.last_seq()
    following.follow("uid-flow", flow.emulator.tenancy, application.id, run.id)
    following.follow(
        "uid-science",
        flow.emulator.tenancy,
        make_ocid("datasciencejob", "unknown"),
        make_ocid("datasciencejobrun", "unknown"),
    )
    # What no list has is news too: it is looked up by itself then.
    assert {await following.woken(), await following.woken()} == {"uid-flow", "uid-science"}
    assert following.state("uid-flow") is RunState.IN_PROGRESS
    assert following.memory.run("uid-science").unlisted_at is not None
    flow.emulator.force_run(run.id, "SUCCEEDED")
    assert await following.woken() == "uid-flow"
    statuses = {entry.status for entry in flow.emulator.journal("List*", since=since)}
    assert statuses == {200}
    services = {entry.service for entry in flow.emulator.journal(since=since)}
    assert services == {"dataflow", "datascience"}
