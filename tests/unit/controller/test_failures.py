"""Errors of the reconciliation: told as far as that can be done, and ending nobody's work."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock

import pytest

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.failures import Failures
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.lease import NotLeadingError
from ocijobs.telemetry.metrics import Metrics
from ocijobs.testing import NAMESPACE, ManualClock, make_run

pytestmark = pytest.mark.asyncio

KEY = ObjectKey("OCIJobRun", NAMESPACE, "run")


class Bench:
    """What tells of errors, with one run."""

    def __init__(self) -> None:
        self.clock, self.metrics, self.store = ManualClock(), Metrics(), Store()
        self.queue = WorkQueue(self.clock)
        self.writer, self.reporter = AsyncMock(), AsyncMock()
        self.put()
        self.writer.write_status.side_effect = lambda *_: self.document("2")
        parts: dict[str, Any] = {
            "store": self.store,
            "queue": self.queue,
            "writer": self.writer,
            "reporter": self.reporter,
            "metrics": self.metrics,
            "clock": self.clock,
        }
        self.failures = Failures(**parts)

    def said(self) -> list[str]:
        """Return the reasons of Ready that were written."""
        return [
            condition["reason"]
            for call in self.writer.write_status.call_args_list
            for condition in call.args[2]["conditions"]
            if condition["type"] == "Ready"
        ]

    def document(self, version: str, **meta: Any) -> dict[str, Any]:
        document: dict[str, Any] = {**make_run().document(), "kind": "OCIJobRun"}
        changed = {"resourceVersion": version, **meta}
        return {**document, "metadata": {**document["metadata"], **changed}}

    def put(self, version: str = "1", **meta: Any) -> None:
        self.store.put(self.document(version, **meta))


async def test_that_it_is_told_is_no_reason_to_try_again_and_an_edit_is() -> None:
    bench = Bench()
    await bench.failures.tell(KEY, KeyError())
    assert 0 < bench.failures.pause_of(KEY) <= 0.1
    bench.put("3", generation=2)
    assert bench.failures.pause_of(KEY) == 0


async def test_it_is_tried_again_later_and_later_and_anew_after_it_went_well() -> None:
    bench = Bench()
    pauses = []
    for _ in range(12):
        await bench.failures.tell(KEY, KeyError())
        pauses.append(bench.failures.pause_of(KEY))
    assert pauses[0] <= 0.1
    assert 30 <= pauses[-1] <= 60
    bench.failures.forget(KEY)
    assert bench.failures.pause_of(KEY) == 0
    await bench.failures.tell(KEY, KeyError())
    assert bench.failures.pause_of(KEY) <= 0.1


@pytest.mark.parametrize("error", [ApiError(500, "InternalError", "no"), KeyError("x")])
async def test_what_can_not_be_told_ends_nothing(error: Exception) -> None:
    bench = Bench()
    bench.writer.write_status.side_effect = error
    await bench.failures.tell(KEY, KeyError())
    assert bench.failures.pause_of(KEY) > 0


async def test_who_leads_no_more_does_not_go_on() -> None:
    bench = Bench()
    bench.writer.write_status.side_effect = NotLeadingError
    with pytest.raises(NotLeadingError):
        await bench.failures.tell(KEY, KeyError())


async def test_an_object_that_is_gone_is_told_of_to_nobody() -> None:
    bench = Bench()
    bench.store.remove(KEY)
    await bench.failures.tell(KEY, KeyError())
    bench.writer.write_status.assert_not_called()
    assert bench.failures.pause_of(KEY) == 0


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (ApiError(403, "Forbidden", "the policy says no"), 3),
        (ApiError(500, "InternalError", "failed calling webhook"), 3),
        (ApiError(0, "Timeout", "no answer"), 3),
        (ApiError(409, "Conflict", "testing value /metadata/uid failed"), 8),
    ],
    ids=str,
)
async def test_an_answer_is_told_when_it_has_come_a_few_times(error: ApiError, tries: int) -> None:
    bench = Bench()
    for _ in range(tries - 1):
        await bench.failures.tell(KEY, error)
    assert (bench.said(), bench.failures.pause_of(KEY)) == ([], 0)
    await bench.failures.tell(KEY, error)
    assert bench.said() == ["ChangeRefused"]
    assert bench.failures.pause_of(KEY) > 0
    assert bench.metrics.registry.get_sample_value("ocijobs_internal_errors_total") is None


async def test_an_object_that_the_api_server_does_not_have_is_told_of_to_nobody() -> None:
    bench = Bench()
    for _ in range(20):
        await bench.failures.tell(KEY, ApiError(404, "NotFound", "gone"))
    assert bench.said() == []


async def test_where_no_status_can_be_written_an_event_tells() -> None:
    bench = Bench()
    large = ApiError(500, "", "etcdserver: request is too large")
    bench.writer.write_status.side_effect = large
    for _ in range(4):
        await bench.failures.tell(KEY, large)
    notes = [call.args[1] for call in bench.reporter.tell.call_args_list]
    # The same each time, so that it is posted once.
    assert len(notes) == 2
    assert len(set(notes)) == 1
    assert (notes[0][0].reason, "request is too large" in notes[0][0].message) == (
        "ChangeRefused",
        True,
    )
