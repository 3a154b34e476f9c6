"""Clients of the SDK, one for each thread, principal and service: their sessions are not thread-safe."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ocijobs.api.shared.backend import BackendName
from ocijobs.cloud.credentials import ApiKey, IdentityKey
from ocijobs.cloud.refusals import MalformedAnswerError
from ocijobs.cloud.sdk import oci
from ocijobs.settings import Settings

_KEPT = 64
"""How many clients a thread keeps; those used last stay."""

_ERROR, _TEXT = "object", "str"
"""The SDK's names of the types as which it reads errors, and answers that are text."""


class Service(Enum):
    """A service of OCI."""

    DATA_FLOW = "dataflow"
    DATA_SCIENCE = "datascience"
    LOGGING = "logging"
    LOG_SEARCH = "loggingsearch"
    MONITORING = "monitoring"
    OBJECT_STORAGE = "objectstorage"
    RESOURCE_SEARCH = "resourcesearch"


def _client_class(service: Service) -> Any:
    """Return the SDK's class of clients of a service."""
    match service:
        case Service.DATA_FLOW:
            return oci.data_flow.DataFlowClient
        case Service.DATA_SCIENCE:
            return oci.data_science.DataScienceClient
        case Service.LOGGING:
            return oci.logging.LoggingManagementClient
        case Service.LOG_SEARCH:
            return oci.loggingsearch.LogSearchClient
        case Service.MONITORING:
            return oci.monitoring.MonitoringClient
        case Service.OBJECT_STORAGE:
            return oci.object_storage.ObjectStorageClient
        case Service.RESOURCE_SEARCH:
            return oci.resource_search.ResourceSearchClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """As which identity OCI is called, and in which region."""

    identity: IdentityKey
    region: str

    def __str__(self) -> str:
        """Return the form that logs have."""
        return f"{self.identity.namespace}/{self.identity.name} in {self.region}"


class Clients:
    """Makes clients and keeps them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = threading.local()

    def get(self, principal: Principal, credentials: ApiKey, service: Service) -> Any:
        """Return this thread's client; another version of the credentials makes another one."""
        kept: OrderedDict[tuple[object, ...], Any] | None = getattr(self._local, "clients", None)
        if kept is None:
            kept = self._local.clients = OrderedDict()
        key = (principal, credentials.version, service)
        if key not in kept:
            kept[key] = self._make(principal, credentials, service)
        kept.move_to_end(key)
        while len(kept) > _KEPT:
            _, former = kept.popitem(last=False)
            former.base_client.session.close()
        return kept[key]

    def _make(self, principal: Principal, credentials: ApiKey, service: Service) -> Any:
        settings = self._settings
        endpoint = {"service_endpoint": settings.oci_endpoint} if settings.oci_endpoint else {}
        config = {
            "region": principal.region,
            "tenancy": credentials.tenancy,
            "user": credentials.user,
            "fingerprint": credentials.fingerprint,
            "key_content": credentials.private_key,
        }
        client = _client_class(service)(
            config,
            timeout=(settings.oci_connect_timeout_seconds, settings.oci_read_timeout_seconds),
            retry_strategy=oci.retry.NoneRetryStrategy(),
            circuit_breaker_strategy=oci.circuit_breaker.NoCircuitBreakerStrategy(),
            **endpoint,
        )
        client.base_client.deserialize_response_data = _checked(
            client.base_client.deserialize_response_data
        )
        if settings.oci_ca_file is not None:
            client.base_client.session.verify = str(settings.oci_ca_file)
        return client


def _checked(deserialize: Callable[..., Any]) -> Callable[..., Any]:
    """Return the SDK's deserialization, with a check that a web page does not count as an empty list.

    The SDK makes objects without content from anything that is not JSON, and does not report an answer that is not
    UTF-8.
    """

    def checked(data: bytes, response_type: str, *options: Any) -> Any:
        if response_type == _ERROR:
            return deserialize(data.decode(errors="replace").encode(), response_type, *options)
        try:
            if response_type != _TEXT:
                _check_json(data, list if response_type.startswith("list[") else dict)
            return deserialize(data, response_type, *options)
        except Exception as error:
            raise MalformedAnswerError(response_type) from error

    return checked


def _check_json(data: bytes, expected: type) -> None:
    if not isinstance(json.loads(data), expected):
        raise TypeError(f"the answer is not a {expected.__name__}")


def import_sdk() -> None:
    """Import what all clients need, so that no call waits for the import."""
    for service in Service:
        _client_class(service)


SERVICES: Mapping[str, Service] = {
    BackendName.DATA_SCIENCE: Service.DATA_SCIENCE,
    BackendName.DATA_FLOW: Service.DATA_FLOW,
}
"""The API that is called for each backend. Its calls are admitted, paced and counted together."""
