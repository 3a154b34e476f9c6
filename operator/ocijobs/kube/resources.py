"""Paths in the API: of our kinds, and of the few others that the operator uses."""

from __future__ import annotations

from ocijobs.api import kinds
from ocijobs.api.kueue import KUEUE_API_VERSION, WORKLOAD
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.names import API_VERSION

_PLURALS = {**kinds.PLURALS, WORKLOAD: "workloads"}


def plural(kind: str) -> str:
    """Return the plural resource name of one of our kinds, or of Kueue's Workload."""
    return _PLURALS[kind]


def _api_version(kind: str) -> str:
    return KUEUE_API_VERSION if kind == WORKLOAD else API_VERSION


def object_path(key: ObjectKey, subresource: str = "") -> str:
    """Return the path of one of our objects, or of a subresource of it."""
    path = f"{list_path(key.kind, key.namespace)}/{key.name}"
    return f"{path}/{subresource}" if subresource else path


def list_path(kind: str, namespace: str | None) -> str:
    """Return the path that lists one of our kinds: in one namespace, or in all."""
    scope = f"/namespaces/{namespace}" if namespace is not None else ""
    return f"/apis/{_api_version(kind)}{scope}/{_PLURALS[kind]}"


def core_path(plural_name: str, namespace: str, name: str = "") -> str:
    """Return the path of a core/v1 object, or of its collection."""
    path = f"/api/v1/namespaces/{namespace}/{plural_name}"
    return f"{path}/{name}" if name else path


def lease_path(namespace: str, name: str = "") -> str:
    """Return the path of a Lease, or of the collection."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    return f"{path}/{name}" if name else path
