"""What becomes of an identity: read, verified once for each key, held while needed; and what others see of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.shared.conditions import ConditionType, find, is_true
from ocijobs.api.shared.names import ANNOTATION_PAUSED
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.identities import (
    CopyCredentials,
    DropCredentials,
    ReadCredentials,
    VerifyCredentials,
)
from ocijobs.reconcile.actions.objects import AddFinalizer, RemoveFinalizer
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.identity import (
    IdentityObservation,
    decide_identity,
    view_identity,
)
from ocijobs.reconcile.known.identity import IdentityKnown, Key
from ocijobs.testing import (
    DEFAULT_SETTINGS,
    REGION,
    SETTLED,
    START,
    make_identity,
    make_metadata,
    make_ocid,
)

KEY = Key(version="key-1", region=REGION, tenancy_id=make_ocid("tenancy"))
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


def read(key: Key = KEY) -> IdentityKnown:
    """Return what is known when the Secret was read at SETTLED."""
    return IdentityKnown().secret_read(key, at=SETTLED, epoch=EPOCH)


def asked(kind: RefusalKind | None = None, *, at: datetime = SETTLED) -> IdentityKnown:
    """Return what is known when OCI was asked with the key, and accepted or refused it."""
    refusal = Refusal(kind=kind, message="no") if kind is not None else None
    return read().verify_answered(KEY.version, refusal, at=at)


def missing(known: IdentityKnown, *, at: datetime = SETTLED) -> IdentityKnown:
    """Return what is known when the Secret is not there any more."""
    return known.secret_missing("there is no Secret api-key", at=at, epoch=EPOCH)


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
    decision = decide_identity(observed(missing(IdentityKnown())), SETTLED)
    assert ready(decision) == (
        Reason.WAITING_FOR_IDENTITY,
        "spec.secretRef: there is no Secret api-key",
    )
    assert decision.actions == ()
    assert decision.wake_at is not None
    assert SETTLED < decision.wake_at < SETTLED + timedelta(minutes=2)
    unreachable = IdentityKnown().secret_unreachable("not read: 500", at=SETTLED, epoch=EPOCH)
    assert (
        ready(decide_identity(observed(unreachable), SETTLED))[1] == "spec.secretRef: not read: 500"
    )


def test_what_is_wrong_with_a_secret_is_told() -> None:
    broken = IdentityKnown().secret_broken("the key is encrypted", at=SETTLED, epoch=EPOCH)
    assert ready(decide_identity(observed(broken), SETTLED)) == (
        Reason.CREDENTIALS_INVALID,
        "spec.secretRef: the key is encrypted",
    )


@pytest.mark.parametrize("problem", [None, "the key is encrypted"])
def test_an_identity_is_not_ready_when_its_secret_goes(problem: str | None) -> None:
    accepted = decide_identity(observed(asked()), SETTLED).status
    gone = (
        missing(asked())
        if problem is None
        else asked().secret_broken(problem, at=SETTLED, epoch=EPOCH)
    )
    decision = decide_identity(observed(gone, status=accepted), SETTLED)
    assert not is_true(decision.status.conditions, ConditionType.READY)
    reason, message = ready(decision)
    assert reason == (Reason.CREDENTIALS_INVALID if problem else Reason.WAITING_FOR_IDENTITY)
    assert message.endswith("; what runs is followed, and nothing new starts")
    back = decide_identity(observed(gone.secret_read(KEY, at=SETTLED, epoch=EPOCH)), SETTLED)
    assert is_true(back.status.conditions, ConditionType.READY)


def test_a_key_without_a_secret_follows_and_ends_and_starts_nothing() -> None:
    identity = observed(asked()).identity
    reference = observed(asked()).reference
    deleted = observed(asked(), deleted=START).identity
    may = view_identity(reference, identity, asked())
    assert may.caller() is not None
    assert may.launcher() is not None
    views = {
        "no Secret": view_identity(reference, identity, missing(asked())),
        "broken": view_identity(
            reference, identity, asked().secret_broken("bad", at=SETTLED, epoch=EPOCH)
        ),
        "deleted": view_identity(reference, deleted, asked()),
        "absent": view_identity(reference, None, asked()),
    }
    for view in views.values():
        assert view.caller() == may.caller()
        assert (view.obstacle, view.launcher()) == (None, None)
    name = "OCIIdentity default"
    assert {case: view.blocks_start for case, view in views.items()} == {
        "no Secret": (Reason.WAITING_FOR_IDENTITY, f"{name}: there is no Secret api-key"),
        "broken": (Reason.CREDENTIALS_INVALID, f"{name}: bad"),
        "deleted": (Reason.WAITING_FOR_IDENTITY, f"{name} is being deleted"),
        "absent": (Reason.WAITING_FOR_IDENTITY, f"there is no {name}"),
    }


def test_credentials_are_gone_when_nothing_works_and_nobody_can_mend_it() -> None:
    identity = observed(asked()).identity
    reference = observed(asked()).reference
    later = SETTLED + timedelta(minutes=5)
    refused = asked(RefusalKind.CREDENTIALS, at=later)
    again = refused.verify_answered(
        KEY.version,
        Refusal(kind=RefusalKind.CREDENTIALS, message="no"),
        at=later + timedelta(hours=1),
    )
    since = {
        "works": asked(),
        "no Secret, the key works": missing(asked()),
        "refused, the Secret can be mended": refused,
        "no Secret, and no key": missing(IdentityKnown()),
        "no Secret, and the key is refused": missing(again, at=SETTLED),
        "no Secret, no longer refused": missing(again).verify_answered(KEY.version, None, at=later),
        "refused, and there is another Secret": again.secret_read(
            replace(KEY, version="key-2"), at=later, epoch=EPOCH
        ),
    }
    views = {case: view_identity(reference, identity, known) for case, known in since.items()}
    assert {case: view.gone_since for case, view in views.items() if view.gone_since} == {
        "no Secret, and no key": SETTLED,
        "no Secret, and the key is refused": later,
    }
    absent = replace(IdentityKnown(), absent_since=START)
    assert view_identity(reference, None, absent).gone_since == START
    assert view_identity(reference, None, replace(asked(), absent_since=START)).gone_since is None


def test_oci_is_asked_once_for_each_key() -> None:
    (action,) = decide_identity(observed(read()), SETTLED).actions
    assert isinstance(action, VerifyCredentials)
    decision = decide_identity(observed(asked()), SETTLED)
    assert ready(decision) == (Reason.IDENTITY_VERIFIED, "OCI accepts the credentials")
    assert decision.status.region == REGION
    changed = asked(RefusalKind.CREDENTIALS).secret_read(
        replace(KEY, version="key-2"), at=SETTLED, epoch=EPOCH
    )
    (again,) = decide_identity(observed(changed), SETTLED).actions
    assert again == action


def test_oci_is_asked_again_at_intervals_and_when_it_refused_the_signature_of_a_call() -> None:
    def verifies(known: IdentityKnown, at: datetime) -> bool:
        read_again = known.secret_read(KEY, at=at, epoch=EPOCH)
        actions = decide_identity(observed(read_again), at).actions
        return any(isinstance(action, VerifyCredentials) for action in actions)

    interval = timedelta(seconds=DEFAULT_SETTINGS.identity_verify_seconds)
    moment = timedelta(seconds=1)
    assert not verifies(asked(), SETTLED + interval - moment)
    assert verifies(asked(), SETTLED + interval)
    doubted = replace(asked(), doubted=True)
    assert verifies(doubted, SETTLED + timedelta(seconds=10))
    # A thousand calls that are refused in one second ask one question.
    assert not verifies(doubted, SETTLED + moment)
    assert not verifies(
        doubted.verify_answered(KEY.version, None, at=SETTLED), SETTLED + interval / 2
    )
    outage = Refusal(kind=RefusalKind.UNAVAILABLE, message="no")
    unsure = asked().verify_answered(KEY.version, outage, at=SETTLED)
    assert ready(decide_identity(observed(unsure), SETTLED))[0] == Reason.IDENTITY_VERIFIED


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
    broken = IdentityKnown().secret_broken("bad", at=SETTLED, epoch=EPOCH)
    unreachable = IdentityKnown().secret_unreachable("500", at=SETTLED, epoch=EPOCH)
    obstacles = {
        "absent": view_identity(reference, None, IdentityKnown()).obstacle,
        "broken": view_identity(reference, identity, broken).obstacle,
        "unreachable": view_identity(reference, identity, unreachable).obstacle,
        "no Secret": view_identity(reference, identity, missing(IdentityKnown())).obstacle,
        "refused": view_identity(reference, identity, asked(RefusalKind.CREDENTIALS)).obstacle,
        "outage": view_identity(reference, identity, asked(RefusalKind.UNAVAILABLE)).obstacle,
    }
    name = "OCIIdentity default"
    invalid, waiting = Reason.CREDENTIALS_INVALID, Reason.WAITING_FOR_IDENTITY
    assert obstacles == {
        "absent": (waiting, f"there is no {name}"),
        "broken": (invalid, f"{name}: bad"),
        "unreachable": (waiting, f"{name}: 500"),
        "no Secret": (waiting, f"{name}: there is no Secret api-key"),
        "refused": (invalid, f"{name}: OCI refuses its credentials: no"),
        "outage": None,
    }


def holds(known: IdentityKnown, at: datetime = SETTLED, **changes: Any) -> list[str]:
    """Return what is done about the copy of the Secret, for an identity that a run needs."""
    observation = observed(known, **{"users": ("OCIJobRun team-a/run",), **changes})
    copying = CopyCredentials | DropCredentials
    actions = decide_identity(observation, at).actions
    return [type(action).__name__ for action in actions if isinstance(action, copying)]


def copied(version: str = KEY.version) -> IdentityKnown:
    """Return what is known when OCI accepts the key and a copy of that version is kept."""
    return asked().copy_answered(version, None, at=SETTLED)


def test_a_copy_is_kept_for_what_needs_it_once_oci_has_accepted_the_key() -> None:
    assert holds(asked()) == ["CopyCredentials"]
    assert holds(asked(), users=()) == []
    assert holds(copied()) == []
    # Another key takes the place of a former one when OCI takes it, and not before.
    renewed = replace(KEY, version="key-2")
    changed = copied().secret_read(renewed, at=SETTLED, epoch=EPOCH)
    assert holds(changed) == []
    refused = Refusal(kind=RefusalKind.CREDENTIALS, message="no")
    assert holds(changed.verify_answered("key-2", refused, at=SETTLED)) == []
    assert holds(changed.verify_answered("key-2", None, at=SETTLED)) == ["CopyCredentials"]
    assert holds(missing(copied())) == []


def test_a_copy_goes_when_nothing_needs_it() -> None:
    assert holds(copied(), users=()) == ["DropCredentials"]
    gone = decide_identity(observed(copied(), deleted=START), SETTLED)
    drop = DropCredentials(identity=observed(copied()).reference)
    assert gone.actions == (drop, RemoveFinalizer())


def test_nothing_is_created_before_there_is_a_copy() -> None:
    identity = observed(asked()).identity
    reference = observed(asked()).reference
    assert view_identity(reference, identity, asked()).copy_first == CopyCredentials(
        identity=reference
    )
    assert view_identity(reference, identity, copied()).copy_first is None
    assert view_identity(reference, identity, copied("key-0")).copy_first is not None


def test_a_copy_that_can_not_be_written_is_told_and_tried_again() -> None:
    forbidden = Refusal(kind=RefusalKind.UNAVAILABLE, message="no copy could be kept: 403")
    known = asked().copy_answered(KEY.version, forbidden, at=SETTLED)
    view = view_identity(observed(known).reference, observed(known).identity, known)
    assert (view.launcher(), view.caller() is None) == (None, False)
    assert view.blocks_start == (
        Reason.WAITING_FOR_IDENTITY,
        "OCIIdentity default: no copy could be kept: 403",
    )
    assert holds(known) == []
    later = SETTLED + timedelta(seconds=30)
    again = known.secret_read(KEY, at=later, epoch=EPOCH)
    assert holds(again, later) == ["CopyCredentials"]


def test_what_starts_waits_until_oci_was_asked_about_the_very_key() -> None:
    changed = copied().secret_read(replace(KEY, version="key-2"), at=SETTLED, epoch=EPOCH)
    view = view_identity(observed(changed).reference, observed(changed).identity, changed)
    assert (view.launcher(), view.blocks_start) == (None, None)
    assert view.caller() is not None
