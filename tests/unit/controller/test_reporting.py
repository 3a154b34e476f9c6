"""What is told of objects: each thing once, and remembered for no more objects than memory is set aside for."""

from __future__ import annotations

from typing import cast

import pytest

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.reasons import Reason
from ocijobs.controller import reporting
from ocijobs.controller.entry import Entry
from ocijobs.controller.reporting import Reporter
from ocijobs.kube.events import EventRecorder, EventSubject
from ocijobs.reconcile.decision import Note
from ocijobs.telemetry.metrics import Metrics
from ocijobs.testing import NAMESPACE, START, ManualClock, make_metadata

NOTE = Note(reason=Reason.RETRYING, message="again")


class Posted(list[str]):
    """The names of objects that Events were posted on."""

    async def post(self, subject: EventSubject, note: Note) -> None:
        assert note is NOTE
        self.append(subject.key.name)


def entry(name: str) -> Entry:
    key = ObjectKey("OCIJobRun", NAMESPACE, name)
    return Entry(key=key, metadata=make_metadata(name, uid=f"uid-{name}"), resource=None)


@pytest.mark.asyncio
async def test_what_was_told_is_remembered_of_the_objects_told_of_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reporting, "_REMEMBERED", 2)
    posted = Posted()
    own = EventSubject(key=ObjectKey("Lease", NAMESPACE, "operator"), uid="own")
    recorder = cast("EventRecorder", posted)
    reporter = Reporter(recorder, Metrics(), ManualClock(START), own=own)
    for name in ("a", "b", "b", "c", "b", "a"):
        await reporter.tell(entry(name), (NOTE,))
    assert posted == ["a", "b", "c", "a"]
