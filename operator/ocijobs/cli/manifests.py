"""Manifests as documents: read from files, and written so that people like to read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ocijobs.api.shared.names import API_VERSION

Document = dict[str, Any]

NAME_LIMIT = 63
_SERVER_FIELDS = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
    "finalizers",
    "ownerReferences",
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class InputError(Exception):
    """What was given can't be used; the message says what is wrong, where, and what to do."""


def read(path: Path) -> Iterator[Document]:
    """Yield the documents of a file, those of a List one by one.

    Raises:
        InputError: if it is not YAML with objects.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_bytes()))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path}: can't be read: {error}") from error
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict):
            raise InputError(f"{path}: is not YAML with objects")
        if document.get("kind") == "List":
            yield from document.get("items") or ()
        else:
            yield document


def dump(documents: Iterable[Mapping[str, Any]]) -> str:
    """Return documents as YAML: in their order, long texts as blocks."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and shares nothing between documents."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def manifest(kind: str, name: str, spec: Mapping[str, Any]) -> Document:
    """Return an object of ours."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {key: value for key, value in spec.items() if value not in (None, [], {})},
    }


def object_name(text: str) -> str:
    """Return a name that an object can have, from one that a person gave."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:NAME_LIMIT].rstrip("-")
    return name or "job"


def without_server_fields(document: Document) -> Document:
    """Return an object as it would be applied: without status and what the API server sets."""
    meta = dict(document.get("metadata") or {})
    for field in _SERVER_FIELDS:
        meta.pop(field, None)
    annotations = dict(meta.pop("annotations", None) or {})
    annotations.pop(_LAST_APPLIED, None)
    if annotations:
        meta["annotations"] = annotations
    return {
        key: meta if key == "metadata" else value
        for key, value in document.items()
        if key != "status"
    }
