"""Variables and references to them, of ADS (`${VAR}`, `$VAR`) and of manifests (`$(VAR)`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_OF_ADS = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_OF_MANIFESTS = re.compile(r"\$(?:(\$)|\(([A-Za-z_][A-Za-z0-9_]*)\)|(\{))")


def references_from_ads(text: str) -> str:
    """Return `${VAR}` as `$(VAR)`; what ADS leaves alone stays as it is."""

    def translated(match: re.Match[str]) -> str:
        return "$$" if match.group(1) else f"$({match.group(2)})"

    return _OF_ADS.sub(translated, text)


def references_to_ads(text: str) -> str:
    """Return `$(VAR)` as `${VAR}`."""

    def translated(match: re.Match[str]) -> str:
        if match.group(3):
            return "$${"
        return "$$" if match.group(1) else f"${{{match.group(2)}}}"

    return _OF_MANIFESTS.sub(translated, text)


def literal(text: str) -> str:
    """Return a text as manifests have it where `$(VAR)` is a reference: what it says itself is none."""
    return text.replace("$", "$$") if re.search(r"\$[$(]", text) else text


def variables_from_ads(given: Any) -> list[dict[str, str]]:
    """Return `env` of a manifest from that of ADS: a list of names and values, or a map.

    As in ADS, no value is an empty text, and what is no text is JSON. Variables that others refer to come before them.
    """
    pairs = (
        given.items()
        if isinstance(given, Mapping)
        else ((v["name"], v.get("value")) for v in given or ())
    )
    texts = {str(name): references_from_ads(text_of(value)) for name, value in pairs}
    return [{"name": name, "value": texts[name]} for name in _ordered(texts)]


def text_of(value: Any) -> str:
    """Return a value as ADS sends it: what is no text is JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _ordered(texts: Mapping[str, str]) -> Iterable[str]:
    """Return the names so that `$(VAR)` stands behind VAR, where that is possible, and otherwise as they are."""
    done: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        for other in re.findall(r"\$\(([^)]*)\)", texts[name]):
            if other in texts and other not in above:
                visit(other, above | {other})
        done.setdefault(name)

    for name in texts:
        visit(name, frozenset({name}))
    return done
