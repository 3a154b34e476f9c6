"""Digests, tokens and owner tags: the names by which a creation is recognised after a crash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from ocijobs.api.shared.model import Model


def digest(document: object) -> str:
    """Return the SHA-256 of a JSON document in canonical form, in hexadecimal."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def as_document(data: object) -> object:
    """Return dataclasses and models as JSON: of a dataclass its class counts, too."""
    if isinstance(data, Model):
        return data.document()
    if isinstance(data, tuple):
        return [as_document(item) for item in data]
    if is_dataclass(data):
        members = {field.name: getattr(data, field.name) for field in fields(data)}
        return {type(data).__name__: {name: as_document(value) for name, value in members.items()}}
    return dict(data) if isinstance(data, Mapping) else data


def retry_token(*, uid: str, operation: str, subject: str, incarnation: int) -> str:
    """Return the opc-retry-token of a creation: 64 characters at most, the same after every crash.

    `subject` is the attempt or the revision; `incarnation` goes up only when it is proven that the former token
    created nothing.
    """
    return digest(["v1", uid, operation, subject, incarnation])[:60]


def owner_of(*, cluster_id: str, uid: str) -> str:
    """Return what begins the owner tags of all that an object has in OCI."""
    return f"{cluster_id}/{uid}"


def belongs_to(tag: str, owner: str | None) -> bool:
    """Whether an owner tag is of that owner."""
    return owner is not None and tag.startswith(f"{owner.rstrip('/')}/")


def owner_tag(*, cluster_id: str, uid: str, subject: str) -> str:
    """Return the value of the tag `ocijobs_owner`: whose resource this is."""
    return f"{owner_of(cluster_id=cluster_id, uid=uid)}/{subject}"
