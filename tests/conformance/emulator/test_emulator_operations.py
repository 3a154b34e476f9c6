"""Every operation of the described services: it works and asks for permission, or is 501."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oci_emulator.schema import catalogue
from oci_emulator.schema.catalogue import Operation
from oci_emulator.schema.routing import parameters
from oci_emulator.testing import Emulator

OPERATIONS = [
    operation
    for name in catalogue.SERVICES
    for operation in catalogue.service(name).operations.values()
]
FOR_EVERYONE = {
    "GetNamespace",
    "ListRegions",
    # A search answers everyone, with what they may inspect: here nothing.
    "SearchResources",
    "ListResourceTypes",
    "GetResourceType",
}


def value_of(kind: str, service: str) -> Any:
    """A value that fits a type of a model."""
    if kind.startswith("list["):
        return [value_of(kind[5:-1], service)]
    if kind.startswith("dict("):
        return {}
    primitives: dict[str, Any] = {
        "str": "x",
        "int": 50,
        "float": 1.5,
        "bool": True,
        "datetime": "2026-01-01T00:00:00Z",
        "object": {},
    }
    if kind in primitives:
        return primitives[kind]
    return smallest(kind, service)


def smallest(model: str, service: str) -> dict[str, Any]:
    """The smallest body that fits a model."""
    described = catalogue.service(service).models._described[model]
    if "discriminator" in described:
        [(value, subtype), *_] = sorted(described["subtypes"].items())
        return {**smallest(subtype, service), described["discriminator"]: value}
    return {
        name: field["enum"][0] if "enum" in field else value_of(field["type"], service)
        for name, field in described["fields"].items()
        if field.get("required")
    }


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("operations") / "state", mode="simulated") as started:
        yield started


@pytest.fixture(scope="module")
def raw(emulator: Emulator, raw_client: Any) -> Any:
    return raw_client(emulator)


def call(raw: Any, emulator: Emulator, operation: Operation) -> tuple[int, Any]:
    """Call an operation with what it needs at the least."""
    names = list(parameters(operation.path))
    path = operation.path
    for name in names:
        value = emulator.namespace if name == "namespaceName" else f"ocid1.{name.lower()}.oc1..none"
        path = path.replace(f"{{{name}}}", value)
    query = "&".join(
        f"{parameter.name}="
        + (
            emulator.tenancy
            if parameter.name == "compartmentId"
            else parameter.enum[0]
            if parameter.enum
            else str(value_of(parameter.type, operation.service)).lower()
        )
        for parameter in operation.query
        if parameter.required and not parameter.type.startswith("list[")
    )
    body: Any = b""
    described = catalogue.service(operation.service).models
    if operation.body and described.has(operation.body):
        body = smallest(operation.body, operation.service)
    status, document = raw.call(operation.method, f"{path}{'?' if query else ''}{query}", body)
    return status, document


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.service}.{o.name}")
def test_no_operation_fails(raw: Any, emulator: Emulator, operation: Operation) -> None:
    status, document = call(raw, emulator, operation)
    assert status < 500 or status == 501
    if operation.method == "HEAD":
        assert document is None
        return
    if status >= 400:
        assert set(document) == {"code", "message"}
    if status == 501:
        assert f"{operation.name} of {operation.service}" in document["message"]


def test_without_any_policy_nothing_is_allowed(tmp_path: Path, raw_client: Any) -> None:
    with Emulator(tmp_path / "state", mode="simulated") as emulator:
        raw = raw_client(emulator)
        emulator.set_policies([])
        for operation in OPERATIONS:
            status, _ = call(raw, emulator, operation)
            if operation.name not in FOR_EVERYONE:
                assert status in {400, 404, 501}, operation
