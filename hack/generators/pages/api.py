"""api/<kind>.md: every field of every kind, from the definitions that the API server has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generators.document import flow
from generators.files import REFERENCE, File
from generators.markdown import code, link, page, prose, span, table, text
from ocijobs.api.crd import custom_resource_definitions
from ocijobs.api.shared.names import API_VERSION

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field: its path from the object's root, and its schema. `[]` is an item of a list, `.*` a value of a map."""

    path: str
    schema: Schema
    required: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


def files() -> tuple[File, ...]:
    """Return an overview, and a page for each kind."""
    definitions = custom_resource_definitions()
    return (
        File(path=REFERENCE / "api" / "README.md", text=_overview(definitions)),
        *(
            File(path=REFERENCE / "api" / f"{_singular(each)}.md", text=_page(each))
            for each in definitions
        ),
    )


def _singular(definition: Schema) -> str:
    return str(definition["spec"]["names"]["singular"])


def _root(definition: Schema) -> Schema:
    [version] = definition["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def _overview(definitions: tuple[Schema, ...]) -> str:
    rows = (
        (
            f"[{names['kind']}]({names['singular']}.md)",
            code(names["plural"]),
            ", ".join(code(short) for short in names["shortNames"]),
            text(_root(each)["description"].partition(". ")[0] + "."),
        )
        for each in definitions
        for names in [each["spec"]["names"]]
    )
    categories = {name for each in definitions for name in each["spec"]["names"]["categories"]}
    introduction = (
        f"The kinds of {code(API_VERSION)}. All are namespaced, and "
        f"{code(f'kubectl get {chr(44).join(sorted(categories))}')} lists them together. "
        "`kubectl explain` has the same texts as these pages."
    )
    header = ("Kind", "Resource", "Short", "What it is")
    return page("API", "operator/ocijobs/api", introduction, table(header, rows))


def _page(definition: Schema) -> str:
    names, schema = definition["spec"]["names"], _root(definition)
    [version] = definition["spec"]["versions"]
    head = "\n".join(
        (
            "```yaml",
            f"apiVersion: {definition['spec']['group']}/{version['name']}",
            f"kind: {names['kind']}",
            "```",
        )
    )
    columns = table(
        ("Column", "Meaning"),
        (
            (
                code(column["name"].upper()) + (" (`-o wide`)" if column.get("priority") else ""),
                text(column["description"]),
            )
            for column in version["additionalPrinterColumns"]
        ),
    )
    short = names["shortNames"][0]
    return page(
        names["kind"],
        "operator/ocijobs/api",
        *prose(schema["description"]),
        head,
        *_rules(Field(path="", schema=schema)),
        f"`kubectl get {names['plural']}`, or `{short}` for short, shows:",
        columns,
        *(
            block
            for name in ("spec", "status")
            for block in _section(Field(path=name, schema=schema["properties"][name]))
        ),
    )


def _section(field: Field) -> Iterator[str]:
    """Yield the blocks of an object's section, and those of the objects within."""
    depth = "##" if "." not in field.path else "###"
    yield f"{depth} {field.path}"
    yield from prose(field.schema.get("description", ""))
    yield from _rules(field)
    fields = tuple(_fields(field))
    header = ("Field", "Type", "Default", "Description")
    yield table(header, (_row(each) for each in fields))
    for each in fields:
        nested = _innermost(each)
        if "properties" in nested.schema:
            yield from _section(nested)


def _fields(field: Field) -> Iterator[Field]:
    required = field.schema.get("required", ())
    for name, schema in field.schema["properties"].items():
        yield Field(path=f"{field.path}.{name}", schema=schema, required=name in required)


def _innermost(field: Field) -> Field:
    """Return what a list's or a map's values are in the end."""
    schema, path = field.schema, field.path
    while "items" in schema or "additionalProperties" in schema:
        if "items" in schema:
            schema, path = schema["items"], f"{path}[]"
        else:
            schema, path = schema["additionalProperties"], f"{path}.*"
    return Field(path=path, schema=schema)


def _rules(field: Field) -> Iterator[str]:
    rules = field.schema.get("x-kubernetes-validations")
    if rules:
        lines = (f"- {text(rule['message'])}  \n  {span(rule['rule'])}" for rule in rules)
        yield "Rules, of which the API server checks each:\n\n" + "\n".join(lines)


def _row(field: Field) -> tuple[str, ...]:
    default = "—"
    if field.required:
        default = "**required**"
    elif "default" in field.schema and field.path != "status":
        default = code(flow(field.schema["default"]))
    # The rest, with its examples, is in the field's own section.
    summary = field.schema.get("description", "").partition("\n\n")[0]
    parts = [text(summary), *_bounds(field)]
    return code(field.name), _type(field), default, "<br>".join(part for part in parts if part)


def _type(field: Field) -> str:
    """Return the type in words, linked to its own section where it has one."""
    schema, words = field.schema, ""
    while "items" in schema or "additionalProperties" in schema:
        words += "list of " if "items" in schema else "map of "
        schema = schema.get("items") or schema["additionalProperties"]
    if "properties" in schema:
        return words + link("object", _innermost(field).path)
    return words + ("time" if schema.get("format") == "date-time" else str(schema["type"]))


def _bounds(field: Field) -> Iterator[str]:
    """Yield what the API server checks of the value itself, from the outside in."""
    schema, whose = field.schema, ""
    while True:
        if bounds := "; ".join(_own_bounds(schema)):
            yield f"{whose}{bounds}" if whose else bounds[0].upper() + bounds[1:]
        if "items" in schema:
            schema, whose = schema["items"], "Each: "
        elif "additionalProperties" in schema:
            schema, whose = schema["additionalProperties"], "Each: "
        else:
            return
        if "properties" in schema:
            return


def _own_bounds(schema: Schema) -> Iterator[str]:
    if "enum" in schema:
        yield "one of " + ", ".join(code(str(value)) for value in schema["enum"])
    for least, most, unit in (
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("minProperties", "maxProperties", "entries"),
    ):
        if words := _between(schema.get(least), schema.get(most)):
            yield f"{words} {unit}"
    yield from _number(schema)
    if "pattern" in schema:
        yield f"pattern {code(schema['pattern'])}"
    if schema.get("x-kubernetes-list-type") == "map":
        yield "unique by " + ", ".join(code(key) for key in schema["x-kubernetes-list-map-keys"])
    if schema.get("x-kubernetes-list-type") == "set":
        yield "no item twice"


def _between(least: int | None, most: int | None) -> str:
    if least and most:
        return f"{least} to {most}"
    if most is not None:
        return f"at most {most}"
    return f"at least {least}" if least else ""


_EXACT = 2**53


def _number(schema: Schema) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high == _EXACT:
        high = None
    if low is not None and schema.get("exclusiveMinimum"):
        yield f"above {low}" + (f", at most {high}" if high is not None else "")
    elif low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None:
        yield f"{low} or more"
    elif high is not None:
        yield f"at most {high}"
