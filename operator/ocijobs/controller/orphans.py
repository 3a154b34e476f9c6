"""The list of what let-go objects have left in OCI, with its number of entries for metrics."""

from __future__ import annotations

from collections.abc import Iterable

from ocijobs.api.orphan import Orphan
from ocijobs.kube.own_namespace import OwnNamespace


class Orphans:
    """Adds to the list in the operator's own namespace. People remove entries with `kubectl ocijobs orphans`."""

    def __init__(self, own: OwnNamespace) -> None:
        self._own = own
        self._listed: dict[str, Orphan] = {}

    async def add(self, orphan: Orphan) -> None:
        """Add an entry, unless it is there.

        Raises:
            ApiError: if the API server does not take it.
            NotLeadingError: if this process may not write any more.
        """
        await self._own.list_orphan(orphan)
        self._listed[orphan.uid] = orphan

    async def read(self) -> None:
        """Read the list again.

        Raises:
            ApiError: if it could not be read to its end.
        """
        self._listed = {each.orphan.uid: each.orphan for each in await self._own.orphans()}

    def namespaces(self) -> Iterable[str]:
        """Yield the namespace of each entry."""
        return (orphan.namespace for orphan in self._listed.values())
