"""Carrying calls out: once for each retry token, and each as one change of the state."""

import inspect
import secrets
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

from oci_emulator.calls.call import Answer, Call, Endpoint, Gate
from oci_emulator.calls.errors import ServiceError
from oci_emulator.calls.principal import Principal
from oci_emulator.conduct.rules import RuleBook
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.schema import catalogue
from oci_emulator.server.journal import Entry, Journal
from oci_emulator.server.retry_tokens import RetryTokens, Ticket, invalidated
from oci_emulator.state.database import Database


class Dispatch:
    """Carries calls out.

    Args:
        endpoints: service -> operation -> endpoint.
    """

    def __init__(
        self,
        *,
        endpoints: Mapping[str, Mapping[str, Endpoint]],
        database: Database,
        book: RuleBook,
        gate: Gate,
        journal: Journal,
        retry_tokens: RetryTokens,
    ) -> None:
        self._endpoints = endpoints
        self._database = database
        self._book = book
        self._gate = gate
        self._journal = journal
        self._retry_tokens = retry_tokens

    async def once(self, call: Call, entry: Entry) -> Answer:
        """Carry a call out, unless its retry token says that this was done before."""
        token = call.headers.get("opc-retry-token")
        if token is None or not call.operation.takes_retry_token:
            return await self._carry_out(call)
        content = call.body or {
            name: call.headers.get(name) for name in ("content-length", "content-disposition")
        }
        ticket = self._retry_tokens.ticket(
            call.operation, call.principal, token, call.path, content
        )
        earlier = self._retry_tokens.earlier(ticket, call.now)
        if earlier is not None:
            entry.replayed = True
            return self._again(call, earlier)
        self._retry_tokens.begin(ticket)
        try:
            return await self._carry_out(call, ticket)
        finally:
            self._retry_tokens.end(ticket)

    def _again(self, call: Call, earlier: Answer) -> Answer:
        """Answer a replay; whoever lost the permission meanwhile doesn't get it again."""
        rules = self._book.rules
        if isinstance(earlier.body, dict) and "compartmentId" in earlier.body:
            call.require(earlier.body["compartmentId"])
        if call.endpoint.again is None or not earlier.resource:
            return earlier
        try:
            current = call.endpoint.again(earlier.resource)
        except ServiceError:
            current = None
        # "token" in a rule's name is no password.
        deleted = current is None or current.body.get("lifecycleState") == "DELETED"
        if deleted and rules.retry_token_after_delete == "invalidated":  # noqa: S105
            raise invalidated("The resource that this retry token made was deleted.")
        if current is None or rules.retry_token_answer == "original":  # noqa: S105
            return earlier
        return current

    async def _carry_out(self, call: Call, ticket: Ticket | None = None) -> Answer:
        if inspect.iscoroutinefunction(call.endpoint.handle):
            answer = _permitted(call, await call.endpoint.handle(call))
        else:
            answer = self._carry_out_at_once(call)
        if ticket is not None:
            self._retry_tokens.remember(ticket, answer, call.now)
        return answer

    def _carry_out_at_once(self, call: Call) -> Answer:
        with self._database.atomic():
            return _permitted(call, call.endpoint.handle(call))

    def perform(
        self,
        service: str,
        operation: str,
        principal: Principal,
        body: JsonObject,
        now: float,
        *,
        path: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Carry out what no client requested, but a resource does as a principal of its own.

        It is written down like a request.

        Raises:
            ServiceError: what a client would have been answered.
        """
        described = catalogue.service(service).operations[operation]
        entry = Entry(
            time=now,
            method=described.method,
            path=described.path,
            query="",
            service=service,
            operation=operation,
            principal=principal.id,
            request_id=request_id(""),
        )
        endpoint = self._endpoints[service][operation]
        call = Call(
            operation=described,
            path=path,
            query={},
            headers={},
            body=body,
            stream=nothing(),
            principal=principal,
            gate=self._gate,
            endpoint=endpoint,
            now=now,
        )
        try:
            answer = self._carry_out_at_once(call)
        except ServiceError as error:
            entry.status, entry.code = error.status, error.code
            raise
        else:
            entry.status, entry.resource = answer.status, answer.resource
            return answer
        finally:
            self._journal.add(entry)


def _permitted(call: Call, answer: object) -> Answer:
    """The answer, as nothing may be answered before permission was asked for."""
    if not isinstance(answer, Answer) or not call.authorized:
        raise TypeError(f"{call.operation.name} answered without asking for permission")
    return answer


def request_id(given: str) -> str:
    """The client's id, extended by those of the servers on the way, as the services do it."""
    first = given if given.isascii() and given.isprintable() else ""
    return f"{first[:128] or secrets.token_hex(16)}/{secrets.token_hex(16)}/{secrets.token_hex(16)}"


async def nothing() -> AsyncIterator[bytes]:
    """The content of a request that has none."""
    return
    yield b""
