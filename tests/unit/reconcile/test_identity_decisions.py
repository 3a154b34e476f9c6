"""What becomes of an identity: read, verified once for each key, held while needed; and what others see of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ocijobs.api.conditions import ConditionType, find, is_true
from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.names import ANNOTATION_PAUSED
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.decision import (
    AddFinalizer,
    Decision,
    ReadCredentials,
    RemoveFinalizer,
    VerifyCredentials,
)
from ocijobs.reconcile.identity import (
    CredentialsRead,
    IdentityKnown,
    IdentityObservation,
    decide_identity,
    view_identity,
)
from ocijobs.reconcile.remote import Operation, Refusal, RefusalKind
from ocijobs.testing import (
    DEFAULT_SETTINGS,
    REGION,
    SETTLED,
    START,
    make_identity,
    make_metadata,
    make_ocid,
)

KEY = CredentialsRead(version="key-1", region=REGION, tenancy_id=make_ocid("tenancy"))
EPOCH = "uid-of-default/1"


def observed(
    known: IdentityKnown,
    *,
    users: tuple[str, ...] = (),
    status: OCIIdentityStatus | None = None,
    **metadata: Any,
) -> IdentityObservation:
    """Return an identity as the operator sees it."""
    given: dict[str, Any] = {"uid": "uid-of-default", "finalizer": True} | metadata
    annotations = given.pop("annotations", {})
    meta = make_metadata("default", **given).model_copy(update={"annotations": annotations})
    identity = make_identity(metadata=meta, status=status)
    return IdentityObservation(
        identity=identity, users=users, known=known, settings=DEFAULT_SETTINGS
    )


def read(
    credentials: CredentialsRead | None = KEY, refusal: Refusal | None = None
) -> IdentityKnown:
    """Return what is known when the Secret was asked for at SETTLED."""
    known = IdentityKnown(credentials=credentials, read_at=SETTLED)
    return known.called(Operation.READ_CREDENTIALS, at=SETTLED, refusal=refusal, epoch=EPOCH)


def asked(kind: RefusalKind | None = None) -> IdentityKnown:
    """Return what is known when OCI was asked with the key at SETTLED, and accepted or refused it."""
    refusal = Refusal(kind=kind, message="no") if kind is not None else None
    known = read().called(Operation.VERIFY, at=SETTLED, refusal=refusal, epoch=KEY.version)
    return known if kind is not None else replace(known, verified=KEY.version)


def ready(decision: Decision[OCIIdentityStatus]) -> tuple[str, str]:
    """Return reason and message of Ready."""
    condition = find(decision.status.conditions, ConditionType.READY)
    assert condition is not None
    return condition.reason, condition.message


def test_a_paused_identity_is_left_alone() -> None:
    paused = observed(IdentityKnown(), annotations={ANNOTATION_PAUSED: "true"})
    assert decide_identity(paused, SETTLED) == Decision(status=paused.identity.status)


def test_an_identity_is_held_before_anything_is_done_with_it() -> None:
    assert decide_identity(observed(read(), finalizer=False), SETTLED).actions == (AddFinalizer(),)


@pytest.mark.parametrize(
    ("users", "finalizer", "actions"),
    [((), True, (RemoveFinalizer(),)), ((), False, ()), (("run",), False, ())],
)
def test_a_deleted_identity_goes_unless_something_needs_it(
    *, users: tuple[str, ...], finalizer: bool, actions: tuple[object, ...]
) -> None:
    deleted = observed(asked(), users=users, finalizer=finalizer, deleted=START)
    assert decide_identity(deleted, SETTLED).actions == actions


def test_a_deleted_identity_that_is_needed_says_by_what() -> None:
    users = tuple(f"OCIJob a{n}" for n in range(20))
    reason, message = ready(decide_identity(observed(asked(), users=users, deleted=START), SETTLED))
    assert reason == Reason.IN_USE
    assert message.startswith("needed by OCIJob a0, OCIJob a1")
    assert message.endswith(", …")
    few = observed(asked(), users=users[:1], deleted=START)
    assert ready(decide_identity(few, SETTLED))[1] == "needed by OCIJob a0"


def test_the_secret_is_read_at_once_after_an_edit_and_again_after_a_while() -> None:
    due = SETTLED + timedelta(seconds=DEFAULT_SETTINGS.identity_reread_seconds)
    rests = decide_identity(observed(asked()), SETTLED)
    assert (rests.actions, rests.wake_at) == ((), due)
    for decision in (
        decide_identity(observed(IdentityKnown()), SETTLED),
        decide_identity(observed(asked(), generation=2), SETTLED),
        decide_identity(observed(asked()), due),
    ):
        (action,) = decision.actions
        assert isinstance(action, ReadCredentials)
        assert action.secret_name == "api-key"


def test_a_secret_that_is_not_there_is_told_and_asked_for_again_by_and_by() -> None:
    missing = Refusal(kind=RefusalKind.MISSING, message="there is no Secret api-key")
    decision = decide_identity(observed(read(None, missing)), SETTLED)
    assert ready(decision) == (
        Reason.WAITING_FOR_IDENTITY,
        "spec.secretRef: there is no Secret api-key",
    )
    assert decision.actions == ()
    assert decision.wake_at is not None
    assert SETTLED < decision.wake_at < SETTLED + timedelta(minutes=2)
    unread = decide_identity(observed(read(None)), SETTLED)
    assert ready(unread)[1] == "spec.secretRef: the Secret was not read yet"


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        (replace(KEY, problem="the key is encrypted"), "spec.secretRef: the key is encrypted"),
        (
            replace(KEY, region=None),
            "spec.secretRef: no region is given, neither there nor in spec.region",
        ),
    ],
)
def test_what_is_wrong_with_a_secret_is_told(credentials: CredentialsRead, message: str) -> None:
    decision = decide_identity(observed(read(credentials)), SETTLED)
    assert ready(decision) == (Reason.CREDENTIALS_INVALID, message)


def test_oci_is_asked_once_for_each_key() -> None:
    (action,) = decide_identity(observed(read()), SETTLED).actions
    assert isinstance(action, VerifyCredentials)
    decision = decide_identity(observed(asked()), SETTLED)
    assert ready(decision) == (Reason.IDENTITY_VERIFIED, "OCI accepts the credentials")
    assert decision.status.region == REGION
    changed = replace(asked(RefusalKind.CREDENTIALS), credentials=replace(KEY, version="key-2"))
    (again,) = decide_identity(observed(changed), SETTLED).actions
    assert again == action


@pytest.mark.parametrize("kind", [RefusalKind.CREDENTIALS, RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND])
def test_a_key_that_oci_refuses_is_told_and_tried_again(kind: RefusalKind) -> None:
    accepted = decide_identity(observed(asked()), SETTLED).status
    decision = decide_identity(observed(asked(kind), status=accepted), SETTLED)
    assert ready(decision)[1] == "asking OCI with these credentials: no"
    assert decision.actions == ()
    assert decision.wake_at is not None
    later = SETTLED + timedelta(seconds=DEFAULT_SETTINGS.refusal_retry_max_seconds)
    known = asked(kind).called(Operation.READ_CREDENTIALS, at=later, epoch=EPOCH)
    (action,) = decide_identity(observed(known, status=accepted), later).actions
    assert isinstance(action, VerifyCredentials)


def test_an_outage_takes_nothing_back_that_oci_has_said() -> None:
    accepted = decide_identity(observed(asked()), SETTLED).status
    outage = decide_identity(observed(asked(RefusalKind.UNAVAILABLE), status=accepted), SETTLED)
    assert outage.status == accepted
    unknown = decide_identity(observed(asked(RefusalKind.UNAVAILABLE)), SETTLED)
    assert not is_true(unknown.status.conditions, ConditionType.READY)
    assert ready(unknown)[0] == Reason.OCI_UNAVAILABLE


def test_others_see_an_identity_when_oci_was_asked() -> None:
    usable = observed(asked())
    reference = usable.reference
    view = view_identity(reference, usable.identity, asked())
    assert (view.region, view.version, view.obstacle) == (REGION, KEY.version, None)
    for early in (
        view_identity(reference, usable.identity, read()),
        view_identity(reference, observed(asked(), finalizer=False).identity, asked()),
        view_identity(reference, usable.identity, IdentityKnown()),
    ):
        assert (early.region, early.obstacle) == (None, None)


def test_others_see_why_an_identity_can_not_be_used() -> None:
    identity = observed(asked()).identity
    reference = observed(asked()).reference
    missing = Refusal(kind=RefusalKind.MISSING, message="there is no Secret api-key")
    obstacles = {
        "absent": view_identity(reference, None, IdentityKnown()).obstacle,
        "broken": view_identity(reference, identity, read(replace(KEY, problem="bad"))).obstacle,
        "no region": view_identity(reference, identity, read(replace(KEY, region=None))).obstacle,
        "no Secret": view_identity(reference, identity, read(None, missing)).obstacle,
        "refused": view_identity(reference, identity, asked(RefusalKind.CREDENTIALS)).obstacle,
        "outage": view_identity(reference, identity, asked(RefusalKind.UNAVAILABLE)).obstacle,
    }
    name = "OCIIdentity default"
    invalid, waiting = Reason.CREDENTIALS_INVALID, Reason.WAITING_FOR_IDENTITY
    assert obstacles == {
        "absent": (waiting, f"there is no {name}"),
        "broken": (invalid, f"{name}: bad"),
        "no region": (invalid, f"{name}: its Secret and its spec name no region"),
        "no Secret": (waiting, f"{name}: there is no Secret api-key"),
        "refused": (invalid, f"{name}: OCI refuses its credentials: no"),
        "outage": None,
    }


def test_an_identity_that_is_gone_serves_what_goes_on_and_nothing_new() -> None:
    view = view_identity(observed(asked()).reference, None, asked())
    assert (view.region, view.deleting) == (REGION, True)
