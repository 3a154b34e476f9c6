"""What the API server has noted in its audit log since a test began."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class AuditLog:
    """The entries that one control plane writes from now on.

    All tests of a run share the file, so a test reads it from where it stood when the test began.

    Args:
        path: the file, one JSON document a line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = path.stat().st_size

    def entries(self, user: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a user, oldest first."""
        with self._path.open("rb") as file:
            file.seek(self._begin)
            for line in file:
                # The last line may still be written.
                if line.endswith(b"\n") and user.encode() in line:
                    entry: dict[str, Any] = json.loads(line)
                    if entry.get("user", {}).get("username") == user:
                        yield entry
