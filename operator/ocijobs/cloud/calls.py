"""The one place that calls OCI: paced, fenced, timed and counted, without hidden retries.

The SDK's own retries and circuit breaker are off: retries would keep a worker for minutes, and the breaker would open
for all callers after a 409 for one. Reads are tried a few times here. The failure of a write goes back to the decision.

A call that waits here occupies no thread and no worker, so nothing that others need. Only the shared poll waits for
long: another call whose principal has to wait is refused as throttled, with the time until which.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from tenacity import (
    AsyncRetrying,
    retry_if_result,
    stop_after_attempt,
    wait_random_exponential,
)

from ocijobs.backends.records import Refusal, RefusalKind, internal_refusal
from ocijobs.clock import Clock
from ocijobs.cloud.admission import Place
from ocijobs.cloud.clients import Clients, Principal, Service
from ocijobs.cloud.credentials import ApiKey, CredentialStore, IdentityKey
from ocijobs.cloud.rate import Lane, RateLimit
from ocijobs.cloud.refusals import failures, refusal_of, retry_after_seconds, status_code
from ocijobs.cloud.shares import Shares
from ocijobs.log_fields import log_fields
from ocijobs.settings import Settings

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

_PASSING = frozenset({RefusalKind.UNAVAILABLE, RefusalKind.THROTTLED})

_PATIENCE_SECONDS = 5.0
"""Seconds that a call waits for the rate if its action makes several: the first call has waited for its turn."""


class CallListener(Protocol):
    """Called after each call to OCI."""

    def __call__(self, service: str, operation: str, code: int, seconds: float) -> None:
        """Note a call. `code` is the HTTP status, 0 if there was no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OciRequest:
    """A call to be made.

    Attributes:
        principal: as whom, and where.
        service: which of OCI's services.
        operation: name of the operation, for logs and metrics, such as `CreateJobRun`.
        write: whether it changes something, so that only the leader may make it.
        ends: whether it only ends something: then credentials without a Secret may make it.
        lane: which calls go first.
    """

    principal: Principal
    service: Service
    operation: str
    write: bool = False
    ends: bool = False
    lane: Lane = Lane.WORK


class Calls:
    """Makes calls to OCI in a bounded pool of threads.

    `refused` is called with the identity whose signature OCI did not accept.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: CredentialStore,
        *,
        threads: Executor,
        fence: Callable[[], None],
        fenced: type[Exception],
        observe: CallListener,
        clock: Clock,
        count_error: Callable[[str, str], None],
        refused: Callable[[IdentityKey], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._threads = threads
        self._fence, self._fenced = fence, fenced
        self._observe = observe
        self._clock = clock
        self._count_error = count_error
        self._refused = refused
        self._clients = Clients(settings)
        self._rates: dict[Place, RateLimit] = {}
        most, each = settings.oci_threads, settings.oci_calls_per_identity
        self._shares = {lane: Shares(most, each) for lane in Lane}
        self._waiting = 0

    @property
    def under_way(self) -> int:
        """How many calls are under way, or wait for a thread."""
        return sum(shares.taken for shares in self._shares.values())

    @property
    def waiting(self) -> int:
        """How many calls wait: for the rate, or to be repeated."""
        return self._waiting

    def pace(self, place: Place) -> RateLimit:
        """Return how fast a principal's service is called."""
        if place not in self._rates:
            self._rates[place] = RateLimit(self._settings.oci_rate_max, self._clock)
        return self._rates[place]

    async def call(self, request: OciRequest, send: Callable[[Any], T]) -> T | Refusal:
        """Make the call and return what it brings, or why it was refused. Reads are repeated a few times.

        Args:
            request: what is called.
            send: makes the call with the SDK's client of the service; runs in another thread.
        """
        attempts = 1 if request.write else self._settings.oci_call_attempts
        retrying = AsyncRetrying(
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            sleep=self._pause,
            retry=retry_if_result(
                lambda answer: isinstance(answer, Refusal) and answer.kind in _PASSING
            ),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        answer: T | Refusal = await retrying(self._once, request, send)
        return answer

    async def _pause(self, seconds: float) -> None:
        with self._waits():
            await self._clock.sleep(seconds)

    async def _once(self, request: OciRequest, send: Callable[[Any], T]) -> T | Refusal:
        starts = request.write and not request.ends
        credentials = self._credentials.get(request.principal.identity, starts=starts)
        if credentials is None:
            return Refusal(
                kind=RefusalKind.CREDENTIALS, message="there are no credentials in memory for this"
            )
        rate = self.pace(Place(request.principal.identity, request.service))
        patience = None if request.lane is Lane.POLL else _PATIENCE_SECONDS
        with self._waits():
            seconds = await rate.acquire(request.lane, within=patience)
        if seconds is not None:
            return self._too_early(seconds)
        async with self._shares[request.lane].one(request.principal.identity):
            return await self._send(request, credentials, send, rate)

    def _too_early(self, seconds: float) -> Refusal:
        """Return the refusal of a call that was not made, since OCI asked the principal to wait."""
        return Refusal(
            kind=RefusalKind.THROTTLED,
            message="OCI answers 429 (too many requests) to calls of this identity",
            until=self._clock.now() + timedelta(seconds=seconds),
        )

    async def _send(
        self,
        request: OciRequest,
        credentials: ApiKey,
        send: Callable[[Any], T],
        rate: RateLimit,
    ) -> T | Refusal:
        def work() -> T:
            if request.write:
                self._fence()
            return send(self._clients.get(request.principal, credentials, request.service))

        started = time.monotonic()
        code = 200
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except failures() as error:
            code = status_code(error)
            refusal = refusal_of(error)
            if refusal.kind is RefusalKind.THROTTLED:
                refusal = self._throttled(error, refusal, rate)
            if refusal.kind is RefusalKind.CREDENTIALS:
                self._refused(request.principal.identity)
            _LOG.info(
                "%s refused: %s",
                request.operation,
                refusal.message,
                extra=log_fields(
                    principal=str(request.principal),
                    operation=request.operation,
                    status=code,
                    request=getattr(error, "request_id", None),
                ),
            )
            return refusal
        except self._fenced:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, what waits for the answer goes on
            return self._unforeseen(request, error)
        else:
            rate.succeeded()
            return answer
        finally:
            seconds = time.monotonic() - started
            self._observe(request.service.value, request.operation, code, seconds)

    def _unforeseen(self, request: OciRequest, error: Exception) -> Refusal:
        """Log an error of our own, before or after the call, and return it as a refusal."""
        name = type(error).__name__
        _LOG.error(
            "%s: a defect of the operator",
            request.operation,
            exc_info=error,
            extra=log_fields(
                principal=str(request.principal), operation=request.operation, error=name
            ),
        )
        self._count_error(request.operation, name)
        return internal_refusal(request.operation, name)

    def _throttled(self, error: Exception, refusal: Refusal, rate: RateLimit) -> Refusal:
        """Slow down, and return the refusal with the time from which calls may be made again."""
        rate.throttled(retry_after_seconds(error))
        until = self._clock.now() + timedelta(seconds=rate.opens_in())
        return replace(refusal, until=until)

    @contextmanager
    def _waits(self) -> Iterator[None]:
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
