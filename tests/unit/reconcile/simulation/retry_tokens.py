"""opc-retry-token: the same call with the same token gives the same resource, for 24 hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Generic, TypeVar

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.testing import ManualClock

TOKEN_LIFETIME = timedelta(hours=24)

TOKEN_SPENT = Refusal(kind=RefusalKind.TOKEN_SPENT, message="409 InvalidatedRetryToken")

RequestT = TypeVar("RequestT")
ResourceT = TypeVar("ResourceT")


class RetryTokens(Generic[RequestT, ResourceT]):
    """The tokens of one operation, with what was made for them."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[datetime, RequestT, ResourceT]] = {}

    def known(self, token: str, request: RequestT) -> ResourceT | Refusal | None:
        """Return what was made for the token; a refusal for another request, None for a new or an old token."""
        kept = self._kept.get(token)
        if kept is None or self.forgotten(token):
            return None
        return kept[2] if kept[1] == request else TOKEN_SPENT

    def forgotten(self, token: str) -> bool:
        """Whether something was made for the token so long ago that the token would make it anew."""
        kept = self._kept.get(token)
        return kept is not None and self._clock.now() - kept[0] >= TOKEN_LIFETIME

    def keep(
        self, token: str, request: RequestT, made: ResourceT, *, at: datetime | None = None
    ) -> None:
        """Remember what was made for the token, now or at a time before."""
        self._kept[token] = (at or self._clock.now(), request, made)
