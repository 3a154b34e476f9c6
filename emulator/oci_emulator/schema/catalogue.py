"""The operations of the emulated services, as the SDK describes them."""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.schema.models import Models

SERVICES = (
    "datascience",
    "dataflow",
    "logging",
    "loggingsearch",
    "loggingingestion",
    "monitoring",
    "objectstorage",
    "identity",
    "resourcesearch",
    "secrets",
)


_OTHER_HOSTS = {("monitoring", "PostMetricData"): "telemetry-ingestion"}
"""(service, operation) -> its own host; the SDK's documentation tells to set it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter."""

    name: str
    type: str
    required: bool = False
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a service.

    Attributes:
        path: the template, such as ``/20190101/jobs/{jobId}``.
        body: the model of the body, if it is JSON.
        streamed: the body is content of any length, and its hash is not signed.
        headers: the request headers that the operation knows, in lower case.
        response: the model of the answer.
    """

    service: str
    name: str
    method: str
    path: str
    query: tuple[Parameter, ...] = ()
    headers: frozenset[str] = frozenset()
    body: str = ""
    body_required: bool = False
    streamed: bool = False
    response: str = ""

    @property
    def takes_retry_token(self) -> bool:
        """Whether ``opc-retry-token`` means something to it."""
        return "opc-retry-token" in self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: the first labels of its host names, its operations and its models."""

    name: str
    host: str
    operations: dict[str, Operation] = field(repr=False)
    models: Models = field(repr=False)

    def host_of(self, operation: Operation) -> str:
        """The first labels of an operation's host names; one is apart from its service's."""
        return _OTHER_HOSTS.get((self.name, operation.name), self.host)

    def present(self, operation: Operation, body: Any) -> Any:
        """What an operation shows of a document, or of each of a list: its model's fields."""
        if isinstance(body, list):
            model = operation.response.removeprefix("list[").removesuffix("]")
            if not self.models.has(model):
                return body
            return [self.models.show(model, document) for document in body]
        if isinstance(body, dict) and self.models.has(operation.response):
            return self._present_items(self.models.show(operation.response, body), operation)
        return body

    def _present_items(self, body: JsonObject, operation: Operation) -> JsonObject:
        """A collection shows of each of its items what their model has."""
        items = self.models.described(operation.response)["fields"].get("items", {"type": ""})
        model = items["type"].removeprefix("list[").removesuffix("]")
        if not self.models.has(model) or not isinstance(body.get("items"), list):
            return body
        return {**body, "items": [self.models.show(model, document) for document in body["items"]]}


@cache
def service(name: str) -> Service:
    """The description of one of ``SERVICES``."""
    described = _load(f"{name}.json")
    return Service(
        name=name,
        host=described["host"],
        operations={
            operation: _operation(name, operation, raw)
            for operation, raw in described["operations"].items()
        },
        models=Models(described["models"]),
    )


@cache
def regions() -> dict[str, str]:
    """Region identifier -> key, such as ``us-ashburn-1`` -> ``iad``."""
    return {str(name): str(key) for name, key in _load("regions.json").items()}


def _load(name: str) -> dict[str, Any]:
    path = resources.files("oci_emulator.schema").joinpath("data", name)
    described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return described


def _operation(service_name: str, name: str, raw: dict[str, Any]) -> Operation:
    return Operation(
        service=service_name,
        name=name,
        method=raw["method"],
        path=raw["path"],
        query=tuple(
            Parameter(
                name=parameter,
                type=described["type"],
                required=described.get("required", False),
                enum=tuple(described.get("enum", ())),
            )
            for parameter, described in raw.get("query", {}).items()
        ),
        headers=frozenset(raw.get("headers", ())),
        body=raw.get("body", ""),
        body_required=raw.get("body_required", False),
        streamed=raw.get("stream", False),
        response=raw.get("response", ""),
    )
