"""What was asked and answered: an entry for each request for a service."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from oci_emulator.state.database import Database, Row
from oci_emulator.time.clock import timestamp

_DEFINITION = """
    CREATE TABLE IF NOT EXISTS journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        time REAL, service TEXT, operation TEXT, principal TEXT, method TEXT, path TEXT,
        query TEXT, status INTEGER, code TEXT, retry_token TEXT, replayed INTEGER,
        resource TEXT, request_id TEXT, bytes_in INTEGER, bytes_out INTEGER, fault TEXT,
        body TEXT
    )
"""
_COLUMNS = (
    "seq, time, service, operation, principal, method, path, query, status, code, retry_token,"
    " replayed, resource, request_id, bytes_in, bytes_out, fault, body"
)
_KEPT = 200_000
_TRIM_EVERY = 10_000


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request, as it is written down when it is answered.

    Attributes:
        code: the code of an error.
        replayed: a retry token brought back an earlier answer.
        fault: what an injected fault did to the request.
        body: the JSON that was sent, if bodies are kept.
    """

    time: float
    method: str
    path: str
    query: str
    service: str = ""
    operation: str = ""
    principal: str = ""
    status: int = 0
    code: str = ""
    retry_token: str = ""
    replayed: bool = False
    resource: str = ""
    request_id: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    fault: str = ""
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries: patterns are those of the shell, an empty one is any."""

    operation: str = ""
    service: str = ""
    principal: str = ""
    resource: str = ""
    status: int | None = None
    since: int = 0

    def conditions(self) -> tuple[str, list[str | int]]:
        """The condition of a query for the entries, and its parameters."""
        conditions = ["seq > ?"]
        parameters: list[str | int] = [self.since]
        patterns = (("operation", self.operation), ("service", self.service))
        for column, pattern in patterns:
            if pattern:
                conditions.append(f"{column} GLOB ?")
                parameters.append(pattern)
        for column, value in (("principal", self.principal), ("resource", self.resource)):
            if value:
                conditions.append(f"{column} = ?")
                parameters.append(value)
        if self.status is not None:
            conditions.append("status = ?")
            parameters.append(self.status)
        return " AND ".join(conditions), parameters


class Journal:
    """The entries, newest last; the oldest of more than 200,000 go.

    Args:
        bodies: keep the JSON that clients send too, with all that is in it.
    """

    def __init__(self, database: Database, *, bodies: bool = False) -> None:
        self._database = database
        self.bodies = bodies
        database.define(_DEFINITION)
        self._arrival = asyncio.Event()

    def add(self, entry: Entry) -> None:
        """Write an entry down and wake who waits for one."""
        cursor = self._database.write(
            f"INSERT INTO journal ({_COLUMNS.removeprefix('seq, ')})"  # noqa: S608
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.time,
                entry.service,
                entry.operation,
                entry.principal,
                entry.method,
                entry.path,
                entry.query,
                entry.status,
                entry.code,
                entry.retry_token,
                entry.replayed,
                entry.resource,
                entry.request_id,
                entry.bytes_in,
                entry.bytes_out,
                entry.fault,
                entry.body,
            ),
        )
        seq = cursor.lastrowid or 0
        if seq % _TRIM_EVERY == 0:
            self._database.write("DELETE FROM journal WHERE seq <= ?", (seq - _KEPT,))
        self._arrival.set()
        self._arrival = asyncio.Event()

    def find(self, wanted: Filter, limit: int) -> list[dict[str, Any]]:
        """The first entries after ``since`` that fit."""
        conditions, parameters = wanted.conditions()
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM journal WHERE {conditions} ORDER BY seq LIMIT ?",  # noqa: S608
            (*parameters, limit),
        )
        return [_as_json(row) for row in rows]

    async def wait(self, wanted: Filter, limit: int, seconds: float) -> list[dict[str, Any]]:
        """Like ``find``, but if nothing fits yet, wait until something does.

        ``seconds``: how long at most, in real time.
        """
        try:
            async with asyncio.timeout(seconds):
                while not (found := self.find(wanted, limit)):
                    # What is there now has been looked at.
                    wanted = replace(wanted, since=max(wanted.since, self.last()))
                    await self._arrival.wait()
                return found
        except TimeoutError:
            return []

    def counts(self, since: int = 0) -> dict[str, dict[str, int]]:
        """Operation -> status -> number of entries after ``since``."""
        counted: dict[str, dict[str, int]] = {}
        for operation, status, number in self._database.read(
            "SELECT operation, status, count(*) FROM journal WHERE seq > ?"
            " GROUP BY operation, status",
            (since,),
        ):
            counted.setdefault(operation, {})[str(status)] = number
        return counted

    def last(self) -> int:
        """The number of the newest entry that there ever was."""
        rows = self._database.read("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
        return int(rows[0][0]) if rows else 0

    def clear(self) -> None:
        """Forget all entries; the numbering goes on."""
        self._database.write("DELETE FROM journal")


_NAMES: Mapping[str, str] = {
    "retry_token": "retryToken",
    "request_id": "opcRequestId",
    "resource": "resourceId",
    "bytes_in": "bytesIn",
    "bytes_out": "bytesOut",
}


def _as_json(row: Row) -> dict[str, Any]:
    names = [name.strip() for name in _COLUMNS.split(",")]
    document = {_NAMES.get(name, name): value for name, value in zip(names, row, strict=True)}
    document["time"] = timestamp(document["time"])
    document["replayed"] = bool(document["replayed"])
    document["body"] = None if document["body"] is None else json.loads(document["body"])
    return document
