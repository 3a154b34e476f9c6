"""What is made in the cluster: what the API server does not take is learnt, and nothing comes after it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ocijobs.controller.memory import Memory
from ocijobs.controller.object_actions import NotTakenError, ObjectActions
from ocijobs.controller.store import Entry, Store, parse
from ocijobs.kube.client import ApiError
from ocijobs.kube.writer import ObjectWriter
from ocijobs.reconcile.decision import CreateObject
from ocijobs.testing import ManualClock

pytestmark = pytest.mark.asyncio


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
    document={
        "kind": "OCIJobRun",
        "metadata": {"name": "own-3", "labels": {"ocijobs.io/sweep-index": "3"}},
    }
)


async def create(memory: Memory, status: int, reason: str) -> None:
    """Create a child, and get that answer."""
    writer = cast("ObjectWriter", RefusingWriter(status, reason))
    actions = ObjectActions(writer, Store(), memory, ManualClock())
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
