"""What is made in the cluster: what the API server does not take is learnt, and nothing comes after it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.object_actions import NotTakenError, ObjectActions
from ocijobs.controller.orphans import Orphans
from ocijobs.controller.store import Store, parse
from ocijobs.kube.client import ApiError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.reconcile.actions.objects import CreateObject, DeleteObject, DeleteOwned, EditObject
from ocijobs.testing import ManualClock

pytestmark = pytest.mark.asyncio


_NO_ORPHANS = cast("Orphans", None)


class RefusingWriter:
    """Answers each creation with an error."""

    def __init__(self, status: int, reason: str) -> None:
        self._error = ApiError(status, reason, "because")

    async def create(self, _document: dict[str, Any]) -> dict[str, Any]:
        """Refuse."""
        raise self._error


def owner(kind: str, **spec: Any) -> Entry:
    """Return a sweep or a schedule."""
    return parse(
        {
            "kind": kind,
            "metadata": {
                "name": "own",
                "namespace": "team-a",
                "uid": "uid-1",
                "resourceVersion": "1",
                "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": spec,
        }
    )


SWEEP = owner("OCIJobSweep", jobRef={"name": "job"}, matrix={"X": ["1"]})
CHILD = CreateObject(
    name="own-3",
    index=3,
    epoch="1",
    document={
        "kind": "OCIJobRun",
        "metadata": {"name": "own-3", "labels": {"ocijobs.io/sweep-index": "3"}},
    },
)


async def create(memory: Memory, status: int, reason: str) -> None:
    """Create a child, and get that answer."""
    writer = cast("ObjectWriter", RefusingWriter(status, reason))
    actions = ObjectActions(writer, _NO_ORPHANS, Store(), memory, ManualClock())
    await actions.execute(SWEEP, CHILD)


async def test_an_object_that_is_there_already_counts_as_made_by_nobody() -> None:
    """It may be somebody else's; the watch, which is behind, will tell."""
    memory = Memory()
    with pytest.raises(ApiError) as raised:
        await create(memory, 409, "AlreadyExists")
    assert raised.value.conflict
    assert memory.sweep("uid-1").created == 0


async def test_a_run_that_is_refused_for_good_is_learnt() -> None:
    memory = Memory()
    with pytest.raises(NotTakenError):
        await create(memory, 422, "Invalid")
    assert memory.sweep("uid-1").refused == "because"


async def test_a_run_that_is_forbidden_for_now_is_tried_again_later_and_later() -> None:
    memory = Memory()
    for tries in (1, 2):
        with pytest.raises(NotTakenError):
            await create(memory, 403, "Forbidden")
        call = memory.sweep("uid-1").forbidden
        assert call is not None
        assert call.tries == tries
    assert memory.sweep("uid-1").refused is None


async def test_another_error_is_the_worker_s() -> None:
    with pytest.raises(ApiError):
        await create(Memory(), 500, "InternalError")


class TakingWriter:
    """Does what it is asked to, or refuses all of it."""

    def __init__(self, status: int | None = None) -> None:
        self.done: list[tuple[Any, ...]] = []
        self._status = status

    def _do(self, *what: Any) -> None:
        self.done.append(what)
        if self._status is not None:
            raise ApiError(self._status, "Refused", "because")

    async def create(self, document: dict[str, Any]) -> dict[str, Any]:
        """Make an object."""
        self._do("create", document["metadata"]["name"])
        return {**RUN, "metadata": {**RUN["metadata"], **document["metadata"]}}

    async def edit_spec(self, key: ObjectKey, uid: str, spec: Any) -> dict[str, Any]:
        """Edit an object."""
        self._do("edit", key.name, uid, dict(spec))
        return {**RUN, "spec": {**RUN["spec"], **spec}}

    async def delete(self, key: ObjectKey, uid: str, version: str | None = None) -> None:
        """Delete an object."""
        self._do("delete", key.name, uid, version)


RUN: dict[str, Any] = {
    "kind": "OCIJobRun",
    "metadata": {
        "name": "own-3",
        "namespace": "team-a",
        "uid": "uid-3",
        "resourceVersion": "2",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    },
    "spec": {"jobRef": {"name": "job"}},
}
RUN_KEY = ObjectKey("OCIJobRun", "team-a", "own-3")
RESOURCES = [{"name": "train", "run": {"jobRef": {"name": "job"}}}]
SCHEDULE = owner("OCIJobSchedule", schedule="@daily", resources=RESOURCES)
EDIT = EditObject(kind="OCIJobRun", name="own-3", uid="uid-3", spec={"cancel": True})
DELETE = DeleteOwned(kind="OCIJobRun", name="own-3", uid="uid-3")


class Acting:
    """Actions of one object, and what they leave."""

    def __init__(self, entry: Entry, status: int | None = None) -> None:
        self.entry, self.store, self.memory = entry, Store(), Memory()
        self.writer = TakingWriter(status)
        writer = cast("ObjectWriter", self.writer)
        self._actions = ObjectActions(writer, _NO_ORPHANS, self.store, self.memory, ManualClock())

    async def do(self, action: Any) -> list[tuple[Any, ...]]:
        """Carry an action out, and return what was asked for."""
        await self._actions.execute(self.entry, action)
        return self.writer.done


async def test_what_was_made_is_known_before_the_watch_tells_of_it() -> None:
    sweep = Acting(SWEEP)
    await sweep.do(CHILD)
    assert sweep.memory.sweep("uid-1").created == 4
    assert sweep.store.get(RUN_KEY) is not None
    schedule = Acting(SCHEDULE)
    await schedule.do(CHILD)
    assert schedule.memory.schedule("uid-1").made == {"own-3"}
    # A run that makes its own job has nothing to count.
    run = Acting(parse(RUN))
    assert await run.do(CHILD) == [("create", "own-3")]


async def test_a_schedule_and_a_run_learn_what_the_api_server_does_not_take() -> None:
    schedule = Acting(SCHEDULE, 403)
    with pytest.raises(NotTakenError):
        await schedule.do(CHILD)
    forbidden = schedule.memory.schedule("uid-1").forbidden
    assert forbidden is not None
    assert forbidden.tries == 1
    refused = Acting(SCHEDULE, 422)
    with pytest.raises(NotTakenError):
        await refused.do(CHILD)
    assert refused.memory.schedule("uid-1").refused == "because"
    run = Acting(parse(RUN), 422)
    with pytest.raises(NotTakenError):
        await run.do(CHILD)
    assert run.memory.run("uid-3").refused == "because"
    # Of what is forbidden a run tells nothing: it is tried again.
    with pytest.raises(ApiError):
        await Acting(parse(RUN), 403).do(CHILD)


async def test_an_object_is_edited_and_deleted_as_it_was_decided_on() -> None:
    acting = Acting(SWEEP)
    assert await acting.do(EDIT) == [("edit", "own-3", "uid-3", {"cancel": True})]
    edited = acting.store.get(RUN_KEY)
    assert edited is not None
    assert isinstance(edited.resource, OCIJobRun)
    assert edited.resource.spec.cancel
    assert await Acting(SWEEP).do(DELETE) == [("delete", "own-3", "uid-3", None)]
    assert await Acting(SWEEP).do(DeleteObject()) == [("delete", "own", "uid-1", "1")]


@pytest.mark.parametrize("action", [EDIT, DELETE])
async def test_what_is_gone_or_another_by_now_is_left_alone(action: Any) -> None:
    for status in (404, 409):
        await Acting(SWEEP, status).do(action)
    with pytest.raises(ApiError):
        await Acting(SWEEP, 500).do(action)
