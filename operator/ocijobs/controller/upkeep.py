"""Removes what nothing needs any more and no event reports: keys in memory, and copies in the leader's namespace."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.controller.identity_actions import IdentityActions
from ocijobs.controller.memory import Memory
from ocijobs.controller.orphans import Orphans
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError

_LOG = logging.getLogger(__name__)


class Upkeep:
    """Maintains the list of orphans, and forgets identities that do not exist any more."""

    def __init__(
        self,
        *,
        orphans: Orphans,
        identities: IdentityActions,
        store: Store,
        memory: Memory,
        needed: Callable[[ObjectKey], bool],
        clock: Clock,
        interval_seconds: float,
    ) -> None:
        self._orphans, self._identities = orphans, identities
        self._store, self._memory, self._needed = store, memory, needed
        self._clock, self._interval = clock, interval_seconds

    async def run(self) -> None:
        """Clean up at intervals. Runs for as long as the process leads.

        Raises:
            NotLeadingError: if this process may not write any more.
        """
        while True:
            try:
                await self.once()
            except ApiError as error:
                _LOG.warning("the operator's own namespace: %s", error)
            await self._clock.sleep(self._interval)

    async def once(self) -> None:
        """Clean up once.

        Raises:
            ApiError: if the API server refuses something.
            NotLeadingError: if this process may not write any more.
        """
        await self._orphans.read()
        for key in self._memory.identities():
            if self._store.get(key) is None and not self._needed(key):
                await self._identities.forget(key)
