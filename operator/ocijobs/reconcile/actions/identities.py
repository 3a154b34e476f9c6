"""Actions on the credentials of an identity: they are read, verified, and kept for deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.reconcile.actions.calls import OciCall, Operation


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCredentials:
    """Read the Secret of an identity into memory."""

    operation: ClassVar[Operation] = Operation.READ_CREDENTIALS
    secret_name: str
    region: str | None
    epoch: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCredentials(OciCall):
    """Ask OCI for something that every principal may read (the Object Storage namespace)."""

    operation: ClassVar[Operation] = Operation.VERIFY


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CopyCredentials:
    """Keep a copy of the Secret of an identity in the operator's own namespace, for deletion alone.

    It is there before anything is in OCI: of a namespace that is deleted, the Secret goes first.
    """

    operation: ClassVar[Operation] = Operation.COPY_CREDENTIALS
    identity: IdentityReference


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DropCredentials:
    """Delete the copy of the Secret of an identity: nothing needs it any more."""

    identity: IdentityReference


IdentityAction = ReadCredentials | VerifyCredentials | CopyCredentials | DropCredentials
