"""The state on disk: one SQLite database that a single thread reads and writes.

Changes are collected in one transaction and committed before a client gets its answer, so what was
acknowledged survives a kill of this process. It may not survive a crash of the machine: a commit
doesn't wait for the disk, since it would cost more than the request.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]


class Database:
    """A connection with explicit transactions.

    Args:
        path: the database file; made if it doesn't exist.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._after_commit: list[Callable[[], None]] = []
        self.define(
            "CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"
        )

    def define(self, *statements: str) -> None:
        """Make a module's tables and indexes where they don't exist yet."""
        for statement in statements:
            self._connection.execute(statement)

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query; uncommitted changes are seen."""
        return self._connection.execute(sql, parameters).fetchall()

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Carry out a change, as part of the open transaction."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        return self._connection.execute(sql, parameters)

    def commit(self) -> None:
        """Make what was written since the last commit permanent."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        due, self._after_commit = self._after_commit, []
        for callback in due:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call this when what was written is permanent, and not if it is undone."""
        self._after_commit.append(callback)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Undo what was written inside if it fails; for code that awaits nothing."""
        self.write("SAVEPOINT step")
        callbacks = len(self._after_commit)
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO step")
            del self._after_commit[callbacks:]
            raise
        finally:
            self._connection.execute("RELEASE step")

    def fact(self, name: str) -> str | None:
        """A single remembered value."""
        rows = self.read("SELECT value FROM fact WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def set_fact(self, name: str, value: str) -> None:
        """Remember a single value."""
        self.write("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._connection.close()
