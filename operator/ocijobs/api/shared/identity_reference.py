"""How jobs and runs name the identity that they use."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from ocijobs.api import kinds
from ocijobs.api.shared.model import Model, ObjectName


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
