"""Ingestion: entries that clients write into custom logs."""

import json
from datetime import datetime
from typing import Any

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import conflict, invalid, not_found
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging.changes import LOG
from oci_emulator.services.logging.entries import LogEntries, NewEntry
from oci_emulator.state.resources import Resource

_SPECIFICATION = "1.0"


class Ingestion:
    """PutLogs."""

    def __init__(self, foundation: Foundation, entries: LogEntries) -> None:
        self._foundation = foundation
        self._entries = entries

    def put(self, call: Call) -> Answer:
        """PutLogs: into a custom log that is enabled; all of the entries, or none."""
        log = self._log(call)
        if call.body["specversion"] != _SPECIFICATION:
            raise invalid(f"specversion: must be {_SPECIFICATION!r}")
        new = [
            entry
            for index, batch in enumerate(call.body["logEntryBatches"])
            for entry in self._batch(batch, f"logEntryBatches[{index}]")
        ]
        lags = self._foundation.lags
        self._entries.add(log.id, new, now=call.now, lag=lags.log_ingestion, jitter=lags.log_jitter)
        return Answer(resource=log.id)

    def _log(self, call: Call) -> Resource:
        log = self._foundation.resources.get(LOG, call.path["logId"])
        if log is None:
            raise not_found(call.path["logId"][:255])
        call.require(log.compartment)
        if log.body["logType"] != "CUSTOM":
            raise invalid(
                f"logId: {log.id} is a {log.body['logType']} log; only a service writes it"
            )
        if not log.body["isEnabled"]:
            raise conflict("IncorrectState", f"Log {log.id} is disabled.")
        return log

    def _batch(self, batch: JsonObject, path: str) -> list[NewEntry]:
        if not batch["entries"]:
            raise invalid(f"{path}.entries: must have an entry")
        default = batch["defaultlogentrytime"]
        longest = self._foundation.rules.ingested_entry_maximum_bytes
        new = []
        for index, entry in enumerate(batch["entries"]):
            if len(entry["data"].encode()) > longest:
                raise invalid(f"{path}.entries[{index}].data: has more than {longest} bytes")
            new.append(
                NewEntry(
                    id=entry["id"],
                    time=datetime.fromisoformat(entry.get("time", default)).timestamp(),
                    source=batch["source"],
                    type=batch["type"],
                    subject=batch.get("subject", ""),
                    data=self._data(entry["data"]),
                )
            )
        return new

    def _data(self, text: str) -> JsonObject:
        """What a search shows: the object if the text is one, else the text as its message."""
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return document
        return {self._foundation.rules.ingested_text_field: text}
