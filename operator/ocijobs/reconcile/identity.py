"""The decision about an OCIIdentity, and how others see it.

Credentials are read into memory and stay there while the identity is needed: in a namespace that is being deleted
the Secret goes first, and what is in OCI must still be ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ocijobs.api.conditions import ConditionType, is_true
from ocijobs.api.identity import (
    IdentityDefaults,
    IdentityReference,
    OCIIdentity,
    OCIIdentityStatus,
)
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.blocking import (
    REASON_OF_REFUSAL,
    Former,
    blocked,
    describe,
    earliest,
)
from ocijobs.reconcile.calls import noted
from ocijobs.reconcile.decision import (
    AddFinalizer,
    Caller,
    Decision,
    ReadCredentials,
    RemoveFinalizer,
    VerifyCredentials,
)
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.remote import Call, Operation, Refusal, RefusalKind
from ocijobs.reconcile.standing import Headline, Standing, conditions
from ocijobs.settings import Settings

_NAMED_USERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRead:
    """What the Secret of an identity said, its secrets left out.

    Attributes:
        version: names the content: the Secret's uid and resourceVersion, and the region.
        region: region of the calls.
        tenancy_id: OCID of the tenancy.
        problem: why the content is no API key, in words; None if it is one.
    """

    version: str
    region: str | None = None
    tenancy_id: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityKnown:
    """What this process has learnt about one identity.

    Attributes:
        credentials: what was read last; they stay when the Secret goes.
        read_at: when the Secret was last asked for.
        verified: version of the credentials that OCI accepted.
        gone_since: since when there are neither credentials in memory nor a Secret or an identity to read.
    """

    credentials: CredentialsRead | None = None
    read_at: datetime | None = None
    verified: str | None = None
    gone_since: datetime | None = None
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    def called(
        self, operation: Operation, *, at: datetime, refusal: Refusal | None = None, epoch: str = ""
    ) -> IdentityKnown:
        """Return the memory after a call of `operation`."""
        return replace(
            self, calls=noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityObservation:
    """Everything that a decision about an identity rests on; `users` names what holds it."""

    identity: OCIIdentity
    users: tuple[str, ...]
    known: IdentityKnown
    settings: Settings

    @property
    def epoch(self) -> str:
        """Circumstances under which what was read stands: another spec, or another identity, is read anew."""
        return f"{self.identity.metadata.uid}/{self.identity.metadata.generation}"

    @property
    def reference(self) -> IdentityReference:
        """How others name this identity."""
        return IdentityReference(name=self.identity.metadata.name)


def decide_identity(o: IdentityObservation, now: datetime) -> Decision[OCIIdentityStatus]:
    """Decide what is to be done about an identity. Total, deterministic, without effects."""
    meta, status = o.identity.metadata, o.identity.status
    if meta.paused:
        return Decision(status=status)
    if meta.deleting and not (o.users and meta.has_finalizer):
        release = (RemoveFinalizer(),) if meta.has_finalizer else ()
        return Decision(status=status, actions=release)
    if not meta.deleting and not meta.has_finalizer:
        return Decision(status=status, actions=(AddFinalizer(),))
    read_due = _read_due(o)
    if read_due is None or now >= read_due:
        action = ReadCredentials(
            secret_name=o.identity.spec.secret_ref.name,
            region=o.identity.spec.region,
            epoch=o.epoch,
        )
        return Decision(status=status, actions=(action,))
    decision = _verified(o, now)
    return replace(decision, wake_at=earliest(decision.wake_at, read_due))


def _read_due(o: IdentityObservation) -> datetime | None:
    call = o.known.calls.get(Operation.READ_CREDENTIALS)
    if call is None or call.epoch != o.epoch:
        return None
    if call.refusal is not None:
        return due_at(call, epoch=call.epoch, seed=o.identity.metadata.uid, settings=o.settings)
    return call.at + timedelta(seconds=o.settings.identity_reread_seconds)


def _verified(o: IdentityObservation, now: datetime) -> Decision[OCIIdentityStatus]:
    """Ask OCI once for each content of the Secret, and say how it stands."""
    credentials = o.known.credentials
    if credentials is None:
        call = o.known.calls.get(Operation.READ_CREDENTIALS)
        why = call.refusal.message if call and call.refusal else "the Secret was not read yet"
        return _blocked(o, now, Reason.WAITING_FOR_IDENTITY, f"spec.secretRef: {why}")
    if credentials.problem is not None or credentials.region is None:
        problem = credentials.problem or "no region is given, neither there nor in spec.region"
        return _blocked(o, now, Reason.CREDENTIALS_INVALID, f"spec.secretRef: {problem}")
    action = VerifyCredentials(caller=Caller(identity=o.reference, region=credentials.region))
    if o.known.verified == credentials.version:
        return _ready(o, now, credentials)
    call = o.known.calls.get(Operation.VERIFY)
    due = due_at(call, epoch=credentials.version, seed=o.identity.metadata.uid, settings=o.settings)
    if call is None or call.refusal is None or due is None:
        return Decision(status=o.identity.status, actions=(action,))
    actions = (action,) if now >= due else ()
    passing = call.refusal.kind not in {
        RefusalKind.CREDENTIALS,
        RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    }
    if passing and is_true(o.identity.status.conditions, ConditionType.READY):
        return Decision(status=o.identity.status, actions=actions, wake_at=due)
    reason = REASON_OF_REFUSAL[call.refusal.kind]
    decision = _blocked(o, now, reason, describe("asking OCI with these credentials", call.refusal))
    return replace(decision, actions=actions, wake_at=earliest(decision.wake_at, due))


def _ready(
    o: IdentityObservation, now: datetime, credentials: CredentialsRead
) -> Decision[OCIIdentityStatus]:
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
        o,
        now,
        headline,
        region=credentials.region,
        tenancy_id=credentials.tenancy_id,
        blocked_since=None,
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
    o: IdentityObservation, now: datetime, headline: Headline, **changes: Any
) -> OCIIdentityStatus:
    former, generation = o.identity.status, o.identity.metadata.generation
    return former.model_copy(
        update={
            **changes,
            "observed_generation": generation,
            "conditions": conditions(former.conditions, headline, generation=generation, now=now),
        }
    )


def view_identity(
    reference: IdentityReference,
    identity: OCIIdentity | None,
    known: IdentityKnown,
) -> IdentityView:
    """Return an identity as jobs and runs see it. While nothing is known of it yet, they wait without a word."""
    name = f"{reference.kind} {reference.name}"
    credentials = known.credentials
    call = known.calls.get(Operation.READ_CREDENTIALS)
    base = IdentityView(reference=reference, gone_since=known.gone_since)
    if credentials is None or credentials.problem is not None or credentials.region is None:
        if identity is None:
            return replace(base, obstacle=(Reason.WAITING_FOR_IDENTITY, f"there is no {name}"))
        if credentials is not None:
            problem = credentials.problem or "its Secret and its spec name no region"
            return replace(base, obstacle=(Reason.CREDENTIALS_INVALID, f"{name}: {problem}"))
        if call is None or call.refusal is None:
            return base
        return replace(
            base, obstacle=(Reason.WAITING_FOR_IDENTITY, f"{name}: {call.refusal.message}")
        )
    view = replace(
        base,
        region=credentials.region,
        version=credentials.version,
        defaults=(identity.spec.defaults if identity else None) or IdentityDefaults(),
        deleting=identity is None or identity.metadata.deleting,
    )
    verify = known.calls.get(Operation.VERIFY)
    if identity is not None and not (identity.metadata.has_finalizer and verify is not None):
        return base
    refusal = verify.refusal if verify is not None and verify.epoch == credentials.version else None
    if refusal is not None and refusal.kind is RefusalKind.CREDENTIALS:
        message = describe(f"{name}: OCI refuses its credentials", refusal)
        return replace(view, obstacle=(Reason.CREDENTIALS_INVALID, message))
    return view
