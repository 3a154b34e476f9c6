"""Events: one for each thing that is said of an object, counted up, damped, and never in the way."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.reasons import Reason
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.events import BURST, REFILL_SECONDS, EventRecorder, EventSubject
from ocijobs.reconcile.decision import Note
from ocijobs.testing import ManualClock

pytestmark = pytest.mark.asyncio

RUN = EventSubject(key=ObjectKey("OCIJobRun", "team-a", "run"), uid="uid-1")


class EventServer:
    """The API server, as far as Events go."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.requests = 0
        self.refusal: ApiError | None = None

    async def request(
        self, verb: str, path: str, *, resource: str, body: dict[str, Any], content_type: str = ""
    ) -> dict[str, Any]:
        """Answer as the API server does."""
        self.requests += 1
        assert resource == "events"
        if self.refusal is not None:
            raise self.refusal
        if verb == "POST":
            assert path.endswith(f"/namespaces/{body['metadata']['namespace']}/events")
            name = body["metadata"]["name"]
            if name in self.events:
                raise ApiError(409, "AlreadyExists", name)
            self.events[name] = body
            return body
        assert (verb, content_type) == ("PATCH", "application/merge-patch+json")
        name = path.rpartition("/")[2]
        if name not in self.events:
            raise ApiError(404, "NotFound", name)
        self.events[name] |= body
        return self.events[name]


class Recording:
    """A recorder with its surroundings."""

    def __init__(self) -> None:
        self.server, self.clock, self.leading = EventServer(), ManualClock(), True
        self.recorder = self.another()

    def another(self) -> EventRecorder:
        """Return a recorder of another process."""
        return EventRecorder(
            cast(KubeClient, self.server),
            self.clock,
            instance="operator-1",
            may_write=lambda: self.leading,
        )

    async def say(self, message: str, *, subject: EventSubject = RUN) -> None:
        """Post an Event."""
        note = Note(reason=Reason.THROTTLED, message=message)
        await self.recorder.post(subject, note)

    @property
    def counts(self) -> dict[str, int]:
        """How often each message is said to have been said."""
        return {event["message"]: event["count"] for event in self.server.events.values()}


async def test_an_event_is_about_its_object_in_the_objects_namespace() -> None:
    recording = Recording()
    await recording.say("wait")
    (event,) = recording.server.events.values()
    assert event["metadata"]["namespace"] == "team-a"
    assert event["metadata"]["name"].startswith("run.")
    assert event["involvedObject"] == {
        "apiVersion": "ocijobs.io/v1alpha1",
        "kind": "OCIJobRun",
        "namespace": "team-a",
        "name": "run",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "Throttled", "wait")


async def test_what_is_said_again_is_counted_up() -> None:
    recording = Recording()
    for message in ("wait", "wait", "go", "wait"):
        recording.clock.advance(10)
        await recording.say(message)
    assert recording.counts == {"wait": 3, "go": 1}
    (wait, _) = recording.server.events.values()
    assert wait["firstTimestamp"] < wait["lastTimestamp"]


async def test_what_the_api_server_has_forgotten_is_posted_anew() -> None:
    recording = Recording()
    await recording.say("wait")
    recording.server.events.clear()
    await recording.say("wait")
    assert recording.counts == {"wait": 1}


async def test_what_a_former_process_posted_is_counted_on() -> None:
    recording = Recording()
    await recording.say("wait")
    recording.recorder = recording.another()
    await recording.say("wait")
    await recording.say("wait")
    assert recording.counts == {"wait": 2}


async def test_a_storm_is_damped_for_each_object_alone() -> None:
    recording = Recording()
    for number in range(3 * BURST):
        await recording.say(f"message {number}")
    assert recording.server.requests == BURST
    other = EventSubject(key=ObjectKey("OCIJob", "team-a", "job"), uid="uid-2")
    await recording.say("another object", subject=other)
    assert recording.server.requests == BURST + 1
    recording.clock.advance(REFILL_SECONDS)
    await recording.say("one more")
    await recording.say("and no more")
    assert recording.server.requests == BURST + 2


async def test_a_refusal_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    recording = Recording()
    recording.server.refusal = ApiError(403, "Forbidden", "no events for you")
    await recording.say("wait")
    assert "event Throttled on" in caplog.text
    assert "no events for you" in caplog.text


async def test_who_does_not_lead_says_nothing() -> None:
    recording = Recording()
    recording.leading = False
    await recording.say("wait")
    assert recording.server.requests == 0


async def test_long_names_and_messages_are_cut_to_what_the_api_server_takes() -> None:
    recording = Recording()
    long = EventSubject(key=ObjectKey("OCIJobRun", "team-a", "r" * 253), uid="uid-1")
    await recording.say("m" * 5000, subject=long)
    (event,) = recording.server.events.values()
    assert len(event["metadata"]["name"]) <= 253
    assert len(event["message"].encode()) == 1024


async def test_no_event_steers_a_terminal() -> None:
    recording = Recording()
    message = "OCI says: \x1b[31mno\x1b[0m\x07"
    await recording.recorder.post(RUN, Note(reason=Reason.CHANGE_REFUSED, message=message))
    (event,) = recording.server.events.values()
    assert event["message"] == "OCI says: no"
