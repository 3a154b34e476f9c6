"""settings.md: every setting of the operator."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic.alias_generators import to_camel

from generators.document import flow
from generators.files import REFERENCE, File
from generators.markdown import code, page, table, text
from generators.values import CHART_SETS
from ocijobs.settings import SETTINGS_FILE_VARIABLE, Settings

_HEADING = re.compile(r"^    # (?P<heading>\S.*)\.$")
_FIELD = re.compile(r"^    (?P<name>[a-z_]+): ")

_INTRODUCTION = f"""\
A setting comes from the environment of the operator, or from a YAML file whose path is in `{SETTINGS_FILE_VARIABLE}`;
the environment wins. An unknown name or a wrong value ends the operator at its start, with a message that names it.

```yaml
# the file
pollMaxSeconds: 30
watchNamespaces: [data-science]
```

```sh
# the environment; lists are JSON
export OCIJOBS_POLL_MAX_SECONDS=30
export OCIJOBS_WATCH_NAMESPACES='["data-science"]'
```

The chart writes the file from its values `settings` and `watchNamespaces`, and sets `operatorNamespace` to the
release's."""


def files() -> tuple[File, ...]:
    """Return the page."""
    properties = Settings.model_json_schema(by_alias=True)["properties"]
    blocks = []
    for heading, names in sections().items():
        rows = (_row(name, properties[to_camel(name)]) for name in names)
        header = ("Setting", "Environment", "Default", "Allowed", "Meaning")
        blocks += [f"## {heading}", table(header, rows)]
    body = page("Settings", "operator/ocijobs/settings.py", _INTRODUCTION, *blocks)
    return (File(path=REFERENCE / "settings.md", text=body),)


def sections() -> dict[str, list[str]]:
    """Return the names of the settings below the comment that stands above them in their class.

    Raises:
        ValueError: if a setting stands above the first comment, or is not found in the source.
    """
    found: dict[str, list[str]] = {}
    for line in inspect.getsource(Settings).splitlines():
        if heading := _HEADING.match(line):
            found[heading["heading"]] = []
        elif (field := _FIELD.match(line)) and field["name"] in Settings.model_fields:
            if not found:
                raise ValueError(f"the setting {field['name']} has no section")
            found[list(found)[-1]].append(field["name"])
    missing = Settings.model_fields.keys() - {name for names in found.values() for name in names}
    if missing:
        raise ValueError(f"not found in the source of Settings: {', '.join(sorted(missing))}")
    return found


def _row(name: str, schema: dict[str, Any]) -> tuple[str, ...]:
    camel, default = to_camel(name), schema.get("default")
    description = text(schema["description"])
    if camel in CHART_SETS:
        description += " *Not in the chart's `settings`.*"
    return (
        code(camel),
        code(f"OCIJOBS_{name.upper()}"),
        "—" if default is None else code(flow(default)),
        allowed(schema),
        description,
    )


def allowed(schema: dict[str, Any]) -> str:
    """Return what values a setting may have, as Markdown."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    schema = schema | (options[0] if options else {})
    kind = schema["type"]
    if kind == "array":
        return "list of names"
    if "pattern" in schema:
        return code(schema["pattern"])
    if kind == "string":
        limit = schema.get("maxLength")
        name = "path" if schema.get("format") == "path" else "text"
        return f"{name} of at most {limit} characters" if limit else name
    return f"{'whole number' if kind == 'integer' else 'number'}{_range(schema)}"


def _range(schema: dict[str, Any]) -> str:
    low, high, above = (schema.get(key) for key in ("minimum", "maximum", "exclusiveMinimum"))
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        return f", {low} or more"
    return f" above {above}" if above is not None else ""
