"""The decision about an OCIIdentity, and how others see it.

OCI is asked about each key once, again at intervals, and when it has refused the signature of some call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Unpack

from ocijobs.api.identity import IdentityDefaults, OCIIdentity, OCIIdentityStatus
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import IdentityStatusChanges
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Caller, Operation
from ocijobs.reconcile.actions.identities import (
    CopyCredentials,
    DropCredentials,
    ReadCredentials,
    VerifyCredentials,
)
from ocijobs.reconcile.actions.objects import AddFinalizer, RemoveFinalizer
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.blocking import (
    REASON_OF_REFUSAL,
    Former,
    blocked,
    describe,
    earliest,
)
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.known.identity import IdentityKnown, Key, Serving, Unserved
from ocijobs.reconcile.standing import Headline, Standing, restated
from ocijobs.settings import Settings

_NAMED_USERS = 5

_DOUBT_SECONDS = 10.0
"""Shortest pause between two questions about a key that OCI accepts, and whose calls it refuses all the same."""

_REFUSES_THE_KEY = frozenset({RefusalKind.CREDENTIALS, RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityObservation:
    """Everything that a decision about an identity rests on; `users` names what needs it."""

    identity: OCIIdentity
    users: tuple[str, ...]
    known: IdentityKnown
    settings: Settings

    @property
    def epoch(self) -> str:
        """Circumstances under which what was read stands: another spec, or another identity, is read anew."""
        return _epoch(self.identity)

    @property
    def reference(self) -> IdentityReference:
        """How others name this identity."""
        return IdentityReference(name=self.identity.metadata.name)


def _epoch(identity: OCIIdentity) -> str:
    return f"{identity.metadata.uid}/{identity.metadata.generation}"


def read_credentials(identity: OCIIdentity) -> ReadCredentials:
    """Return the action that reads the Secret of an identity."""
    spec = identity.spec
    return ReadCredentials(
        secret_name=spec.secret_ref.name, region=spec.region, epoch=_epoch(identity)
    )


def decide_identity(o: IdentityObservation, now: datetime) -> Decision[OCIIdentityStatus]:
    """Decide what is to be done about an identity. Total, deterministic, without effects."""
    meta, status = o.identity.metadata, o.identity.status
    if meta.paused:
        return Decision(status=status)
    if meta.deleting and not (o.users and meta.has_finalizer):
        release = (RemoveFinalizer(),) if meta.has_finalizer else ()
        return Decision(status=status, actions=(*_unneeded(o), *release))
    if not meta.deleting and not meta.has_finalizer:
        return Decision(status=status, actions=(AddFinalizer(),))
    read_due = _read_due(o)
    if read_due is None or now >= read_due:
        return Decision(status=status, actions=(read_credentials(o.identity),))
    decision = _with_copy(o, _verified(o, now), now)
    return replace(decision, wake_at=earliest(decision.wake_at, read_due))


def _with_copy(
    o: IdentityObservation, decision: Decision[OCIIdentityStatus], now: datetime
) -> Decision[OCIIdentityStatus]:
    """Add to a decision what becomes of the copy of the credentials."""
    due = _copy_due(o, now)
    copy = (CopyCredentials(identity=o.reference),) if due is not None and now >= due else ()
    return replace(
        decision,
        actions=(*decision.actions, *copy, *_unneeded(o)),
        wake_at=earliest(decision.wake_at, None if copy else due),
    )


def _unneeded(o: IdentityObservation) -> tuple[DropCredentials, ...]:
    """Return the end of a copy that nothing needs any more."""
    if o.users or o.known.copied is None:
        return ()
    return (DropCredentials(identity=o.reference),)


def _copy_due(o: IdentityObservation, now: datetime) -> datetime | None:
    """Return when the Secret is to be copied for those that need it; None where it need not be.

    A copy becomes another one only when OCI has accepted the other key.
    """
    credentials = o.known.credentials
    if not o.users or not isinstance(credentials, Serving):
        return None
    version = credentials.key.version
    if o.known.copied == version or o.known.verified != version:
        return None
    call, seed = o.known.calls.get(Operation.COPY_CREDENTIALS), o.identity.metadata.uid
    return due_at(call, epoch=version, seed=seed, settings=o.settings) or now


def _read_due(o: IdentityObservation) -> datetime | None:
    call = o.known.calls.get(Operation.READ_CREDENTIALS)
    if call is None or call.epoch != o.epoch:
        return None
    if call.refusal is not None:
        return due_at(call, epoch=call.epoch, seed=o.identity.metadata.uid, settings=o.settings)
    return call.at + timedelta(seconds=o.settings.identity_reread_seconds)


def _verified(o: IdentityObservation, now: datetime) -> Decision[OCIIdentityStatus]:
    """Ask OCI about the key when that is due, and say how it stands."""
    key, fault = o.known.credentials.key, o.known.fault
    if key is None:
        if fault is None:
            return _blocked(o, now, *_not_read(o))
        return _blocked(o, now, fault.reason, f"spec.secretRef: {fault.message}")
    due = _verify_due(o, key)
    action = VerifyCredentials(caller=Caller(identity=o.reference, region=key.region))
    actions = (action,) if due is None or now >= due else ()
    decision = _standing(o, key, now)
    wake_at = earliest(decision.wake_at, None if actions else due)
    return replace(decision, actions=actions, wake_at=wake_at)


def _not_read(o: IdentityObservation) -> tuple[Reason, str]:
    call = o.known.calls.get(Operation.READ_CREDENTIALS)
    why = call.refusal.message if call and call.refusal else "the Secret was not read yet"
    return Reason.WAITING_FOR_IDENTITY, f"spec.secretRef: {why}"


def _verify_due(o: IdentityObservation, key: Key) -> datetime | None:
    """Return when OCI is to be asked about the key, or None if it was not yet."""
    call = o.known.calls.get(Operation.VERIFY)
    if call is None or call.epoch != key.version:
        return None
    if call.refusal is not None:
        return due_at(call, epoch=key.version, seed=o.identity.metadata.uid, settings=o.settings)
    pause = _DOUBT_SECONDS if o.known.doubted else o.settings.identity_verify_seconds
    return call.at + timedelta(seconds=pause)


def _standing(o: IdentityObservation, key: Key, now: datetime) -> Decision[OCIIdentityStatus]:
    """Say what OCI said of the key, and whether it may start something."""
    fault, refusal = o.known.fault, _refusal_of(o.known, key)
    if refusal is not None and refusal.kind in _REFUSES_THE_KEY:
        message = describe("asking OCI with these credentials", refusal)
        return _blocked(o, now, REASON_OF_REFUSAL[refusal.kind], message)
    if fault is not None and not o.identity.metadata.deleting:
        message = f"spec.secretRef: {fault.message}; what runs is followed, and nothing new starts"
        return _blocked(o, now, fault.reason, message)
    if o.known.verified == key.version:
        return _ready(o, now, key)
    if refusal is None or is_true(o.identity.status.conditions, ConditionType.READY):
        # It is being asked; and an outage takes nothing back that OCI has said.
        return Decision(status=o.identity.status)
    message = describe("asking OCI with these credentials", refusal)
    return _blocked(o, now, REASON_OF_REFUSAL[refusal.kind], message)


def _ready(o: IdentityObservation, now: datetime, key: Key) -> Decision[OCIIdentityStatus]:
    if o.identity.metadata.deleting:
        named = ", ".join(o.users[:_NAMED_USERS]) + (", …" if len(o.users) > _NAMED_USERS else "")
        headline = Headline(
            standing=Standing.PROGRESSING, reason=Reason.IN_USE, message=f"needed by {named}"
        )
    else:
        headline = Headline(
            standing=Standing.READY,
            reason=Reason.IDENTITY_VERIFIED,
            message="OCI accepts the credentials",
        )
    status = _write(
        o, now, headline, region=key.region, tenancy_id=key.tenancy_id, blocked_since=None
    )
    return Decision(status=status)


def _blocked(
    o: IdentityObservation, now: datetime, reason: Reason, message: str
) -> Decision[OCIIdentityStatus]:
    former = o.identity.status
    state = blocked(
        Former(conditions=former.conditions, since=former.blocked_since),
        reason,
        message,
        now=now,
        settings=o.settings,
    )
    status = _write(o, now, state.headline, blocked_since=state.since)
    return Decision(status=status, wake_at=state.stalls_at)


def _write(
    o: IdentityObservation,
    now: datetime,
    headline: Headline,
    *,
    blocked_since: datetime | None,
    **changes: Unpack[IdentityStatusChanges],
) -> OCIIdentityStatus:
    return restated(
        o.identity.status,
        headline,
        generation=o.identity.metadata.generation,
        now=now,
        changes={**changes, "blocked_since": blocked_since},
    )


def view_identity(
    reference: IdentityReference,
    identity: OCIIdentity | None,
    known: IdentityKnown,
) -> IdentityView:
    """Return an identity as jobs and runs see it. While nothing is known of it yet, they wait without a word."""
    name = f"{reference.kind} {reference.name}"
    key = known.credentials.key
    base = IdentityView(
        reference=reference, gone_since=known.gone_since(present=identity is not None)
    )
    if identity is not None and _unread(known):
        return replace(base, obstacle=_unreadable(name, known))
    no_start = _no_start(name, identity, known)
    if key is None:
        return replace(base, obstacle=no_start)
    if identity is not None and not (
        identity.metadata.has_finalizer and Operation.VERIFY in known.calls
    ):
        return base
    view = replace(
        base,
        region=key.region,
        version=key.version,
        defaults=(identity.spec.defaults if identity else None) or IdentityDefaults(),
        no_start=no_start,
        asked=_asked(known, key) is not None,
        copied=known.copied == key.version,
    )
    return _refused(view, _refusal_of(known, key), name)


def _refused(view: IdentityView, refusal: Refusal | None, name: str) -> IdentityView:
    """Return an identity that can't be used if OCI refuses its key; an outage takes nothing from it."""
    if refusal is not None and refusal.kind is RefusalKind.CREDENTIALS:
        message = describe(f"{name}: OCI refuses its credentials", refusal)
        return replace(view, obstacle=(Reason.CREDENTIALS_INVALID, message))
    return view


def _asked(known: IdentityKnown, key: Key) -> Call | None:
    """Return the call that asked OCI about this very key."""
    call = known.calls.get(Operation.VERIFY)
    return call if call is not None and call.epoch == key.version else None


def _refusal_of(known: IdentityKnown, key: Key) -> Refusal | None:
    """Return what OCI said against this very key."""
    call = _asked(known, key)
    return call.refusal if call is not None else None


def _no_start(
    name: str, identity: OCIIdentity | None, known: IdentityKnown
) -> tuple[Reason, str] | None:
    """Return why nothing new may be started as an identity."""
    if identity is None:
        return Reason.WAITING_FOR_IDENTITY, f"there is no {name}"
    if (fault := known.fault) is not None:
        return fault.reason, f"{name}: {fault.message}"
    if identity.metadata.deleting:
        return Reason.WAITING_FOR_IDENTITY, f"{name} is being deleted"
    copy, key = known.calls.get(Operation.COPY_CREDENTIALS), known.credentials.key
    if copy is not None and copy.refusal is not None and key and copy.epoch == key.version:
        return Reason.WAITING_FOR_IDENTITY, f"{name}: {copy.refusal.message}"
    return None


def _unreadable(name: str, known: IdentityKnown) -> tuple[Reason, str] | None:
    """Return why the Secret can't be read; None while that was not tried."""
    call = known.calls.get(Operation.READ_CREDENTIALS)
    if call is None or call.refusal is None:
        return None
    return Reason.WAITING_FOR_IDENTITY, f"{name}: {call.refusal.message}"


def _unread(known: IdentityKnown) -> bool:
    """Whether the Secret was not read yet."""
    return isinstance(known.credentials, Unserved) and known.fault is None
