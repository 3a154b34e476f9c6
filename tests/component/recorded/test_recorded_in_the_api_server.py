"""The API server takes every recorded object as it was: nothing is refused, pruned or given another default."""

from __future__ import annotations

import pytest
from tests.support.namespace import PLURALS, Document, Namespace
from tests.support.recorded import Record, records

from kubecontrolplane.cluster import Cluster
from ocijobs.api.crd import KINDS
from ocijobs.api.shared.names import API_VERSION

OURS = records(*(kind.name for kind in KINDS))


@pytest.fixture
def alone(definitions: Cluster, namespace: str) -> Namespace:
    """A namespace without an operator."""
    return Namespace(definitions, namespace)


@pytest.mark.parametrize("kind", PLURALS)
def test_recorded_objects_are_stored_as_they_were(alone: Namespace, kind: str) -> None:
    for number, record in enumerate(each for each in OURS if each.kind == kind):
        document = stored(alone, record, f"{record.document['metadata']['name'][:30]}-{number}")
        for part in ("spec", "status"):
            assert document.get(part) == record.document.get(part), f"{part} of {record}"


def stored(alone: Namespace, record: Record, name: str) -> Document:
    """Create an object, put its status as the operator does, and return what the API server has."""
    meta = record.document["metadata"]
    # Without owners and finalizers, which are of another namespace and would hold this one.
    kept = {part: meta[part] for part in ("labels", "annotations") if part in meta}
    alone.create(
        {
            "apiVersion": API_VERSION,
            "kind": record.kind,
            "metadata": {"name": name, **kept},
            "spec": record.document["spec"],
        }
    )
    status = record.document["status"]
    alone.objects.replace_namespaced_custom_object_status(
        *API_VERSION.split("/"),
        alone.namespace,
        PLURALS[record.kind],
        name,
        {**alone.get(record.kind, name), "status": status},
    )
    return alone.get(record.kind, name)
