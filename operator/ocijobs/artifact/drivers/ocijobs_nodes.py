"""The nodes of a run: which one this is, and where the others are."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from ocijobs_said import MissingError, say

PATIENCE_SECONDS = 900.0
PAUSE_SECONDS = 1.0


def rank() -> int:
    """Return the number of this node, from 0; it is 0 where there is only one."""
    return int(os.environ.get("NODE_RANK") or 0)


def count() -> int:
    """Return the number of nodes."""
    return int(os.environ.get("INITIAL_CLUSTER_SIZE") or 1)


def addresses() -> list[str]:
    """Return the addresses of all nodes, by rank; OCI writes them to a file as nodes come up.

    Raises:
        MissingError: if not all of them have come after a quarter of an hour.
    """
    named = os.environ.get("CLUSTER_NODES_METADATA_FILE")
    if count() == 1 or named is None:
        return ["127.0.0.1"]
    waited_from = time.monotonic()
    said = False
    while True:
        found = _listed(Path(named))
        if len(found) >= count():
            return [found[number] for number in sorted(found)]
        if time.monotonic() - waited_from > PATIENCE_SECONDS:
            raise MissingError(f"only {len(found)} of {count()} nodes have come up")
        if not said:
            say(f"waiting for {count()} nodes; {len(found)} are up")
            said = True
        time.sleep(PAUSE_SECONDS)


def _listed(path: Path) -> dict[int, str]:
    """Return rank -> address; nothing while the file is not there, or is just being written."""
    try:
        nodes = json.loads(path.read_text(encoding="utf-8"))
        return {int(node["Rank"]): node["IPAddress"] for node in nodes}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
