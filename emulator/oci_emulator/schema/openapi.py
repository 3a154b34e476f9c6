"""The operations that work as an OpenAPI document: for generators of clients and of tests."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.schema import catalogue
from oci_emulator.schema.catalogue import Operation, Service
from oci_emulator.schema.routing import parameters

_PRIMITIVES: Mapping[str, JsonObject] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "object": {},
    "stream": {"type": "string"},
}
_ITEMS = re.compile(r"(list|dict)(?:\[|\(str, )(.+)[\])]")
_ERROR: JsonObject = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}


def document(working: Mapping[str, Collection[str]]) -> JsonObject:
    """An OpenAPI 3.1 document.

    ``working``: service -> the operations that are to be in it.
    """
    paths: dict[str, JsonObject] = {}
    schemas: JsonObject = {"Error": _ERROR}
    for name, operations in working.items():
        service = catalogue.service(name)
        for operation in sorted(operations):
            described = service.operations[operation]
            path = paths.setdefault(described.path, {})
            path[described.method.lower()] = _operation(service, described)
        for model in service.models.names():
            schemas[f"{name}.{model}"] = _model(name, service.models.described(model))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Oracle Cloud, as oci-emulator has it", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(service: Service, operation: Operation) -> JsonObject:
    found: JsonObject = {
        "operationId": f"{service.name}.{operation.name}",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in parameters(operation.path)
        ]
        + [
            {
                "name": parameter.name,
                "in": "query",
                "required": parameter.required,
                "schema": _schema(service.name, parameter.type)
                | ({"enum": list(parameter.enum)} if parameter.enum else {}),
            }
            for parameter in operation.query
        ],
        "responses": {
            "2XX": {"description": "It is done, or under way."},
            "4XX": _answer("It can't be done."),
        },
    }
    if operation.streamed:
        content: JsonObject = {"application/octet-stream": {"schema": {"type": "string"}}}
        found["requestBody"] = {"content": content, "required": True}
    elif operation.body:
        schema = _schema(service.name, operation.body)
        found["requestBody"] = {
            "content": {"application/json": {"schema": schema}},
            "required": operation.body_required,
        }
    return found


def _answer(description: str) -> JsonObject:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _schema(service: str, kind: str) -> JsonObject:
    if kind in _PRIMITIVES:
        return dict(_PRIMITIVES[kind])
    if match := _ITEMS.fullmatch(kind):
        inner = _schema(service, match[2])
        if match[1] == "list":
            return {"type": "array", "items": inner}
        return {"type": "object", "additionalProperties": inner}
    return {"$ref": f"#/components/schemas/{service}.{kind}"}


def _model(service: str, described: JsonObject) -> JsonObject:
    if "discriminator" in described:
        return {
            "oneOf": [
                {
                    "allOf": [
                        _schema(service, subtype),
                        {"properties": {described["discriminator"]: {"const": value}}},
                    ]
                }
                for value, subtype in described["subtypes"].items()
            ]
        }
    fields: dict[str, Any] = described["fields"]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in fields.items() if field.get("required")],
        "properties": {name: _field(service, field) for name, field in fields.items()},
    }


def _field(service: str, field: JsonObject) -> JsonObject:
    schema = _schema(service, field["type"])
    if "enum" in field:
        (schema["items"] if schema.get("type") == "array" else schema)["enum"] = field["enum"]
    return schema
