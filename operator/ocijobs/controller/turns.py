"""Turns at reading remote sources: a few at a time, and no namespace has them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.reconcile.job.observation import Turn


@dataclass(frozen=True, slots=True)
class _Wish:
    key: ObjectKey
    uid: str


class Turns:
    """Which objects may read now, and which wait, in the order of their requests.

    Args:
        at_a_time: how many may read.
        granted: called with the object whose turn has come.
    """

    def __init__(self, at_a_time: int, granted: Callable[[ObjectKey], None]) -> None:
        self._most, self._granted = at_a_time, granted
        self._most_of_one = max(1, at_a_time // 2)
        self._reading: dict[str, _Wish] = {}
        self._waiting: dict[str, _Wish] = {}

    def of(self, uid: str) -> Turn:
        """Return whether an object may read, waits, or has not asked."""
        if uid in self._reading:
            return Turn.GRANTED
        return Turn.WAITING if uid in self._waiting else Turn.NONE

    def want(self, key: ObjectKey, uid: str, *, wanted: bool) -> None:
        """Note whether an object wants to read, by its newest decision. An object that does not gives its turn back."""
        if wanted and self.of(uid) is Turn.NONE:
            self._waiting[uid] = _Wish(key, uid)
            self._grant()
        elif not wanted and self.of(uid) is not Turn.NONE:
            self._waiting.pop(uid, None)
            self._reading.pop(uid, None)
            self._grant()

    def _grant(self) -> None:
        for wish in list(self._waiting.values()):
            if len(self._reading) >= self._most:
                return
            same = sum(w.key.namespace == wish.key.namespace for w in self._reading.values())
            if same >= self._most_of_one:
                continue
            del self._waiting[wish.uid]
            self._reading[wish.uid] = wish
            self._granted(wish.key)
