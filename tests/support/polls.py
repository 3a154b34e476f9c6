"""How often the operator may have asked OCI for its runs, by the emulator's journal."""

from collections.abc import Sequence
from datetime import datetime

from oci_emulator.testing import JournalEntry

_JITTER = 0.9
"""Intervals are that much shorter at the least."""


def most_polls(asked: Sequence[JournalEntry], interval: float) -> int:
    """Return how many polls fit into the time in which these requests came, at one every `interval` seconds.

    A poll begins an interval after the former one has ended, so a slow machine makes fewer, and never more.
    """
    times = [datetime.fromisoformat(entry.time) for entry in asked]
    seconds = (max(times) - min(times)).total_seconds()
    return 1 + int(seconds / (_JITTER * interval))
