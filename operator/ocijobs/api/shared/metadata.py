"""`ObjectMeta` and references, as far as the operator reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from ocijobs.api import kinds
from ocijobs.api.shared.model import Model, ObjectName
from ocijobs.api.shared.names import (
    ANNOTATION_ABANDON,
    ANNOTATION_ALLOW_START,
    ANNOTATION_PAUSED,
    FINALIZER,
)


class ObjectKey(NamedTuple):
    """What tells one object from another in a cluster: kind, namespace and name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class OwnerReference(Model):
    """metav1.OwnerReference."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Model):
    """The part of metav1.ObjectMeta that decisions need.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
    """

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)

    @property
    def controller(self) -> OwnerReference | None:
        """The object that this one belongs to, if it belongs to one."""
        return next((owner for owner in self.owner_references if owner.controller), None)

    @property
    def deleting(self) -> bool:
        """Whether somebody asked for the object's deletion."""
        return self.deletion_timestamp is not None

    @property
    def has_finalizer(self) -> bool:
        """Whether the object has our finalizer."""
        return FINALIZER in self.finalizers

    @property
    def paused(self) -> bool:
        """Whether the annotation `ocijobs.io/paused` stops reconciling."""
        return self.annotations.get(ANNOTATION_PAUSED) == "true"

    @property
    def abandoned(self) -> bool:
        """Whether the annotation `ocijobs.io/abandon` gives up what the object owns in OCI."""
        return self.annotations.get(ANNOTATION_ABANDON) == "true"

    @property
    def start_allowed(self) -> bool:
        """Whether the annotation `ocijobs.io/allow-start` lets the object start though new ones are held."""
        return self.annotations.get(ANNOTATION_ALLOW_START) == "true"


class LocalObjectReference(Model):
    """A reference to an object of the same namespace."""

    name: ObjectName = Field(description="Name of the object, in this namespace.")


class IdentityKind(StrEnum):
    """Kinds that `identityRef` may name."""

    OCI_IDENTITY = kinds.IDENTITY


class IdentityReference(Model):
    """Which identity is used."""

    kind: IdentityKind = Field(
        default=IdentityKind.OCI_IDENTITY,
        description="Kind of the identity: OCIIdentity, of this namespace.",
    )
    name: ObjectName = Field(description="Name of the identity.")


class JobReference(Model):
    """The OCIJob that is run."""

    name: ObjectName = Field(
        description="Name of the OCIJob, in this namespace. It may be created later."
    )
