"""Write the API descriptions in ``data/`` from an installed OCI Python SDK.

Run as ``python -m oci_emulator.schema.generate`` by whoever maintains the emulator, never by the
server: the SDK is no run-time dependency. An operation's path, query, headers and body come from
the client's source (they exist nowhere else); a model's fields, required marks, enumerations and
subtypes from the model classes.
"""

import ast
import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")

_CLIENT_OPTIONS = frozenset(
    {
        "allow_control_chars",
        "buffer_limit",
        "enable_strict_url_encoding",
        "retry_strategy",
        "control_chars_allowed",
    }
)
_PARAM = re.compile(r"^:param (?P<type>.+?) (?P<name>\w+): \((?P<need>required|optional)\)$")
_ENUM = re.compile(r'Allowed values (?:are|for (?:items in )?this property are): (?P<values>".*)')
_MODEL_NAME = re.compile(r"[A-Z]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One service: where the SDK keeps it and which of its operations need their models."""

    name: str
    package: str
    client: str
    models: str = r"(?!)"
    """Operations, by pattern, whose request and response models are described too."""


SOURCES = (
    Source(
        name="datascience",
        package="oci.data_science",
        client="DataScienceClient",
        models=r"\w+_(job|job_run|job_artifact|job_artifact_content|project|work_request|schedule"
        r"|(job|job_run|project|schedule)_compartment)"
        r"|list_(jobs|job_runs|job_shapes|fast_launch_job_configs|projects|schedules"
        r"|work_request\w*)",
    ),
    Source(
        name="dataflow",
        package="oci.data_flow",
        client="DataFlowClient",
        models=r"(?!\w*sql_endpoint)\w+",
    ),
    Source(
        name="logging",
        package="oci.logging",
        client="LoggingManagementClient",
        models=r"\w+_(log|log_group|logs|log_groups|log_log_group|log_group_compartment)"
        r"|(get|list|delete)_work_request\w*",
    ),
    Source(
        name="loggingsearch", package="oci.loggingsearch", client="LogSearchClient", models=r"\w+"
    ),
    Source(
        name="loggingingestion",
        package="oci.loggingingestion",
        client="LoggingClient",
        models=r"\w+",
    ),
    Source(
        name="monitoring",
        package="oci.monitoring",
        client="MonitoringClient",
        models=r"(post_metric_data|summarize_metrics_data|list_metrics)",
    ),
    Source(
        name="objectstorage",
        package="oci.object_storage",
        client="ObjectStorageClient",
        models=r"\w+_(bucket|buckets|object|objects|multipart_upload\w*)|upload_part"
        r"|get_namespace",
    ),
    Source(
        name="identity",
        package="oci.identity",
        client="IdentityClient",
        models=r"(create|get|list)_compartments?|get_(tenancy|user)"
        r"|list_(availability_domains|regions|region_subscriptions)",
    ),
    Source(
        name="resourcesearch",
        package="oci.resource_search",
        client="ResourceSearchClient",
        models=r"\w+",
    ),
    Source(name="secrets", package="oci.secrets", client="SecretsClient", models=r"\w+"),
)


def main() -> None:
    """Write one JSON file a service and one with the regions."""
    DATA.mkdir(exist_ok=True)
    for source in SOURCES:
        _write(f"{source.name}.json", describe(source))
    _write("regions.json", regions())


def _write(name: str, document: dict[str, Any]) -> None:
    path = DATA / name
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    sys.stderr.write(f"{path.name}: {path.stat().st_size} bytes\n")


def regions() -> dict[str, Any]:
    """The commercial realm's regions: identifier -> three-letter key, in lower case."""
    definitions = importlib.import_module("oci.regions_definitions")
    return {
        name: key
        for key, name in definitions.REGIONS_SHORT_NAMES.items()
        if definitions.REGION_REALMS[name] == "oc1"
    }


def describe(source: Source) -> dict[str, Any]:
    """The description of one service: hosts, operations and models."""
    package = importlib.import_module(source.package)
    client = getattr(package, source.client)
    tree = ast.parse(inspect.getsource(sys.modules[client.__module__]))
    methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _path(node)]
    base_path, host = _endpoint(tree)
    operations = {
        _camel(method.name): Method(method, base_path).describe()
        for method in sorted(methods, key=lambda node: node.name)
    }
    chosen = re.compile(source.models)
    roots = [
        operation[key]
        for method in methods
        if chosen.fullmatch(method.name)
        for operation in [operations[_camel(method.name)]]
        for key in ("body", "response")
        if operation.get(key)
    ]
    return {"host": host, "operations": operations, "models": models(package.models, roots)}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _assigned(node: ast.AST, name: str) -> ast.expr | None:
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Assign):
            continue
        target = inner.targets[0]
        if isinstance(target, ast.Name) and target.id == name:
            return inner.value
    return None


def _path(node: ast.FunctionDef) -> str | None:
    value = _assigned(node, "resource_path")
    return ast.literal_eval(value) if value is not None else None


def _endpoint(tree: ast.AST) -> tuple[str, str]:
    """The base path and the host name's service part, such as ``ingestion.logging``."""
    settings = _assigned(tree, "base_client_init_kwargs")
    if not isinstance(settings, ast.Dict):
        raise TypeError("the client sets no base_client_init_kwargs: has the SDK changed?")
    found = {
        ast.literal_eval(key): value.value
        for key, value in zip(settings.keys, settings.values, strict=True)
        if key is not None and isinstance(value, ast.Constant)
    }
    template = str(found["service_endpoint_template"])
    host = template.removeprefix("https://").split(".{region}")[0]
    return str(found["base_path"]).rstrip("/"), host


class Method:
    """One method of an SDK client, read as an API operation."""

    def __init__(self, node: ast.FunctionDef, base_path: str) -> None:
        self._node = node
        self._base_path = base_path
        self._documented = dict(_parameters(ast.get_docstring(node) or ""))

    def describe(self) -> dict[str, Any]:
        """The operation as data."""
        method = _assigned(self._node, "method")
        if method is None:
            raise TypeError(f"{self._node.name} names no HTTP method")
        path = _path(self._node)
        operation: dict[str, Any] = {
            "method": ast.literal_eval(method),
            "path": f"{self._base_path}{path}",
        }
        optional = {
            "query": self._query(),
            "headers": sorted(self._names("header_params") - {"accept"}),
            **self._body(),
            "response": self._response(),
        }
        return operation | {key: value for key, value in optional.items() if value}

    def _entries(self, variable: str) -> Iterator[tuple[str, str]]:
        """(name on the wire, Python name) of a dictionary that the method builds."""
        value = _assigned(self._node, variable)
        if not isinstance(value, ast.Dict):
            return
        for key, expression in zip(value.keys, value.values, strict=True):
            if key is not None:
                yield ast.literal_eval(key), _python_name(expression)

    def _names(self, variable: str) -> set[str]:
        return {name.lower() for name, _ in self._entries(variable)}

    def _query(self) -> dict[str, Any]:
        query = {}
        for wire, python in self._entries("query_params"):
            documented = self._documented[python]
            query[wire] = {
                key: documented[key] for key in ("type", "required", "enum") if key in documented
            }
        return query

    def _body(self) -> dict[str, Any]:
        for name, documented in self._documented.items():
            model = documented["type"]
            if model == "stream":
                return {"stream": True}
            if model.startswith("oci.") and name not in _CLIENT_OPTIONS:
                return {
                    "body": model.rpartition(".")[2],
                    "body_required": documented.get("required", False),
                }
        return {}

    def _response(self) -> str | None:
        for inner in ast.walk(self._node):
            if isinstance(inner, ast.keyword) and inner.arg == "response_type":
                return str(ast.literal_eval(inner.value))
        return None


def _python_name(expression: ast.expr) -> str:
    """The argument behind ``x``, ``kwargs.get("x", missing)`` or a formatted list of it."""
    for inner in ast.walk(expression):
        if not isinstance(inner, ast.Call):
            continue
        if isinstance(inner.func, ast.Attribute) and inner.func.attr == "get":
            return str(ast.literal_eval(inner.args[0]))
    names = [inner.id for inner in ast.walk(expression) if isinstance(inner, ast.Name)]
    return names[-1] if names else ""


def _parameters(docstring: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The documented parameters of a method, with their allowed values."""
    current: dict[str, Any] | None = None
    for raw in docstring.splitlines():
        line = raw.strip()
        match = _PARAM.match(line)
        if match:
            current = {"type": match["type"]}
            if match["need"] == "required":
                current["required"] = True
            yield match["name"], current
        elif current is not None and (values := _allowed(line)):
            current["enum"] = values


def _allowed(text: str) -> list[str]:
    match = _ENUM.search(text)
    return re.findall(r'"([^"]*)"', match["values"]) if match else []


def models(package: Any, roots: Iterable[str]) -> dict[str, Any]:
    """The models that the roots need, and what those need in turn."""
    described: dict[str, Any] = {}
    wanted = [name for root in roots for name in _MODEL_NAME.findall(root)]
    while wanted:
        name = wanted.pop()
        if name in described or not hasattr(package, name):
            continue
        described[name] = model = _model(getattr(package, name))
        wanted += model.get("subtypes", {}).values()
        for field in model["fields"].values():
            wanted += _MODEL_NAME.findall(field["type"])
    return described


def _model(cls: Any) -> dict[str, Any]:
    instance = cls()
    fields = {}
    for python, kind in instance.swagger_types.items():
        documentation = inspect.getdoc(getattr(cls, python)) or ""
        field: dict[str, Any] = {"type": kind}
        if documentation.startswith("**[Required]**"):
            field["required"] = True
        values = [value for line in documentation.splitlines() for value in _allowed(line)]
        if values:
            field["enum"] = values
        fields[instance.attribute_map[python]] = field
    return {"fields": fields} | _subtypes(cls)


def _subtypes(cls: Any) -> dict[str, Any]:
    """The discriminator of a model with subtypes, read from its ``get_subtype``."""
    if "get_subtype" not in vars(cls):
        return {}
    source = inspect.getsource(cls.get_subtype)
    discriminator = re.search(r"object_dictionary\['(\w+)'\]", source)
    pairs = re.findall(r"if type == '(\w+)':\s+return '(\w+)'", source)
    if discriminator is None:
        raise TypeError(f"{cls.__name__}.get_subtype names no discriminator")
    return {"discriminator": discriminator[1], "subtypes": dict(pairs)}


if __name__ == "__main__":
    main()
