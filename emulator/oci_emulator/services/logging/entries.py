"""The entries of logs."""

import json
import random
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oci_emulator.formats.jsontypes import JsonObject, compact
from oci_emulator.state.database import Database, Row
from oci_emulator.time.clock import timestamp

_DEFINITIONS = (
    """
    CREATE TABLE IF NOT EXISTS log_entry (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        log TEXT NOT NULL, time REAL NOT NULL, visible REAL NOT NULL, id TEXT NOT NULL,
        source TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS log_entry_by_log ON log_entry (log, time, seq)",
    "CREATE INDEX IF NOT EXISTS log_entry_by_source ON log_entry (source, time)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry, as a search finds it."""

    seq: int
    log: str
    time: float
    id: str
    source: str
    type: str
    subject: str
    data: JsonObject

    def content(self) -> JsonObject:
        """The entry in the form in which Logging keeps it."""
        return {
            "data": self.data,
            "id": self.id,
            "oracle": {"logid": self.log},
            "source": self.source,
            "specversion": "1.0",
            "subject": self.subject,
            "time": timestamp(self.time),
            "type": self.type,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One entry that is to be written."""

    id: str
    time: float
    source: str
    type: str
    subject: str
    data: JsonObject


class LogEntries:
    """The table of entries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._random = random.Random(0)  # noqa: S311  # repeatable lags, no secret
        database.define(*_DEFINITIONS)

    def append(
        self,
        log: str,
        messages: Iterable[tuple[float, str]],
        *,
        source: str,
        kind: str,
        subject: str = "",
        lag: float = 0.0,
        jitter: float = 0.0,
    ) -> None:
        """Write messages, each with its time; it may lie ahead, and the entry is found then.

        ``lag``: seconds until a search finds an entry, at the least.
        ``jitter``: up to how many more.
        """
        for moment, message in messages:
            entry = NewEntry(
                id=str(uuid.uuid4()),
                time=moment,
                source=source,
                type=kind,
                subject=subject,
                data={"message": message},
            )
            self._write(log, entry, visible=moment + self._late(lag, jitter))

    def add(
        self,
        log: str,
        entries: Iterable[NewEntry],
        *,
        now: float,
        lag: float = 0.0,
        jitter: float = 0.0,
    ) -> None:
        """Write entries that have their own times; they are found ``lag`` and more after now."""
        for entry in entries:
            self._write(log, entry, visible=now + self._late(lag, jitter))

    def _late(self, lag: float, jitter: float) -> float:
        return lag + (self._random.uniform(0, jitter) if jitter else 0.0)

    def _write(self, log: str, entry: NewEntry, *, visible: float) -> None:
        self._database.write(
            "INSERT INTO log_entry (log, time, visible, id, source, type, subject, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                log,
                entry.time,
                visible,
                entry.id,
                entry.source,
                entry.type,
                entry.subject,
                compact(entry.data),
            ),
        )

    def drop_after(self, source: str, moment: float) -> None:
        """Remove a source's entries of later times: what was to be written never was."""
        self._database.write(
            "DELETE FROM log_entry WHERE source = ? AND time > ?", (source, moment)
        )

    def drop_log(self, log: str) -> None:
        """Remove all entries of a log."""
        self._database.write("DELETE FROM log_entry WHERE log = ?", (log,))

    def find(
        self,
        logs: Sequence[str],
        *,
        start: float,
        end: float,
        now: float,
        limit: int,
        source_endings: Sequence[str] = (),
    ) -> list[LogEntry]:
        """The entries of logs in a period that can be found by now, in the order of their times.

        ``source_endings``: if some are given, only entries whose source ends with one of them.
        """
        marks = ", ".join("?" * len(logs))
        conditions = " OR ".join(["source LIKE ? ESCAPE '!'"] * len(source_endings)) or "1"
        rows = self._database.read(
            "SELECT seq, log, time, id, source, type, subject, data FROM log_entry"  # noqa: S608
            f" WHERE log IN ({marks}) AND time >= ? AND time <= ? AND visible <= ?"
            f" AND ({conditions}) ORDER BY time, seq LIMIT ?",
            (*logs, start, end, now, *map(_ending, source_endings), limit),
        )
        return [_entry(row) for row in rows]

    def of_source(self, source: str, *, after: int, now: float, limit: int) -> list[LogEntry]:
        """The entries of a source that can be found by now, after the one with a number."""
        rows = self._database.read(
            "SELECT seq, log, time, id, source, type, subject, data FROM log_entry"
            " WHERE source = ? AND seq > ? AND visible <= ? ORDER BY seq LIMIT ?",
            (source, after, now, limit),
        )
        return [_entry(row) for row in rows]


def _ending(text: str) -> str:
    """A LIKE pattern of what ends with the text."""
    return "%" + re.sub(r"([!%_])", r"!\1", text)


def _entry(row: Row) -> LogEntry:
    seq, log, moment, identifier, source, kind, subject, data = row
    return LogEntry(
        seq=seq,
        log=log,
        time=moment,
        id=identifier,
        source=source,
        type=kind,
        subject=subject,
        data=json.loads(data),
    )
