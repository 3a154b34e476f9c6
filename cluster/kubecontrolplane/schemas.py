"""JSON schemas of the Kubernetes API and of custom resources, as kubeconform reads them.

One self-contained file a kind, strict: what the API server would refuse as an unknown field with
`--validate=strict`, the schema refuses. An optional field may be null, as the API server lets it.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from kubecontrolplane.binaries import KUBERNETES
from kubecontrolplane.build import Pins
from kubecontrolplane.errors import SchemaError
from kubecontrolplane.toolchain import find_go

LAYOUT: Final = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
_OPENAPI: Final = Path("api", "openapi-spec", "v3")
_DRAFT: Final = "http://json-schema.org/draft-04/schema#"
_REFERENCE: Final = "#/components/schemas/"
_DEFINITION: Final = "#/definitions/"
_KINDS: Final = "x-kubernetes-group-version-kind"
_OBJECT_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_EMBEDDED: Final = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}

# A JSON schema, or a part of one.
Schema = dict[str, Any]


def write_schemas(pins: Pins, output: Path, crds: Sequence[Path] = ()) -> int:
    """Write the schemas of the pinned Kubernetes release and of custom resources.

    Args:
        pins: where the release is pinned; its OpenAPI documents come from its module.
        output: the directory, made as needed.
        crds: files that hold CustomResourceDefinitions (YAML or JSON, any number in each).

    Returns:
        How many files were written.

    Raises:
        SchemaError: a file can't be read, or holds no CustomResourceDefinition.
        ToolchainError: Go, which knows where modules are, is missing.
    """
    definitions = _read_definitions(_openapi_directory(pins))
    schemas = dict(kubernetes_schemas(definitions))
    for path in crds:
        for name, schema in crd_schemas(path, definitions):
            if name in schemas:
                raise SchemaError(
                    f"{path}: its schema would be {name}, which another kind has already: "
                    "kubeconform tells groups apart by their first label only"
                )
            schemas[name] = schema
    output.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas.items():
        (output / name).write_text(json.dumps(schema, separators=(",", ":")) + "\n")
    return len(schemas)


def kubernetes_schemas(definitions: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """File name and schema of each kind that OpenAPI definitions (v3) describe."""
    strict = {name: _strict(definition) for name, definition in definitions.items()}
    for name, definition in definitions.items():
        kinds = definition.get(_KINDS, [])
        if len(kinds) != 1:
            continue  # a part, or an envelope that every group has (DeleteOptions)
        [kind] = kinds
        yield (
            file_name(kind["group"], kind["version"], kind["kind"]),
            _self_contained(
                _of_kind(strict[name], kind["group"], kind["version"], kind["kind"]), strict
            ),
        )


def crd_schemas(path: Path, definitions: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """File name and schema of each served version of the custom resources in a file.

    Args:
        path: YAML or JSON with CustomResourceDefinitions (apiextensions.k8s.io/v1).
        definitions: the OpenAPI definitions of Kubernetes; ObjectMeta comes from them.

    Raises:
        SchemaError: the file can't be read, or holds none.
    """
    try:
        documents = [each for each in yaml.safe_load_all(path.read_text()) if each]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SchemaError(f"{path} can't be read as YAML: {error}") from error
    crds = [
        each
        for each in documents
        if isinstance(each, dict) and each.get("kind") == "CustomResourceDefinition"
    ]
    if not crds:
        raise SchemaError(f"{path} holds no CustomResourceDefinition")
    strict = {name: _strict(definition) for name, definition in definitions.items()}
    for crd in crds:
        try:
            yield from _crd_versions(crd["spec"], strict)
        except (KeyError, TypeError) as error:
            raise SchemaError(
                f"{path}: not a CustomResourceDefinition that the API server would take "
                f"({type(error).__name__}: {error})"
            ) from error


def file_name(group: str, version: str, kind: str) -> str:
    """Where kubeconform looks for a kind, with `LAYOUT` as its location."""
    parts = [kind, group.partition(".")[0], version] if group else [kind, version]
    return "-".join(parts).lower() + ".json"


def _openapi_directory(pins: Pins) -> Path:
    arguments = ["mod", "download", "-json", KUBERNETES]
    found = json.loads(find_go(pins.go_mod).run(arguments, directory=pins.directory))
    return Path(found["Dir"]) / _OPENAPI


def _read_definitions(directory: Path) -> Mapping[str, Schema]:
    definitions: dict[str, Schema] = {}
    for path in sorted(directory.glob("*.json")):
        document = json.loads(path.read_bytes())
        definitions |= document.get("components", {}).get("schemas", {})
    if not definitions:
        raise SchemaError(f"{directory} has no OpenAPI documents")
    return definitions


def _crd_versions(spec: Schema, strict: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    group, kind = spec["group"], spec["names"]["kind"]
    for version in spec["versions"]:
        if not version["served"]:
            continue
        schema = _structural(version["schema"]["openAPIV3Schema"])
        if "properties" in schema:
            properties = {**_EMBEDDED, **schema["properties"]}
            schema["properties"] = {**properties, "metadata": _all_of(_DEFINITION + _OBJECT_META)}
        name = version["name"]
        yield (
            file_name(group, name, kind),
            _self_contained(_of_kind(schema, group, name, kind), strict),
        )


def _of_kind(schema: Schema, group: str, version: str, kind: str) -> Schema:
    """The schema of a document of its own: it says what it is."""
    properties = {
        **schema.get("properties", {}),
        "apiVersion": {"type": "string", "enum": [f"{group}/{version}" if group else version]},
        "kind": {"type": "string", "enum": [kind]},
    }
    required = sorted({*schema.get("required", []), "apiVersion", "kind"})
    return {"$schema": _DRAFT, **schema, "properties": properties, "required": required}


def _self_contained(schema: Schema, strict: Mapping[str, Schema]) -> Schema:
    """The schema with all definitions that it refers to, directly or not."""
    needed: dict[str, Schema] = {}
    pending = list(_references(schema))
    while pending:
        name = pending.pop()
        if name not in needed:
            needed[name] = strict[name]
            pending += _references(strict[name])
    return {**schema, "definitions": dict(sorted(needed.items()))} if needed else schema


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(_DEFINITION)
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _strict(schema: Schema) -> Schema:
    """An OpenAPI definition of Kubernetes as a strict JSON schema."""
    result = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if "$ref" in result:
        return _all_of(_DEFINITION + result["$ref"].removeprefix(_REFERENCE))
    if "allOf" in result:
        result["allOf"] = [_strict(each) for each in result["allOf"]]
    if "items" in result:
        result["items"] = _strict(result["items"])
    if isinstance(result.get("additionalProperties"), dict):
        result["additionalProperties"] = _strict(result["additionalProperties"])
    if "properties" in result:
        strict = {name: _strict(each) for name, each in result["properties"].items()}
        result["properties"] = _nullable_unless_required(strict, result)
        result.setdefault("additionalProperties", False)
    return result


def _structural(schema: Schema) -> Schema:
    """A structural schema of a CustomResourceDefinition as a strict JSON schema.

    Only what carries structure is closed; in `allOf` and its kin, structural schemas have
    nothing but conditions on values.
    """
    result = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        result.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    if "items" in result:
        result["items"] = _structural(result["items"])
    if result.get("type") == "object":
        result |= _structural_object(schema)
    return _nullable(result) if result.pop("nullable", False) else result


def _structural_object(schema: Schema) -> Schema:
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        # The API server drops the entries of a map that are null.
        return {"additionalProperties": _nullable(_structural(values))}
    properties = {name: _structural(each) for name, each in schema.get("properties", {}).items()}
    embedded = schema.get("x-kubernetes-embedded-resource", False)
    if embedded:
        metadata = _all_of(_DEFINITION + _OBJECT_META)
        properties = {**_EMBEDDED, **properties, "metadata": metadata}
    keeps = schema.get("x-kubernetes-preserve-unknown-fields", False) or values is True
    return {
        "properties": _nullable_unless_required(properties, schema),
        "additionalProperties": bool(keeps),
    }


def _nullable_unless_required(properties: Schema, parent: Schema) -> Schema:
    required = parent.get("required", [])
    return {
        name: each if name in required else _nullable(each) for name, each in properties.items()
    }


def _nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    simple = isinstance(schema.get("type"), str) and not {"allOf", "anyOf", "oneOf", "not"} & {
        *schema
    }
    if not schema or not simple:
        # Without any keyword, or with only a description, everything is allowed already.
        return {"anyOf": [schema, {"type": "null"}]} if schema else schema
    result = copy.copy(schema)
    result["type"] = [schema["type"], "null"]
    if "enum" in schema:
        result["enum"] = [*schema["enum"], None]
    return result


def _all_of(reference: str) -> Schema:
    # Beside a $ref, draft 4 ignores every other keyword; callers may add some.
    return {"allOf": [{"$ref": reference}]}
