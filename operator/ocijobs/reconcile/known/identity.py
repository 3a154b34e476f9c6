"""What this process knows of one identity: the key that it has, what that key may be used for, and what OCI said of it.

A key may start something only while the Secret that it came from is there. One whose Secret is gone, or is no key any
more, goes on to follow and to end what there is: in a namespace that is being deleted the Secret goes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation, noted
from ocijobs.reconcile.actions.identities import CopyCredentials, ReadCredentials, VerifyCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key in memory, its secrets left out.

    Attributes:
        version: names the content: the Secret's uid and resourceVersion, and the region.
        region: region of the calls.
        tenancy_id: OCID of the tenancy.
    """

    version: str
    region: str
    tenancy_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why the Secret gives no key now, in words, and since when."""

    reason: Reason
    message: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Serving:
    """The Secret is there, and is a key: what it is may start something."""

    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """The Secret was not read yet (no fault), or gives no key: one that is kept may follow and end, no more."""

    fault: Fault | None = None
    key: Key | None = None


Credentials = Serving | Unserved


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKey:
    """What came of a call about the key of that version, which may be another one than the decision knew of."""

    version: str
    refusal: Refusal | None


IdentityAnswer = (
    tuple[ReadCredentials, Key | Refusal]
    | tuple[VerifyCredentials, OfKey]
    | tuple[CopyCredentials, OfKey]
)
"""Each action on credentials, and what it may bring. A Secret that is there and is no key is refused as INVALID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityKnown:
    """What this process has learnt about one identity.

    Attributes:
        credentials: what the Secret gave last, or what was kept of it.
        verified: version of the key that OCI has accepted.
        verified_at: when it last did.
        refused_since: since when OCI refuses the signatures of the key.
        doubted: whether OCI refused the signature of some call since it was last asked about the key.
        copied: version of the copy of the Secret that is kept for deletion.
        absent_since: since when there is no such identity.
    """

    credentials: Credentials = Unserved()
    verified: str | None = None
    verified_at: datetime | None = None
    refused_since: datetime | None = None
    doubted: bool = False
    copied: str | None = None
    absent_since: datetime | None = None
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    @property
    def fault(self) -> Fault | None:
        """Why the Secret gives no key now."""
        return self.credentials.fault if isinstance(self.credentials, Unserved) else None

    def answered(self, answer: IdentityAnswer, *, at: datetime) -> IdentityKnown:
        """Return the memory after an action was answered at that time."""
        match answer:
            case (ReadCredentials() as call, key):
                return self.secret_answered(key, at=at, epoch=call.epoch)
            case (VerifyCredentials(), asked):
                return self.verify_answered(asked.version, asked.refusal, at=at)
            case (CopyCredentials(), copied):
                return self.copy_answered(copied.version, copied.refusal, at=at)
            case _:
                assert_never(answer)

    def called(
        self, operation: Operation, *, at: datetime, refusal: Refusal | None = None, epoch: str = ""
    ) -> IdentityKnown:
        """Return the memory after a call of `operation`."""
        return replace(
            self, calls=noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        )

    def secret_answered(self, answer: Key | Refusal, *, at: datetime, epoch: str) -> IdentityKnown:
        """Return the memory after the Secret was asked for."""
        if isinstance(answer, Key):
            return self.secret_read(answer, at=at, epoch=epoch)
        match answer.kind:
            case RefusalKind.MISSING:
                return self.secret_missing(answer.message, at=at, epoch=epoch)
            case RefusalKind.INVALID:
                return self.secret_broken(answer.message, at=at, epoch=epoch)
            case _:
                return self.secret_unreachable(answer.message, at=at, epoch=epoch)

    def secret_read(self, key: Key, *, at: datetime, epoch: str) -> IdentityKnown:
        """Return the memory after the Secret was read, and is a key."""
        return replace(
            self.called(Operation.READ_CREDENTIALS, at=at, epoch=epoch),
            credentials=Serving(key),
            refused_since=self.refused_since if key == self.credentials.key else None,
        )

    def secret_missing(self, message: str, *, at: datetime, epoch: str) -> IdentityKnown:
        """Return the memory after the Secret was asked for, and is not there."""
        refusal = Refusal(kind=RefusalKind.MISSING, message=message)
        after = self.called(Operation.READ_CREDENTIALS, at=at, refusal=refusal, epoch=epoch)
        return _without_secret(after, Reason.WAITING_FOR_IDENTITY, message, at)

    def secret_broken(self, problem: str, *, at: datetime, epoch: str) -> IdentityKnown:
        """Return the memory after the Secret was read, and is no key."""
        after = self.called(Operation.READ_CREDENTIALS, at=at, epoch=epoch)
        return _without_secret(after, Reason.CREDENTIALS_INVALID, problem, at)

    def secret_unreachable(self, message: str, *, at: datetime, epoch: str) -> IdentityKnown:
        """Return the memory after the API server did not tell of the Secret: that says nothing of it."""
        refusal = Refusal(kind=RefusalKind.UNAVAILABLE, message=message)
        return self.called(Operation.READ_CREDENTIALS, at=at, refusal=refusal, epoch=epoch)

    def verify_answered(
        self, version: str, refusal: Refusal | None, *, at: datetime
    ) -> IdentityKnown:
        """Return the memory after OCI was asked about the key of that version."""
        after = replace(
            self.called(Operation.VERIFY, at=at, refusal=refusal, epoch=version), doubted=False
        )
        if refusal is None:
            return replace(after, verified=version, verified_at=at, refused_since=None)
        if refusal.kind is not RefusalKind.CREDENTIALS:
            return after
        verified = None if self.verified == version else self.verified
        return replace(after, verified=verified, refused_since=self.refused_since or at)

    def copy_found(self, key: Key) -> IdentityKnown:
        """Return the memory after a copy of the Secret was found: its key is kept while there is no other."""
        after = replace(self, copied=key.version)
        if isinstance(self.credentials, Serving) or self.credentials.key is not None:
            return after
        return replace(after, credentials=replace(self.credentials, key=key))

    def copy_dropped(self) -> IdentityKnown:
        """Return the memory from when the copy of the Secret is deleted."""
        return replace(self, copied=None)

    def copy_answered(
        self, version: str, refusal: Refusal | None, *, at: datetime
    ) -> IdentityKnown:
        """Return the memory after a copy of the Secret of that version was written, or was not."""
        after = self.called(Operation.COPY_CREDENTIALS, at=at, refusal=refusal, epoch=version)
        return after if refusal is not None else replace(after, copied=version)

    def absent(self, at: datetime) -> IdentityKnown:
        """Return the memory after the identity went: its key is kept to end what there is."""
        since = self.absent_since or at
        return replace(
            self, credentials=Unserved(key=self.credentials.key), calls={}, absent_since=since
        )

    def gone_since(self, *, present: bool) -> datetime | None:
        """Return since when nothing can be ended as this identity, and nobody is about to mend that.

        Args:
            present: whether the identity is there, so that its Secret may be.
        """
        since = self.fault.since if present and self.fault is not None else None
        if not present:
            since = self.absent_since
        if since is None or self.credentials.key is None:
            return since
        return max(since, self.refused_since) if self.refused_since is not None else None


def _without_secret(
    known: IdentityKnown, reason: Reason, message: str, at: datetime
) -> IdentityKnown:
    since = known.fault.since if known.fault is not None else at
    fault = Fault(reason=reason, message=message, since=since)
    return replace(known, credentials=Unserved(fault=fault, key=known.credentials.key))
