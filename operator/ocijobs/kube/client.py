"""Requests to the API server, as JSON documents, through `kubernetes.aio`.

The generated client's models are left out on purpose: custom resources have none, and a document is what is
compared, stored and written.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml
from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client import Configuration

from ocijobs import __version__
from ocijobs.kube.apply_body import APPLY_PATCH, apply_body

__all__ = [
    "ApiError",
    "Configuration",
    "KubeClient",
    "NoClusterError",
    "RequestObserver",
    "load_configuration",
]

RequestObserver = Callable[[str, str, int, float], None]
"""Told of each request: verb, resource, status code (0 without an answer), seconds."""

_JSON = "application/json"
_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_TIMEOUT_SECONDS = 10.0
"""Shorter than the leader's lease, so that no write of a former leader is under way when another leads."""


class NoClusterError(Exception):
    """Nothing says where the API server is; the message says what was looked at."""


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
        """Whether the object is not any more as it was when the request was decided on, or is there already.

        A JSON patch whose test fails is answered 422 as well; see https://www.rfc-editor.org/rfc/rfc5789#section-2.2.
        """
        return self.status == HTTPStatus.CONFLICT

    @property
    def forbidden(self) -> bool:
        """Whether the API server does not allow it now: a permission, a quota, an admission policy."""
        return self.status == HTTPStatus.FORBIDDEN

    @property
    def refused(self) -> bool:
        """Whether the API server does not take the document: its form, its size, its content, or by a policy."""
        return self.status in _REFUSED

    @property
    def invalid(self) -> bool:
        """Whether the API server refuses the document itself."""
        return self.status == HTTPStatus.UNPROCESSABLE_ENTITY


class KubeClient:
    """A connection to one API server, closed by leaving the context."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        observe: RequestObserver | None = None,
    ) -> None:
        self._api = kubernetes_client.ApiClient(configuration)
        self._api.user_agent = f"ocijobs-operator/{__version__}"
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
        await self._api.close()

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
        if content_type == APPLY_PATCH:
            # With a parameter, since the client library writes a body of the plain type as JSON, also one of bytes.
            body, content_type = apply_body(body), f"{APPLY_PATCH}; charset=utf-8"
        started = time.monotonic()
        status = 0
        self._under_way += 1
        try:
            method, url, headers, data, _ = await self._api.param_serialize(
                method=verb,
                resource_path=path,
                query_params=list((query or {}).items()),
                header_params={"Content-Type": content_type, "Accept": _JSON},
                body=body,
                auth_settings=["BearerToken"],
            )
            response = await self._api.call_api(
                method, url, headers, data, _request_timeout=_TIMEOUT_SECONDS
            )
            status = response.status
            text = (await response.read()).decode()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, "Unreachable", f"{type(error).__name__}: {error}") from error
        finally:
            self._under_way -= 1
            self._observe(verb, resource, status, time.monotonic() - started)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise _api_error(status, text)
        document: dict[str, Any] = json.loads(text)
        return document


def _api_error(status: int, text: str) -> ApiError:
    try:
        document = json.loads(text)
    except ValueError:
        return ApiError(status, "Unknown", text[:500])
    return ApiError(
        status, str(document.get("reason", "Unknown")), str(document.get("message", ""))
    )


async def load_configuration(*, connections: int) -> Configuration:
    """Return how to reach the API server: `KUBECONFIG`, else the pod's service account, else ~/.kube/config.

    Args:
        connections: how many connections may be open at a time.

    Raises:
        NoClusterError: if none of the three is there, or what is there can't be used.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = connections
    inside = "KUBECONFIG" not in os.environ and "KUBERNETES_SERVICE_HOST" in os.environ
    try:
        if inside:
            kubernetes_config.load_incluster_config(client_configuration=configuration)
        else:
            # By name: the library reads the variable when it is imported, and never again.
            await kubernetes_config.load_kube_config(
                os.environ.get("KUBECONFIG") or None, client_configuration=configuration
            )
    except (kubernetes_config.ConfigException, OSError, yaml.YAMLError) as error:
        tried = (
            "the pod's service account"
            if inside
            else os.environ.get("KUBECONFIG", "~/.kube/config")
        )
        raise NoClusterError(f"no cluster to work for: {tried}: {error}") from error
    return configuration
