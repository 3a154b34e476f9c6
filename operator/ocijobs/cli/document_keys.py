"""Keys of documents: those that are wanted, without those that say nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

Spec = dict[str, Any]
"""A part of a document."""


def cleaned(spec: Mapping[str, Any]) -> Spec:
    """Return the keys that say something."""
    return {key: value for key, value in spec.items() if value not in (None, [], {}, False)}


def chosen(spec: Mapping[str, Any], *names: str) -> Spec:
    """Return some of the keys, None where one is missing."""
    return {name: spec.get(name) for name in names}


def mapping(spec: Mapping[str, Any], key: str) -> Spec:
    """Return what a key holds, which is a map or nothing."""
    return dict(spec.get(key) or {})


def words(given: Any) -> list[str]:
    """Return a list of texts that may be written as one, as a shell has it."""
    return shlex.split(given) if isinstance(given, str) else [str(item) for item in given or ()]
