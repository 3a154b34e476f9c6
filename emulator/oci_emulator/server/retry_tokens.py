"""Retry tokens: a request that comes again is answered again, and not carried out again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oci_emulator.calls.call import Answer
from oci_emulator.calls.errors import conflict, invalid
from oci_emulator.calls.principal import Principal
from oci_emulator.conduct.rules import RuleBook
from oci_emulator.formats.jsontypes import compact, digest
from oci_emulator.schema.catalogue import Operation
from oci_emulator.state.database import Database

_DEFINITIONS = (
    """
    CREATE TABLE IF NOT EXISTS retry_token (
        scope TEXT PRIMARY KEY, request TEXT, status INTEGER, body TEXT, headers TEXT,
        resource TEXT, expires REAL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS retry_token_by_expiry ON retry_token (expires)",
)
_PURGE_EVERY = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request with a retry token: where it is remembered, and what identifies its content."""

    scope: str
    request: str


class RetryTokens:
    """Remembers what was answered to requests with a token."""

    def __init__(self, database: Database, book: RuleBook) -> None:
        self._database = database
        self._book = book
        self._under_way: set[str] = set()
        self._remembered = 0
        database.define(*_DEFINITIONS)

    def ticket(
        self,
        operation: Operation,
        principal: Principal,
        token: str,
        path: Mapping[str, str],
        content: Any,
    ) -> Ticket:
        """The ticket of a request.

        ``content``: what must be equal for two requests to be the same.

        Raises:
            ServiceError: 400, the token is too long.
        """
        rules = self._book.rules
        if not 1 <= len(token) <= rules.retry_token_maximum_length:
            raise invalid(
                f"opc-retry-token: must have 1 to {rules.retry_token_maximum_length} characters"
            )
        parts = {
            "principal-and-operation": [principal.id, operation.service, operation.name, token],
            "principal": [principal.id, token],
            "tenancy": [token],
        }
        request = [operation.service, operation.name, dict(path), content]
        return Ticket(scope=digest(parts[rules.retry_token_scope]), request=digest(request))

    def earlier(self, ticket: Ticket, now: float) -> Answer | None:
        """The answer to the same request, if it came before.

        Raises:
            ServiceError: 409, the token came before with another request, or that one is still
                being carried out.
        """
        rows = self._database.read(
            "SELECT request, status, body, headers, resource, expires FROM retry_token"
            " WHERE scope = ?",
            (ticket.scope,),
        )
        if ticket.scope in self._under_way:
            raise conflict("Conflict", "A request with this retry token is being carried out.")
        if not rows or rows[0][5] < now:
            return None
        request, status, body, headers, resource, _ = rows[0]
        if request != ticket.request:
            raise invalidated("The retry token was used before with a different request.")
        return Answer(
            status=status, body=json.loads(body), headers=json.loads(headers), resource=resource
        )

    def begin(self, ticket: Ticket) -> None:
        """Note that the request is being carried out."""
        self._under_way.add(ticket.scope)

    def end(self, ticket: Ticket) -> None:
        """Note that the request is carried out or has failed."""
        self._under_way.discard(ticket.scope)

    def remember(self, ticket: Ticket, answer: Answer, now: float) -> None:
        """Keep an answer for the time that tokens live."""
        self._remembered += 1
        if self._remembered % _PURGE_EVERY == 0:
            self._database.write("DELETE FROM retry_token WHERE expires < ?", (now,))
        self._database.write(
            "INSERT OR REPLACE INTO retry_token VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                ticket.scope,
                ticket.request,
                answer.status,
                compact(answer.body),
                compact(answer.headers),
                answer.resource,
                now + self._book.rules.retry_token_hours * 3600,
            ),
        )


def invalidated(message: str) -> Exception:
    """409 InvalidatedRetryToken."""
    return conflict("InvalidatedRetryToken", message)
