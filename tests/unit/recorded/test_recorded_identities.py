"""Recorded identities are gone on with: what was verified stays so, and what was refused is ready when it is mended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.namespace import condition
from tests.support.recorded import Record, records

from ocijobs.api.identity import OCIIdentity
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.reconcile.actions.identities import VerifyCredentials
from ocijobs.reconcile.identity import decide_identity
from ocijobs.reconcile.known.identity import IdentityKnown, Key
from ocijobs.testing import make_identity_observation

IDENTITIES = records("OCIIdentity")


def known(record: Record, identity: OCIIdentity) -> IdentityKnown:
    """Return what a new process knows that has read the Secret and asked OCI, which accepts the key."""
    at = record.written_at + timedelta(minutes=1)
    status, meta = identity.status, identity.metadata
    key = Key(version="v", region=status.region or "us-ashburn-1", tenancy_id=status.tenancy_id)
    epoch = f"{meta.uid}/{meta.generation}"
    return IdentityKnown().secret_read(key, at=at, epoch=epoch).verify_answered("v", None, at=at)


@pytest.mark.parametrize("record", IDENTITIES, ids=str)
def test_an_identity_that_is_accepted_is_ready_and_one_that_was_is_not_written_again(
    record: Record,
) -> None:
    identity = OCIIdentity.model_validate(record.document)
    needed = condition(record.document, "Ready")["message"].removeprefix("needed by ")
    users = tuple(needed.split(", ")) if record.reason == "InUse" else ()
    observed = make_identity_observation(
        identity=identity, known=known(record, identity), users=users
    )
    decision = decide_identity(observed, record.written_at + timedelta(minutes=1, seconds=1))
    if record.reason in {"IdentityVerified", "InUse"}:
        assert decision.status == identity.status
        assert not any(isinstance(action, VerifyCredentials) for action in decision.actions)
    elif identity.metadata.has_finalizer:
        assert is_true(decision.status.conditions, ConditionType.READY)


@pytest.mark.parametrize("record", IDENTITIES, ids=str)
def test_a_new_process_reads_the_secret_and_writes_nothing_before(record: Record) -> None:
    identity = OCIIdentity.model_validate(record.document)
    observed = make_identity_observation(
        identity=identity, known=IdentityKnown(), users=("OCIJob job",)
    )
    decision = decide_identity(observed, record.written_at)
    assert decision.status == identity.status
    assert len(decision.actions) == 1
