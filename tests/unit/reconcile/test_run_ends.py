"""Single decisions about runs that end, have ended, or are to go."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ocijobs.api.run.binding import Binding
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import Attempt, OCIJobRunStatus, RunLogs
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.names import ANNOTATION_ABANDON, ANNOTATION_PAUSED
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Absent, Refusal, RefusalKind, RunState
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.objects import AddFinalizer, ListOrphan, RemoveFinalizer
from ocijobs.reconcile.actions.runs import DeleteRun, LookUpRun, ReadValues, SearchLogs
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.gates import Launch
from ocijobs.reconcile.run.launch import retry_at
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.prelaunch import prepare
from ocijobs.testing import (
    DEFAULT_SETTINGS,
    LOG,
    SETTLED,
    START,
    make_identity_view,
    make_job,
    make_metadata,
    make_ocid,
    make_run,
    make_run_observation,
    make_run_record,
    make_submission,
)

RUN_ID = make_ocid("datasciencejobrun")
FORMER = make_ocid("datasciencejobrun", "former")
LATER = START + timedelta(minutes=10)
UNKNOWN = make_identity_view(region=None)


def status_of(phase: Phase, **changes: Any) -> OCIJobRunStatus:
    """Return the status of a run that was launched, and bound to RUN_ID."""
    attempt = Attempt(number=0, job_run_id=RUN_ID, lifecycle_state="SUCCEEDED")
    given: dict[str, Any] = {
        "phase": phase,
        "submit": make_submission(),
        "job_run_id": RUN_ID,
        "job_id": make_submission().job_id,
        "attempts": (attempt,),
        "attempt_count": 1,
        "observed_generation": 1,
    }
    return OCIJobRunStatus(**{**given, **changes})


def ended(meta: dict[str, Any] | None = None, **spec: Any) -> RunObservation:
    """Return a run that has succeeded."""
    run = make_run(
        metadata=make_metadata("run", **(meta or {})),
        status=status_of(Phase.SUCCEEDED, completion_time=START),
        **spec,
    )
    return make_run_observation(run=run)


def deleted(**meta: Any) -> RunObservation:
    """Return one that is deleted with OCI's record of it."""
    given = {"finalizer": True, "deleted": START} | meta
    return ended(given, deletion_policy="Delete")


# After the end.


def test_a_run_that_is_paused_is_left_alone_at_any_time() -> None:
    paused = {"annotations": {ANNOTATION_PAUSED: "true"}}
    o = ended(paused, deletion_policy="Delete")
    assert decide_run(o, LATER) == Decision(status=o.run.status)


def test_a_run_whose_record_is_to_go_with_it_is_held_again() -> None:
    assert decide_run(ended(deletion_policy="Delete"), LATER).actions == (AddFinalizer(),)
    assert decide_run(ended({"finalizer": True}), LATER).actions == (RemoveFinalizer(),)


def test_a_deleted_run_that_nothing_holds_goes_by_itself() -> None:
    assert decide_run(deleted(finalizer=False), LATER).actions == ()


def test_an_abandoned_run_goes_and_says_what_it_leaves() -> None:
    decision = decide_run(deleted(annotations={ANNOTATION_ABANDON: "true"}), LATER)
    listed, removed = decision.actions
    assert isinstance(listed, ListOrphan)
    assert (listed.orphan.name, removed) == ("run", RemoveFinalizer())
    (note,) = decision.notes
    assert note.message.endswith(f"left in OCI: the record of job run {RUN_ID}")


def test_a_record_is_not_deleted_while_nobody_knows_as_whom() -> None:
    assert decide_run(replace(deleted(), identity=UNKNOWN), LATER).actions == ()


def test_a_record_whose_deletion_had_no_answer_is_looked_up_until_it_is_gone() -> None:
    o = deleted()
    (action,) = decide_run(o, LATER).actions
    assert isinstance(action, DeleteRun)
    refusal = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="none")
    known = o.known.delete_answered(RUN_ID, refusal, former=False, at=LATER, epoch=o.epoch)
    o = replace(o, known=known)
    (look,) = decide_run(o, LATER).actions
    assert isinstance(look, LookUpRun)
    at = LATER + timedelta(seconds=1)
    o = replace(o, known=known.look_up_answered(Absent(), at=at, epoch=o.epoch))
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    held = decide_run(o, at)
    assert (held.actions, held.wake_at) == ((), at + confirm)
    assert [note.reason for note in held.notes] == [Reason.NOT_AUTHORIZED_OR_NOT_FOUND]
    assert [type(again) for again in decide_run(o, at + confirm).actions] == [LookUpRun]
    gone = o.known.look_up_answered(Absent(), at=at + confirm, epoch=o.epoch)
    assert decide_run(replace(o, known=gone), at + confirm).actions == (RemoveFinalizer(),)


@pytest.mark.parametrize(
    ("kind", "gone"),
    [
        (None, True),
        (RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, True),
        (RefusalKind.CONFLICT, False),
    ],
)
def test_the_record_of_a_former_attempt_goes_first_and_is_gone_where_oci_finds_none(
    kind: RefusalKind | None, *, gone: bool
) -> None:
    o = deleted()
    former = Attempt(number=0, job_run_id=FORMER, lifecycle_state="FAILED")
    last = Attempt(number=1, job_run_id=RUN_ID, lifecycle_state="SUCCEEDED")
    status = o.run.status.model_copy(update={"attempts": (former, last)})
    o = replace(o, run=o.run.model_copy(update={"status": status}))
    (action,) = decide_run(o, LATER).actions
    assert isinstance(action, DeleteRun)
    assert (action.run_id, action.former) == (FORMER, True)
    refusal = Refusal(kind=kind, message="no") if kind is not None else None
    known = o.known.delete_answered(FORMER, refusal, former=True, at=LATER, epoch=o.epoch)
    after = decide_run(replace(o, known=known), LATER)
    if gone:
        (action,) = after.actions
        assert isinstance(action, DeleteRun)
        assert (action.run_id, action.former) == (RUN_ID, False)
    else:
        assert after.actions == ()
        assert after.wake_at is not None


# The end itself.


def ending(state: RunState = RunState.SUCCEEDED, **changes: Any) -> RunObservation:
    """Return a run that has ended in OCI; its status does not have that yet."""
    status = status_of(Phase.RUNNING, attempts=(), **changes)
    record = make_run_record(state, id=RUN_ID, log=LOG)
    known = RunKnown().with_record(record, LATER)
    return make_run_observation(
        run=make_run(metadata=make_metadata("run", finalizer=True), status=status), known=known
    )


def binding() -> Binding:
    """Return what a run of a job is bound to that declares a result."""
    o = make_run_observation()
    assert o.job is not None
    job = o.job.model_copy(update={"spec": o.job.spec.model_copy(update={"results": ("auc",)})})
    launch = prepare(replace(o, job=job), SETTLED)
    assert isinstance(launch, Launch)
    return launch.binding


def test_results_are_awaited_while_credentials_may_come_back() -> None:
    o = replace(ending(binding=binding()), identity=UNKNOWN)
    decision = decide_run(o, LATER)
    ready = find(decision.status.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.reason == Reason.COLLECTING_RESULTS
    assert decision.wake_at is not None
    over = decide_run(o, decision.wake_at)
    assert over.status.phase is Phase.SUCCEEDED


def test_secrets_of_a_job_are_read_to_mask_what_an_adopted_run_printed() -> None:
    """Such a run has no binding, and its job may have changed: what it has now is all there is."""
    selector = {"name": "keys", "key": "k"}
    job = make_job(env=[{"name": "K", "value_from": {"secret_key_ref": selector}}])
    actions = decide_run(replace(ending(), job=job), LATER).actions
    assert [type(action) for action in actions] == [ReadValues, SearchLogs]
    alone = decide_run(replace(ending(), job=None), LATER).actions
    assert [type(action) for action in alone] == [SearchLogs]


@pytest.mark.parametrize(
    ("rules", "phase"),
    [
        ([{"action": "Fail", "on_lifecycle_details": {"pattern": "out of .*memory"}}], "Failed"),
        ([{"action": "Fail", "on_lifecycle_details": {"pattern": "quota"}}], "Pending"),
        # What can't be read matches nothing: whoever edits a run that goes on is told when it ends.
        ([{"action": "Fail", "on_lifecycle_details": {"pattern": "(memory"}}], "Pending"),
        # Nothing is said of when: it never applies.
        ([{"action": "Fail"}], "Pending"),
        ([{"action": "Fail", "on_exit_codes": {"operator": "NotIn", "values": [3]}}], "Failed"),
        ([{"action": "Fail", "on_exit_codes": {"operator": "In", "values": [3]}}], "Pending"),
    ],
)
def test_a_failure_policy_goes_by_what_oci_says(rules: list[Any], phase: str) -> None:
    run = make_run(
        metadata=make_metadata("run", finalizer=True),
        status=status_of(Phase.RUNNING),
        backoff_limit=1,
        failure_policy={"rules": rules},
    )
    record = make_run_record(RunState.FAILED, id=RUN_ID, details="out of host memory, exit code 1")
    o = make_run_observation(run=run, known=RunKnown().with_record(record, LATER))
    assert decide_run(o, LATER).status.phase == phase


def test_an_attempt_whose_end_is_not_known_holds_the_next_one_back_by_nothing() -> None:
    failed = Attempt(number=0, job_run_id=RUN_ID, lifecycle_state="FAILED", reason="RunFailed")
    status = OCIJobRunStatus(attempts=(failed,))
    assert retry_at(status, "uid", DEFAULT_SETTINGS) is None
    at = failed.model_copy(update={"completion_time": START})
    due = retry_at(OCIJobRunStatus(attempts=(at,)), "uid", DEFAULT_SETTINGS)
    assert due is not None
    assert due > START


# While it runs.


def running(details: str, *, written_at: datetime | None) -> RunObservation:
    """Return a run of which OCI tells other details by now."""
    record = make_run_record(RunState.IN_PROGRESS, id=RUN_ID, details="1 of 9")
    run = make_run(
        metadata=make_metadata("run", finalizer=True),
        status=status_of(Phase.RUNNING, logs=RunLogs(log_id=LOG.log_id)),
    )
    o = make_run_observation(run=run, known=RunKnown().with_record(record, START))
    first = decide_run(o, SETTLED).status
    later = replace(record, details=details)
    known = RunKnown(written_at=written_at).with_record(later, SETTLED)
    return replace(o, run=run.model_copy(update={"status": first}), known=known)


def test_details_alone_are_written_rarely() -> None:
    interval = timedelta(seconds=DEFAULT_SETTINGS.details_interval_seconds)
    o = running("2 of 9", written_at=SETTLED)
    held = decide_run(o, SETTLED)
    assert held.status == o.run.status
    assert held.wake_at == SETTLED + interval
    assert decide_run(o, SETTLED + interval).status.lifecycle_details == "2 of 9"
    first = running("2 of 9", written_at=None)
    assert decide_run(first, SETTLED).status.lifecycle_details == "2 of 9"


def test_results_that_can_t_be_read_are_a_matter_of_that_call_alone() -> None:
    refusal = Refusal(kind=RefusalKind.UNAVAILABLE, message="timed out")
    known = RunKnown().results_answered(refusal, at=START)
    assert known.results is None
    assert known.calls[Operation.READ_RESULTS].refusal == refusal
