"""The control API as HTTP: who may call it, what is asked of whom, and how it is answered."""

import json
import logging
from collections.abc import Awaitable, Iterable
from typing import Any

from aiohttp import web

from oci_emulator.calls.errors import ServiceError, invalid, no_such_path, unparsable
from oci_emulator.control.call import ControlCall, Handler, Route
from oci_emulator.formats.jsontypes import compact
from oci_emulator.schema.routing import Router, UnreadablePath, parameters

PREFIX = "/_emulator/"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

_logger = logging.getLogger(__name__)


class ControlApi:
    """Answers requests below ``/_emulator/``."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._router: Router[tuple[Handler, list[str]]] = Router()
        for method, template, handler in routes:
            path = f"{PREFIX}{template}"
            self._router.add(method, path, (handler, list(parameters(path))))

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            _check_origin(request)
            status, body = 200, await self._answer(request)
        except ServiceError as error:
            status, body = error.status, error.body
        except Exception:
            _logger.exception("%s %s failed", request.method, request.raw_path)
            status, body = 500, {"code": "InternalServerError", "message": "See the log."}
        return web.Response(
            status=status, body=compact(body).encode(), content_type="application/json"
        )

    async def _answer(self, request: web.BaseRequest) -> Any:
        path = request.raw_path.partition("?")[0]
        try:
            found = self._router.find(request.method, path)
        except UnreadablePath as error:
            raise unparsable(str(error)) from None
        if found is None:
            raise no_such_path(f"The control API has no {request.method} {path}.")
        (handler, names), values = found
        content = await request.content.read()
        try:
            body = json.loads(content) if content else {}
        except ValueError as error:
            raise unparsable(f"The body is no JSON: {error}") from None
        if not isinstance(body, dict):
            raise unparsable("The body must be a JSON object.")
        call = ControlCall(
            path=dict(zip(names, values, strict=True)), query=dict(request.query), body=body
        )
        try:
            answer = handler(call)
            return await answer if isinstance(answer, Awaitable) else answer
        except ValueError as error:
            raise invalid(str(error)) from None


def _check_origin(request: web.BaseRequest) -> None:
    """Refuse what a web page might send through a browser: the API is unsigned.

    Raises:
        ServiceError: 403.
    """
    host = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
    if (host or request.host) not in _LOOPBACK or "origin" in request.headers:
        raise ServiceError(403, "Forbidden", "The control API is for clients on this machine.")
