"""The journal through the control API: read, waited for, counted, cleared."""

import os
from collections.abc import Sequence

from oci_emulator.control.call import ControlCall, Route, only
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.server.journal import Filter, Journal
from oci_emulator.services.foundation import Foundation

_LONGEST_WAIT = 600.0
_LIMIT = 1000
_FILTERS = ("operation", "service", "principal", "resource", "status", "since")


class JournalControl:
    """Shows the journal, and how far it is."""

    def __init__(self, foundation: Foundation, journal: Journal) -> None:
        self._foundation = foundation
        self._journal = journal

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (
            ("GET", "health", self._health),
            ("GET", "journal", self._read),
            ("DELETE", "journal", self._clear),
            ("GET", "journal/counts", self._counts),
        )

    def _health(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # a handler like others
        return {
            "status": "ok",
            "pid": os.getpid(),
            "tenancy": self._foundation.tenancy.id,
            "journal": self._journal.last(),
        }

    async def _read(self, call: ControlCall) -> JsonObject:
        query = call.query
        only(query, *_FILTERS, "limit", "wait")
        wanted = Filter(
            operation=query.get("operation", ""),
            service=query.get("service", ""),
            principal=query.get("principal", ""),
            resource=query.get("resource", ""),
            status=int(query["status"]) if "status" in query else None,
            since=int(query.get("since", 0)),
        )
        limit = int(query.get("limit", _LIMIT))
        wait = min(float(query.get("wait", 0)), _LONGEST_WAIT)
        entries = (
            await self._journal.wait(wanted, limit, wait)
            if wait
            else self._journal.find(wanted, limit)
        )
        return {"entries": entries, "last": self._journal.last()}

    def _clear(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        self._journal.clear()
        return {"last": self._journal.last()}

    def _counts(self, call: ControlCall) -> JsonObject:
        only(call.query, "since")
        return {"counts": self._journal.counts(int(call.query.get("since", 0)))}
