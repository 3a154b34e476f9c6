"""YAML as people would write it: in the order given, without anchors, wide enough for prose."""

from __future__ import annotations

import json
from typing import Any

import yaml

WIDTH = 100


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        """Write equal parts out each time: anchors are for machines."""
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Indent lists below their key."""
        del indentless
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def render(document: Any) -> str:
    """Return the document as YAML."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True)


def flow(value: Any) -> str:
    """Return a value on one line, such as `["get", "list"]`: JSON, which YAML contains."""
    return json.dumps(value, ensure_ascii=False)
