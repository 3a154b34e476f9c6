"""Objects that belong to another one: what the operator makes in the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ocijobs.api.kueue import QUEUE_LABELS
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.model import Model
from ocijobs.api.shared.names import ANNOTATION_ALLOW_START, API_VERSION
from ocijobs.reconcile.actions.calls import Call
from ocijobs.reconcile.backoff import due_at
from ocijobs.settings import Settings


def owned_object(
    owner: ObjectMeta,
    owner_kind: str,
    *,
    kind: str,
    name: str,
    spec: Model,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Return the document of an object that goes when its owner goes.

    Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
    """
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            **({"labels": dict(labels)} if labels else {}),
            **({"annotations": dict(annotations)} if annotations else {}),
            "ownerReferences": [owner_reference(owner, owner_kind)],
        },
        "spec": spec.document(),
    }


def owner_reference(owner: ObjectMeta, kind: str) -> dict[str, object]:
    """Return the metav1.OwnerReference to an object of ours that controls another one."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def queue_labels(owner: ObjectMeta) -> dict[str, str]:
    """Return the labels that name a queue of Kueue: what is made by an object is queued as the object says."""
    return {name: owner.labels[name] for name in QUEUE_LABELS if name in owner.labels}


def belongs(metadata: ObjectMeta, owner: ObjectMeta) -> bool:
    """Whether an object belongs to `owner`, and not to one of the same name."""
    controller = metadata.controller
    return controller is not None and controller.uid == owner.uid


def creation_due_at(
    owner: ObjectMeta, forbidden: Call | None, settings: Settings
) -> datetime | None:
    """Return when a creation that the API server forbade is tried again; None means at once."""
    return due_at(forbidden, epoch=creation_epoch(owner), seed=owner.uid, settings=settings)


def creation_epoch(owner: ObjectMeta) -> str:
    """Return the epoch in which a creation for an object is forbidden: an edit makes another one."""
    return str(owner.generation)


def allow_start_of_made(settings: Settings) -> dict[str, str]:
    """Return the annotation of what a sweep or schedule makes while new objects are held: its owner may start."""
    return {ANNOTATION_ALLOW_START: "true"} if settings.hold_new else {}
