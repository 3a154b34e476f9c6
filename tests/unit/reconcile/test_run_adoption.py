"""Runs that take up a job run which is there already, and runs of an OCI job that no OCIJob has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState, Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation
from ocijobs.reconcile.actions.jobs import LookUpJob
from ocijobs.reconcile.actions.objects import AddFinalizer
from ocijobs.reconcile.actions.runs import LookUpRun
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.testing import (
    COMPARTMENT,
    SETTLED,
    make_identity_view,
    make_metadata,
    make_ocid,
    make_ready_job,
    make_run,
    make_run_observation,
    make_run_record,
)

RUN_ID = make_ocid("datasciencejobrun")
JOB_ID = make_ocid("datasciencejob", "outside")
BLIND = make_identity_view(obstacle=(Reason.CREDENTIALS_INVALID, "401"))


def adopting(
    known: RunKnown | None = None,
    *,
    held: bool = True,
    former: str | None = None,
    at: datetime = SETTLED,
    **around: Any,
) -> Decision[OCIJobRunStatus]:
    """Decide about a run that is to be RUN_ID."""
    adoption = {"job_run_id": RUN_ID, "former_owner": former}
    run = make_run(metadata=make_metadata("run", finalizer=held), adopt=adoption)
    observed = make_run_observation(run=run, known=known or RunKnown(), **around)
    return decide_run(observed, at)


def outside(job_known: JobKnown | None = None, **around: Any) -> Decision[OCIJobRunStatus]:
    """Decide about a run of JOB_ID."""
    run = make_run(metadata=make_metadata("run", finalizer=True), job_id=JOB_ID)
    known = job_known or JobKnown()
    return decide_run(make_run_observation(run=run, job=None, job_known=known, **around), SETTLED)


def looked_up(kind: RefusalKind | None = None) -> dict[Operation, Call]:
    """Return that OCI was asked at SETTLED, and refused it or had nothing."""
    refusal = Refusal(kind=kind, message="no") if kind is not None else None
    epoch = make_run_observation().epoch
    tries = 1 if refusal is not None else 0
    return {Operation.LOOK_UP: Call(at=SETTLED, tries=tries, refusal=refusal, epoch=epoch)}


def ready(decision: Decision[OCIJobRunStatus]) -> tuple[str, str]:
    """Return reason and message of Ready."""
    condition = find(decision.status.conditions, ConditionType.READY)
    assert condition is not None
    return condition.reason, condition.message


def test_a_run_that_adopts_is_held_and_looks_first() -> None:
    assert adopting(held=False).actions == (AddFinalizer(),)
    (action,) = adopting().actions
    assert isinstance(action, LookUpRun)
    assert action.run_id == RUN_ID


def test_without_an_identity_nothing_is_looked_up() -> None:
    blind = adopting(identity=BLIND)
    assert (blind.actions, ready(blind)) == ((), (Reason.CREDENTIALS_INVALID, "401"))
    unknown = adopting(identity=make_identity_view(region=None))
    assert (unknown.actions, unknown.status) == ((), OCIJobRunStatus())
    nowhere = adopting(job=None, identity=make_identity_view(defaults=IdentityDefaults()))
    assert ready(nowhere)[0] == Reason.WAITING_FOR_JOB
    elsewhere = make_identity_view(defaults=IdentityDefaults(compartment_id=COMPARTMENT))
    (action,) = adopting(job=None, identity=elsewhere).actions
    assert isinstance(action, LookUpRun)
    assert action.compartment_id == COMPARTMENT


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [
        (None, Reason.NOT_AUTHORIZED_OR_NOT_FOUND, "OCI has it not"),
        (RefusalKind.CREDENTIALS, Reason.CREDENTIALS_INVALID, "no"),
        (RefusalKind.THROTTLED, Reason.THROTTLED, "no"),
    ],
)
def test_what_oci_does_not_show_is_told_and_looked_for_again(
    kind: RefusalKind | None, reason: Reason, words: str
) -> None:
    known = RunKnown(calls=looked_up(kind))
    for decision, where in (
        (adopting(known), f"spec.adopt.jobRunId: job run {RUN_ID}: {words}"),
        (outside(JobKnown(calls=looked_up(kind))), f"spec.jobId: {JOB_ID}: {words}"),
    ):
        assert ready(decision)[0] == reason
        assert ready(decision)[1].startswith(where)
        assert decision.actions == ()
        assert decision.wake_at is not None
        assert SETTLED < decision.wake_at <= SETTLED + timedelta(minutes=5)
    (again,) = adopting(known, at=SETTLED + timedelta(minutes=5)).actions
    assert isinstance(again, LookUpRun)


@pytest.mark.parametrize("former", [None, "another/uid"])
def test_a_job_run_of_another_operator_is_taken_over_only_where_its_owner_is_named(
    former: str | None,
) -> None:
    record = make_run_record(id=RUN_ID, owner="another/uid/0")
    decision = adopting(RunKnown(record=record), former=former)
    if former is None:
        assert decision.status.phase is Phase.FAILED
        assert "job run belongs" not in ready(decision)[1]
        assert ready(decision)[1].startswith("spec.adopt.formerOwner: ")
        assert "belongs to another/uid" in ready(decision)[1]
    else:
        assert decision.status.job_run_id == RUN_ID


def test_an_adopted_run_is_bound_to_its_job_and_its_outputs() -> None:
    record = make_run_record(id=RUN_ID, owner=None)
    job = make_ready_job(outputs={"uri": "oci://b@n/$(JOB_OCID)/$(JOB_RUN_OCID)"})
    status = adopting(RunKnown(record=record), job=job).status
    assert status.submit is not None
    assert (status.submit.attempt, status.submit.job_id) == (0, record.job_id)
    assert status.binding is not None
    assert status.binding.outputs_uri == f"oci://b@n/{record.job_id}/$(JOB_RUN_OCID)"
    alone = make_identity_view(defaults=IdentityDefaults(compartment_id=COMPARTMENT))
    assert adopting(RunKnown(record=record), job=None, identity=alone).status.job_run_id == RUN_ID


def test_an_oci_job_outside_the_cluster_is_read_once() -> None:
    (action,) = outside().actions
    assert isinstance(action, LookUpJob)
    assert action.job_id == JOB_ID
    blind = outside(identity=BLIND)
    assert (blind.actions, ready(blind)) == ((), (Reason.CREDENTIALS_INVALID, "401"))


def test_an_oci_job_of_later_days_is_not_run() -> None:
    record = JobRecord(
        id=JOB_ID, compartment_id=COMPARTMENT, state=JobState.ACTIVE, unreadable="type QUANTUM"
    )
    known = JobKnown(record=record, calls=looked_up())
    assert ready(outside(known)) == (
        Reason.INVALID_SPEC,
        f"spec.jobId: {JOB_ID}: type QUANTUM is not known to this operator",
    )


def test_a_job_run_is_looked_for_in_the_region_of_its_job() -> None:
    job = make_ready_job()
    elsewhere = job.status.model_copy(update={"region": "eu-frankfurt-1"})
    (action,) = adopting(job=job.model_copy(update={"status": elsewhere})).actions
    assert isinstance(action, LookUpRun)
    assert action.caller.region == "eu-frankfurt-1"
