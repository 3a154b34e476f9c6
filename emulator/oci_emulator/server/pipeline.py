"""The way of a request: found, authenticated, checked, carried out, written down, answered."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from oci_emulator.calls.call import Answer, Call, Endpoint, Gate
from oci_emulator.calls.errors import ServiceError, no_such_path, unparsable
from oci_emulator.calls.principal import Principal
from oci_emulator.conduct.rules import RuleBook
from oci_emulator.formats.jsontypes import compact
from oci_emulator.principals.directory import Directory
from oci_emulator.schema import catalogue
from oci_emulator.schema.catalogue import Operation, Service
from oci_emulator.schema.routing import Router, UnreadablePath, parameters
from oci_emulator.server import bodies, hosts, signature
from oci_emulator.server.dispatch import Dispatch, nothing, request_id
from oci_emulator.server.faults import Fault, Faults
from oci_emulator.server.journal import Entry, Journal
from oci_emulator.server.replies import abort, payload_of, reply
from oci_emulator.server.signature import Signed
from oci_emulator.server.throttle import Throttle
from oci_emulator.state.database import Database
from oci_emulator.time.clock import Clock

_COMMIT_DELAY = 0.05
"""Real seconds until the journal of requests that changed nothing is committed."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An operation and how it is carried out, if it is."""

    service: Service
    operation: Operation
    endpoint: Endpoint | None
    parameters: tuple[str, ...]


class _ConnectionCut(Exception):  # noqa: N818  # no error: an injected fault
    """The request gets no answer."""


class Pipeline:
    """Carries out requests for services.

    Args:
        endpoints: service -> operation -> endpoint; all other operations are answered 501.
        region: the region whose host names are served.
    """

    def __init__(
        self,
        *,
        endpoints: Mapping[str, Mapping[str, Endpoint]],
        database: Database,
        clock: Clock,
        book: RuleBook,
        directory: Directory,
        gate: Gate,
        journal: Journal,
        faults: Faults,
        dispatch: Dispatch,
        region: str,
    ) -> None:
        self._router = _router(endpoints)
        self._database = database
        self._clock = clock
        self._book = book
        self._directory = directory
        self._gate = gate
        self._journal = journal
        self._faults = faults
        self._dispatch = dispatch
        self._throttle = Throttle(book, clock.of_clients)
        self._region = region
        self._commit_pending: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Leave what is not committed yet to who closes the database."""
        if self._commit_pending is not None:
            self._commit_pending.cancel()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path, _, query = request.raw_path.partition("?")
        entry = Entry(
            time=self._clock.now(),
            method=request.method,
            path=_plain(path),
            query=_plain(query),
            request_id=request_id(request.headers.get("opc-request-id", "")),
            bytes_in=request.content_length or 0,
            retry_token=_plain(request.headers.get("opc-retry-token", "")),
        )
        cut = False
        try:
            answer = await self._answer(request, entry)
        except (_ConnectionCut, ConnectionError):
            # A fault cut it, or the client did while it was still sending.
            answer, cut = Answer(status=0), True
        except ServiceError as error:
            answer = _failure(entry, error)
        except UnicodeEncodeError:
            # A lone surrogate, which JSON and headers can smuggle in, and nothing can write.
            answer = _failure(entry, unparsable("The request holds what is no Unicode text."))
        except Exception:
            _logger.exception("%s %s failed", entry.method, entry.path)
            answer = _failure(
                entry, ServiceError(500, "InternalServerError", "The emulator has failed.")
            )
        cut = cut or entry.fault == "drop"
        payload = payload_of(answer)
        self._write_down(entry, answer, len(payload))
        if cut:
            return abort(request)
        return await reply(request, answer, payload, entry.request_id)

    async def _answer(self, request: web.BaseRequest, entry: Entry) -> Answer:
        route, path = self._find(request, entry)
        entry.service, entry.operation = route.service.name, route.operation.name
        signed, principal = self._authenticate(request, route)
        entry.principal = principal.id
        self._throttle.check(principal.id, entry.service)
        await self._inject(entry, principal)
        if route.endpoint is None:
            raise ServiceError(
                501,
                "NotImplemented",
                f"This emulator doesn't have {route.operation.name} of {route.service.name} yet.",
            )
        rules = self._book.rules
        query_string = request.raw_path.partition("?")[2]
        query = bodies.query_of(route.operation, query_string, rules)
        document, stream = await self._body(request, route, signed)
        if self._journal.bodies and document:
            entry.body = compact(document)
        call = Call(
            operation=route.operation,
            path=path,
            query=query,
            headers=request.headers,
            body=document,
            stream=stream,
            principal=principal,
            gate=self._gate,
            endpoint=route.endpoint,
            now=self._clock.now(),
        )
        answer = await self._dispatch.once(call, entry)
        entry.resource = answer.resource
        answer.body = route.service.present(route.operation, answer.body)
        return answer

    def _find(self, request: web.BaseRequest, entry: Entry) -> tuple[Route, Mapping[str, str]]:
        try:
            found = self._router.find(request.method, request.raw_path.partition("?")[0])
        except UnreadablePath as error:
            raise unparsable(f"The path can't be read: {error}.") from None
        if found is None:
            raise no_such_path(f"No operation is {request.method} {entry.path[:200]}.")
        route, values = found
        host = request.host.partition(":")[0]
        its_host = route.service.host_of(route.operation)
        if hosts.is_ours(host) and not hosts.serves(host, its_host, self._region):
            raise no_such_path(
                f"{host} has no {route.operation.name}; it is an operation of"
                f" {its_host} in {self._region}."
            )
        return route, dict(zip(route.parameters, values, strict=True))

    def _authenticate(self, request: web.BaseRequest, route: Route) -> tuple[Signed, Principal]:
        headers = request.headers
        signed = signature.parse(headers.get("authorization"))
        principal, key = self._directory.authenticate(signed.key_id)
        signature.check_coverage(signed, request.method, headers, streamed=route.operation.streamed)
        signature.check_date(
            signed, headers, now=time.time(), skew=self._book.rules.clock_skew_seconds
        )
        signature.check_signature(signed, key, request.method, request.raw_path, headers)
        return signed, principal

    async def _inject(self, entry: Entry, principal: Principal) -> None:
        """Let a fault strike, if there is one for this request."""
        fault = self._faults.strike(entry.service, entry.operation, principal.id)
        if fault is None:
            return
        entry.fault = fault.action or ("status" if fault.status else "delay")
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.action == "refuse":
            raise _ConnectionCut
        if fault.status is not None and fault.action != "drop":
            raise _injected(fault, fault.status)

    async def _body(
        self, request: web.BaseRequest, route: Route, signed: Signed
    ) -> tuple[dict[str, Any], AsyncIterator[bytes]]:
        if route.operation.streamed:
            if request.content_length is None:
                raise ServiceError(411, "LengthRequired", "The request has no Content-Length.")
            return {}, bodies.content_of(request, signed)
        rules = self._book.rules
        content, document = await bodies.json_of(request, rules.maximum_body_bytes)
        bodies.check_hash(signed, request.headers, content)
        return bodies.checked(route.service, route.operation, document, rules), nothing()

    def _write_down(self, entry: Entry, answer: Answer, size: int) -> None:
        entry.status = answer.status
        entry.bytes_out = size if answer.content is None else answer.content.length
        if entry.method == "HEAD":
            entry.bytes_out = 0
        self._journal.add(entry)
        if entry.method in {"GET", "HEAD"}:
            self._commit_soon()
        else:
            self._database.commit()

    def _commit_soon(self) -> None:
        if self._commit_pending is None:
            loop = asyncio.get_running_loop()
            self._commit_pending = loop.call_later(_COMMIT_DELAY, self._commit)

    def _commit(self) -> None:
        self._commit_pending = None
        self._database.commit()


def _router(endpoints: Mapping[str, Mapping[str, Endpoint]]) -> Router[Route]:
    """Routes for every described operation.

    Raises:
        ValueError: an endpoint has the name of no operation.
    """
    router: Router[Route] = Router()
    for name in catalogue.SERVICES:
        service = catalogue.service(name)
        served = endpoints.get(name, {})
        if strangers := served.keys() - service.operations.keys():
            raise ValueError(f"{name} has no operations {sorted(strangers)}")
        for operation in service.operations.values():
            route = Route(
                service=service,
                operation=operation,
                endpoint=served.get(operation.name),
                parameters=tuple(parameters(operation.path)),
            )
            router.add(operation.method, operation.path, route)
    return router


def _plain(text: str) -> str:
    """Text from the wire as it can be written down."""
    return text.encode("ascii", "backslashreplace").decode()


def _failure(entry: Entry, error: ServiceError) -> Answer:
    entry.code = error.code
    if error.secret:
        _logger.info("%s %s: %s", error.status, entry.operation, error.secret)
    return Answer(status=error.status, body=error.body, headers=error.headers)


def _injected(fault: Fault, status: int) -> ServiceError:
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return ServiceError(status, fault.code, fault.message, headers)
