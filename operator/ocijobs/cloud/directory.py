"""Looks resources up by name: log groups, logs, file systems, pools of Data Flow, compute shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.backends.requests import NameKind, WantedName
from ocijobs.clock import Clock
from ocijobs.cloud.calls import Calls, OciRequest
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.sdk import resource_search_models as models

_SHAPES_KEPT_SECONDS = 600.0


class Directory:
    """Finds OCIDs by name, and lists shapes. A list of shapes is used for all jobs of a compartment for a while."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock
        self._shapes: dict[tuple[Principal, str], tuple[float, tuple[str, ...]]] = {}

    async def find(
        self, principal: Principal, compartment_id: str, name: WantedName
    ) -> str | Refusal:
        """Return the OCID of the one resource with this name; a refusal if there is none, or more than one."""
        found = await self._found(principal, compartment_id, name)
        if isinstance(found, Refusal):
            return found
        what = f"{_WORDS[name.kind]} {name.name}"
        if not found:
            return Refusal(
                kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
                message=f"there is no {what}, or the identity may not see it",
            )
        if len(found) > 1:
            return Refusal(
                kind=RefusalKind.INVALID,
                message=f"there are {len(found)} with the name {what}: give the OCID instead",
            )
        return str(found[0])

    async def _found(
        self, principal: Principal, compartment_id: str, name: WantedName
    ) -> list[str] | Refusal:
        match name.kind:
            case NameKind.LOG_GROUP:
                request = _request(principal, Service.LOGGING, "ListLogGroups")
                return await self._calls.call(
                    request,
                    lambda client: [
                        group.id
                        for group in client.list_log_groups(
                            compartment_id, display_name=name.name
                        ).data
                        if group.display_name == name.name
                    ],
                )
            case NameKind.LOG:
                request = _request(principal, Service.LOGGING, "ListLogs")
                return await self._calls.call(
                    request,
                    lambda client: [
                        log.id
                        for log in client.list_logs(name.within, display_name=name.name).data
                        if log.display_name == name.name
                    ],
                )
            case NameKind.MOUNT_TARGET:
                return await self._mount_targets(principal, name.name)
            case NameKind.EXPORT:
                return await self._exports(principal, name.name)
            case NameKind.POOL:
                return await self._pools(principal, compartment_id, name.name)

    async def _mount_targets(self, principal: Principal, address: str) -> list[str] | Refusal:
        """Find mount targets by address: the search names the private IP with this address (as in oracle-ads)."""
        found = await self._search(principal, address)
        if isinstance(found, Refusal) or not found:
            return [] if not isinstance(found, Refusal) else found
        newest = max(found, key=lambda item: item.time_created)
        targets = await self._search(principal, newest.identifier)
        if isinstance(targets, Refusal):
            return targets
        return [t.identifier for t in targets if t.resource_type == NameKind.MOUNT_TARGET.value]

    async def _exports(self, principal: Principal, path: str) -> list[str] | Refusal:
        """Find exports by path: the search is for text, so only exact matches count."""
        found = await self._search(principal, path)
        if isinstance(found, Refusal):
            return found
        exports = [item for item in found if item.resource_type == NameKind.EXPORT.value]
        exact = [e for e in exports if path in {e.display_name, *_texts(e.additional_details)}]
        return [export.identifier for export in exact or exports]

    async def _pools(
        self, principal: Principal, compartment_id: str, name: str
    ) -> list[str] | Refusal:
        """Find pools by display name. The list accepts no other filter, so it also has deleted pools."""

        def send(client: Any) -> list[str]:
            pools = _all_pages(
                lambda page: client.list_pools(compartment_id, display_name=name, **page),
                lambda collection: collection.items,
            )
            return [
                pool.id
                for pool in pools
                if pool.display_name == name and pool.lifecycle_state not in _GONE
            ]

        return await self._calls.call(_request(principal, Service.DATA_FLOW, "ListPools"), send)

    async def _search(self, principal: Principal, text: str) -> list[Any] | Refusal:
        details = models.FreeTextSearchDetails(
            text=text, matching_context_type=models.FreeTextSearchDetails.MATCHING_CONTEXT_TYPE_NONE
        )
        request = _request(principal, Service.RESOURCE_SEARCH, "SearchResources")
        return await self._calls.call(
            request,
            lambda client: [
                item
                for item in client.search_resources(details).data.items
                if item.lifecycle_state != "DELETED"
            ],
        )

    async def shapes(self, principal: Principal, compartment_id: str) -> tuple[str, ...] | Refusal:
        """Return the names of the compute shapes that jobs may have in the compartment (ListJobShapes)."""
        key, now = (principal, compartment_id), self._clock.monotonic()
        kept = self._shapes.get(key)
        if kept is not None and now < kept[0] + _SHAPES_KEPT_SECONDS:
            return kept[1]

        def send(client: Any) -> tuple[str, ...]:
            shapes = _all_pages(
                lambda page: client.list_job_shapes(compartment_id, **page), lambda data: data
            )
            return tuple(sorted(shape.name for shape in shapes))

        request = _request(principal, Service.DATA_SCIENCE, "ListJobShapes")
        shapes = await self._calls.call(request, send)
        if not isinstance(shapes, Refusal):
            self._shapes[key] = (now, shapes)
        return shapes


_WORDS = {
    NameKind.LOG_GROUP: "log group",
    NameKind.LOG: "log",
    NameKind.MOUNT_TARGET: "mount target with the address",
    NameKind.EXPORT: "export with the path",
    NameKind.POOL: "pool",
}

_GONE = frozenset({"DELETED", "DELETING", "FAILED"})
"""States of pools that do not exist any more."""


def _all_pages(
    fetch: Callable[[dict[str, str]], Any], items: Callable[[Any], Iterable[Any]]
) -> list[Any]:
    """Return the items of all pages of a list. The pages are requested one after the other, as one call."""
    found: list[Any] = []
    page: dict[str, str] = {}
    while True:
        answer = fetch(page)
        found.extend(items(answer.data))
        if not answer.has_next_page:
            return found
        page = {"page": answer.next_page}


def _texts(details: Any) -> list[str]:
    return [value for value in (details or {}).values() if isinstance(value, str)]


def _request(principal: Principal, service: Service, operation: str) -> OciRequest:
    return OciRequest(principal=principal, service=service, operation=operation)
