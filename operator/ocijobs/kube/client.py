"""Requests to the API server, as JSON documents.

The generated client and its models are not used: they have no custom resources, and the operator compares, stores and
writes documents.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp

from ocijobs.kube.apply_body import APPLY_PATCH, apply_body
from ocijobs.kube.login import Login
from ocijobs.kube.session import open_session

RequestListener = Callable[[str, str, int, float], None]
"""Called after each request with verb, resource, status code (0 without an answer) and seconds."""

_JSON = "application/json"
_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_TOO_LARGE_FOR_ETCD = "etcdserver: request is too large"
"""Source: ErrRequestTooLarge in go.etcd.io/etcd/api/v3/v3rpc/rpctypes/error.go."""

OBJECTS_A_PAGE = 500
"""Objects that a page of a list is asked for."""

TIMEOUT_SECONDS = 10.0
"""Seconds; shorter than the leader's lease, so that no write of a former leader is under way when another leads."""

_TEXT_CHARACTERS = 500
"""How many characters of an answer that is not a document are logged."""


class ApiError(Exception):
    """A request failed.

    Attributes:
        status: HTTP status code; 0 if there was no answer.
        reason: machine-readable reason of metav1.Status, such as NotFound.
        message: what the API server says, in words.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message

    @property
    def not_found(self) -> bool:
        """Whether the object does not exist."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def conflict(self) -> bool:
        """Whether the object has changed since the request was decided on, or exists already.

        A JSON patch whose test fails is answered 422 as well; see https://www.rfc-editor.org/rfc/rfc5789#section-2.2.
        """
        return self.status == HTTPStatus.CONFLICT

    @property
    def forbidden(self) -> bool:
        """Whether the API server does not allow the request now: a permission, a quota, an admission policy."""
        return self.status == HTTPStatus.FORBIDDEN

    @property
    def refused(self) -> bool:
        """Whether the API server refuses the document: its form, its size or its content, or by a policy."""
        return self.status in _REFUSED or self.too_large

    @property
    def too_large(self) -> bool:
        """Whether the object would be larger than etcd allows: etcd's answer arrives unchanged, with status 500."""
        return (
            self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            or _TOO_LARGE_FOR_ETCD in self.message
        )

    @property
    def invalid(self) -> bool:
        """Whether the API server refuses the document itself, so that a repetition is refused as well."""
        return self.status == HTTPStatus.UNPROCESSABLE_ENTITY


class KubeClient:
    """Connections to one API server, closed at the end of the context. Only the event loop that made it may use it.

    Args:
        login: as whom.
        connections: how many may be open at a time.
        observe: told of each request.
        timeout_seconds: how long an answer may take.
    """

    def __init__(
        self,
        login: Login,
        *,
        connections: int,
        observe: RequestListener | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._server = login.server
        self._session = open_session(login, connections=connections)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._observe = observe or (lambda *_: None)
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """How many requests are under way."""
        return self._under_way

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def request(
        self,
        verb: str,
        path: str,
        *,
        resource: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = _JSON,
    ) -> dict[str, Any]:
        """Send a request and return the answered document.

        Args:
            verb: HTTP method.
            path: path of the resource, without the server.
            resource: what metrics call it, such as `ocijobruns/status`.
            body: document, or None.
            query: parameters of the query.
            content_type: of the body.

        Raises:
            ApiError: if there was no answer, or one that is not 2xx.
        """
        started = time.monotonic()
        status = 0
        self._under_way += 1
        try:
            async with self._session.request(
                verb,
                f"{self._server}{path}",
                params=query,
                data=_sent(body, content_type),
                headers={"Content-Type": content_type, "Accept": _JSON},
                timeout=self._timeout,
                # A redirect would be followed without the login.
                allow_redirects=False,
            ) as response:
                status = response.status
                text = await response.text("utf-8")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, "Unreachable", f"{type(error).__name__}: {error}") from error
        finally:
            self._under_way -= 1
            self._observe(verb, resource, status, time.monotonic() - started)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise _api_error(status, text)
        try:
            document: dict[str, Any] = json.loads(text)
        except ValueError as error:
            # A proxy says something of its own.
            raise ApiError(status, "Unreadable", text[:_TEXT_CHARACTERS]) from error
        return document


def _sent(body: Any, content_type: str) -> bytes | None:
    if body is None:
        return None
    return apply_body(body) if content_type == APPLY_PATCH else json.dumps(body).encode()


def _api_error(status: int, text: str) -> ApiError:
    try:
        document = json.loads(text)
    except ValueError:
        return ApiError(status, "Unknown", text[:_TEXT_CHARACTERS])
    return ApiError(
        status, str(document.get("reason", "Unknown")), str(document.get("message", ""))
    )
