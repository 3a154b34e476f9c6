"""Events on objects: one Event for each object, reason and message. A repetition raises its count.

The rate is limited as in client-go's recorder: each object may post some Events at once, and then one at
long intervals. A failure to post is logged and forgotten: Events are information, and never state.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.names import API_VERSION, REPORTING_CONTROLLER
from ocijobs.clock import Clock
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.resources import core_path
from ocijobs.reconcile.decision import Note
from ocijobs.reconcile.text import shown

_LOG = logging.getLogger(__name__)

BURST = 25
"""How many Events an object may post at once (client-go: 25)."""

REFILL_SECONDS = 300.0
"""Seconds after which an object may post one more (client-go: 300)."""

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubject:
    """The object that an Event is about; the Event goes into its namespace, as the API server demands."""

    key: ObjectKey
    uid: str
    api_version: str = API_VERSION


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class EventRecorder:
    """Posts Events, while this process leads."""

    def __init__(
        self,
        client: KubeClient,
        clock: Clock,
        *,
        instance: str,
        may_write: Callable[[], bool],
    ) -> None:
        self._client = client
        self._clock = clock
        self._instance = instance
        self._may_write = may_write
        self._posted: OrderedDict[str, int] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def post(self, subject: EventSubject, note: Note) -> None:
        """Post an Event, or count an earlier one up. Never raises for what the API server answers.

        Args:
            subject: what the Event is about.
            note: reason and message; the message is cut to 1,024 bytes.
        """
        if not self._may_write() or not self._take_token(subject.uid):
            return
        event = self._document(subject, note)
        try:
            await self._post(event)
        except ApiError as error:
            _LOG.warning("event %s on %s not posted: %s", note.reason, subject.key, error)

    async def _post(self, event: dict[str, Any]) -> None:
        name, path = event["metadata"]["name"], core_path("events", event["metadata"]["namespace"])
        count = self._posted.get(name, 0) + 1
        if count > 1 and await self._count_up(f"{path}/{name}", count, event["lastTimestamp"]):
            self._remember(name, count)
            return
        try:
            await self._client.request("POST", path, resource="events", body=event)
        except ApiError as error:
            if not error.conflict:
                raise
            # Posted by a former process: it is counted up from here on.
        self._remember(name, 1)

    async def _count_up(self, path: str, count: int, now: str) -> bool:
        """Return whether the Event still exists: the API server deletes Events after an hour."""
        try:
            await self._client.request(
                "PATCH",
                path,
                resource="events",
                body={"count": count, "lastTimestamp": now},
                content_type="application/merge-patch+json",
            )
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return True

    def _document(self, subject: EventSubject, note: Note) -> dict[str, Any]:
        now = _timestamp(self._clock.now())
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": _event_name(subject, note), "namespace": subject.key.namespace},
            "involvedObject": {
                "apiVersion": subject.api_version,
                "kind": subject.key.kind,
                "namespace": subject.key.namespace,
                "name": subject.key.name,
                "uid": subject.uid,
            },
            "type": note.type.value,
            "reason": note.reason,
            "message": shown(note.message),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": REPORTING_CONTROLLER},
            "reportingComponent": REPORTING_CONTROLLER,
            "reportingInstance": self._instance,
        }

    def _remember(self, name: str, count: int) -> None:
        self._posted[name] = count
        self._posted.move_to_end(name)
        while len(self._posted) > _REMEMBERED:
            self._posted.popitem(last=False)

    def _take_token(self, uid: str) -> bool:
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(uid, _Bucket(tokens=BURST, filled_at=now))
        self._buckets.move_to_end(uid)
        while len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.filled_at) / REFILL_SECONDS)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _event_name(subject: EventSubject, note: Note) -> str:
    identity = f"{subject.uid}/{note.type}/{note.reason}/{note.message}"
    digest = hashlib.sha256(identity.encode(errors="replace")).hexdigest()
    return f"{subject.key.name[:200]}.{digest[:16]}"


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
