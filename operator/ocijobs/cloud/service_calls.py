"""Calls to one service of OCI: reads, writes, and lists to their end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.calls import Calls, OciRequest
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.rate import Lane

T = TypeVar("T")

OLDEST_FIRST = {"sort_by": "timeCreated", "sort_order": "ASC"}
"""Order of pages. With it, resources that are created while pages are read come on the last page."""


def is_unclear(answer: object) -> bool:
    """Whether it is OCI's 404: the resource does not exist, or a permission is missing."""
    return isinstance(answer, Refusal) and answer.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND


def first(found: tuple[T, ...] | Refusal, fits: Callable[[T], bool]) -> T | Refusal | None:
    """Return the first item of a list that matches; None if none does, or the refusal if the list is not complete."""
    if isinstance(found, Refusal):
        return found
    return next((item for item in found if fits(item)), None)


class ServiceCalls:
    """The calls of one service. `send` and `fetch` get the SDK's client, in another thread."""

    def __init__(self, calls: Calls, service: Service) -> None:
        self._calls, self._service = calls, service

    async def read(
        self,
        principal: Principal,
        operation: str,
        send: Callable[[Any], T],
        *,
        lane: Lane = Lane.WORK,
    ) -> T | Refusal:
        """Return the answer to a call that changes nothing."""
        request = OciRequest(
            principal=principal, service=self._service, operation=operation, lane=lane
        )
        return await self._calls.call(request, send)

    async def write(
        self, principal: Principal, operation: str, send: Callable[[Any], T]
    ) -> T | Refusal:
        """Return the answer to a call that changes something."""
        request = OciRequest(
            principal=principal, service=self._service, operation=operation, write=True
        )
        return await self._calls.call(request, send)

    async def done(
        self, principal: Principal, operation: str, send: Callable[[Any], Any]
    ) -> Refusal | None:
        """Make a call that changes something; None if OCI accepted it."""
        answer = await self.write(principal, operation, send)
        return answer if isinstance(answer, Refusal) else None

    async def ended(
        self, principal: Principal, operation: str, send: Callable[[Any], Any]
    ) -> Refusal | None:
        """Make a call that cancels or deletes; None if OCI accepted it. Credentials without a Secret may make it."""
        request = OciRequest(
            principal=principal, service=self._service, operation=operation, write=True, ends=True
        )
        answer = await self._calls.call(request, send)
        return answer if isinstance(answer, Refusal) else None

    async def pages(
        self,
        principal: Principal,
        operation: str,
        fetch: Callable[[Any, dict[str, str]], Any],
        read: Callable[[Any], T],
        *,
        lane: Lane = Lane.WORK,
    ) -> tuple[T, ...] | Refusal:
        """Return the items of all pages, or the refusal of one page: an incomplete list is never returned.

        Args:
            principal: as whom.
            operation: name of the operation.
            fetch: requests a page; it is called with the client, and the options that name the page.
            read: converts the SDK's model into an item.
            lane: whether the calls go first.
        """
        items: list[T] = []
        page: dict[str, str] = {}
        while True:
            answer = await self.read(
                principal, operation, partial(_page, fetch, read, page), lane=lane
            )
            if isinstance(answer, Refusal):
                return answer
            found, following = answer
            items.extend(found)
            if not following:
                return tuple(items)
            page = {"page": following}


def _page(
    fetch: Callable[[Any, dict[str, str]], Any],
    read: Callable[[Any], T],
    page: dict[str, str],
    client: Any,
) -> tuple[list[T], str | None]:
    """Return the items of a page, and the token of the next one."""
    answer = fetch(client, page)
    return [read(item) for item in answer.data], answer.next_page
