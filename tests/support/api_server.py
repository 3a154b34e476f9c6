"""An API server that fails as a test says: what no real one can be made to do at a moment that a test chooses.

It serves discovery, lists and watches of our kinds and of Kueue's Workloads, and Leases, from memory.
"""

from __future__ import annotations

import asyncio
import copy
import json
import ssl
from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import Any, Self

from aiohttp import web

from ocijobs.api.crd import KINDS
from ocijobs.api.kueue import KUEUE_GROUP, KUEUE_VERSION
from ocijobs.api.shared.names import GROUP, VERSION

OURS = {kind.plural: kind.name for kind in KINDS}
SERVED = {
    (GROUP, VERSION): OURS,
    (KUEUE_GROUP, KUEUE_VERSION): {"workloads": "Workload"},
    ("coordination.k8s.io", "v1"): {"leases": "Lease"},
}

_DISCOVERED = {
    **SERVED,
    # kopf waits until these can be discovered, and asks nothing of them.
    ("api", "v1"): {"namespaces": "Namespace"},
    ("apiextensions.k8s.io", "v1"): {"customresourcedefinitions": "CustomResourceDefinition"},
}


class Fault(Enum):
    """How it fails."""

    UNAUTHORIZED = 401
    FORBIDDEN = 403
    GONE = 410
    TOO_MANY = 429
    ERROR = 500
    UNAVAILABLE = 503
    RESET = "the connection is reset"
    HANG = "nothing is answered"
    PAGE = "a page in HTML, with 200"
    CUT = "an answer that ends in the middle of a line"
    ERROR_IN_STREAM = "a watch that begins well and tells of an error"


class ApiServer:
    """The server, in the event loop of the test.

    Attributes:
        url: where it is; the same after it was closed and opened again.
        token: the bearer token that is wanted, if any.
        user: whose certificate is wanted, if anybody's.
        asked: how often each resource was asked for: lists and watches.
        authorizations: what those who asked have shown.

    Args:
        tls: what it serves HTTPS with, if it does.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.url, self._port, self._tls = "", 0, tls
        self.token: str | None = None
        self.user: str | None = None
        self.asked: Counter[str] = Counter()
        self.authorizations: list[str | None] = []
        self._version = 1
        self._objects: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self._changes: list[tuple[int, str, dict[str, Any]]] = []
        self._news = asyncio.Condition()
        self._fault: Callable[[str], Fault | None] = lambda _: None
        self._transports: dict[asyncio.Transport, str] = {}
        self._watching: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen, on the same port as before."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=0, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self._port, reuse_address=True, ssl_context=self._tls
        )
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http{'' if self._tls is None else 's'}://127.0.0.1:{self._port}"

    async def close(self) -> None:
        """Listen no more, and drop all connections."""
        self._drop(lambda _: True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # Objects

    async def put(self, resource: str, name: str, namespace: str = "team") -> dict[str, Any]:
        """Make or change an object; watches tell of it."""
        kind = next(kinds[resource] for kinds in SERVED.values() if resource in kinds)
        group, version = next(of for of, kinds in SERVED.items() if resource in kinds)
        key = (namespace, name)
        there = self._objects.setdefault(resource, {})
        self._version += 1
        document = {
            "apiVersion": f"{group}/{version}",
            "kind": kind,
            "metadata": {
                "namespace": namespace,
                "name": name,
                "uid": f"{resource}-{name}",
                "resourceVersion": str(self._version),
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
        }
        await self._tell("MODIFIED" if key in there else "ADDED", document)
        there[key] = document
        return copy.deepcopy(document)

    async def delete(self, resource: str, name: str, namespace: str = "team") -> None:
        """Delete an object; watches tell of it."""
        self._version += 1
        document = self._objects[resource].pop((namespace, name))
        document["metadata"]["resourceVersion"] = str(self._version)
        await self._tell("DELETED", document)

    async def _tell(self, what: str, document: dict[str, Any]) -> None:
        async with self._news:
            self._changes.append((self._version, what, copy.deepcopy(document)))
            self._news.notify_all()

    def forget_changes(self) -> None:
        """Compact: whoever watched from before is told that this is too old (410)."""
        self._changes.clear()

    # Faults

    def fail(self, fault: Fault, *resources: str) -> None:
        """Fail from now on; who watches what fails has to ask again. Discovery fails too if no resources are named."""
        self._fault = lambda name: fault if not resources or name in resources else None
        self._failed.clear()
        # What hangs stays open, and says nothing.
        if fault is not Fault.HANG:
            self._drop(lambda name: not resources or name in resources)

    def heal(self) -> None:
        """Fail no more. What hangs goes on hanging: nothing comes of that connection any more."""
        self._fault = lambda _: None

    async def until_failed(self, *resources: str, times: int = 3) -> None:
        """Return when each of the resources was failed so often; without names, any request."""

        def so() -> bool:
            counts = [self._failed[name] for name in resources] or [self._failed.total()]
            return all(count >= times for count in counts)

        async with self._news:
            await self._news.wait_for(so)

    async def until_watched(self, *resources: str) -> None:
        """Return when each of the resources is watched."""
        async with self._news:
            await self._news.wait_for(lambda: all(self._watching[name] for name in resources))

    def _drop(self, chosen: Callable[[str], bool]) -> None:
        for transport, name in tuple(self._transports.items()):
            if chosen(name):
                transport.abort()

    # Answers

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        resource = _resource(parts)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._transports[transport] = resource
        try:
            return await self._served(request, parts, resource)
        finally:
            self._transports.pop(transport, None)

    async def _served(
        self, request: web.Request, parts: list[str], resource: str
    ) -> web.StreamResponse:
        self.asked[resource] += 1
        self.authorizations.append(request.headers.get("Authorization"))
        fault = self._fault(resource)
        if fault is not None:
            async with self._news:
                self._failed[resource] += 1
                self._news.notify_all()
            failed = await self._fail(request, fault)
            if failed is not None:
                return failed
        if self.token is not None and self.authorizations[-1] != f"Bearer {self.token}":
            return _status(401)
        if self.user is not None and self.user != _shown(request):
            return _status(401)
        if resource == "leases":
            return await self._lease(request, parts)
        if resource:
            if request.query.get("watch") == "true":
                return await self._watch(request, resource, fault)
            return web.json_response(self._list(resource))
        return _discovery(parts)

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if isinstance(fault.value, int):
            return _status(fault.value)
        if fault is Fault.HANG:
            await asyncio.Event().wait()
        if fault is Fault.RESET:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault is Fault.PAGE:
            return web.Response(text="<html>sign in</html>", content_type="text/html")
        if fault is Fault.CUT:
            return web.Response(text='{"type": "ADDED", "obj', content_type="application/json")
        return None

    async def _watch(
        self, request: web.Request, resource: str, fault: Fault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        seen = int(request.query["resourceVersion"])
        first = self._changes[0][0] if self._changes else self._version + 1
        if fault is Fault.ERROR_IN_STREAM:
            await _event(response, "ERROR", _document(500))
            return response
        if seen + 1 < first:
            await _event(response, "ERROR", _document(410))
            return response
        async with self._news:
            self._watching[resource] += 1
            self._news.notify_all()
        try:
            while True:
                news = await self._since(seen)
                seen = self._version
                if self._fault(resource) is Fault.HANG:
                    await asyncio.Event().wait()
                for _, what, document in news:
                    if document["kind"] == _kind(resource):
                        await _event(response, what, document)
        except ConnectionError:
            return response  # nobody is there any more
        finally:
            self._watching[resource] -= 1

    async def _since(self, version: int) -> list[tuple[int, str, dict[str, Any]]]:
        """Return what has changed since a version, as soon as there is something."""
        async with self._news:
            await self._news.wait_for(lambda: self._version > version)
            return [each for each in self._changes if each[0] > version]

    def _list(self, resource: str) -> dict[str, Any]:
        group, version = next(of for of, kinds in SERVED.items() if resource in kinds)
        return {
            "apiVersion": f"{group}/{version}",
            "kind": f"{_kind(resource)}List",
            "metadata": {"resourceVersion": str(self._version)},
            "items": list(self._objects.get(resource, {}).values()),
        }

    async def _lease(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        there = self._objects.setdefault("leases", {})
        if request.method == "GET":
            found = there.get((parts[-3], parts[-1]))
            return _status(404) if found is None else web.json_response(found)
        body = await request.json()
        meta = body["metadata"]
        key = (meta["namespace"], meta["name"])
        former = there.get(key)
        version = None if former is None else former["metadata"]["resourceVersion"]
        if version != meta.get("resourceVersion"):
            return _status(409)
        self._version += 1
        meta["resourceVersion"] = str(self._version)
        there[key] = body
        return web.json_response(body)


def _shown(request: web.Request) -> str | None:
    """Return whose certificate was shown."""
    certificate = request.get_extra_info("peercert") or {}
    names = {name: value for part in certificate.get("subject", ()) for name, value in part}
    return names.get("commonName")


def _resource(parts: list[str]) -> str:
    """Return the plural that a path is of; empty for discovery."""
    names = {name for kinds in SERVED.values() for name in kinds}
    return next((part for part in parts if part in names), "")


def _kind(resource: str) -> str:
    return next(kinds[resource] for kinds in SERVED.values() if resource in kinds)


def _discovery(parts: list[str]) -> web.Response:
    if parts == ["api"]:
        return web.json_response({"kind": "APIVersions", "versions": ["v1"]})
    if parts == ["apis"]:
        groups = [
            {
                "name": group,
                "versions": [{"version": version}],
                "preferredVersion": {"version": version},
            }
            for group, version in _DISCOVERED
            if group != "api"
        ]
        return web.json_response({"kind": "APIGroupList", "groups": groups})
    kinds = _DISCOVERED.get((parts[-2], parts[-1]))
    if kinds is None:
        return _status(404)
    resources = [
        {
            "name": plural,
            "singularName": kind.lower(),
            "kind": kind,
            "namespaced": True,
            "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        }
        for plural, kind in kinds.items()
    ]
    return web.json_response({"kind": "APIResourceList", "resources": resources})


async def _event(response: web.StreamResponse, what: str, document: dict[str, Any]) -> None:
    await response.write(json.dumps({"type": what, "object": document}).encode() + b"\n")


def _document(status: int) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}


def _status(status: int) -> web.Response:
    return web.json_response(_document(status), status=status)
