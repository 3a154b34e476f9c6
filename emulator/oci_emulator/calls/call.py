"""What a service gets and gives: calls, answers and endpoints."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from oci_emulator.calls.errors import ServiceError, etag_mismatch
from oci_emulator.calls.principal import Principal
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.schema.catalogue import Operation
from oci_emulator.state.resources import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A part of a file as the body of an answer."""

    path: Path
    start: int
    length: int


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a service answers.

    Attributes:
        body: JSON, or bytes that are sent as they are; None for an empty body.
        resource: the OCID of what it is about, for the journal and for replays.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content: FileContent | None = None
    resource: str = ""


def shown(resource: Resource, *, status: int = 200) -> Answer:
    """A resource as the answer, with its etag."""
    return Answer(
        status=status,
        body=resource.body,
        headers={"etag": resource.etag},
        resource=resource.id,
    )


class Gate(Protocol):
    """Decides whether a principal may do something."""

    def require(
        self,
        principal: Principal,
        *,
        verb: str,
        family: str,
        compartment: str,
        variables: Mapping[str, str],
    ) -> None:
        """Return if it may.

        Raises:
            ServiceError: 404, it may not.
        """


@dataclass(slots=True, kw_only=True)
class Call:
    """One authenticated request for one operation.

    Attributes:
        path: the values of the path's parameters.
        query: the query's parameters, in their types.
        body: the checked body; empty for operations without one.
        stream: the content of a streamed body.
        now: the emulator's time at which the call is carried out.
        authorized: something was required of the principal, and granted.
    """

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: JsonObject
    stream: AsyncIterator[bytes]
    principal: Principal
    gate: Gate
    endpoint: "Endpoint"
    now: float
    authorized: bool = False

    def require(
        self,
        compartment: str,
        *,
        verb: str = "",
        family: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Require that the principal may do this in the compartment.

        ``verb``: inspect, read, use or manage; the endpoint's own if none is given.
        ``family``: the resource type; the endpoint's own if none is given.
        ``variables``: what conditions of a policy may ask for, such as ``target.bucket.name``.

        Raises:
            ServiceError: 404, it may not, or there is no such compartment.
        """
        self.gate.require(
            self.principal,
            verb=verb or self.endpoint.verb,
            family=family or self.endpoint.family,
            compartment=compartment,
            variables={"request.operation": self.operation.name, **(variables or {})},
        )
        self.authorized = True

    def permits(self, compartment: str, *, family: str) -> bool:
        """Whether the principal may do this there; a search leaves out what it may not find."""
        try:
            self.require(compartment, family=family)
        except ServiceError:
            return False
        return True

    def match(self, resource: Resource) -> None:
        """Compare ``if-match`` with the resource's etag, if the request has one.

        Raises:
            ServiceError: 412, the resource has changed.
        """
        expected = self.headers.get("if-match")
        if expected is not None and expected not in {"*", resource.etag}:
            raise etag_mismatch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How one operation is carried out.

    Attributes:
        handle: carries it out; if it is a coroutine function, it does its own transactions.
        verb: what a principal needs for it: inspect, read, use or manage.
        family: of which resource type.
        again: answers a replayed retry token with the resource as it is now.
    """

    handle: Callable[[Call], Answer | Awaitable[Answer]]
    verb: str
    family: str
    again: Callable[[str], Answer] | None = None
