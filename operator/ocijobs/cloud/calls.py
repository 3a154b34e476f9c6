"""The one place through which OCI is called: paced, fenced, timed, counted, and never retried behind our back.

The SDK's own retries and circuit breaker are off: they would hold a worker for minutes, and open for all callers
because one of them was told 409. Reads are tried a few times here; writes go back to whoever decided on them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tenacity import (
    AsyncRetrying,
    retry_if_result,
    stop_after_attempt,
    wait_random_exponential,
)

from ocijobs.cloud.clients import Clients, Principal, Service
from ocijobs.cloud.credentials import CredentialStore, IdentityKey
from ocijobs.cloud.rate import Lane, RateLimit
from ocijobs.cloud.refusals import failures, refusal_of, retry_after_seconds, status_code
from ocijobs.reconcile.remote import Refusal, RefusalKind
from ocijobs.settings import Settings

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

_PASSING = frozenset({RefusalKind.UNAVAILABLE, RefusalKind.THROTTLED})


class CallObserver(Protocol):
    """Told of each call to OCI."""

    def __call__(self, service: str, operation: str, code: int, seconds: float) -> None:
        """Note a call: `code` is the HTTP status, 0 where there was no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call to be made.

    Attributes:
        principal: as whom, and where.
        service: which of OCI's services.
        operation: name of the operation, for logs and metrics, such as `CreateJobRun`.
        write: whether it changes something, so that only the leader may make it.
        ends: whether all that it changes is that something ends: credentials without a Secret may make it.
        lane: whether it goes first.
    """

    principal: Principal
    service: Service
    operation: str
    write: bool = False
    ends: bool = False
    lane: Lane = Lane.WORK


class Calls:
    """Makes calls to OCI in a bounded pool of threads.

    `refused` is told whose signature OCI did not accept.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: CredentialStore,
        *,
        threads: Executor,
        fence: Callable[[], None],
        observe: CallObserver,
        refused: Callable[[IdentityKey], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._threads = threads
        self._fence = fence
        self._observe = observe
        self._refused = refused
        self._clients = Clients(settings)
        self._rates: dict[tuple[object, Service], RateLimit] = {}
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """How many calls are under way, or wait for a thread or for the rate."""
        return self._under_way

    async def call(self, request: Request, send: Callable[[Any], T]) -> T | Refusal:
        """Make the call and return what it brings, or why it was refused. Reads are repeated a few times.

        Args:
            request: what is called.
            send: makes the call with the SDK's client of the service; runs in another thread.
        """
        attempts = 1 if request.write else self._settings.oci_call_attempts
        retrying = AsyncRetrying(
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            retry=retry_if_result(
                lambda answer: isinstance(answer, Refusal) and answer.kind in _PASSING
            ),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        self._under_way += 1
        try:
            answer: T | Refusal = await retrying(self._once, request, send)
        finally:
            self._under_way -= 1
        return answer

    async def _once(self, request: Request, send: Callable[[Any], T]) -> T | Refusal:
        starts = request.write and not request.ends
        credentials = self._credentials.get(request.principal.identity, starts=starts)
        if credentials is None:
            return Refusal(
                kind=RefusalKind.CREDENTIALS, message="there are no credentials in memory for this"
            )
        rate = self._rate(request)
        await rate.acquire(request.lane)
        loop = asyncio.get_running_loop()

        def work() -> T:
            if request.write:
                self._fence()
            return send(self._clients.get(request.principal, credentials, request.service))

        started = time.monotonic()
        code = 200
        try:
            answer = await loop.run_in_executor(self._threads, work)
        except failures() as error:
            code = status_code(error)
            refusal = refusal_of(error)
            if refusal.kind is RefusalKind.THROTTLED:
                rate.throttled(retry_after_seconds(error))
            if refusal.kind is RefusalKind.CREDENTIALS:
                self._refused(request.principal.identity)
            _LOG.info(
                "%s refused: %s (request %s)",
                request.operation,
                refusal.message,
                getattr(error, "request_id", None),
            )
            return refusal
        else:
            rate.succeeded()
            return answer
        finally:
            seconds = time.monotonic() - started
            self._observe(request.service.value, request.operation, code, seconds)

    def _rate(self, request: Request) -> RateLimit:
        key = (request.principal.identity, request.service)
        if key not in self._rates:
            self._rates[key] = RateLimit(self._settings.oci_rate_max)
        return self._rates[key]
