"""Keys of documents: those that are wanted, without those that say nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.shared.model import Model
from ocijobs.backends.manifest_fields import parts_of

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


def in_order(spec: Spec) -> Spec:
    """Return the spec of an OCIJob with its fields in the order of the reference."""
    return _in_order(OCIJobSpec, spec)


def _in_order(model: type[Model], spec: Spec) -> Spec:
    parts = parts_of(model)
    ordered = {name: spec[name] for name in (*parts, *spec) if name in spec}
    return {
        name: _in_order(inner, value) if isinstance(value, dict) and inner else value
        for name, value in ordered.items()
        for inner in [parts.get(name)]
    }
